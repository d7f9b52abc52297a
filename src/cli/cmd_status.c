/* The last known state, read from the store. */
#include "core.h"

#include "mirrorctl/record.h"
#include "mirrorctl/store.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { COLUMNS_MAX = 12, CELL = 96 };

struct table {
    size_t columns;
    const char *heads[COLUMNS_MAX];
    size_t widths[COLUMNS_MAX];
};

/* Display columns, not bytes: continuation bytes of UTF-8 take no room. */
static size_t columns_of(const char *s)
{
    size_t n = 0;
    for (; *s != '\0'; s++)
        n += ((unsigned char)*s & 0xC0) != 0x80;
    return n;
}

static const char *layer_sign(enum sync_status s)
{
    static const char *const signs[] = {
        [SYNC_NEVER] = "·",  [SYNC_OK] = "✓",      [SYNC_STALE] = "~",
        [SYNC_FAILED] = "✗", [SYNC_BLOCKED] = "!", [SYNC_OFF] = "-",
    };
    return signs[s];
}

/* "✓ 17/17  2m", "✗ 3/5", "-" */
static void layer_cell(const struct layer_status *l, enum layer which, bool wide, struct wall now,
                       char out[static CELL])
{
    char ago[24] = "", what[40] = "";
    if (l->status == SYNC_OFF || l->status == SYNC_NEVER) {
        snprintf(out, CELL, "%s", layer_sign(l->status));
        return;
    }
    if (which == LAYER_CODE && l->commit != NULL)
        snprintf(what, sizeof what, "%.8s", l->commit);
    else
        snprintf(what, sizeof what, "%lld/%lld", (long long)l->count, (long long)l->wanted);
    if (wide && l->last_sync.s > 0)
        wall_ago(l->last_sync, now, ago);
    snprintf(out, CELL, "%s %s%s%s%s", layer_sign(l->status), what, *ago != '\0' ? " (" : "", ago,
             *ago != '\0' ? " ago)" : "");
}

static void fill_row(const struct slave_status *s, bool wide, struct wall now,
                     char cells[static COLUMNS_MAX][CELL])
{
    char ago[24] = "";
    wall_ago(s->last_check, now, ago);
    snprintf(cells[0], CELL, "%s", s->id);
    snprintf(cells[1], CELL, "%s", role_name(s->role));
    snprintf(cells[2], CELL, "%s", health_name(s->health));
    for (enum layer l = 0; l < LAYER_COUNT; l++)
        layer_cell(&s->layers[l], l, wide, now, cells[3 + l]);
    snprintf(cells[7], CELL, "%s%s", ago, s->last_check.s > 0 ? " ago" : "");
    if (!wide)
        return;
    char day[24] = "";
    if (s->token_expires.s > 0)
        wall_format(s->token_expires, day);
    snprintf(cells[8], CELL, "%.10s", s->token_expires.s > 0 ? day : "-");
    snprintf(cells[9], CELL, "%s", s->repo);
}

static const char *health_color(enum health h)
{
    static const char *const colors[] = {
        [HEALTH_UNKNOWN] = "\033[2m",      [HEALTH_OK] = "\033[32m",
        [HEALTH_DEGRADED] = "\033[33m",    [HEALTH_FENCED] = "\033[35m",
        [HEALTH_UNREACHABLE] = "\033[31m",
    };
    return colors[h];
}

static enum err_code add_cells(struct buf *out, const struct table *t,
                               char cells[static COLUMNS_MAX][CELL], const char *color,
                               struct err *e)
{
    for (size_t i = 0; i < t->columns; i++) {
        bool last = i + 1 == t->columns, painted = color != NULL && i == 2;
        size_t pad = last ? 0 : t->widths[i] - columns_of(cells[i]) + 2;
        TRY(buf_addf(out, e, "%s%s%s%*s", painted ? color : "", cells[i], painted ? "\033[0m" : "",
                     (int)pad, ""));
    }
    return buf_addstr(out, "\n", e);
}

static void measure(struct table *t, const struct status *st, bool wide, struct wall now)
{
    char cells[COLUMNS_MAX][CELL];
    for (size_t c = 0; c < t->columns; c++)
        t->widths[c] = columns_of(t->heads[c]);
    for (size_t i = 0; i < st->n; i++) {
        memset(cells, 0, sizeof cells);
        fill_row(&st->slaves[i], wide, now, cells);
        for (size_t c = 0; c < t->columns; c++)
            if (columns_of(cells[c]) > t->widths[c])
                t->widths[c] = columns_of(cells[c]);
    }
}

static enum err_code errors_below(const struct status *st, struct buf *out, struct err *e)
{
    for (size_t i = 0; i < st->n; i++) {
        const struct slave_status *s = &st->slaves[i];
        if (s->error == NULL)
            continue;
        TRY(buf_addf(out, e, "\n%s: %s\n", s->id, s->error));
        if (s->cure != NULL)
            TRY(buf_addf(out, e, "  → %s\n", s->cure));
    }
    return ERR_OK;
}

static enum err_code render(const struct status *st, bool wide, bool color, struct buf *out,
                            struct err *e)
{
    struct wall now = clock_wall(&clock_system);
    struct table t = {.columns = wide ? 10 : 8,
                      .heads = {"SLAVE", "ROLE", "HEALTH", "CODE", "SECRETS", "VARIABLES",
                                "WORKFLOWS", "CHECKED", "TOKEN UNTIL", "REPOSITORY"}};
    char cells[COLUMNS_MAX][CELL] = {{0}};
    measure(&t, st, wide, now);
    TRY(buf_addf(out, e, "%s %s\n\n", role_name(st->self_role), st->master));
    for (size_t c = 0; c < t.columns; c++)
        snprintf(cells[c], CELL, "%s", t.heads[c]);
    TRY(add_cells(out, &t, cells, NULL, e));
    for (size_t i = 0; i < st->n; i++) {
        memset(cells, 0, sizeof cells);
        fill_row(&st->slaves[i], wide, now, cells);
        TRY(add_cells(out, &t, cells, color ? health_color(st->slaves[i].health) : NULL, e));
    }
    return errors_below(st, out, e);
}

int cmd_status(const struct cli_options *o)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(store_closep) struct store *store = NULL;
    CLEANUP(buf_release) struct buf out = BUF_INIT(LIMIT_ANSWER);
    struct err e = ERR_INIT;
    struct status st = {0};
    const char *dir = NULL;
    struct store_config cfg = {.read_only = true};
    enum err_code r = state_dir(o, a, &dir, &e);
    if (r == ERR_OK)
        r = secrets_init(&e);
    if (r == ERR_OK)
        r = store_open(dir, &cfg, &store, &e);
    if (r == ERR_OK)
        r = store_status_get(store, a, &st, &e);
    if (r == ERR_NOT_FOUND || (r == ERR_OK && st.master == NULL)) {
        err_set(&e, ERR_USAGE, "nothing is known in %s yet; run 'mirrorctl apply' first", dir);
        return tell_error(&e);
    }
    if (r == ERR_OK && o->output == OUTPUT_JSON)
        r = status_record_write(&st, &out, &e);
    else if (r == ERR_OK && o->output == OUTPUT_YAML)
        r = status_record_write_yaml(&st, &out, &e);
    else if (r == ERR_OK)
        r = render(&st, o->output == OUTPUT_WIDE, use_color(o, STDOUT_FILENO), &out, &e);
    return r == ERR_OK ? print_answer(&out) : tell_error(&e);
}
