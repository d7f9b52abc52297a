/* A push (6.2): commands in, report out. What happens in between stands in git_judge.c and
 * git_store.c. */
#include "gitside.h"
#include "internal.h"
#include "rest.h"

#include <stdio.h>

enum { BAND_MOST = 65515 };

bool hb_zero(const char *oid)
{
    return oid[strspn(oid, "0")] == '\0';
}

void hb_ng(struct hb_command *k, const char *text)
{
    if (k->ng == NULL)
        k->ng = hb_strdup(text);
}

/* ---- in ---- */

/* The next pkt-line; false on a flush, at the end, and on nonsense. */
static bool packet(const struct hub_request *q, size_t *at, const char **out, size_t *out_len)
{
    const char *body = q->body;
    char hex[5] = "";
    if (q->body_len - *at < 4)
        return false;
    memcpy(hex, body + *at, 4);
    char *end = NULL;
    unsigned long len = strtoul(hex, &end, 16);
    if (*end != '\0' || len < 4 || len > q->body_len - *at) {
        *at = len == 0 && *end == '\0' ? *at + 4 : q->body_len;
        return false;
    }
    *out = body + *at + 4;
    *out_len = len - 4;
    *at += len;
    return true;
}

static void command(struct hb_push *p, const char *line)
{
    size_t a = strspn(line, "0123456789abcdef");
    size_t b = line[a] == ' ' ? strspn(line + a + 1, "0123456789abcdef") : 0;
    if ((a != 40 && a != 64) || b != a || line[a + 1 + b] != ' ')
        return; /* "shallow" lines are read and thrown away (6.2) */
    p->command = hb_grow(p->command, p->n + 1, sizeof *p->command);
    struct hb_command *k = &p->command[p->n++];
    *k = (struct hb_command){.ref = hb_strdup(line + a + b + 2)};
    memcpy(k->before, line, a);
    memcpy(k->after, line + a + 1, b);
    k->noop = strcmp(k->before, k->after) == 0 && !hb_zero(k->after);
}

static void capabilities(struct hb_push *p, const char *caps)
{
    p->report = hb_word_in(caps, "report-status") || hb_word_in(caps, "report-status-v2");
    p->side_band = hb_word_in(caps, "side-band-64k");
    p->atomic = hb_word_in(caps, "atomic");
    p->push_options = hb_word_in(caps, "push-options");
}

static void read_commands(struct hb_push *p)
{
    const char *data = NULL;
    size_t len = 0, at = 0;
    bool first = true;
    while (packet(p->q, &at, &data, &len)) {
        char *line = hb_strndup(data, len);
        size_t n = strlen(line); /* the capabilities follow a NUL in the first line */
        if (first && n < len)
            capabilities(p, line + n + 1);
        line[strcspn(line, "\n")] = '\0';
        command(p, line);
        free(line);
        first = false;
    }
    while (p->push_options && packet(p->q, &at, &data, &len))
        continue;
    p->pack_at = at;
}

/* ---- out ---- */

static void band(const struct hb_push *p, struct hb_buf *out, int number, const char *data,
                 size_t len)
{
    if (!p->side_band) {
        if (number == 1)
            hb_buf_add(out, data, len);
        return;
    }
    while (len > 0) {
        size_t n = len > BAND_MOST ? BAND_MOST : len;
        hb_buf_fmt(out, "%04zx%c", n + 5, number);
        hb_buf_add(out, data, n);
        data += n;
        len -= n;
    }
}

static void report_line(struct hb_buf *b, const char *text)
{
    hb_buf_fmt(b, "%04zx%s\n", strlen(text) + 5, text);
}

static void report(const struct hb_push *p, struct hb_buf *out)
{
    struct hb_buf lines = {0};
    char *text = hb_fmt("unpack %s", p->unpack);
    report_line(&lines, text);
    free(text);
    for (size_t i = 0; i < p->n; i++) {
        const struct hb_command *k = &p->command[i];
        text = k->ng == NULL ? hb_fmt("ok %s", k->ref) : hb_fmt("ng %s %s", k->ref, k->ng);
        report_line(&lines, text);
        free(text);
    }
    hb_buf_puts(&lines, "0000");
    band(p, out, 1, lines.data, lines.len);
    hb_buf_free(&lines);
}

static void answer(struct hb_ctx *c, const struct hb_push *p, bool with_report)
{
    struct hb_buf out = {0};
    hb_buf_puts(&out, "");
    if (p->remote.len > 0)
        band(p, &out, 2, p->remote.data, p->remote.len);
    if (p->fatal != NULL)
        band(p, &out, 3, p->fatal, strlen(p->fatal));
    else if (p->report && with_report)
        report(p, &out);
    if (p->side_band)
        hb_buf_puts(&out, "0000");
    c->out->status = 200;
    hb_head(c->out, "content-type", "application/x-git-receive-pack-result");
    hb_body_take(c->out, out.data, out.len);
}

/* ---- the push ---- */

static void rules_copy(struct hb_rules *to, const struct hb_rules *from)
{
    to->rule = hb_grow(NULL, from->n, sizeof *to->rule);
    for (to->n = 0; to->n < from->n; to->n++) {
        const struct hb_rule *r = &from->rule[to->n];
        to->rule[to->n] = (struct hb_rule){.glob = hb_strdup(r->glob), .protection = r->protection};
        hb_set(&to->rule[to->n].type, r->type);
        hb_set(&to->rule[to->n].remote, r->remote);
    }
}

static void rules_drop(struct hb_rules *rules)
{
    for (size_t i = 0; i < rules->n; i++) {
        free(rules->rule[i].glob);
        free(rules->rule[i].type);
        free(rules->rule[i].remote);
    }
    free(rules->rule);
}

static void moved_message(struct hb_ctx *c, struct hb_push *p)
{
    if (!c->moved || !hb_quirk(c->h, Q_MOVED_MESSAGE))
        return;
    char *base = hb_base(c);
    base[strlen(base) - strlen(c->prefix)] = '\0';
    hb_buf_fmt(&p->remote, "This repository moved. Please use the new location:\n  %s/%s.git\n",
               base, c->repo->full_name);
    free(base);
}

/* One refused ref refuses them all (6.2). */
static void all_or_none(struct hb_push *p)
{
    bool bad = false;
    for (size_t i = 0; i < p->n; i++)
        bad = bad || p->command[i].ng != NULL;
    for (size_t i = 0; bad && p->atomic && i < p->n; i++)
        hb_ng(&p->command[i], "atomic push failure");
}

/* 6.4: the default branch of an empty repository after its first push. */
static void first_default(struct hb_push *p, bool was_empty)
{
    if (!was_empty || !hb_quirk(p->h, Q_FIRST_DEFAULT))
        return;
    hb_refs_load(p->repo);
    const char *first = NULL;
    for (size_t i = 0; i < p->repo->refs.n; i++) {
        const char *name = p->repo->refs.ref[i].name;
        if (!hb_starts(name, "refs/heads/"))
            continue;
        if (strcmp(name + 11, p->default_branch) == 0)
            return;
        if (first == NULL)
            first = name + 11; /* they are sorted */
    }
    if (first != NULL) {
        pthread_mutex_lock(&p->h->lock);
        hb_default_branch_set(p->h, p->repo, first);
        pthread_mutex_unlock(&p->h->lock);
    }
}

static void events(struct hb_push *p)
{
    struct hb_change *change = hb_alloc((p->n + 1) * sizeof *change);
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct hb_command *k = &p->command[i];
        if (k->ng != NULL || k->noop)
            continue;
        change[n].ref = k->ref;
        (void)snprintf(change[n].before, 65, "%s", hb_zero(k->before) ? "" : k->before);
        (void)snprintf(change[n].after, 65, "%s", hb_zero(k->after) ? "" : k->after);
        n++;
    }
    hb_pushed(p->h, p->repo, change, n, &p->who);
    free(change);
}

static void perform(struct hb_push *p)
{
    int most = hb_quirk(p->h, Q_MAX_REF_UPDATES);
    if (most > 0 && p->n > (size_t)most) {
        p->fatal = hb_fmt("maximum ref updates exceeded: %zu commands sent but max allowed is %d\n",
                          p->n, most);
        return;
    }
    hb_refs_load(p->repo);
    bool was_empty = p->repo->refs.n == 0;
    hb_push_judge(p);
    if (hb_push_unpack(p))
        hb_push_inspect(p);
    all_or_none(p);
    hb_push_store(p);
    first_default(p, was_empty);
    events(p);
}

static void release(struct hb_push *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->command[i].ref);
        free(p->command[i].ng);
    }
    free(p->command);
    hb_buf_free(&p->remote);
    free(p->unpack);
    free(p->fatal);
    free(p->default_branch);
    rules_drop(&p->protections);
    rules_drop(&p->rules);
    rules_drop(&p->refusals);
}

void hb_receive_pack(struct hb_ctx *c, const struct hub_fault *fault)
{
    struct hb_push p = {.h = c->h,
                        .repo = c->repo,
                        .who = c->who,
                        .q = c->q,
                        .unpack = hb_strdup("ok"),
                        .default_branch = hb_strdup(c->repo->default_branch)};
    rules_copy(&p.protections, &c->repo->protections);
    rules_copy(&p.rules, &c->repo->rules);
    rules_copy(&p.refusals, &c->repo->refusals);
    read_commands(&p);
    bool probe = p.n == 0; /* git sends a lone flush to try its credentials before a large body */
    bool with_report = true, act = !probe;
    if (fault != NULL && !probe) {
        with_report = fault->effect != HUB_F_NO_REPORT && fault->effect != HUB_F_NO_REPORT_LOST &&
                      fault->effect != HUB_F_PUSH_ISE;
        act = fault->effect != HUB_F_NO_REPORT_LOST && fault->effect != HUB_F_PUSH_LOST &&
              fault->effect != HUB_F_PUSH_ISE;
        if (fault->effect == HUB_F_PUSH_ISE)
            hb_buf_puts(&p.remote, "Internal Server Error\n");
    }
    c->h->counters.git_pushes += !probe;
    moved_message(c, &p);
    if (act) {
        hb_git_enter(c->h, c->repo);
        perform(&p);
        hb_git_leave(c->h, c->repo);
    }
    if (probe) {
        c->out->status = 200;
        hb_head(c->out, "content-type", "application/x-git-receive-pack-result");
        hb_body_take(c->out, hb_strdup(""), 0);
    } else {
        answer(c, &p, with_report);
    }
    release(&p);
}
