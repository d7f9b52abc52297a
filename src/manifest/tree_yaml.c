/* A tree as YAML in block style: for `import env`, and for libcyaml when the manifest was a .env.
 */
#include "room.h"

#include <string.h>

static enum err_code write_node(const struct node *n, int depth, struct buf *out, struct err *e);

/* Whether a text may stand without quotes and still be that text. */
static bool is_bare(const struct node *n)
{
    static const char safe[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-@";
    struct node plain = *n;

    plain.plain = true;
    return n->len > 0 && strspn(n->text, safe) == n->len && strchr("-@.", n->text[0]) == NULL &&
           node_is_text(&plain);
}

/* What YAML refuses, or reads as the end of a line, when it stands there as it is. */
static bool needs_escape(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff ||
           c == 0xfffe || c == 0xffff;
}

static enum err_code write_quoted(const struct node *n, struct buf *out, struct err *e)
{
    uint32_t c;

    TRY(buf_addstr(out, "\"", e));
    for (size_t i = 0, len; i < n->len; i += len) {
        len = utf8_decode(n->text + i, n->len - i, &c);
        if (len == 0)
            return err_set(e, ERR_INVALID, "a value that is not UTF-8 text");
        if (c == '"' || c == '\\')
            TRY(buf_addf(out, e, "\\%c", (int)c));
        else if (c == '\n')
            TRY(buf_addstr(out, "\\n", e));
        else if (needs_escape(c))
            TRY(buf_addf(out, e, "\\u%04x", (unsigned)c));
        else
            TRY(buf_add(out, n->text + i, len, e));
    }
    return buf_addstr(out, "\"", e);
}

static enum err_code indent(int depth, struct buf *out, struct err *e)
{
    return buf_addf(out, e, "%*s", depth * 2, "");
}

static enum err_code write_scalar(const struct node *n, struct buf *out, struct err *e)
{
    TRY(n->plain || is_bare(n) ? buf_addstr(out, n->text, e) : write_quoted(n, out, e));
    return buf_addstr(out, "\n", e);
}

/* What stands behind "key:". */
static enum err_code write_value(const struct node *n, int depth, struct buf *out, struct err *e)
{
    if (n->type == NODE_SCALAR) {
        TRY(buf_addstr(out, " ", e));
        return write_scalar(n, out, e);
    }
    if (n->n == 0)
        return buf_addstr(out, n->type == NODE_LIST ? " []\n" : " {}\n", e);
    TRY(buf_addstr(out, "\n", e));
    return write_node(n, depth + 1, out, e);
}

/* The first line of a map in a list stands behind the dash. */
static enum err_code write_item(const struct node *n, int depth, struct buf *out, struct err *e)
{
    TRY(indent(depth, out, e));
    TRY(buf_addstr(out, "- ", e));
    if (n->type == NODE_SCALAR)
        return write_scalar(n, out, e);
    bool first = true;
    for (const struct node *c = n->first; c != NULL; c = c->next, first = false) {
        if (!first)
            TRY(indent(depth + 1, out, e));
        TRY(buf_addf(out, e, "%s:", c->key->text));
        TRY(write_value(c, depth + 1, out, e));
    }
    return ERR_OK;
}

static enum err_code write_node(const struct node *n, int depth, struct buf *out, struct err *e)
{
    for (const struct node *c = n->first; c != NULL; c = c->next) {
        if (n->type == NODE_LIST) {
            TRY(write_item(c, depth, out, e));
            continue;
        }
        TRY(indent(depth, out, e));
        TRY(buf_addf(out, e, "%s:", c->key->text));
        TRY(write_value(c, depth, out, e));
    }
    return ERR_OK;
}

enum err_code tree_write_yaml(const struct node *root, struct buf *out, struct err *e)
{
    return write_node(root, 0, out, e);
}
