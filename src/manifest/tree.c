#include "room.h"

#include <string.h>

struct node *node_new(struct arena *a, enum node_type type, struct pos at)
{
    struct node *n = arena_alloc(a, sizeof(*n));
    n->type = type;
    n->start = at;
    n->end = at;
    return n;
}

void node_append(struct node *parent, struct node *child)
{
    if (parent->last == NULL)
        parent->first = child;
    else
        parent->last->next = child;
    parent->last = child;
    parent->n++;
}

const struct node *node_get(const struct node *map, const char *key)
{
    if (map == NULL || map->type != NODE_MAP)
        return NULL;
    for (const struct node *n = map->first; n != NULL; n = n->next)
        if (n->key->text != NULL && strcmp(n->key->text, key) == 0)
            return n;
    return NULL;
}

const char *node_text(const struct node *map, const char *key)
{
    const struct node *n = node_get(map, key);
    return n != NULL && n->type == NODE_SCALAR && !n->bad ? n->text : NULL;
}

const struct node *node_items(const struct node *map, const char *key)
{
    const struct node *n = node_get(map, key);
    return n != NULL && n->type == NODE_LIST ? n->first : NULL;
}

int node_width(const struct node *n)
{
    int width = n->end.line == n->start.line ? n->end.column - n->start.column : 1;
    return width < 1 ? 1 : width;
}

/* The numbers of YAML 1.2's core schema: [-+]?[0-9]+, 0o7, 0xF, and floats. */
static bool is_number(const char *s)
{
    const char *digits = "0123456789";

    if (strncmp(s, "0o", 2) == 0)
        return s[2] != '\0' && s[2 + strspn(s + 2, "01234567")] == '\0';
    if (strncmp(s, "0x", 2) == 0)
        return s[2] != '\0' && s[2 + strspn(s + 2, "0123456789abcdefABCDEF")] == '\0';
    s += *s == '-' || *s == '+' ? 1 : 0;
    if (strcmp(s, ".inf") == 0 || strcmp(s, ".Inf") == 0 || strcmp(s, ".INF") == 0)
        return true;
    size_t whole = strspn(s, digits);
    s += whole;
    size_t part = 0;
    if (*s == '.') {
        part = strspn(s + 1, digits);
        s += 1 + part;
    }
    if (whole + part == 0)
        return false;
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '-' || *s == '+' ? 1 : 0;
        if (strspn(s, digits) == 0)
            return false;
        s += strspn(s, digits);
    }
    return *s == '\0';
}

bool node_is_text(const struct node *n)
{
    static const char *const others[] = {"",     "~",     "null",  "Null",  "NULL", "true", "True",
                                         "TRUE", "false", "False", "FALSE", ".nan", ".NaN", ".NAN"};
    if (n->type != NODE_SCALAR)
        return false;
    if (!n->plain)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (strcmp(n->text, others[i]) == 0)
            return false;
    return !is_number(n->text);
}
