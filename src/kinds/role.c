/* The marker: a commit at refs/mirrorctl/role whose tree says what this repository is. */
#include "kinds.h"

#include "mirrorctl/record.h"

enum { LIMIT_ROLE_JSON = 64 << 10 };

/*
 * The marker's object id came with the ref advertisement. Only one that is not the one we know is
 * read: somebody else, a sentinel or an operator, has written it.
 */
static enum err_code read_marker(struct kind_context *c, struct err *e)
{
    if (c->source == NULL)
        return err_set(e, ERR_UNAVAILABLE, "marker %s: cannot be read without the master's cache",
                       GIT_MARKER_REF);
    CLEANUP(buf_release) struct buf json = BUF_INIT(LIMIT_ROLE_JSON);
    if (git_remote_read_file(c->remote, c->source, GIT_MARKER_REF, c->facts->marker, "role.json",
                             &json, e) != ERR_OK)
        return err_wrap(e, "marker %s", GIT_MARKER_REF);
    struct role_record rec = {0};
    if (role_record_read(buf_str(&json), json.len, c->arena, &rec, e) != ERR_OK)
        return err_wrap(e, "marker %s: role.json", GIT_MARKER_REF);
    c->facts->marker_role = rec.role;
    c->facts->epoch = rec.epoch;
    c->facts->controller = rec.controller;
    return ERR_OK;
}

/* Runs after the refs were observed: it needs the advertisement. */
static enum err_code observe_role(struct kind_context *c, struct view *out, struct err *e)
{
    if (c->remote == NULL)
        return ERR_OK;
    struct slave_facts *f = c->facts;
    if (f->marker != NULL && str_eq(f->marker, f->last_marker)) {
        f->epoch = f->last_epoch;
        f->controller = c->controller;
    } else if (f->marker != NULL && read_marker(c, e) != ERR_OK) {
        return view_fail(out, KIND_ROLE, e);
    }
    if (f->marker != NULL) {
        struct resource *r = view_add(out, KIND_ROLE, "role", role_name(f->marker_role));
        r->stamp = f->marker;
    }
    out->state[KIND_ROLE] = VIEW_COMPLETE;
    return ERR_OK;
}

static enum err_code make_marker(struct kind_context *c, const char **out_oid, struct err *e)
{
    struct wall now = clock_wall(c->clock);
    struct role_record rec = {.role = ROLE_SLAVE,
                              .phase = "watching",
                              .by = "controller",
                              .since = now,
                              .reason = "first sync",
                              .controller = c->controller};
    CLEANUP(buf_release) struct buf json = BUF_INIT(LIMIT_ROLE_JSON);
    TRY(role_record_write(&rec, &json, e));
    struct git_file file = {.name = "role.json", .text = buf_str(&json)};
    return git_commit_files(c->source, NULL, &file, 1, "SLAVE: first sync\n", now, c->arena,
                            out_oid, e);
}

/* Only ever creates: who changes a role are the sentinel and the operator, with their own rules. */
static enum err_code create_marker(struct kind_context *c, const struct action *a,
                                   struct kind_outcome *o, struct err *e)
{
    const char *oid = NULL;
    TRY(make_marker(c, &oid, e));
    struct git_command cmd = {.ref = GIT_MARKER_REF, .new_oid = oid};
    struct git_push push = {.commands = &cmd, .n = 1, .seen = &c->refs, .arena = c->arena};
    TRY(git_push(c->remote, c->source, &push, e));
    if (cmd.result == GIT_STALE)
        return err_set(e, ERR_CONFLICT,
                       "somebody wrote a marker meanwhile; the next pass reads it");
    if (cmd.result != GIT_DONE)
        return err_set(e, cmd.result == GIT_REJECTED ? ERR_REFUSED : ERR_UNAVAILABLE, "%s",
                       cmd.message != NULL ? cmd.message : "the server did not confirm it");
    c->facts->marker = oid;
    outcome_done(o, a, a->to, oid);
    return ERR_OK;
}

static enum err_code apply_role(struct kind_context *c, const struct action *actions, size_t n,
                                struct kind_outcome *outcomes, struct err *e)
{
    return apply_each(c, actions, n, outcomes, create_marker, e);
}

const struct kind_row kind_row_role = {
    .kind = KIND_ROLE,
    .batch = 1,
    .observe = observe_role,
    .apply = apply_role,
};
