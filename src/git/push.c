/*
 * One push: commands with the old value as lease, a pack, a report, and a look at what is there
 * then.
 *
 * The marker goes along as a command that changes nothing, in an atomic push: a server that checks
 * it refuses everything when a promotion has moved it meanwhile.
 */
#include "source.h"

#include "remote.h"
#include "settle.h"

#include <string.h>

#define AGENT "mirrorctl"

/* One exchange with the server; there may be a second one without the marker's line. */
struct attempt {
    struct git_remote *remote;
    struct git_source *source;
    struct git_push *push;
    const struct git_refs *seen;
    const char *marker; /* sent unchanged; NULL: not */
    bool atomic;
    struct git_command **sent;
    size_t n_sent;
    struct report report;
    struct git_refs after;
    bool listed;       /* `after` is there */
    bool marker_moved; /* as the connection itself showed before anything was sent */
};

/* ---- Checks ---------------------------------------------------------------------------------- */

static enum err_code check_oid(const struct git_command *c, const char *oid, struct err *e)
{
    if (oid == NULL || (oid_is_valid(oid, OID_SHA1_HEX) && !oid_is_null(oid)))
        return ERR_OK;
    return err_set(e, ERR_INVALID, "'%s': '%s' is not a SHA-1 object id", c->ref, oid);
}

static enum err_code check_commands(const struct git_push *p, struct err *e)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct git_command *c = &p->commands[i];
        TRY(git_check_ref_name(c->ref, e));
        TRY(check_oid(c, c->old_oid, e));
        TRY(check_oid(c, c->new_oid, e));
        /* Sent as zeros to zeros, it would delete whatever is there. */
        if (c->old_oid == NULL && c->new_oid == NULL)
            return err_set(e, ERR_USAGE, "'%s': neither an old nor a new value", c->ref);
    }
    return ERR_OK;
}

static bool commands_name(const struct git_push *p, const char *ref)
{
    for (size_t i = 0; i < p->n; i++) {
        if (str_eq(p->commands[i].ref, ref))
            return true;
    }
    return false;
}

/* ---- Choosing what to send ---------------------------------------------------------------------
 */

static bool is_to_send(const struct attempt *at, struct git_command *c)
{
    if (c->result == GIT_DONE || c->result == GIT_REJECTED)
        return false;
    if (str_eq(c->old_oid, c->new_oid))
        return false; /* nothing to change; the list afterwards tells whether it is so */
    if (c->new_oid == NULL && !at->seen->delete_refs) {
        c->result = GIT_REJECTED;
        c->message = "the server does not offer to delete refs";
        c->cure = "set prune: false for this slave";
        return false;
    }
    return true;
}

static void choose(struct attempt *at)
{
    struct git_push *p = at->push;

    at->sent = arena_alloc(p->arena, (p->n + 1) * sizeof(struct git_command *));
    at->n_sent = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (is_to_send(at, &p->commands[i]))
            at->sent[at->n_sent++] = &p->commands[i];
    }
}

/* ---- The pack ----------------------------------------------------------------------------------
 */

/*
 * Refs of mirrorctl's own differ from slave to slave, and would make each slave need a pack of its
 * own: they count only where the push is about them.
 */
static bool counts_as_have(const struct git_push *p, const char *ref)
{
    return !str_starts_with(ref, "refs/mirrorctl/") || commands_name(p, ref);
}

static enum err_code get_pack(const struct attempt *at, struct pack *out, struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const char **wants = arena_alloc(a, (at->n_sent + 1) * sizeof(*wants));
    const char **haves = arena_alloc(a, (at->seen->n + 1) * sizeof(*haves));
    struct pack_need need = {.wants = wants, .haves = haves, .ofs_delta = at->seen->ofs_delta};

    for (size_t i = 0; i < at->n_sent; i++) {
        if (at->sent[i]->new_oid != NULL)
            wants[need.n_wants++] = at->sent[i]->new_oid;
    }
    for (size_t i = 0; i < at->seen->n; i++) {
        if (counts_as_have(at->push, at->seen->items[i].name))
            haves[need.n_haves++] = at->seen->items[i].oid;
    }
    *out = (struct pack){.fd = -1};
    /* Only a push of nothing but deletions comes without a pack, and the marker's line is none. */
    if (need.n_wants == 0 && at->marker == NULL)
        return ERR_OK;
    return pack_get(at->source, &need, out, e);
}

/* ---- The commands ------------------------------------------------------------------------------
 */

static enum err_code add_capabilities(const struct attempt *at, struct buf *line, struct err *e)
{
    const struct offers *offers = &at->remote->offers;

    if (offers->report_status)
        TRY(buf_addstr(line, " report-status", e));
    if (at->seen->side_band)
        TRY(buf_addstr(line, " side-band-64k", e));
    if (at->atomic)
        TRY(buf_addstr(line, " atomic", e));
    if (at->seen->ofs_delta)
        TRY(buf_addstr(line, " ofs-delta", e));
    if (offers->quiet)
        TRY(buf_addstr(line, " quiet", e));
    if (offers->names_format)
        TRY(buf_addf(line, e, " object-format=%s", at->seen->object_format));
    return offers->agent ? buf_addstr(line, " agent=" AGENT, e) : ERR_OK;
}

static enum err_code add_command(const struct attempt *at, struct buf *out, const char *old_oid,
                                 const char *new_oid, const char *ref, struct err *e)
{
    CLEANUP(buf_release) struct buf line = BUF_INIT(PKT_LINE_MAX);

    TRY(buf_addf(&line, e, "%s %s %s", old_oid == NULL ? OID_ZERO : old_oid,
                 new_oid == NULL ? OID_ZERO : new_oid, ref));
    if (out->len == 0) {
        TRY(buf_add(&line, "", 1, e));
        TRY(add_capabilities(at, &line, e));
    }
    return pkt_add(out, line.data, line.len, e);
}

static enum err_code write_commands(const struct attempt *at, struct buf *out, struct err *e)
{
    if (at->marker != NULL)
        TRY(add_command(at, out, at->marker, at->marker, GIT_MARKER_REF, e));
    for (size_t i = 0; i < at->n_sent; i++) {
        const struct git_command *c = at->sent[i];
        TRY(add_command(at, out, c->old_oid, c->new_oid, c->ref, e));
    }
    return pkt_add_flush(out, e);
}

/* ---- The exchange ------------------------------------------------------------------------------
 */

static enum err_code check_marker(struct attempt *at, const char *marker, struct err *e)
{
    const char *expected = at->push->marker;

    if (expected == NULL || str_eq(expected, marker))
        return ERR_OK;
    at->marker_moved = true;
    return err_set(e, ERR_CONFLICT, "'" GIT_MARKER_REF "' moved from %s to %s", expected,
                   marker == NULL ? "nothing" : marker);
}

static enum err_code look_at_fresh(void *ctx, const struct advert *fresh, struct err *e)
{
    struct attempt *at = ctx;
    return check_marker(at, fresh->refs.marker, e);
}

/* Over https no connection shows the refs again, and without `atomic` the marker's line guards
 * nothing. */
static enum err_code look_before(struct attempt *at, struct err *e)
{
    struct git_refs now;

    if (at->push->marker == NULL || at->marker != NULL ||
        at->remote->endpoint.at.form != ADDRESS_HTTP)
        return ERR_OK;
    TRY(git_remote_list(at->remote, at->push->arena, &now, e));
    return check_marker(at, now.marker, e);
}

static enum err_code exchange(struct attempt *at, struct buf *answer, const char **out_words,
                              bool *out_sent, struct err *e)
{
    CLEANUP(buf_release) struct buf commands = BUF_INIT(WIRE_COMMANDS);
    struct pack pack;

    TRY(get_pack(at, &pack, e));
    TRY(write_commands(at, &commands, e));
    TRY(look_before(at, e));
    struct shipment s = {
        .commands = &commands,
        .pack_fd = pack.fd,
        .pack_size = pack.size,
        .progress = at->push->progress,
        .progress_ctx = at->push->progress_ctx,
        .look = look_at_fresh,
        .look_ctx = at,
    };
    return endpoint_push(&at->remote->endpoint, &s, at->push->arena, answer, out_words, out_sent,
                         e);
}

static void mark_all(struct attempt *at, enum git_result result, const char *message,
                     const char *cure)
{
    for (size_t i = 0; i < at->n_sent; i++) {
        if (at->sent[i]->result == GIT_DONE)
            continue;
        at->sent[i]->result = result;
        at->sent[i]->message = message;
        at->sent[i]->cure = cure;
    }
}

static bool all_done(const struct attempt *at)
{
    for (size_t i = 0; i < at->n_sent; i++) {
        if (at->sent[i]->result != GIT_DONE)
            return false;
    }
    return true;
}

/* The marker moved while the push was on its way, and the server looked at its line. */
static bool lost_to_marker(const struct attempt *at)
{
    return at->listed && at->push->marker != NULL && !commands_name(at->push, GIT_MARKER_REF) &&
           !str_eq(at->after.marker, at->push->marker);
}

static void settle(struct attempt *at, const char *words, const char *list_trouble)
{
    struct settlement st = {
        .arena = at->push->arena,
        .report = &at->report,
        .words = words,
        .after = at->listed ? &at->after : NULL,
        .list_trouble = list_trouble,
    };

    for (size_t i = 0; i < at->n_sent; i++)
        settle_command(&st, at->sent[i]);
    if (lost_to_marker(at))
        mark_all(at, GIT_STALE, "the marker '" GIT_MARKER_REF "' moved: somebody changed the role",
                 "run again: the next pass looks anew");
}

static enum err_code list_after(struct attempt *at, const char **out_trouble)
{
    struct err e = ERR_INIT;
    enum err_code r = git_remote_list(at->remote, at->push->arena, &at->after, &e);

    at->listed = r == ERR_OK;
    at->push->marker_after = at->listed ? at->after.marker : at->push->marker_after;
    *out_trouble = r == ERR_OK ? "" : arena_strdup(at->push->arena, e.text);
    return r;
}

static enum err_code run_attempt(struct attempt *at, struct err *e)
{
    CLEANUP(buf_release) struct buf answer = BUF_INIT(WIRE_REPORT);
    struct arena *a = at->push->arena;
    const char *words = "", *trouble;
    bool sent = false;
    struct err broken = ERR_INIT;

    enum err_code r = exchange(at, &answer, &words, &sent, &broken);
    if (at->marker_moved) {
        mark_all(at, GIT_STALE, arena_strdup(a, broken.text),
                 "run again: the next pass looks anew");
        return ERR_OK;
    }
    if (r != ERR_OK && !sent) {
        *e = broken;
        return r;
    }
    report_parse(a, answer.data, answer.len, at->seen->side_band, &at->report);
    if (r != ERR_OK)
        words = arena_printf(a, "%s\n%s", words, broken.text);
    if (r == ERR_INTERRUPTED) {
        mark_all(at, GIT_UNKNOWN, arena_strdup(a, broken.text), NULL);
        *e = broken;
        return r;
    }
    (void)list_after(at, &trouble);
    settle(at, words, trouble);
    if (r == ERR_OK || all_done(at)) /* the peer acted, only its answer was lost */
        return ERR_OK;
    *e = broken;
    return r;
}

/* ---- A server that does not take the marker's line ----------------------------------------------
 */

/* The line itself was refused, though the marker is where it was. */
static bool refuses_line(const struct attempt *at)
{
    if (at->marker == NULL || !at->listed || !str_eq(at->after.marker, at->push->marker))
        return false;
    const struct report_line *line = report_find(&at->report, GIT_MARKER_REF);
    if (line == NULL || line->reason == NULL)
        return false;
    const struct git_refusal *row = git_refusal_find(line->reason);
    return row == NULL || !str_eq(row->code, "atomic");
}

static enum err_code push_without_line(struct attempt *at, struct err *e)
{
    struct attempt again = {
        .remote = at->remote,
        .source = at->source,
        .push = at->push,
        .seen = &at->after,
    };

    again.sent = arena_alloc(at->push->arena, (at->n_sent + 1) * sizeof(struct git_command *));
    for (size_t i = 0; i < at->n_sent; i++) {
        struct git_command *c = at->sent[i];
        if (c->result == GIT_DONE || !settle_is_untouched(&at->after, c))
            continue;
        c->result = GIT_NOT_SENT;
        c->message = c->cure = NULL;
        again.sent[again.n_sent++] = c;
    }
    return again.n_sent == 0 ? ERR_OK : run_attempt(&again, e);
}

/* ---- The door -------------------------------------------------------------------------------- */

/* Commands that change nothing were not sent. */
static void settle_unchanged(const struct git_refs *refs, struct git_push *p)
{
    for (size_t i = 0; i < p->n; i++) {
        struct git_command *c = &p->commands[i];
        if (c->result == GIT_NOT_SENT && str_eq(c->old_oid, c->new_oid))
            c->result = settle_is_there(refs, c) ? GIT_DONE : GIT_STALE;
    }
}

static enum err_code push_all(struct attempt *at, struct err *e)
{
    struct git_push *p = at->push;

    choose(at);
    if (at->n_sent > 0) {
        bool own = commands_name(p, GIT_MARKER_REF); /* then its own lease guards it */
        at->atomic = p->marker != NULL && at->seen->atomic;
        at->marker = at->atomic && !own ? p->marker : NULL;
        TRY(run_attempt(at, e));
        if (refuses_line(at))
            TRY(push_without_line(at, e));
    }
    settle_unchanged(at->listed ? &at->after : at->seen, p);
    return ERR_OK;
}

enum err_code git_push(struct git_remote *r, struct git_source *s, struct git_push *push,
                       struct err *e)
{
    struct git_refs first;
    struct attempt at = {.remote = r, .source = s, .push = push, .seen = push->seen};

    for (size_t i = 0; i < push->n; i++) {
        push->commands[i].result = GIT_NOT_SENT;
        push->commands[i].message = push->commands[i].cure = NULL;
    }
    push->marker_after = push->marker;
    if (r->dry_run)
        return err_set(e, ERR_REFUSED, "%s: this is a dry run, nothing is pushed",
                       r->endpoint.at.url);
    TRY(check_commands(push, e));
    if (!r->listed || at.seen == NULL) {
        TRY(git_remote_list(r, push->arena, &first, e));
        at.seen = at.seen == NULL ? &first : at.seen;
    }
    if (at.seen->object_format != NULL && !str_eq(at.seen->object_format, "sha1"))
        return err_set(e, ERR_REFUSED, "%s uses %s object ids, the master uses sha1",
                       r->endpoint.at.url, at.seen->object_format);
    return push_all(&at, e);
}
