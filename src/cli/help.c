/* Help and the man page, from the tables. */
#include "mirrorctl/cli.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static enum err_code option_left(const struct option_row *r, char out[static 48])
{
    char letter[8] = "    ";
    if (r->letter != 0)
        snprintf(letter, sizeof letter, "-%c, ", r->letter);
    snprintf(out, 48, "%s--%s%s%s", letter, r->name, r->value != NULL ? " " : "",
             r->value != NULL ? r->value : "");
    return ERR_OK;
}

enum { HELP_WIDTH = 80 };

/* Words of a text, broken at HELP_WIDTH columns, each line behind the first indented. */
static enum err_code wrap(struct buf *out, const char *text, size_t column, size_t indent,
                          struct err *e)
{
    while (*text != '\0') {
        size_t n = strcspn(text, " ");
        if (column > indent && column + 1 + n > HELP_WIDTH) {
            TRY(buf_addf(out, e, "\n%*s", (int)indent, ""));
            column = indent;
        } else if (column > indent) {
            TRY(buf_addstr(out, " ", e));
            column++;
        }
        TRY(buf_add(out, text, n, e));
        column += n;
        text += n + strspn(text + n, " ");
    }
    return buf_addstr(out, "\n", e);
}

enum err_code cli_help_all(struct buf *out, struct err *e)
{
    TRY(buf_addstr(out,
                   "mirrorctl keeps hot standbys of a repository that must not die.\n\n"
                   "usage: mirrorctl COMMAND [options]\n\n",
                   e));
    for (size_t i = 0; i < CMD_COUNT; i++) {
        const struct command_row *c = &command_rows[i];
        char left[64];
        snprintf(left, sizeof left, "%s %s", c->name, c->operands);
        TRY(buf_addf(out, e, "  %-34s%s\n", left, c->summary));
    }
    return buf_addstr(
        out,
        "\nStart:     mirrorctl check -f mirrors.yaml, then diff, then apply\n"
        "More:      mirrorctl help COMMAND, mirrorctl help exit-codes, man mirrorctl\n",
        e);
}

enum err_code cli_help_command(enum command_id id, struct buf *out, struct err *e)
{
    const struct command_row *c = &command_rows[id];
    TRY(buf_addf(out, e, "%s: %s\n\nusage: mirrorctl %s%s%s%s\n", c->name, c->summary, c->name,
                 c->operands[0] != '\0' ? " " : "", c->operands,
                 c->options[1] != OPT_COUNT ? " [options]" : ""));
    if (c->about[0] != '\0') {
        TRY(buf_addstr(out, "\n", e));
        TRY(wrap(out, c->about, 0, 0, e));
    }
    TRY(buf_addstr(out, "\n", e));
    for (size_t i = 0; c->options[i] != OPT_COUNT; i++) {
        const struct option_row *r = &option_rows[c->options[i]];
        char left[48], right[256];
        option_left(r, left);
        snprintf(right, sizeof right, "%s%s%s", r->help, r->words != NULL ? ": " : "",
                 r->words != NULL ? r->words : "");
        TRY(buf_addf(out, e, "  %-28s", left));
        TRY(wrap(out, right, 30, 30, e));
    }
    return buf_addf(out, e, "\nexample: %s\n", c->example);
}

enum err_code cli_help_topic(const char *topic, struct buf *out, struct err *e)
{
    if (!str_eq(topic, "exit-codes"))
        return err_set(e, ERR_USAGE, "no help on '%s'; see 'mirrorctl help'", topic);
    for (size_t i = 0; i < exit_rows_n; i++)
        TRY(buf_addf(out, e, "%5d  %s\n", exit_rows[i].code, exit_rows[i].meaning));
    return buf_addstr(
        out, "\nWhen several apply, the first of 8, 7, 4, 5, 3 wins. An error is never 1.\n", e);
}

/* ---- roff
 * ------------------------------------------------------------------------------------------- */

/* Dashes and backslashes mean something to roff; so does a dot at the start of a line. */
static enum err_code roff(struct buf *out, const char *s, struct err *e)
{
    if (*s == '.' || *s == '\'')
        TRY(buf_addstr(out, "\\&", e));
    for (; *s != '\0'; s++) {
        if (*s == '-' || *s == '\\')
            TRY(buf_addstr(out, *s == '-' ? "\\-" : "\\e", e));
        else
            TRY(buf_add(out, s, 1, e));
    }
    return ERR_OK;
}

static enum err_code roff_option(const struct option_row *r, struct buf *out, struct err *e)
{
    char left[48];
    option_left(r, left);
    TRY(buf_addstr(out, ".TP\n.B ", e));
    TRY(roff(out, left + strspn(left, " "), e));
    TRY(buf_addstr(out, "\n", e));
    TRY(roff(out, r->help, e));
    if (r->words != NULL)
        TRY(buf_addf(out, e, " (%s)", r->words));
    return buf_addstr(out, "\n", e);
}

static enum err_code roff_command(const struct command_row *c, struct buf *out, struct err *e)
{
    TRY(buf_addf(out, e, ".SS \"%s%s%s\"\n", c->name, c->operands[0] != '\0' ? " " : "",
                 c->operands));
    TRY(roff(out, c->summary, e));
    TRY(buf_addstr(out, ".\n", e));
    if (c->about[0] != '\0') {
        TRY(roff(out, c->about, e));
        TRY(buf_addstr(out, "\n", e));
    }
    TRY(buf_addstr(out, ".br\nOptions:", e));
    for (size_t i = 0; c->options[i] != OPT_COUNT; i++)
        TRY(buf_addf(out, e, "%s \\-\\-%s", i > 0 ? "," : "", option_rows[c->options[i]].name));
    TRY(buf_addstr(out, ".\n.br\nExample:\n.B ", e));
    TRY(roff(out, c->example, e));
    return buf_addstr(out, "\n", e);
}

enum err_code cli_man_page(const char *version, struct buf *out, struct err *e)
{
    TRY(buf_addf(
        out, e,
        ".TH MIRRORCTL 1 \"\" \"mirrorctl %s\" \"User Commands\"\n"
        ".SH NAME\nmirrorctl \\- keeps hot standbys of a repository that must not die\n"
        ".SH SYNOPSIS\n.B mirrorctl\n.I COMMAND\n[options]\n"
        ".SH DESCRIPTION\n"
        "A YAML manifest declares a master repository and its slaves: which refs, Actions\n"
        "secrets, variables and enabled workflows each must have, by role.\n"
        ".B mirrorctl diff\nshows the difference,\n.B mirrorctl apply\n"
        "applies the smallest correction.\n"
        ".SH COMMANDS\n",
        version));
    for (size_t i = 0; i < CMD_COUNT; i++)
        TRY(roff_command(&command_rows[i], out, e));
    TRY(buf_addstr(out, ".SH OPTIONS\n", e));
    for (size_t i = 0; i < OPT_COUNT; i++)
        TRY(roff_option(&option_rows[i], out, e));
    TRY(buf_addstr(out, ".SH EXIT STATUS\n", e));
    for (size_t i = 0; i < exit_rows_n; i++)
        TRY(buf_addf(out, e, ".TP\n.B %d\n%s\n", exit_rows[i].code, exit_rows[i].meaning));
    return buf_addstr(out,
                      ".SH ENVIRONMENT\n.TP\n.B MIRRORCTL_STATE\nthe state directory\n"
                      ".TP\n.B NO_COLOR\nno colour, when not empty\n"
                      ".SH FILES\n.TP\n.I mirrors.yaml\nthe manifest; every key stands in the "
                      "annotated reference that is installed with the documentation\n",
                      e);
}
