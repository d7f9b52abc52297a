/*
 * From bytes to a tree, over libyaml's events. This is the wall: what gets past it is one document
 * in UTF-8, not deep, not large, without aliases (which make 200 bytes stand for gigabytes) and
 * tags.
 */
#include "room.h"

#include <string.h>
#include <yaml.h>

enum { MOST_ALIASES = 10 }; /* more are not told: one would do */

struct frame {
    struct node *node;
    struct node *key; /* in a map: the key that waits for its value */
};

struct building {
    struct reading *r;
    struct node *root;
    struct frame stack[LIMIT_YAML_DEPTH];
    size_t depth;
    size_t nodes;
    int documents;
    int aliases; /* and anchors */
};

static struct pos pos_of(yaml_mark_t m)
{
    return (struct pos){.line = (int)m.line + 1, .column = (int)m.column + 1};
}

static bool too_large(struct building *b, struct pos at, const char *what)
{
    report(b->r, D_TOO_LARGE, at, 1, NULL, "%s", what);
    b->r->broken = true;
    return false;
}

/* Puts a finished key, or a value that has begun, where it belongs. */
static bool place(struct building *b, struct node *n)
{
    if (++b->nodes > LIMIT_YAML_NODES)
        return too_large(b, n->start, "the manifest has more than 1,000,000 nodes");
    if (b->depth == 0) {
        b->root = n;
        return true;
    }
    struct frame *f = &b->stack[b->depth - 1];
    if (f->node->type == NODE_LIST) {
        node_append(f->node, n);
    } else if (f->key == NULL) {
        if (n->type != NODE_SCALAR)
            report(b->r, D_TYPE, n->start, 1, NULL, "a key must be a single word");
        f->key = n->type == NODE_SCALAR ? n : node_new(b->r->arena, NODE_SCALAR, n->start);
        f->key->bad = f->key->bad || n->type != NODE_SCALAR;
    } else {
        n->key = f->key;
        f->key = NULL;
        node_append(f->node, n);
    }
    return true;
}

#define YAML_TAG "tag:yaml.org,2002:" /* what "!!" stands for */

static void refuse_properties(struct building *b, const yaml_event_t *ev, const yaml_char_t *anchor,
                              const yaml_char_t *tag)
{
    if (anchor != NULL && b->aliases++ < MOST_ALIASES)
        report(b->r, D_ALIAS, pos_of(ev->start_mark), 1, "what slaves share goes into `defaults`",
               "anchors (&%s) are not accepted", quoted(b->r, (const char *)anchor));
    if (tag == NULL)
        return;
    const char *word = (const char *)tag;
    bool standard = str_starts_with(word, YAML_TAG);
    report(b->r, D_ALIAS, pos_of(ev->start_mark), 1, NULL, "tags (%s%s) are not accepted",
           standard ? "!!" : "", quoted(b->r, standard ? word + sizeof(YAML_TAG) - 1 : word));
}

/* Whether the next node is a key of a map. */
static bool at_key(const struct building *b)
{
    return b->depth > 0 && b->stack[b->depth - 1].node->type == NODE_MAP &&
           b->stack[b->depth - 1].key == NULL;
}

static bool on_scalar(struct building *b, const yaml_event_t *ev)
{
    const char *text = (const char *)ev->data.scalar.value;
    size_t len = ev->data.scalar.length;
    struct node *n = node_new(b->r->arena, NODE_SCALAR, pos_of(ev->start_mark));

    refuse_properties(b, ev, ev->data.scalar.anchor, ev->data.scalar.tag);
    n->end = pos_of(ev->end_mark);
    n->plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    n->bad = len > LIMIT_YAML_SCALAR || memchr(text, '\0', len) != NULL;
    n->len = n->bad ? 0 : len;
    n->text = arena_strndup(b->r->arena, n->bad ? "" : text, n->len);
    if (len > LIMIT_YAML_SCALAR)
        report_at(b->r, D_TOO_LARGE, n, NULL, "a value of %zu bytes; 64 KB is the most", len);
    else if (n->bad)
        report_at(b->r, D_ENCODING, n, NULL, "a value contains a NUL character");
    else if (at_key(b) && n->plain && strcmp(n->text, "<<") == 0) {
        report_at(b->r, D_ALIAS, n, "what slaves share goes into `defaults`",
                  "merge keys (<<) are not accepted");
        n->bad = true;
    }
    return place(b, n);
}

static bool on_alias(struct building *b, const yaml_event_t *ev)
{
    struct node *n = node_new(b->r->arena, NODE_SCALAR, pos_of(ev->start_mark));
    n->end = pos_of(ev->end_mark);
    n->text = "";
    n->bad = true;
    if (b->aliases++ < MOST_ALIASES || b->r->diags->n_errors == 0)
        report_at(b->r, D_ALIAS, n, "what slaves share goes into `defaults`",
                  "aliases (*%s) are not accepted",
                  quoted(b->r, (const char *)ev->data.alias.anchor));
    return place(b, n);
}

static bool on_open(struct building *b, const yaml_event_t *ev, enum node_type type)
{
    struct node *n = node_new(b->r->arena, type, pos_of(ev->start_mark));

    if (!place(b, n))
        return false;
    if (b->depth == LIMIT_YAML_DEPTH)
        return too_large(b, n->start, "more than 64 levels");
    b->stack[b->depth++] = (struct frame){.node = n};
    return true;
}

static void on_close(struct building *b, const yaml_event_t *ev)
{
    b->stack[--b->depth].node->end = pos_of(ev->end_mark);
}

static bool on_document(struct building *b, const yaml_event_t *ev)
{
    if (ev->data.document_start.tag_directives.start != ev->data.document_start.tag_directives.end)
        report(b->r, D_ALIAS, pos_of(ev->start_mark), 1, NULL, "%%TAG is not accepted");
    if (++b->documents < 2)
        return true;
    report(b->r, D_DOCUMENTS, pos_of(ev->start_mark), 3, NULL,
           "a second document begins here; a manifest is one");
    return false;
}

/* Returns false when nothing behind this event is to be read. */
static bool on_event(struct building *b, const yaml_event_t *ev)
{
    switch (ev->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(b, ev);
    case YAML_ALIAS_EVENT:
        return on_alias(b, ev);
    case YAML_SEQUENCE_START_EVENT:
        refuse_properties(b, ev, ev->data.sequence_start.anchor, ev->data.sequence_start.tag);
        return on_open(b, ev, NODE_LIST);
    case YAML_MAPPING_START_EVENT:
        refuse_properties(b, ev, ev->data.mapping_start.anchor, ev->data.mapping_start.tag);
        return on_open(b, ev, NODE_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        on_close(b, ev);
        return true;
    case YAML_DOCUMENT_START_EVENT:
        return on_document(b, ev);
    case YAML_STREAM_END_EVENT:
        return false;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return true;
    }
    return true;
}

/* libyaml tells the byte at which its reader stopped, not the line. */
static struct pos pos_of_byte(const struct reading *r, size_t offset)
{
    struct pos p = {.line = 1, .column = 1};
    for (size_t i = 0; i < offset && i < r->n; i++) {
        bool newline = r->text[i] == '\n';
        p.line += newline ? 1 : 0;
        p.column = newline ? 1 : p.column + (((unsigned char)r->text[i] & 0xc0) != 0x80 ? 1 : 0);
    }
    return p;
}

static void report_syntax(struct building *b, const yaml_parser_t *p)
{
    struct reading *r = b->r;
    const char *problem = p->problem == NULL ? "not YAML" : p->problem;

    r->broken = true;
    if (p->error == YAML_READER_ERROR) {
        report(r, D_ENCODING, pos_of_byte(r, p->problem_offset), 1,
               strstr(problem, "control") != NULL ? "take it out" : "save the file as UTF-8", "%s",
               problem);
        return;
    }
    const char *hint = NULL;
    struct pos at = pos_of(p->problem_mark);
    if (p->context != NULL && strstr(problem, "end of stream") != NULL) {
        at = pos_of(p->context_mark); /* what was never closed, not where the file ends */
        hint = p->context;
    } else if (p->context != NULL && p->context_mark.line != p->problem_mark.line)
        hint = arena_printf(r->arena, "%s that began in line %zu", p->context,
                            p->context_mark.line + 1);
    else if (p->context != NULL)
        hint = p->context;
    if (strstr(problem, "cannot start any token") != NULL)
        hint = "YAML is indented with spaces; a value that starts with @ ` or % goes into quotes";
    report(r, D_SYNTAX, at, 1, hint, "%s", problem);
}

static bool is_utf8(struct reading *r)
{
    bool utf16 =
        r->n >= 2 && (memcmp(r->text, "\xfe\xff", 2) == 0 || memcmp(r->text, "\xff\xfe", 2) == 0);
    const char *nul = r->n == 0 ? NULL : memchr(r->text, '\0', r->n);
    if (!utf16 && nul == NULL)
        return true;
    r->broken = true;
    report(r, D_ENCODING, utf16 ? (struct pos){1, 1} : pos_of_byte(r, (size_t)(nul - r->text)), 1,
           "save the file as UTF-8", "the file is not UTF-8 text");
    return false;
}

static void read_events(struct building *b, yaml_parser_t *p)
{
    for (bool more = true; more;) {
        yaml_event_t ev;
        if (yaml_parser_parse(p, &ev) == 0) {
            report_syntax(b, p);
            return;
        }
        more = on_event(b, &ev);
        yaml_event_delete(&ev);
    }
}

struct node *events_read(struct reading *r)
{
    struct building b = {.r = r};
    yaml_parser_t p;

    if (!is_utf8(r))
        return NULL;
    if (yaml_parser_initialize(&p) == 0) {
        report(r, D_LIBRARY, (struct pos){0, 0}, 1, NULL, "libyaml could not start");
        return NULL;
    }
    yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p, (const unsigned char *)r->text, r->n);
    read_events(&b, &p);
    yaml_parser_delete(&p);
    if (r->broken)
        return NULL;
    if (b.root == NULL)
        report(r, D_DOCUMENTS, (struct pos){1, 1}, 1, NULL, "the manifest is empty");
    return b.root;
}
