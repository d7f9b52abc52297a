/* schema, explain, import: the manifest's format, for editors, learners and newcomers. */
#include "core.h"

#include <stdio.h>
#include <unistd.h>

static int finish(const struct buf *out, enum err_code r, const struct err *e)
{
    return r == ERR_OK ? print_answer(out) : tell_error(e);
}

int cmd_schema(const struct cli_options *o)
{
    (void)o;
    CLEANUP(buf_release) struct buf out = BUF_INIT(LIMIT_ANSWER);
    struct err e = ERR_INIT;
    enum err_code r = manifest_schema_json(&out, &e);
    return finish(&out, r, &e);
}

int cmd_explain(const struct cli_options *o)
{
    CLEANUP(buf_release) struct buf out = BUF_INIT(LIMIT_ANSWER);
    struct err e = ERR_INIT;
    enum err_code r = manifest_explain(o->operands[0], &out, &e);
    if (r == ERR_NOT_FOUND)
        e.code = ERR_USAGE;
    return finish(&out, r, &e);
}

int cmd_import(const struct cli_options *o)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(buf_release) struct buf text = BUF_INIT(LIMIT_ENV_FILE_BYTES);
    CLEANUP(buf_release) struct buf out = BUF_INIT(LIMIT_ANSWER);
    CLEANUP(buf_release) struct buf told = BUF_INIT(LIMIT_ANSWER);
    struct diagnostics d;
    struct err e = ERR_INIT, e2 = ERR_INIT;
    diagnostics_init(&d, a);
    if (!str_eq(o->operands[0], "env")) {
        err_set(&e, ERR_USAGE,
                "import knows 'env' and nothing else yet; usage: mirrorctl import env FILE");
        return tell_error(&e);
    }
    if (file_read(o->operands[1], &text, &e) != ERR_OK) {
        tell_error(&e);
        return 2;
    }
    enum err_code r =
        manifest_from_env_text(o->operands[1], buf_str(&text), text.len, &out, &d, &e);
    if (d.n > 0 && diagnostics_render(&d, use_color(o, STDERR_FILENO), &told, &e2) == ERR_OK)
        fwrite(told.data, 1, told.len, stderr);
    if (r == ERR_INVALID && d.n_errors > 0)
        return 2;
    return finish(&out, r, &e);
}
