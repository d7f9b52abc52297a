#include "internal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/*
 * The file is read once into locked memory and taken apart there: names and values are cut out in
 * place, so that no copy of a value is ever made. A value written out is never longer than what
 * stood in the file, and the byte behind it (line end, blank, quote or the NUL behind everything)
 * is free.
 */

struct entry {
    const char *name;
    int line; /* 1-based, where the name stands */
    struct secret value;
};

struct env_file {
    struct locked text;
    struct entry *entries; /* sorted by name, no two equal */
    size_t n, cap;
};

struct parser {
    const char *path; /* for messages */
    char *p, *end;    /* *end is NUL */
    int line;
};

static bool is_blank(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\r';
}

static bool is_name_start(char ch)
{
    return (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') || ch == '_';
}

static bool is_name(char ch)
{
    return is_name_start(ch) || (ch >= '0' && ch <= '9');
}

static void skip_blanks(struct parser *ps)
{
    while (is_blank(*ps->p))
        ps->p++;
}

/* To the first byte of the next line, or to the end. */
static void skip_line(struct parser *ps)
{
    while (ps->p < ps->end && *ps->p != '\n')
        ps->p++;
    if (ps->p < ps->end) {
        ps->p++;
        ps->line++;
    }
}

/* Never more of the line than its number: it may be the middle of a value. */
static enum err_code malformed(const struct parser *ps, int line, const char *what, struct err *e)
{
    return err_set(e, ERR_INVALID, "%s:%d: %s", ps->path, line, what);
}

/* ---- Values ---------------------------------------------------------------------------------- */

/* `out` trails ps->p: escapes only shrink. */
static char *take_escape(struct parser *ps, char *out)
{
    switch (ps->p[1]) {
    case 'n':
        *out++ = '\n';
        break;
    case 't':
        *out++ = '\t';
        break;
    case '"':
    case '\\':
    case '$':
        *out++ = ps->p[1];
        break;
    default: /* not one of ours: both bytes stand for themselves */
        *out++ = '\\';
        ps->p++;
        return out;
    }
    ps->p += 2;
    return out;
}

static enum err_code take_quoted(struct parser *ps, char quote, struct secret *out, struct err *e)
{
    int line = ps->line;
    char *from = ++ps->p, *to = from;

    while (ps->p < ps->end && *ps->p != quote) {
        if (quote == '"' && *ps->p == '\\' && ps->p + 1 < ps->end) {
            to = take_escape(ps, to);
            continue;
        }
        if (*ps->p == '\n')
            ps->line++;
        *to++ = *ps->p++;
    }
    if (ps->p >= ps->end)
        return malformed(ps, line, "the quote that opens here is never closed", e);

    char *close = ps->p++;
    bool apart = is_blank(*ps->p);
    skip_blanks(ps);
    if (ps->p < ps->end && *ps->p != '\n' && !(apart && *ps->p == '#'))
        return malformed(ps, ps->line, "more text behind the closing quote", e);
    skip_line(ps);
    memset(to, 0, (size_t)(close - to) + 1); /* what escapes left over, and the quote */
    *out = (struct secret){.len = (size_t)(to - from), .bytes = from};
    return ERR_OK;
}

/* Up to the line's end or a '#' behind a blank; blanks at the end are not part of it. */
static void take_bare(struct parser *ps, struct secret *out)
{
    char *from = ps->p, *end = from;
    bool blank = is_blank(from[-1]);

    while (ps->p < ps->end && *ps->p != '\n' && !(blank && *ps->p == '#')) {
        blank = is_blank(*ps->p++);
        if (!blank)
            end = ps->p;
    }
    skip_line(ps);
    *end = '\0';
    *out = (struct secret){.len = (size_t)(end - from), .bytes = from};
}

/* ---- Lines ----------------------------------------------------------------------------------- */

static void skip_export(struct parser *ps)
{
    static const char WORD[] = "export";
    size_t n = sizeof(WORD) - 1;

    if ((size_t)(ps->end - ps->p) > n && memcmp(ps->p, WORD, n) == 0 && is_blank(ps->p[n])) {
        ps->p += n;
        skip_blanks(ps);
    }
}

static enum err_code take_entry(struct parser *ps, struct entry *out, struct err *e)
{
    int line = ps->line;

    skip_export(ps);
    char *name = ps->p;
    if (is_name_start(*ps->p)) {
        while (is_name(*ps->p))
            ps->p++;
    }
    if (ps->p == name || *ps->p != '=')
        return malformed(ps, line, "expected NAME=value", e);
    *ps->p++ = '\0';

    struct entry x = {.name = name, .line = line};
    skip_blanks(ps);
    if (*ps->p == '\'' || *ps->p == '"')
        TRY(take_quoted(ps, *ps->p, &x.value, e));
    else
        take_bare(ps, &x.value);
    if (x.value.len > LIMIT_SECRET_BYTES)
        return err_set(e, ERR_LIMIT, "%s:%d: the value of '%s' has more than %d bytes", ps->path,
                       line, name, (int)LIMIT_SECRET_BYTES);
    *out = x;
    return ERR_OK;
}

static void add_entry(struct env_file *f, struct entry x)
{
    if (f->n == f->cap) {
        f->cap = f->cap == 0 ? 32 : f->cap * 2;
        f->entries = mem_realloc(f->entries, f->cap * sizeof(*f->entries));
    }
    f->entries[f->n++] = x;
}

/* A NUL would end names and values early, in silence. */
static enum err_code refuse_nul(const struct parser *ps, struct err *e)
{
    const char *nul = memchr(ps->p, '\0', (size_t)(ps->end - ps->p));
    int line = 1;

    if (nul == NULL)
        return ERR_OK;
    for (const char *p = ps->p; p < nul; p++) {
        if (*p == '\n')
            line++;
    }
    return malformed(ps, line, "a NUL byte", e);
}

static enum err_code parse(struct parser *ps, struct env_file *f, struct err *e)
{
    TRY(refuse_nul(ps, e));
    if (ps->end - ps->p >= 3 && memcmp(ps->p, "\xef\xbb\xbf", 3) == 0)
        ps->p += 3;
    while (ps->p < ps->end) {
        struct entry x;
        skip_blanks(ps);
        if (ps->p == ps->end || *ps->p == '\n' || *ps->p == '#') {
            skip_line(ps);
            continue;
        }
        TRY(take_entry(ps, &x, e));
        add_entry(f, x);
    }
    return ERR_OK;
}

/* ---- The file -------------------------------------------------------------------------------- */

static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    /* By place in the text rather than by line: two may stand on one line only by a bug of ours. */
    return order != 0 ? order : (a->name > b->name) - (a->name < b->name);
}

/* Of equal names the last one stays. */
static void sort_entries(struct env_file *f)
{
    size_t kept = 0;

    if (f->n > 0)
        qsort(f->entries, f->n, sizeof(*f->entries), compare_entries);
    for (size_t i = 0; i < f->n; i++) {
        if (i + 1 < f->n && strcmp(f->entries[i].name, f->entries[i + 1].name) == 0)
            continue;
        f->entries[kept++] = f->entries[i];
    }
    f->n = kept;
}

static void env_file_freep(struct env_file **f)
{
    env_file_free(*f);
    *f = NULL;
}

enum err_code env_file_load(const char *path, struct env_file **out_file, struct err *e)
{
    CLEANUP(env_file_freep) struct env_file *f = mem_alloc(sizeof(*f));

    TRY(locked_read_file(path, CHECK_MODE, LIMIT_ENV_FILE_BYTES, &f->text, e));
    f->text.bytes[f->text.len] = '\0';
    struct parser ps = {
        .path = path,
        .p = f->text.bytes,
        .end = f->text.bytes + f->text.len,
        .line = 1,
    };
    TRY(parse(&ps, f, e));
    sort_entries(f);
    (void)sodium_mprotect_readonly(f->text.bytes);
    *out_file = f;
    f = NULL;
    return ERR_OK;
}

void env_file_free(struct env_file *f)
{
    if (f == NULL)
        return;
    locked_release(&f->text);
    free(f->entries);
    free(f);
}

size_t env_file_count(const struct env_file *f)
{
    return f->n;
}

const char *env_file_name(const struct env_file *f, size_t i)
{
    return f->entries[i].name;
}

int env_file_line(const struct env_file *f, size_t i)
{
    return f->entries[i].line;
}

static int compare_name(const void *name, const void *entry)
{
    const struct entry *x = entry;
    return strcmp(name, x->name);
}

const struct secret *env_file_get(const struct env_file *f, const char *name)
{
    if (f->n == 0)
        return NULL;
    const struct entry *x = bsearch(name, f->entries, f->n, sizeof(*f->entries), compare_name);
    return x == NULL ? NULL : &x->value;
}

enum err_code env_file_missing(const struct env_file *f, const char *path, const char *name,
                               struct err *e)
{
    const char **names = mem_alloc((f->n + 1) * sizeof(*names));

    for (size_t i = 0; i < f->n; i++)
        names[i] = f->entries[i].name;
    const char *near = str_suggest(name, names);
    free(names);
    if (near == NULL)
        return err_set(e, ERR_NOT_FOUND, "no line '%s=' in '%s'", name, path);
    return err_set(e, ERR_NOT_FOUND, "no line '%s=' in '%s'; did you mean '%s'?", name, path, near);
}
