/* Secrets and variables: sorted arrays with a past, for stale readers. */
#include "internal.h"

#include <ctype.h>
#include <sodium.h>

static size_t position(const struct hb_items *items, const char *name, bool *out_found)
{
    size_t low = 0, high = items->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcasecmp(items->item[mid].name, name);
        if (order == 0) {
            *out_found = true;
            return mid;
        }
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    *out_found = false;
    return low;
}

/* Look-ups do not care for case (1.2, 1.3). */
struct hb_item *hb_item_find(struct hb_items *items, const char *name)
{
    bool found = false;
    size_t at = position(items, name, &found);
    return found ? &items->item[at] : NULL;
}

static void item_free(struct hb_item *item)
{
    if (item->value != NULL)
        sodium_memzero(item->value, item->len);
    free(item->value);
    free(item->name);
}

void hb_items_free(struct hb_items *items)
{
    for (size_t i = 0; i < items->n; i++)
        item_free(&items->item[i]);
    free(items->item);
    *items = (struct hb_items){0};
}

static void items_copy(struct hb_items *to, const struct hb_items *from)
{
    hb_items_free(to);
    to->item = hb_grow(NULL, from->n, sizeof *to->item);
    to->n = from->n;
    for (size_t i = 0; i < from->n; i++) {
        to->item[i] = from->item[i];
        to->item[i].name = hb_strdup(from->item[i].name);
        to->item[i].value = hb_strndup(from->item[i].value, from->item[i].len);
    }
}

/* Reads lag behind writes (1.2, 1.3): the next N of them see the state before the first unseen
 * write. */
static void before_write(struct hub *h, struct hb_section *s)
{
    int lag = hb_quirk(h, Q_EVENTUAL);
    if (lag > 0 && s->stale_left == 0) {
        items_copy(&s->old, &s->now);
        s->old_version = s->version;
    }
    s->stale_left = lag;
    s->version = hb_next_version(h);
}

struct hb_items *hb_section_read(struct hb_section *s, uint64_t *out_version)
{
    if (s->stale_left > 0) {
        s->stale_left--;
        *out_version = s->old_version;
        return &s->old;
    }
    *out_version = s->version;
    return &s->now;
}

void hb_item_put(struct hub *h, struct hb_section *s, const char *name, const void *value,
                 size_t len)
{
    before_write(h, s);
    bool found = false;
    struct hb_items *items = &s->now;
    size_t at = position(items, name, &found);
    if (!found) {
        items->item = hb_grow(items->item, items->n + 1, sizeof *items->item);
        memmove(items->item + at + 1, items->item + at, (items->n - at) * sizeof *items->item);
        items->n++;
        items->item[at] = (struct hb_item){.name = hb_strdup(name), .created_ms = hb_now(h)};
        if (hb_quirk(h, Q_UPPER_CASE))
            hb_upper(items->item[at].name);
    }
    struct hb_item *item = &items->item[at];
    char *copy = hb_strndup(value, len);
    free(item->value);
    item->value = copy;
    item->len = len;
    item->updated_ms = hb_now(h);
}

bool hb_item_del(struct hub *h, struct hb_section *s, const char *name)
{
    bool found = false;
    struct hb_items *items = &s->now;
    size_t at = position(items, name, &found);
    if (!found)
        return false;
    before_write(h, s);
    item_free(&items->item[at]);
    items->n--;
    memmove(items->item + at, items->item + at + 1, (items->n - at) * sizeof *items->item);
    return true;
}

/* [A-Za-z_][A-Za-z0-9_]*, and not GITHUB_ in any case (section 2). */
const char *hb_name_refused(const char *name)
{
    if (strncasecmp(name, "GITHUB_", 7) == 0)
        return "names must not start with GITHUB_.";
    if (!isalpha((unsigned char)name[0]) && name[0] != '_')
        return "is invalid";
    for (const char *p = name; *p != '\0'; p++)
        if (!isalnum((unsigned char)*p) && *p != '_')
            return "is invalid";
    return NULL;
}
