#include "env_file.h"

#include <string.h>

struct cursor {
    struct reading *r;
    const char *p, *end, *line; /* line: where the current one begins */
    int number;
};

static struct pos here(const struct cursor *c)
{
    struct pos at = {.line = c->number, .column = 1};
    for (const char *q = c->line; q < c->p; q++)
        at.column += ((unsigned char)*q & 0xc0) != 0x80 ? 1 : 0;
    return at;
}

static void next_line(struct cursor *c)
{
    const char *newline = memchr(c->p, '\n', (size_t)(c->end - c->p));
    c->p = newline == NULL ? c->end : newline + 1;
    c->line = c->p;
    c->number++;
}

static bool is_name_char(char ch, bool first)
{
    return ch == '_' || (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') ||
           (!first && ch >= '0' && ch <= '9');
}

static void skip_blanks(struct cursor *c)
{
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\t'))
        c->p++;
}

/* A bare value: to the end of the line or to " #", without blanks around it. */
static void read_bare(struct cursor *c, struct buf *out, struct err *e)
{
    const char *from = c->p, *to = c->p, *q = c->p;

    for (; q < c->end && *q != '\n'; q++) {
        if (*q == '#' && q > from && (q[-1] == ' ' || q[-1] == '\t'))
            break;
        if (*q != ' ' && *q != '\t' && *q != '\r')
            to = q + 1;
    }
    c->p = q;
    (void)buf_add(out, from, (size_t)(to - from), e);
}

static char unescape(char ch)
{
    return ch == 'n' ? '\n' : ch == 't' ? '\t' : ch;
}

/* A quoted value; false when the quote never closes. */
static bool read_quoted(struct cursor *c, struct buf *out, struct err *e)
{
    char quote = *c->p++;

    for (; c->p < c->end && *c->p != quote; c->p++) {
        char ch = *c->p;
        if (quote == '"' && ch == '\\' && c->p + 1 < c->end && strchr("nt\"\\$", c->p[1]) != NULL)
            ch = unescape(*++c->p);
        if (*c->p == '\n') {
            c->number++;
            c->line = c->p + 1;
        }
        (void)buf_add(out, &ch, 1, e);
    }
    if (c->p == c->end)
        return false;
    c->p++;
    return true;
}

static void bad_line(struct cursor *c, struct pos at, const char *message)
{
    report(c->r, D_ENV_LINE, at, 1, "NAME=value, NAME='value' or # comment", "%s", message);
}

/* What there is to know about the value behind "=", but for the value. */
static bool read_value(struct cursor *c, struct env_line *line)
{
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf value = BUF_INIT(LIMIT_YAML_SCALAR);
    bool quoted_value = c->p < c->end && (*c->p == '"' || *c->p == '\'');

    line->from = c->p;
    line->value_at = here(c);
    if (!quoted_value) {
        read_bare(c, &value, &e);
    } else if (!read_quoted(c, &value, &e)) {
        bad_line(c, line->value_at, "this quote never closes");
        return false;
    }
    if (quoted_value) {
        skip_blanks(c);
        if (c->p < c->end && strchr("\r\n#", *c->p) == NULL) {
            bad_line(c, here(c), "something stands behind the closing quote");
            return false;
        }
    }
    if (e.code != ERR_OK || strlen(buf_str(&value)) != value.len) {
        bad_line(c, line->value_at,
                 e.code != ERR_OK ? "a value of more than 64 KB" : "a value with a NUL character");
        return false;
    }
    struct pos end = here(c);
    line->value_width = end.line == line->value_at.line ? end.column - line->value_at.column : 1;
    line->empty = value.len == 0;
    return true;
}

static bool read_line(struct cursor *c, struct env_lines *out)
{
    struct env_line line = {0};
    size_t n = 0;

    if ((size_t)(c->end - c->p) > 7 && memcmp(c->p, "export ", 7) == 0)
        c->p += 7;
    skip_blanks(c);
    line.at = here(c);
    while (c->p + n < c->end && is_name_char(c->p[n], n == 0))
        n++;
    if (n == 0 || c->p + n == c->end || c->p[n] != '=') {
        bad_line(c, line.at, "this line is not NAME=value");
        return false;
    }
    line.name = arena_strndup(c->r->arena, c->p, n);
    c->p += n + 1;
    if (!read_value(c, &line))
        return false;
    out->items = arena_grow(c->r->arena, out->items, out->n, &out->cap, sizeof(*out->items));
    out->items[out->n++] = line;
    return true;
}

const char *env_value(struct reading *r, const struct env_line *l)
{
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf value = BUF_INIT(LIMIT_YAML_SCALAR);
    struct cursor c = {.r = r, .p = l == NULL ? "" : l->from, .end = r->text + r->n};

    if (l == NULL || l->empty)
        return "";
    if (*c.p == '"' || *c.p == '\'')
        (void)read_quoted(&c, &value, &e);
    else
        read_bare(&c, &value, &e);
    if (!utf8_is_valid(buf_str(&value), value.len)) {
        report(r, D_ENCODING, l->value_at, l->value_width, "save the file as UTF-8",
               "the value of %s is not UTF-8 text", quoted(r, l->name));
        return "";
    }
    return arena_strdup(r->arena, buf_str(&value));
}

void env_read(struct reading *r, struct env_lines *out)
{
    struct cursor c = {.r = r, .p = r->text, .end = r->text + r->n, .line = r->text, .number = 1};

    *out = (struct env_lines){0};
    names_init(&out->last, r->arena);
    for (; c.p < c.end; next_line(&c)) {
        skip_blanks(&c);
        if (c.p == c.end || strchr("#\r\n", *c.p) != NULL)
            continue;
        (void)read_line(&c, out);
        if (r->diags->n_errors > LIMIT_DIAGNOSTICS)
            return;
    }
    for (size_t i = out->n; i > 0; i--) /* from the back: of two equal names the last counts */
        (void)names_put(&out->last, out->items[i - 1].name, &out->items[i - 1]);
}

const struct env_line *env_find(const struct env_lines *lines, const char *name)
{
    return names_get(&lines->last, name);
}
