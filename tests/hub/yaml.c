/* The part of YAML that workflow files use, into JSON: block mappings and sequences, flow
 * collections on one or more lines, quoted and plain scalars. Block scalars and anchors are read
 * past: nothing the hub wants is in them. */
#include "gitside.h"
#include "internal.h"

enum { MAX_DEPTH = 40 };

struct line {
    size_t indent;
    char *text; /* without indentation and trailing blanks */
};

struct reader {
    struct line *line;
    size_t n, i;
    int depth;
};

static json_t *node(struct reader *r, size_t indent);

/* Cuts a comment and trailing blanks, in place. */
static void trim(char *s)
{
    char quote = '\0';
    for (char *p = s; *p != '\0'; p++) {
        if (quote != '\0') {
            if (*p == quote)
                quote = '\0';
        } else if (*p == '"' || *p == '\'') {
            quote = *p;
        } else if (*p == '#' && (p == s || p[-1] == ' ')) {
            *p = '\0';
            break;
        }
    }
    size_t n = strlen(s);
    while (n > 0 && strchr(" \t\r", s[n - 1]) != NULL)
        s[--n] = '\0';
}

static json_t *scalar(const char *s, size_t n)
{
    while (n > 0 && *s == ' ') {
        s++;
        n--;
    }
    while (n > 0 && s[n - 1] == ' ')
        n--;
    if (n >= 2 && (*s == '"' || *s == '\'') && s[n - 1] == *s)
        return json_stringn_nocheck(s + 1, n - 2);
    if (n == 4 && strncmp(s, "true", 4) == 0)
        return json_true();
    if (n == 5 && strncmp(s, "false", 5) == 0)
        return json_false();
    if (n == 0 || (n == 1 && *s == '~') || (n == 4 && strncmp(s, "null", 4) == 0))
        return json_null();
    return json_stringn_nocheck(s, n);
}

/* ---- flow collections ---- */

static size_t flow_word(const char *s)
{
    if (*s == '"' || *s == '\'') {
        const char *end = strchr(s + 1, *s);
        return end != NULL ? (size_t)(end - s) + 1 : strlen(s);
    }
    size_t n = 0;
    while (s[n] != '\0' && strchr(",[]{}", s[n]) == NULL &&
           !(s[n] == ':' && (s[n + 1] == ' ' || s[n + 1] == '\0')))
        n++;
    return n;
}

static json_t *flow(const char **at, int depth)
{
    const char *p = *at + strspn(*at, " ");
    if (depth > MAX_DEPTH || (*p != '[' && *p != '{')) {
        size_t n = flow_word(p);
        *at = p + n;
        return scalar(p, n);
    }
    bool map = *p == '{';
    json_t *j = map ? json_object() : json_array();
    for (p++; *(p += strspn(p, " ,")) != '\0' && *p != ']' && *p != '}';) {
        const char *before = p;
        if (map) {
            size_t n = flow_word(p);
            json_t *key = scalar(p, n);
            p += n;
            p += strspn(p, " :");
            json_t *value = flow(&p, depth + 1);
            if (json_is_string(key))
                json_object_set_new_nocheck(j, json_string_value(key), value);
            else
                json_decref(value);
            json_decref(key);
        } else {
            json_array_append_new(j, flow(&p, depth + 1));
        }
        if (p == before)
            p++;
    }
    *at = *p != '\0' ? p + 1 : p;
    return j;
}

static int balance(const char *s)
{
    int open = 0;
    for (; *s != '\0'; s++)
        open += (*s == '[' || *s == '{') - (*s == ']' || *s == '}');
    return open;
}

/* A flow collection may go on over the next lines. */
static json_t *flow_lines(struct reader *r, const char *first)
{
    struct hb_buf text = {0};
    hb_buf_puts(&text, first);
    while (balance(text.data) > 0 && r->i < r->n) {
        hb_buf_puts(&text, " ");
        hb_buf_puts(&text, r->line[r->i++].text);
    }
    const char *at = text.data;
    json_t *j = flow(&at, 0);
    hb_buf_free(&text);
    return j;
}

/* ---- block collections ---- */

/* Where the key ends: at a colon followed by a blank or the end. 0: this is no "key: value". */
static size_t key_end(const char *s)
{
    size_t i = 0;
    if (*s == '"' || *s == '\'') {
        const char *end = strchr(s + 1, *s);
        i = end != NULL ? (size_t)(end - s) + 1 : 0;
        return i > 0 && s[i] == ':' ? i : 0;
    }
    for (; s[i] != '\0'; i++)
        if (s[i] == ':' && (s[i + 1] == ' ' || s[i + 1] == '\0'))
            return i;
    return 0;
}

static bool is_item(const char *s)
{
    return s[0] == '-' && (s[1] == ' ' || s[1] == '\0');
}

static void skip_deeper(struct reader *r, size_t indent)
{
    while (r->i < r->n && r->line[r->i].indent > indent)
        r->i++;
}

/* What follows "key:" or "-" of a line with this indentation; the line itself is read already. */
static json_t *value_of(struct reader *r, const char *text, size_t indent, bool in_item)
{
    text += strspn(text, " ");
    if (*text == '\0') {
        if (r->i < r->n && r->line[r->i].indent > indent)
            return node(r, r->line[r->i].indent);
        if (!in_item && r->i < r->n && r->line[r->i].indent == indent &&
            is_item(r->line[r->i].text))
            return node(r, indent);
        return json_null();
    }
    if (*text == '[' || *text == '{')
        return flow_lines(r, text);
    skip_deeper(r, indent);
    return *text == '|' || *text == '>' ? json_string("") : scalar(text, strlen(text));
}

static json_t *mapping(struct reader *r, size_t indent)
{
    json_t *j = json_object();
    while (r->i < r->n && r->line[r->i].indent == indent && !is_item(r->line[r->i].text)) {
        const char *text = r->line[r->i++].text;
        size_t end = key_end(text);
        if (end == 0) {
            skip_deeper(r, indent);
            continue;
        }
        json_t *key = scalar(text, end);
        json_t *value = value_of(r, text + end + 1, indent, false);
        json_object_set_new_nocheck(j, json_is_string(key) ? json_string_value(key) : "true",
                                    value);
        json_decref(key);
    }
    return j;
}

static json_t *sequence(struct reader *r, size_t indent)
{
    json_t *j = json_array();
    while (r->i < r->n && r->line[r->i].indent == indent && is_item(r->line[r->i].text)) {
        struct line *line = &r->line[r->i];
        size_t skip = 1 + strspn(line->text + 1, " ");
        const char *rest = line->text + skip;
        if (key_end(rest) > 0 && *rest != '[' &&
            *rest != '{') { /* "- name: x": a mapping in place */
            line->indent += skip;
            line->text += skip;
            json_array_append_new(j, node(r, line->indent));
        } else {
            r->i++;
            json_array_append_new(j, value_of(r, rest, indent, true));
        }
    }
    return j;
}

static json_t *node(struct reader *r, size_t indent)
{
    if (++r->depth > MAX_DEPTH) {
        skip_deeper(r, indent == 0 ? 0 : indent - 1);
        r->depth--;
        return json_null();
    }
    json_t *j = is_item(r->line[r->i].text) ? sequence(r, indent) : mapping(r, indent);
    skip_deeper(r, indent);
    r->depth--;
    return j;
}

json_t *hb_yaml(const char *text)
{
    char *copy = hb_strdup(text);
    struct reader r = {0};
    for (char *p = copy; *p != '\0';) {
        size_t len = strcspn(p, "\n");
        char *next = p + len + (p[len] == '\n');
        p[len] = '\0';
        size_t indent = strspn(p, " ");
        trim(p + indent);
        if (p[indent] != '\0' && strcmp(p, "---") != 0) {
            r.line = hb_grow(r.line, r.n + 1, sizeof *r.line);
            r.line[r.n++] = (struct line){indent, p + indent};
        }
        p = next;
    }
    json_t *j = r.n > 0 ? node(&r, r.line[0].indent) : json_object();
    free(r.line);
    free(copy);
    return j;
}
