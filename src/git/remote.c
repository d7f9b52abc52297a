/*
 * One slave: what it has, and a file of a commit it has.
 */
#include "source.h"

#include "remote.h"

#include <stdlib.h>
#include <string.h>

enum { REMOTE_IDLE_MS = 60 * 1000 };

static struct git_credential copy_credential(struct arena *a, const struct git_credential *c)
{
    return (struct git_credential){
        .token = c->token, /* lives longer than we do (secrets.h) */
        .ssh_key = arena_strdup(a, c->ssh_key),
        .known_hosts = arena_strdup(a, c->known_hosts),
        .ca_file = arena_strdup(a, c->ca_file),
    };
}

enum err_code git_remote_new(const struct git_remote_spec *spec, struct git_remote **out,
                             struct err *e)
{
    CLEANUP(git_remote_freep) struct git_remote *r = mem_alloc(sizeof(*r));

    r->arena = arena_new();
    r->credential = copy_credential(r->arena, &spec->credential);
    r->dry_run = spec->dry_run;
    r->endpoint = (struct endpoint){
        .credential = &r->credential,
        .http = spec->http,
        .lane = spec->lane,
        .idle = spec->idle.v > 0 ? spec->idle : (struct ms){REMOTE_IDLE_MS},
        .interrupted = spec->interrupted,
    };
    TRY(git_address_parse(r->arena, spec->url, &r->endpoint.at, e));
    if (r->endpoint.at.form == ADDRESS_HTTP && (spec->http == NULL || spec->lane == NULL))
        return err_set(e, ERR_USAGE, "%s: no http engine is given for it", spec->url);
    *out = r;
    r = NULL;
    return ERR_OK;
}

void git_remote_free(struct git_remote *r)
{
    if (r == NULL)
        return;
    arena_free(r->arena);
    free(r);
}

void git_remote_freep(struct git_remote **r)
{
    git_remote_free(*r);
    *r = NULL;
}

enum err_code git_remote_list(struct git_remote *r, struct arena *a, struct git_refs *out,
                              struct err *e)
{
    struct advert advert;

    TRY(endpoint_list(&r->endpoint, SERVICE_PUSH, a, &advert, e));
    r->offers = (struct offers){
        .report_status = advert.report_status,
        .quiet = advert.quiet,
        .agent = advert.agent,
        .names_format = advert.names_format,
    };
    r->listed = true;
    *out = advert.refs;
    return ERR_OK;
}

/* ---- A file of the marker ----------------------------------------------------------------------
 */

/* The slave's ref as it is now, kept under the id that it is expected to have. */
static enum err_code fetch_ref(struct git_remote *r, struct git_source *s, const char *ref,
                               const char *oid, struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(fd_closep) int lock = -1;
    bool damaged;

    TRY(git_check_ref_name(ref, e));
    TRY(cache_lock(s->cache_dir, true, s->deadline, s->interrupted, &lock, e));
    const char *refspecs[] = {arena_printf(a, "+%s:" CACHE_SEEN "%s", ref, oid), NULL};
    struct fetch f = {
        .cache_dir = s->cache_dir,
        .from = &r->endpoint.at,
        .credential = &r->credential,
        .refspecs = refspecs,
        .deadline = s->deadline,
        .interrupted = r->endpoint.interrupted,
        .lock_fd = lock,
    };
    return fetch_run(&f, &damaged, e);
}

/* *out_here says whether the commit is in the cache. */
static enum err_code read_here(struct git_source *s, const git_oid *oid, bool look_again,
                               const char *file, struct buf *out, bool *out_here, struct err *e)
{
    enum err_code code = ERR_OK;

    TRY(source_lock(s, e));
    if (look_again)
        (void)git_odb_refresh(s->odb);
    *out_here = source_has(s, oid);
    if (*out_here)
        code = source_read_file(s, oid, file, out, e);
    source_unlock(s);
    return code;
}

enum err_code git_remote_read_file(struct git_remote *r, struct git_source *s, const char *ref,
                                   const char *oid, const char *file, struct buf *out,
                                   struct err *e)
{
    git_oid id;
    bool here;

    TRY(oid_parse(oid, &id, e));
    TRY(read_here(s, &id, false, file, out, &here, e));
    if (here)
        return ERR_OK;
    TRY(fetch_ref(r, s, ref, oid, e));
    TRY(read_here(s, &id, true, file, out, &here, e));
    if (here)
        return ERR_OK;
    return err_set(e, ERR_CONFLICT, "%s: '%s' moved while it was read", r->endpoint.at.url, ref);
}
