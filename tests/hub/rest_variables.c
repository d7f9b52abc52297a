/* Actions variables (1.3): no upsert, ten a page, names in upper case. */
#include "internal.h"
#include "rest.h"

#include <stdio.h>

enum { MAX_VARIABLES = 500, MAX_BYTES = 48 * 1024 };

static json_t *variable_json(const struct hb_item *item)
{
    char *created = hb_time_z(item->created_ms), *updated = hb_time_z(item->updated_ms);
    json_t *j = json_pack("{s:s,s:s%,s:s,s:s}", "name", item->name, "value", item->value, item->len,
                          "created_at", created, "updated_at", updated);
    free(created);
    free(updated);
    return j;
}

void hb_list_variables(struct hb_ctx *c)
{
    bool small = hb_quirk(c->h, Q_SMALL_PAGES) != 0;
    const struct hb_items *items = c->items;
    struct hb_page page = hb_paginate(c, small ? 10 : 30, small ? 30 : 100, items->n);
    if (page.refused)
        return;
    json_t *rows = json_array();
    for (size_t i = page.first; i < page.end; i++)
        json_array_append_new(rows, variable_json(&items->item[i]));
    hb_json(c, 200, json_pack("{s:I,s:o}", "total_count", (json_int_t)items->n, "variables", rows));
}

void hb_get_variable(struct hb_ctx *c)
{
    const struct hb_item *item = hb_item_find(c->items, c->arg[0]);
    if (item == NULL)
        hb_error_json(c, 404, "Not Found");
    else
        hb_json(c, 200, variable_json(item));
}

static bool name_refused(struct hb_ctx *c, const char *name)
{
    const char *refused = hb_name_refused(name);
    if (refused == NULL)
        return false;
    char *text = strcmp(refused, "is invalid") == 0
                     ? hb_strdup("Failed to add variable. Name is invalid")
                     : hb_fmt("Failed to add variable. Variable %s", refused);
    hb_error_json(c, 422, text);
    free(text);
    return true;
}

static bool value_refused(struct hb_ctx *c, const char *value)
{
    if (value == NULL)
        hb_error_json(c, 422, "Invalid request.\n\nFor 'properties/value', nil is not a string.");
    else if (value[0] == '\0' && hb_quirk(c->h, Q_BLANK_VARIABLE))
        hb_error_json(c, 422, "Variable value cannot be blank");
    else if (strlen(value) > MAX_BYTES)
        hb_error_json(c, 422, "Variable value is too large: the limit is 48 KB.");
    else
        return false;
    return true;
}

void hb_post_variable(struct hb_ctx *c)
{
    const char *name = hb_field(c, "name"), *value = hb_field(c, "value");
    struct hb_section *s = &c->repo->variables;
    if (name == NULL) {
        hb_error_json(c, 422, "Invalid request.\n\nFor 'properties/name', nil is not a string.");
        return;
    }
    if (name_refused(c, name) || value_refused(c, value))
        return;
    if (hb_item_find(&s->now, name) != NULL && hb_quirk(c->h, Q_NO_UPSERT)) {
        hb_error_json(c, 409, "Already exists - Variable already exists");
        return;
    }
    if (s->now.n >= MAX_VARIABLES) {
        hb_error_json(c, 422,
                      "Failed to add variable. A repository can have at most 500 variables.");
        return;
    }
    hb_item_put(c->h, s, name, value, strlen(value));
    hb_json(c, 201, json_object());
}

void hb_patch_variable(struct hb_ctx *c)
{
    const char *name = hb_field(c, "name"), *value = hb_field(c, "value");
    struct hb_section *s = &c->repo->variables;
    const struct hb_item *item = hb_item_find(&s->now, c->arg[0]);
    if (item == NULL) {
        hb_error_json(c, 404, "Not Found");
        return;
    }
    if ((name != NULL && name_refused(c, name)) ||
        ((value != NULL || name == NULL) && value_refused(c, value)))
        return;
    bool renamed = name != NULL && !hb_ieq(name, item->name);
    if (renamed && hb_item_find(&s->now, name) != NULL) {
        hb_error_json(c, 409, "Already exists - Variable already exists");
        return;
    }
    char *text = value != NULL ? hb_strdup(value) : hb_strndup(item->value, item->len);
    if (renamed)
        (void)hb_item_del(c->h, s, c->arg[0]);
    hb_item_put(c->h, s, renamed ? name : c->arg[0], text, strlen(text));
    free(text);
    hb_empty(c, 204);
}

void hb_delete_variable(struct hb_ctx *c)
{
    if (hb_item_del(c->h, &c->repo->variables, c->arg[0]))
        hb_empty(c, 204);
    else
        hb_error_json(c, 404, "Not Found");
}
