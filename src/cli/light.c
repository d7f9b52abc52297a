/* The light half: what needs no library is answered here; the rest goes to mirrorctl-core. */
#include "mirrorctl/cli.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LIMIT_HELP = 256 << 10 };

static int print(struct buf *text, enum err_code r, const struct err *e)
{
    if (r != ERR_OK) {
        fprintf(stderr, "mirrorctl: %s\n", e->text);
        return 2;
    }
    if (fwrite(buf_str(text), 1, text->len, stdout) != text->len || fflush(stdout) != 0) {
        fprintf(stderr, "mirrorctl: stdout: not written\n");
        return 3;
    }
    return 0;
}

static enum err_code write_help(const struct cli_options *o, struct buf *out, struct err *e)
{
    if (o->n_operands == 0)
        return cli_help_all(out, e);
    if (str_eq(o->operands[0], "man"))
        return cli_man_page(MIRRORCTL_VERSION, out, e);
    for (size_t i = 0; i < CMD_COUNT; i++)
        if (str_eq(o->operands[0], command_rows[i].name))
            return cli_help_command((enum command_id)i, out, e);
    return cli_help_topic(o->operands[0], out, e);
}

static int answer(enum command_id c, const struct cli_options *o)
{
    CLEANUP(buf_release) struct buf out = BUF_INIT(LIMIT_HELP);
    struct err e = ERR_INIT;
    enum err_code r = ERR_OK;
    if (o->help)
        r = cli_help_command(c, &out, &e);
    else if (c == CMD_VERSION)
        r = buf_addstr(&out, "mirrorctl " MIRRORCTL_VERSION "\n", &e);
    else if (c == CMD_COMPLETION)
        r = cli_completion(o->operands[0], &out, &e);
    else
        r = write_help(o, &out, &e);
    return print(&out, r, &e);
}

int cli_light_main(int argc, char **argv)
{
    enum command_id c = CMD_HELP;
    struct cli_options o;
    struct err e = ERR_INIT;
    if (cli_parse(argc, argv, &c, &o, &e) != ERR_OK) {
        fprintf(stderr, "mirrorctl: %s\n", e.text);
        return 2;
    }
    if (o.help || command_rows[c].light)
        return answer(c, &o);
    return -1;
}
