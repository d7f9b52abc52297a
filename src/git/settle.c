#include "settle.h"
#include "refusal.h"

#include <ctype.h>
#include <string.h>

static const char *value_of(const struct git_refs *refs, const char *name)
{
    const struct git_ref *found = refs_find(refs->items, refs->n, name);
    return found == NULL ? NULL : found->oid;
}

bool settle_is_there(const struct git_refs *after, const struct git_command *c)
{
    return after != NULL && str_eq(value_of(after, c->ref), c->new_oid);
}

bool settle_is_untouched(const struct git_refs *after, const struct git_command *c)
{
    return after != NULL && str_eq(value_of(after, c->ref), c->old_oid);
}

/* ---- The server's words about one ref ---------------------------------------------------------
 */

/* As a whole word: refs/heads/main is not meant in a line about refs/heads/main2. */
static bool line_names(const char *line, size_t n, const char *ref)
{
    size_t len = strlen(ref);

    for (const char *p = line; (p = memmem(p, n - (size_t)(p - line), ref, len)) != NULL; p++) {
        char next = p + len < line + n ? p[len] : ' ';
        bool ends = isalnum((unsigned char)next) == 0 && strchr("/-_", next) == NULL;
        if (ends &&
            !(next == '.' && p + len + 1 < line + n && isalnum((unsigned char)p[len + 1]) != 0))
            return true;
    }
    return false;
}

static bool starts_topic(const char *line, size_t n)
{
    const char *p = memmem(line, n, "GH0", 3);
    return p != NULL && p + 5 < line + n && isdigit((unsigned char)p[3]) != 0;
}

static bool names_another(const char *line, size_t n, const char *ref)
{
    return memmem(line, n, "refs/", 5) != NULL && !line_names(line, n, ref);
}

/*
 * The lines that belong to one ref. GitHub names it in a headline (GH006: …) and explains below;
 * git's own receive-pack lets the hook talk and names the ref afterwards. So: from behind the last
 * line about another ref, or from the headline, up to the next line about another or the next
 * headline. All of it when no line names the ref.
 */
static const char *words_about(struct arena *a, const char *text, const char *ref)
{
    const char *from = text, *end = NULL;
    bool met = false;

    for (const char *p = text; *p != '\0' && end == NULL;) {
        size_t n = strcspn(p, "\n");
        const char *next = p + n + (p[n] == '\n' ? 1 : 0);
        if (met && (starts_topic(p, n) || names_another(p, n, ref)))
            end = p;
        else if (!met && line_names(p, n, ref)) {
            met = true;
            from = starts_topic(p, n) ? p : from;
        } else if (!met && names_another(p, n, ref))
            from = next;
        p = next;
    }
    if (!met)
        return text_one_line(a, text);
    return text_one_line(a, end == NULL ? from : arena_strndup(a, from, (size_t)(end - from)));
}

/* Rows that only say that something is wrong: what stands beside them may say what. */
static bool is_weak(const struct git_refusal *row)
{
    return row == NULL || str_eq(row->code, GIT_REFUSAL_HOOK) || str_eq(row->code, "unpack");
}

static const struct git_refusal *meaning_of(const char *reason, const char *words)
{
    const struct git_refusal *row = git_refusal_find(reason);
    const struct git_refusal *beside = is_weak(row) ? git_refusal_find(words) : NULL;
    return beside != NULL && !is_weak(beside) ? beside : row == NULL ? beside : row;
}

/* ---- Verdicts -------------------------------------------------------------------------------- */

static void say(struct git_command *c, enum git_result result, const char *message,
                const char *cure)
{
    c->result = result;
    c->message = message;
    c->cure = cure;
}

static void moved(struct arena *a, const struct settlement *st, struct git_command *c)
{
    const char *now = value_of(st->after, c->ref);
    say(c, GIT_STALE,
        arena_printf(a, "it is %s now, and was %s", now == NULL ? "gone" : now,
                     c->old_oid == NULL ? "not there" : c->old_oid),
        "run again: the next pass looks anew");
}

static void settle_ok(const struct settlement *st, struct git_command *c)
{
    if (st->after == NULL)
        say(c, GIT_UNKNOWN,
            arena_printf(st->arena, "reported as done, but could not be verified: %s",
                         st->list_trouble),
            NULL);
    else if (settle_is_there(st->after, c))
        say(c, GIT_DONE, NULL, NULL);
    else if (settle_is_untouched(st->after, c))
        say(c, GIT_FAILED, "reported as done, but the ref is not there: the server lost the push",
            "run again with fewer refs at once");
    else
        moved(st->arena, st, c);
}

static void settle_refused(const struct settlement *st, struct git_command *c, const char *reason)
{
    const char *words = words_about(st->arena, st->report->remote, c->ref);
    const char *unpack = st->report->unpack;
    const char *why = unpack != NULL && !str_eq(unpack, "ok")
                          ? arena_printf(st->arena, "%s: %s", reason, unpack)
                          : reason;
    const struct git_refusal *row = meaning_of(why, words);
    enum git_result result = row == NULL ? GIT_REJECTED : row->result;

    if (st->after != NULL && !settle_is_untouched(st->after, c) && !settle_is_there(st->after, c)) {
        moved(st->arena, st, c);
        return;
    }
    /* "failed to update ref" is the word for a lost lease, but for a full disk, too. */
    if (result == GIT_STALE && settle_is_untouched(st->after, c) &&
        strstr(words, "but expected") == NULL)
        result = GIT_FAILED;
    bool others = row != NULL && str_eq(row->code, "atomic"); /* the words are about another ref */
    const char *message =
        *words == '\0' || others ? why : arena_printf(st->arena, "%s (%s)", why, words);
    say(c, result, message, row == NULL ? NULL : row->cure);
}

static void settle_silent(const struct settlement *st, struct git_command *c)
{
    const struct report *report = st->report;
    const char *words =
        text_one_line(st->arena, arena_printf(st->arena, "%s\n%s", report->remote, st->words));
    const struct git_refusal *row = git_refusal_find(words);
    const char *trouble = report->trouble == NULL ? "the server sent no report" : report->trouble;

    if (settle_is_there(st->after, c)) {
        say(c, GIT_DONE, NULL, NULL);
        return;
    }
    const char *message =
        *words == '\0' ? trouble : arena_printf(st->arena, "%s (%s)", trouble, words);
    if (st->after != NULL && !settle_is_untouched(st->after, c))
        moved(st->arena, st, c);
    else if (st->after != NULL && row != NULL && row->result != GIT_STALE)
        say(c, row->result, message, row->cure);
    else
        say(c, GIT_UNKNOWN, message, NULL);
}

void settle_command(const struct settlement *st, struct git_command *c)
{
    const struct report_line *line =
        st->report->unpack == NULL ? NULL : report_find(st->report, c->ref);

    if (line == NULL)
        settle_silent(st, c);
    else if (line->reason == NULL)
        settle_ok(st, c);
    else
        settle_refused(st, c, line->reason);
}
