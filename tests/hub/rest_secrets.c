/* Actions secrets (1.2): write-only values in sealed boxes that are really opened. */
#include "internal.h"
#include "rest.h"

#include <sodium.h>
#include <stdio.h>

enum { MAX_SECRETS = 100, MAX_BYTES = 48 * 1024 };

static json_t *secret_json(const struct hb_item *item)
{
    char *created = hb_time_z(item->created_ms), *updated = hb_time_z(item->updated_ms);
    json_t *j = json_pack("{s:s,s:s,s:s}", "name", item->name, "created_at", created, "updated_at",
                          updated);
    free(created);
    free(updated);
    return j;
}

void hb_list_secrets(struct hb_ctx *c)
{
    const struct hb_items *items = c->items;
    struct hb_page page = hb_paginate(c, 30, 100, items->n);
    if (page.refused)
        return;
    json_t *rows = json_array();
    for (size_t i = page.first; i < page.end; i++)
        json_array_append_new(rows, secret_json(&items->item[i]));
    hb_json(c, 200, json_pack("{s:I,s:o}", "total_count", (json_int_t)items->n, "secrets", rows));
}

void hb_get_secret(struct hb_ctx *c)
{
    const struct hb_item *item = hb_item_find(c->items, c->arg[0]);
    if (item == NULL)
        hb_error_json(c, 404, "Not Found");
    else
        hb_json(c, 200, secret_json(item));
}

/* key_id: a string on github.com, an integer was seen on an Enterprise Server. */
void hb_get_public_key(struct hb_ctx *c)
{
    char text[32];
    char *key = hb_base64(c->repo->pk, sizeof c->repo->pk);
    (void)snprintf(text, sizeof text, "%lld", c->repo->key_id);
    json_t *id =
        hb_quirk(c->h, Q_KEY_ID_INTEGER) ? json_integer(c->repo->key_id) : json_string(text);
    hb_json(c, 200, json_pack("{s:o,s:s}", "key_id", id, "key", key));
    free(key);
}

/* Opens the box with this repository's own key; NULL when it was not sealed for it. */
static unsigned char *unseal(const struct hb_repo *r, const char *text, size_t *out_len)
{
    size_t n = 0;
    unsigned char *box = hb_unbase64(text, &n);
    if (box == NULL || n < crypto_box_SEALBYTES) {
        free(box);
        return NULL;
    }
    unsigned char *plain = hb_alloc(n);
    int bad = crypto_box_seal_open(plain, box, n, r->pk, r->sk);
    free(box);
    if (bad != 0) {
        free(plain);
        return NULL;
    }
    *out_len = n - crypto_box_SEALBYTES;
    return plain;
}

static bool fields_refused(struct hb_ctx *c)
{
    char own[32];
    (void)snprintf(own, sizeof own, "%lld", c->repo->key_id);
    const char *refused = hb_name_refused(c->arg[0]);
    const char *key_id = hb_field(c, "key_id");
    if (refused != NULL) {
        char *text = strcmp(refused, "is invalid") == 0
                         ? hb_strdup("Failed to add secret. Name is invalid")
                         : hb_fmt("Failed to add secret. Secret %s", refused);
        hb_error_json(c, 422, text);
        free(text);
    } else if (hb_field(c, "encrypted_value") == NULL || key_id == NULL) {
        hb_error_json(c, 422,
                      "Invalid request.\n\nFor 'properties/encrypted_value', nil is not a string.");
    } else if (strcmp(key_id, own) != 0) {
        hb_error_json(c, 422, "The key_id does not match the public key of this repository.");
    } else {
        return false;
    }
    return true;
}

static void store(struct hb_ctx *c, const unsigned char *plain, size_t len)
{
    struct hb_section *s = &c->repo->secrets;
    bool created = hb_item_find(&s->now, c->arg[0]) == NULL;
    size_t counted = len + (hb_quirk(c->h, Q_SEALED_SIZE) ? crypto_box_SEALBYTES : 0);
    if (counted > MAX_BYTES) {
        hb_error_json(c, 422, "Secret value is too large: the limit is 48 KB.");
    } else if (created && s->now.n >= MAX_SECRETS) {
        hb_error_json(c, 422, "Failed to add secret. A repository can have at most 100 secrets.");
    } else {
        hb_item_put(c->h, s, c->arg[0], plain, len);
        if (created && hb_quirk(c->h, Q_SECRET_CREATED))
            hb_json(c, 201, json_object());
        else
            hb_empty(c, 204);
    }
}

void hb_put_secret(struct hb_ctx *c)
{
    if (fields_refused(c))
        return;
    size_t len = 0;
    unsigned char *plain = unseal(c->repo, hb_field(c, "encrypted_value"), &len);
    if (plain == NULL) {
        hb_error_json(c, 422, "Bad request - failed to decrypt the encrypted value.");
        return;
    }
    store(c, plain, len);
    sodium_memzero(plain, len);
    free(plain);
}

void hb_delete_secret(struct hb_ctx *c)
{
    if (hb_item_del(c->h, &c->repo->secrets, c->arg[0]))
        hb_empty(c, 204);
    else
        hb_error_json(c, 404, "Not Found");
}
