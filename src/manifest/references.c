/* ${master.repo} and the like in the values of variables. "$${" stands for "${". */
#include "room.h"

#include <string.h>

static const char *const names[] = {"master.repo", "master.url", "slave.id", "slave.repo", NULL};

const char *const *reference_names(void)
{
    return names;
}

/*
 * One piece of a value from s on: plain text, an escaped "${", or a reference. Returns where it
 * ends; *out_name is the reference's name, or NULL; *out_plain the length of plain text.
 */
static const char *next_piece(const char *s, struct arena *a, const char **out_name,
                              size_t *out_plain)
{
    *out_name = NULL;
    if (strncmp(s, "$${", 3) == 0) {
        *out_plain = 0;
        return s + 3;
    }
    if (strncmp(s, "${", 2) == 0) {
        const char *end = strchr(s, '}');
        size_t len = end == NULL ? strlen(s + 2) : (size_t)(end - s) - 2;
        *out_plain = 0;
        *out_name = arena_strndup(a, s + 2, len);
        return end == NULL ? s + 2 + len : end + 1;
    }
    size_t n = 1 + strcspn(s + 1, "$");
    *out_plain = n;
    return s + n;
}

static const char *find(const struct reference *refs, const char *name)
{
    for (; refs->name != NULL; refs++)
        if (strcmp(refs->name, name) == 0)
            return refs->value;
    return NULL;
}

static bool is_known(const char *name)
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

const char *reference_find_unknown(const char *text, struct arena *a, bool *out_open)
{
    const char *name;
    size_t plain;

    for (const char *s = text; *s != '\0';) {
        s = next_piece(s, a, &name, &plain);
        *out_open = name != NULL && s[-1] != '}';
        if (name != NULL && (!is_known(name) || *out_open))
            return name;
    }
    return NULL;
}

const char *references_replace(struct arena *a, const char *text, const struct reference *refs)
{
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf out = BUF_INIT(LIMIT_YAML_SCALAR);
    const char *name;
    size_t plain;

    for (const char *s = text; *s != '\0';) {
        const char *from = s;
        s = next_piece(s, a, &name, &plain);
        const char *value = name == NULL ? "${" : find(refs, name);
        if ((plain > 0 ? buf_add(&out, from, plain, &e)
                       : buf_addstr(&out, value == NULL ? "" : value, &e)) != ERR_OK)
            return NULL;
    }
    return arena_strdup(a, buf_str(&out));
}
