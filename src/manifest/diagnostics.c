#include "room.h"

#include <stdio.h>
#include <string.h>

void diagnostics_init(struct diagnostics *d, struct arena *a)
{
    *d = (struct diagnostics){.arena = a};
}

struct paint {
    const char *bold, *error, *warning, *mark, *plain;
};
static const struct paint no_paint = {"", "", "", "", ""};
static const struct paint ansi_paint = {"\033[1m", "\033[1;31m", "\033[1;33m", "\033[1;32m",
                                        "\033[0m"};

/* Columns that a text takes: characters of UTF-8. */
static int columns(const char *s)
{
    int n = 0;
    for (; *s != '\0'; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80 ? 1 : 0;
    return n;
}

/* The source line, and under it the caret and the hint. */
static enum err_code render_line(const struct diagnostic *d, const struct paint *p, int digits,
                                 struct buf *out, struct err *e)
{
    int shown = columns(d->line);
    int column = d->pos.column - d->line_skip;
    column = column < 1 ? 1 : column > shown + 1 ? shown + 1 : column;
    int width = d->width > shown - column + 1 ? shown - column + 1 : d->width;

    TRY(buf_addf(out, e, "  %*d | %s%s\n", digits, d->pos.line, d->line_skip > 0 ? "…" : "",
                 d->line));
    TRY(buf_addf(out, e, "  %*s | %*s%s^", digits, "", column - 1 + (d->line_skip > 0 ? 1 : 0), "",
                 p->mark));
    for (int i = 1; i < width; i++)
        TRY(buf_addstr(out, "~", e));
    TRY(buf_addstr(out, p->plain, e));
    if (d->hint != NULL)
        TRY(buf_addf(out, e, " %s", d->hint));
    return buf_addstr(out, "\n", e);
}

static enum err_code render_one(const struct diagnostic *d, const struct paint *p, struct buf *out,
                                struct err *e)
{
    bool error = d->level == DIAG_ERROR;
    int digits = snprintf(NULL, 0, "%d", d->pos.line);

    TRY(buf_addf(out, e, "%s%s:", p->bold, d->file));
    if (d->pos.line > 0)
        TRY(buf_addf(out, e, "%d:%d:", d->pos.line, d->pos.column));
    TRY(buf_addf(out, e, "%s %s%s[%s]:%s %s\n", p->plain, error ? p->error : p->warning,
                 error ? "error" : "warning", d->code, p->plain, d->message));
    if (d->line != NULL)
        return render_line(d, p, digits < 3 ? 3 : digits, out, e);
    return d->hint == NULL ? ERR_OK : buf_addf(out, e, "  %s\n", d->hint);
}

enum err_code diagnostics_render(const struct diagnostics *d, bool color, struct buf *out,
                                 struct err *e)
{
    const struct paint *p = color ? &ansi_paint : &no_paint;
    size_t errors = 0, warnings = 0;

    for (size_t i = 0; i < d->n; i++) {
        TRY(render_one(&d->items[i], p, out, e));
        errors += d->items[i].level == DIAG_ERROR ? 1 : 0;
        warnings += d->items[i].level == DIAG_WARNING ? 1 : 0;
    }
    if (d->n == 0)
        return ERR_OK;
    if (d->n_errors > errors)
        TRY(buf_addf(out, e, "… and %zu more\n", d->n_errors - errors));
    if (d->n_errors > 0)
        TRY(buf_addf(out, e, "%zu error%s", d->n_errors, d->n_errors == 1 ? "" : "s"));
    if (warnings > 0)
        TRY(buf_addf(out, e, "%s%zu warning%s", d->n_errors > 0 ? ", " : "", warnings,
                     warnings == 1 ? "" : "s"));
    return buf_addstr(out, "\n", e);
}
