/*
 * Any bytes as a manifest, and as a .env: never a crash, never a leak, never a message that shows
 * what looks like a credential; and libcyaml takes everything that the checks before it took.
 *
 *     fuzz_manifest -max_len=4096 tests/unit/manifest/corpus/valid
 * tests/unit/manifest/corpus/invalid
 */
#include "mirrorctl/manifest.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A token at the start of a word; inside one ("laughs_loudly", or cut by "…") it is none. */
static bool shows_token(const char *s)
{
    for (const char *p = s; (p = strstr(p, "ghp_0123")) != NULL; p++)
        if (p == s ||
            (isalnum((unsigned char)p[-1]) == 0 && p[-1] != '_' && (unsigned char)p[-1] < 0x80))
            return true;
    return false;
}

static void parse(const char *name, const char *text, size_t n)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(buf_release) struct buf out = BUF_INIT(16 << 20);
    struct diagnostics d;
    struct manifest *m = NULL;
    struct err e = ERR_INIT;

    diagnostics_init(&d, a);
    enum err_code r = manifest_parse(name, text, n, a, &m, &d, &e);
    if ((r == ERR_OK) != (m != NULL) || (r == ERR_OK) != (d.n_errors == 0))
        abort();
    for (size_t i = 0; i < d.n; i++)
        if (strcmp(d.items[i].code, "M006") == 0)
            abort();
    if (diagnostics_render(&d, false, &out, &e) != ERR_OK || shows_token(buf_str(&out)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    parse("m.yaml", (const char *)data, n);
    parse("m.env", (const char *)data, n);
    return 0;
}
