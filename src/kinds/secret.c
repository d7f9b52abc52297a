/*
 * Secrets can be written, never read back: what was written is known by its fingerprint, what is
 * there by the server's updated_at, read back once after a batch of writes.
 */
#include "kinds.h"

enum { READ_BACK_TRIES = 4 };

static enum err_code observe_secrets(struct kind_context *c, struct view *out, struct err *e)
{
    if (c->gh == NULL)
        return ERR_OK;
    struct github_secret *list = NULL;
    size_t n = 0;
    bool complete = false;
    if (github_secrets_list(c->gh, &list, &n, &complete, e) != ERR_OK)
        return view_fail(out, KIND_SECRET, e);
    for (size_t i = 0; i < n; i++) {
        struct resource *r = view_add(out, KIND_SECRET, github_upper(c->arena, list[i].name), NULL);
        r->stamp = list[i].updated_at;
    }
    out->state[KIND_SECRET] = complete ? VIEW_COMPLETE : VIEW_INCOMPLETE;
    return ERR_OK;
}

static enum err_code seal_and_put(struct kind_context *c, const struct action *a,
                                  const struct secret *value, struct err *e)
{
    char *sealed = NULL;
    bool created = false;
    TRY(secret_seal(value, c->public_key.key, c->arena, &sealed, e));
    return github_secret_put(c->gh, a->name, sealed, c->public_key.key_id, &created, e);
}

/* The key may have been rotated since it was fetched: a refused box is sealed once more with a new
 * one. */
static enum err_code put_secret(struct kind_context *c, const struct action *a, struct err *e)
{
    const struct secret *value = c->secret(c->secret_ctx, a->name);
    if (value == NULL)
        return err_set(e, ERR_NOT_FOUND, "its value is not at hand");
    if (c->public_key.key == NULL)
        TRY(github_public_key_get(c->gh, &c->public_key, e));
    if (seal_and_put(c, a, value, e) == ERR_OK)
        return ERR_OK;
    if (e->code != ERR_REFUSED)
        return e->code;
    struct github_public_key fresh = {0};
    struct err again = ERR_INIT;
    if (github_public_key_get(c->gh, &fresh, &again) != ERR_OK ||
        str_eq(fresh.key_id, c->public_key.key_id))
        return e->code;
    c->public_key = fresh;
    return seal_and_put(c, a, value, e);
}

static enum err_code write_secret(struct kind_context *c, const struct action *a,
                                  struct kind_outcome *o, struct err *e)
{
    if (a->act == ACT_DELETE)
        TRY(github_secret_delete(c->gh, a->name, e));
    else
        TRY(put_secret(c, a, e));
    outcome_done(o, a, a->to, NULL);
    return ERR_OK;
}

/* The stamp of a name in a listing, or NULL. */
static const char *listed_stamp(struct kind_context *c, const struct github_secret *list, size_t n,
                                const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(github_upper(c->arena, list[i].name), name))
            return list[i].updated_at;
    return NULL;
}

/* Fills the stamps of what was written; false while one is missing or still the old one. */
static bool take_stamps(struct kind_context *c, const struct github_secret *list, size_t n_list,
                        const struct action *actions, size_t n, struct kind_outcome *outcomes)
{
    bool all = true;
    for (size_t i = 0; i < n; i++) {
        if (outcomes[i].code != ERR_OK || actions[i].act == ACT_DELETE)
            continue;
        const char *stamp = listed_stamp(c, list, n_list, actions[i].name);
        outcomes[i].now.stamp = stamp;
        if (stamp == NULL || str_eq(stamp, actions[i].stamp))
            all = false;
    }
    return all;
}

/*
 * Reads are eventual (github.md 1.2). A stamp that stays missing or old after a few tries is kept
 * as it is: the next pass then writes that secret once more, which is safe, instead of believing
 * it.
 */
static void read_back(struct kind_context *c, const struct action *actions, size_t n,
                      struct kind_outcome *outcomes)
{
    for (int try = 0; try < READ_BACK_TRIES; try++) {
        struct github_secret *list = NULL;
        size_t n_list = 0;
        bool complete = false;
        struct err e = ERR_INIT;
        if (try > 0)
            clock_sleep(c->clock, (struct ms){250 << (try - 1)});
        if (github_secrets_list(c->gh, &list, &n_list, &complete, &e) != ERR_OK)
            return;
        if (take_stamps(c, list, n_list, actions, n, outcomes))
            return;
    }
}

static enum err_code apply_secrets(struct kind_context *c, const struct action *actions, size_t n,
                                   struct kind_outcome *outcomes, struct err *e)
{
    enum err_code r = apply_each(c, actions, n, outcomes, write_secret, e);
    bool written = false;
    for (size_t i = 0; i < n; i++)
        written = written || (outcomes[i].code == ERR_OK && actions[i].act != ACT_DELETE);
    if (written && r != ERR_AUTH)
        read_back(c, actions, n, outcomes);
    return r;
}

const struct kind_row kind_row_secret = {
    .kind = KIND_SECRET,
    .batch = 100,
    .observe = observe_secrets,
    .apply = apply_secrets,
};
