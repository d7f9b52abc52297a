/* Prints what is generated from the tables: manifest_tool schema | reference. See CMakeLists.txt.
 */
#include "mirrorctl/manifest.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf out = BUF_INIT(LIMIT_MANIFEST_BYTES);
    enum err_code r = ERR_USAGE;

    if (argc == 2 && str_eq(argv[1], "schema"))
        r = manifest_schema_json(&out, &e);
    else if (argc == 2 && str_eq(argv[1], "reference"))
        r = manifest_reference_markdown(&out, &e);
    else
        (void)err_set(&e, ERR_USAGE, "manifest_tool schema | reference");
    if (r != ERR_OK) {
        (void)fprintf(stderr, "%s\n", e.text);
        return 2;
    }
    return fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0 ? 0 : 3;
}
