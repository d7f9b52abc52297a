/* A plan as text: one block a slave, one line an action. */
#include "columns.h"
#include "mirrorctl/plan.h"

#include <string.h>

enum {
    INDENT = 4,     /* where the kind begins: "  + " */
    NAME_MOST = 40, /* columns; longer names push their line to the right instead of all others */
    MIDDLE_MOST = 48,
    MIDDLE_LEAST = 24, /* less of it is not worth reading */
    VALUE_MOST = 60,   /* code points shown of a variable's value */
    MANY = 20,         /* refs of one act that are shown one by one … */
    FEW = 10,          /* … and how many of more */
    OID = 8,
};

/* One action in words. */
struct cells {
    const char *sign, *kind, *name, *middle, *reason;
    enum paint paint;
};

struct layout {
    size_t kind, name, middle, reason; /* widths */
};

/* ---- Cells --------------------------------------------------------------------------------- */

static const char *quote(struct arena *a, const char *value)
{
    return value == NULL ? "unknown"
                         : arena_printf(a, "\"%s\"", plan_text_clean(a, value, VALUE_MOST, true));
}

static const char *short_oid(struct arena *a, const char *oid)
{
    return oid == NULL ? ""
                       : plan_text_clean(a, arena_strndup(a, oid, strnlen(oid, OID)), 0, false);
}

static const char *bare(struct arena *a, const char *value)
{
    return value == NULL ? "" : plan_text_clean(a, value, VALUE_MOST, false);
}

/* "a → b", "b", "was a": whatever of both is there. */
static const char *transition(struct arena *a, const struct action *act, const char *from,
                              const char *to)
{
    switch (act->act) {
    case ACT_UPDATE:
        if (act->from == NULL)
            return arena_printf(a, "→ %s", to);
        return arena_printf(a, "%s → %s", from, to);
    case ACT_DELETE:
        return act->from == NULL ? "" : arena_printf(a, "was %s", from);
    case ACT_CREATE:
    case ACT_ADOPT:
        return to;
    case ACT_FORGET:
    case ACT_COUNT:
        break;
    }
    return "";
}

static const char *ref_middle(struct arena *a, const struct action *act)
{
    const char *moves = transition(a, act, short_oid(a, act->from), short_oid(a, act->to));
    const char *detail = act->detail != NULL ? plan_text_clean(a, act->detail, 0, false) : NULL;

    if (act->forced || detail == NULL)
        return moves;
    return detail;
}

static bool is_single(enum kind k)
{
    return k == KIND_ACTIONS || k == KIND_DEFAULT_BRANCH || k == KIND_ROLE;
}

static const char *middle_of(struct arena *a, const struct action *act)
{
    switch (act->kind) {
    case KIND_REF:
        return ref_middle(a, act);
    case KIND_SECRET: /* what a plan knows of a secret is no value, and nobody's business */
        return "";
    case KIND_VARIABLE:
        return transition(a, act, quote(a, act->from), quote(a, act->to));
    case KIND_ACTIONS:
    case KIND_DEFAULT_BRANCH:
    case KIND_WORKFLOW:
    case KIND_ROLE:
    case KIND_COUNT:
        break;
    }
    return transition(a, act, bare(a, act->from), bare(a, act->to));
}

static struct cells cells_of(struct arena *a, const struct action *act)
{
    static const struct {
        const char *sign;
        enum paint paint;
    } SIGNS[ACT_COUNT] = {
        [ACT_CREATE] = {"+", PAINT_GREEN}, [ACT_UPDATE] = {"~", PAINT_YELLOW},
        [ACT_DELETE] = {"-", PAINT_RED},   [ACT_ADOPT] = {"=", PAINT_DIM},
        [ACT_FORGET] = {"=", PAINT_DIM},
    };
    struct cells c = {.sign = SIGNS[act->act].sign,
                      .paint = SIGNS[act->act].paint,
                      .kind = kind_name(act->kind),
                      .name = plan_text_clean(a, act->name, 0, false),
                      .middle = middle_of(a, act),
                      .reason =
                          act->reason != NULL ? plan_text_clean(a, act->reason, 0, false) : ""};
    if (act->forced) {
        c.sign = "!";
        c.paint = PAINT_RED;
    }
    if (is_single(act->kind)) { /* there is but one: its name says nothing new */
        c.name = c.middle;
        c.middle = "";
    }
    return c;
}

/* ---- Which lines --------------------------------------------------------------------------- */

static bool is_plain_ref(const struct action *a)
{
    return a->kind == KIND_REF && !a->forced && act_is_remote(a->act);
}

/* What one block shows; the rest of a long row of refs becomes one line. */
struct shown {
    size_t total[ACT_COUNT], seen[ACT_COUNT];
    bool verbose;
};

static struct shown shown_init(const struct slave_plan *s, bool verbose)
{
    struct shown v = {.verbose = verbose};
    for (size_t i = 0; i < s->n; i++) {
        if (is_plain_ref(&s->actions[i]))
            v.total[s->actions[i].act]++;
    }
    return v;
}

enum showing { SHOW_LINE, SHOW_MORE, SHOW_NOTHING };

static enum showing shown_next(struct shown *v, const struct action *a)
{
    if (v->verbose)
        return SHOW_LINE;
    if (!act_is_remote(a->act))
        return SHOW_NOTHING;
    if (!is_plain_ref(a) || v->total[a->act] <= MANY)
        return SHOW_LINE;
    size_t nth = v->seen[a->act]++;
    return nth < FEW ? SHOW_LINE : nth == FEW ? SHOW_MORE : SHOW_NOTHING;
}

/* ---- Lines --------------------------------------------------------------------------------- */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void layout_add(struct layout *l, const struct cells *c)
{
    l->kind = larger(l->kind, plan_text_width(c->kind));
    if (plan_text_width(c->name) <= NAME_MOST)
        l->name = larger(l->name, plan_text_width(c->name));
    l->middle = larger(l->middle, smaller(plan_text_width(c->middle), MIDDLE_MOST));
    l->reason = larger(l->reason, plan_text_width(c->reason));
}

static size_t name_column(const struct layout *l)
{
    return INDENT + l->kind + 2;
}

static size_t middle_column(const struct layout *l)
{
    return name_column(l) + l->name + 2;
}

static size_t reason_column(const struct layout *l)
{
    return middle_column(l) + (l->middle > 0 ? l->middle + 2 : 0);
}

/*
 * Makes the middle narrow enough for the reasons to stand beside it; where that would leave too
 * little of it, it keeps what the line has, and reasons that do not fit stand below.
 */
static void layout_fit(struct layout *l, size_t width)
{
    if (width == 0 || reason_column(l) + l->reason <= width)
        return;
    size_t taken = middle_column(l) + 2 + l->reason;
    size_t left = taken < width ? width - taken : 0;
    if (left < smaller(l->middle, MIDDLE_LEAST))
        left = larger(width - smaller(width, middle_column(l)), MIDDLE_LEAST);
    l->middle = smaller(l->middle, left);
}

static struct layout layout_of(struct arena *a, const struct slave_plan *s,
                               const struct render_options *opt)
{
    struct layout l = {0};
    struct shown v = shown_init(s, opt->verbose);

    for (size_t i = 0; i < s->n; i++) {
        if (shown_next(&v, &s->actions[i]) != SHOW_LINE)
            continue;
        struct cells c = cells_of(a, &s->actions[i]);
        layout_add(&l, &c);
    }
    for (size_t i = 0; i < s->n_conditions; i++)
        l.kind = larger(l.kind, plan_text_width(condition_level_name(s->conditions[i].level)));
    layout_fit(&l, opt->width > 0 ? (size_t)opt->width : 0);
    return l;
}

static enum err_code put_reason(struct columns *w, const struct layout *l, const char *reason)
{
    size_t column = larger(reason_column(l), w->at + 2);

    if (*reason == '\0')
        return columns_end(w);
    if (w->width == 0 || column + plan_text_width(reason) <= w->width) {
        TRY(columns_pad(w, column));
        TRY(columns_put(w, PAINT_DIM, reason));
        return columns_end(w);
    }
    TRY(columns_end(w));
    TRY(columns_pad(w, name_column(l)));
    TRY(columns_wrap(w, PAINT_DIM, reason, name_column(l)));
    return columns_end(w);
}

static enum err_code put_line(struct columns *w, struct arena *a, const struct layout *l,
                              const struct cells *c)
{
    TRY(columns_put(w, PAINT_NONE, "  "));
    TRY(columns_put(w, c->paint, c->sign));
    TRY(columns_put(w, PAINT_NONE, " "));
    TRY(columns_put(w, PAINT_NONE, c->kind));
    if (*c->name != '\0') {
        TRY(columns_pad(w, name_column(l)));
        TRY(columns_put(w, PAINT_NONE, c->name));
    }
    if (*c->middle != '\0') {
        TRY(columns_pad(w, middle_column(l)));
        TRY(columns_put(w, PAINT_NONE,
                        w->width > 0 ? plan_text_cut(a, c->middle, l->middle) : c->middle));
    }
    return put_reason(w, l, c->reason);
}

static enum err_code put_more(struct columns *w, struct arena *a, const struct layout *l,
                              const struct cells *c, size_t n)
{
    TRY(columns_put(w, PAINT_NONE, "  "));
    TRY(columns_put(w, c->paint, c->sign));
    TRY(columns_put(w, PAINT_NONE, " "));
    TRY(columns_put(w, PAINT_NONE, c->kind));
    TRY(columns_pad(w, name_column(l)));
    TRY(columns_put(w, PAINT_DIM, arena_printf(a, "… and %zu more", n)));
    return columns_end(w);
}

static enum err_code put_condition(struct columns *w, struct arena *a, const struct layout *l,
                                   const struct condition *c)
{
    static const struct {
        const char *sign;
        enum paint paint;
    } LEVELS[] = {
        [COND_NOTE] = {"*", PAINT_CYAN},
        [COND_WARNING] = {"!", PAINT_YELLOW},
        [COND_BLOCKED] = {"!", PAINT_RED},
        [COND_ERROR] = {"!", PAINT_RED},
    };
    enum paint paint = LEVELS[c->level].paint;

    TRY(columns_put(w, PAINT_NONE, "  "));
    TRY(columns_put(w, paint, LEVELS[c->level].sign));
    TRY(columns_put(w, PAINT_NONE, " "));
    TRY(columns_put(w, paint, condition_level_name(c->level)));
    TRY(columns_pad(w, name_column(l)));
    TRY(columns_wrap(w, PAINT_NONE, plan_text_clean(a, c->text, 0, false), name_column(l)));
    TRY(columns_end(w));
    if (c->cure == NULL)
        return ERR_OK;
    TRY(columns_pad(w, name_column(l)));
    TRY(columns_put(w, PAINT_CYAN, "→ "));
    TRY(columns_wrap(w, PAINT_NONE, plan_text_clean(a, c->cure, 0, false), name_column(l) + 2));
    return columns_end(w);
}

/* ---- Blocks -------------------------------------------------------------------------------- */

static enum err_code put_header(struct columns *w, struct arena *a, const struct slave_plan *s,
                                const char *state)
{
    TRY(columns_put(w, PAINT_BOLD, plan_text_clean(a, s->slave, 0, false)));
    if (*state != '\0') {
        TRY(columns_pad(w, 0));
        TRY(columns_put(w, s->refused != ERR_OK ? PAINT_RED : PAINT_DIM, state));
    }
    return columns_end(w);
}

static const char *state_of(const struct slave_plan *s, bool quiet)
{
    if (s->refused == ERR_FENCED)
        return "fenced, nothing will be done";
    if (s->refused != ERR_OK)
        return s->n > 0 ? "refused, nothing of this will be done" : "refused";
    return quiet ? "in sync" : "";
}

static enum err_code put_actions(struct columns *w, struct arena *a, const struct layout *l,
                                 const struct slave_plan *s, bool verbose)
{
    struct shown v = shown_init(s, verbose);

    for (size_t i = 0; i < s->n; i++) {
        const struct action *act = &s->actions[i];
        enum showing how = shown_next(&v, act);
        if (how == SHOW_NOTHING)
            continue;
        struct cells c = cells_of(a, act);
        if (how == SHOW_LINE)
            TRY(put_line(w, a, l, &c));
        else
            TRY(put_more(w, a, l, &c, v.total[act->act] - FEW));
    }
    return ERR_OK;
}

/* Something to show besides the name. */
static bool has_lines(const struct slave_plan *s, bool verbose)
{
    if (s->n_conditions > 0 || s->refused != ERR_OK || (verbose && s->n > 0))
        return true;
    for (size_t i = 0; i < s->n; i++) {
        if (act_is_remote(s->actions[i].act))
            return true;
    }
    return false;
}

static enum err_code put_block(struct columns *w, const struct slave_plan *s,
                               const struct render_options *opt)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    bool quiet = !has_lines(s, opt->verbose);
    struct layout l = layout_of(a, s, opt);

    TRY(put_header(w, a, s, state_of(s, quiet)));
    TRY(put_actions(w, a, &l, s, opt->verbose));
    for (size_t i = 0; i < s->n_conditions; i++)
        TRY(put_condition(w, a, &l, &s->conditions[i]));
    return columns_end(w);
}

/* ---- The closing line ---------------------------------------------------------------------- */

static const char *slaves(size_t n)
{
    return n == 1 ? "slave" : "slaves";
}

static enum err_code put_closing(struct columns *w, const struct plan *p, bool applied)
{
    struct plan_counts c = plan_count(p);
    struct buf *out = w->out;
    struct err *e = w->e;

    if (applied)
        TRY(buf_addf(out, e, "%zu created, %zu updated, %zu deleted", c.create, c.update,
                     c.destroy));
    else if (c.create + c.update + c.destroy > 0)
        TRY(buf_addf(out, e, "%zu to create, %zu to update, %zu to delete", c.create, c.update,
                     c.destroy));
    else
        TRY(buf_addstr(out, "nothing to do", e));
    const char *gap = "; ";
    if (c.slaves_in_sync > 0) {
        TRY(buf_addf(out, e, "%s%zu %s in sync", gap, c.slaves_in_sync, slaves(c.slaves_in_sync)));
        gap = ", ";
    }
    if (c.slaves_refused > 0) {
        TRY(buf_addf(out, e, "%s%zu %s refused", gap, c.slaves_refused, slaves(c.slaves_refused)));
        gap = ", ";
    }
    if (c.slaves_blocked > 0)
        TRY(buf_addf(out, e, "%s%zu %s blocked", gap, c.slaves_blocked, slaves(c.slaves_blocked)));
    return columns_end(w);
}

/* ---- Door ---------------------------------------------------------------------------------- */

static struct columns columns_of(const struct render_options *opt, struct buf *out, struct err *e)
{
    return (struct columns){
        .out = out, .e = e, .color = opt->color, .width = opt->width > 0 ? (size_t)opt->width : 0};
}

enum err_code plan_render(const struct plan *p, const struct render_options *opt, struct buf *out,
                          struct err *e)
{
    struct columns w = columns_of(opt, out, e);

    for (size_t i = 0; i < p->n; i++) {
        if (opt->verbose || has_lines(&p->slaves[i], false))
            TRY(put_block(&w, &p->slaves[i], opt));
    }
    return put_closing(&w, p, opt->applied);
}

enum err_code plan_render_slave(const struct slave_plan *s, const struct render_options *opt,
                                struct buf *out, struct err *e)
{
    struct columns w = columns_of(opt, out, e);

    return has_lines(s, opt->verbose) ? put_block(&w, s, opt) : ERR_OK;
}
