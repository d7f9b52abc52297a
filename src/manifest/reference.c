/* The format for people: docs/manifest.md and `explain`, from the tables. */
#include "room.h"

#include <stdio.h>
#include <string.h>

static const char preface[] =
    "# The manifest\n"
    "\n"
    "<!-- Generated from src/manifest/about.c: change it there. -->\n"
    "\n"
    "A manifest says what every slave should be. `mirrorctl check -f FILE` tells all that is "
    "wrong\n"
    "with one; `mirrorctl explain PATH` (such as `explain slaves[].sync`) tells what a key means;\n"
    "`manifests/mirrors.yaml` shows every key at work; `manifests/mirrors.schema.json` lets an "
    "editor\n"
    "complete and underline:\n"
    "\n"
    "    # yaml-language-server: $schema=mirrors.schema.json\n"
    "\n"
    "## How settings meet\n"
    "\n"
    "* What stands in a slave beats `defaults`, which beats the top of the file. Single settings "
    "go key\n"
    "  by key (`refs.prune` in a slave leaves `refs.include` of the top in force), a role goes as "
    "a\n"
    "  whole, and `secrets` and `variables` merge by name.\n"
    "* In one list, an entry with `slaves` beats one without, for the slaves that it names. "
    "Everything\n"
    "  else that is listed twice is an error.\n"
    "* `secrets.from` given further inside also holds for names listed further outside: a slave "
    "with\n"
    "  `secrets: {from: {env_file: eu.env}}` gets the same names with values of its own.\n"
    "* Names of secrets and variables are upper-case at the slave, as GitHub stores them. At the "
    "source\n"
    "  they are looked up as written.\n"
    "* `adopt`, `allow_empty` and `prune` are off unless they are switched on: for a whole list "
    "(in\n"
    "  `secrets`, and for variables, which are a plain list, in `variable_rules` beside it) or, "
    "but\n"
    "  for `prune`, for one entry.\n"
    "* Relative paths start at the manifest's folder. Durations are a number with a unit: "
    "`500ms`,\n"
    "  `30s`, `5m`, `2h`, `7d`. Truth values are `true` and `false`. Text that looks like a number "
    "or\n"
    "  a truth value goes into quotes.\n"
    "* YAML's anchors, aliases, tags and merge keys are not accepted: `defaults` is for sharing.\n"
    "* No secret value stands in a manifest, only where it is read. Messages never show one.\n"
    "\n"
    "## The keys\n";

static const char env_form[] =
    "\n## A .env file in place of a manifest\n"
    "\n"
    "A file whose name ends in `.env`, or whose first line is `NAME=value`, is read as settings.\n"
    "`mirrorctl import env FILE` prints the manifest that says the same.\n"
    "\n"
    "| setting | meaning |\n"
    "|---|---|\n"
    "| `MIRROR_ENABLED` | `true`, or all slaves are suspended |\n"
    "| `MIRROR_MASTER_REPO` | the master, OWNER/NAME; else `GITHUB_REPOSITORY` is taken |\n"
    "| `MIRROR_MASTER_TOKEN` | reads the master; else `GITHUB_TOKEN` is taken; may be missing |\n"
    "| `MIRROR_MASTER_URL` | the master's git address |\n"
    "| `MIRROR_MASTER_SOURCE` | a local clone of the master |\n"
    "| `MIRROR_STATE_FILE` | as `master.state_file` |\n"
    "| `MIRROR_GITHUB_URL` | as `github.url` |\n"
    "| `MIRROR_SECRETS` | names of secrets to mirror, joined by commas; their values stand in the "
    "same "
    "file |\n"
    "| `MIRROR_VARS` | names of variables to mirror, likewise |\n"
    "| `MIRROR_n_TYPE` | `github` (as is the default) or `git` |\n"
    "| `MIRROR_n_ID` | the slave's id; `mirror-n` unless set |\n"
    "| `MIRROR_n_REPO` | OWNER/NAME |\n"
    "| `MIRROR_n_TOKEN` | its token |\n"
    "| `MIRROR_n_URL` | its git address; type git needs it |\n"
    "| `MIRROR_n_SSH_KEY_PATH` | private key for an ssh address |\n"
    "| `MIRROR_n_SYNC_SECRETS`, `MIRROR_n_SYNC_VARS` | `true` or `false`; on for type github |\n"
    "| `MIRROR_n_ENABLED` | `false` suspends this slave |\n"
    "| `MIRROR_n_NAME`, any other | at this slave, the secret `NAME` has this value: how "
    "`MIRROR_1_RENEWAL_TRIGGER_TOKEN` becomes `RENEWAL_TRIGGER_TOKEN` there |\n"
    "\n"
    "Numbers may have gaps. Truth values may also be `yes`, `on`, `1`, `no`, `off`, `0`. Tokens "
    "and\n"
    "secrets are read from the file anew in each pass; `GITHUB_TOKEN` and the tokens of mirrorctl "
    "are\n"
    "never mirrored. A name that is nearly one of the settings is taken for a mistake.\n";

/* ---- Types in words ------------------------------------------------------------------------- */

static enum err_code write_kind(const cyaml_schema_value_t *v, const struct key_about *k,
                                bool links, struct buf *out, struct err *e)
{
    switch (v->type) {
    case CYAML_MAPPING: {
        const char *name = schema_type(v->mapping.fields)->name;
        return links ? buf_addf(out, e, "[%s](#%s)", name, name) : buf_addstr(out, name, e);
    }
    case CYAML_SEQUENCE:
        TRY(buf_addstr(out, "list of ", e));
        return write_kind(v->sequence.entry, k, links, out, e);
    case CYAML_BOOL:
        return buf_addstr(out, "true or false", e);
    case CYAML_INT:
        return k->min == k->max
                   ? buf_addf(out, e, "%lld", (long long)k->min)
                   : buf_addf(out, e, "number, %lld to %lld", (long long)k->min, (long long)k->max);
    case CYAML_ENUM:
        for (uint32_t i = 0; i < v->enumeration.count; i++)
            TRY(buf_addf(out, e, "%s%s", i > 0 ? ", " : "", v->enumeration.strings[i].str));
        return ERR_OK;
    case CYAML_STRING:
        return buf_addstr(out, format_expected(k->format), e);
    case CYAML_UINT:
    case CYAML_FLAGS:
    case CYAML_FLOAT:
    case CYAML_BITFIELD:
    case CYAML_SEQUENCE_FIXED:
    case CYAML_IGNORE:
    case CYAML__TYPE_COUNT:
        break;
    }
    return err_set(e, ERR_USAGE, "the tables use a type that has no word");
}

/* ---- Markdown ------------------------------------------------------------------------------- */

/* A table's cell: "|" would end it. */
static enum err_code write_cell(const char *text, struct buf *out, struct err *e)
{
    for (; *text != '\0'; text++)
        TRY(*text == '|' ? buf_addstr(out, "\\|", e) : buf_add(out, text, 1, e));
    return ERR_OK;
}

static enum err_code write_row(const struct type_about *t, const cyaml_schema_field_t *f,
                               struct buf *out, struct err *e)
{
    const struct key_about *k = schema_key(t, f->key);

    TRY(buf_addf(out, e, "| `%s` | ", f->key));
    TRY(write_kind(&f->value, k, true, out, e));
    TRY(buf_addstr(out, " | ", e));
    TRY(write_cell(schema_required(f)    ? "**needed**"
                   : k->fallback == NULL ? ""
                                         : k->fallback,
                   out, e));
    TRY(buf_addstr(out, " | ", e));
    TRY(write_cell(k->text, out, e));
    if (k->example != NULL) {
        TRY(buf_addstr(out, " Example: `", e));
        TRY(write_cell(k->example, out, e));
        TRY(buf_addstr(out, "`", e));
    }
    return buf_addstr(out, " |\n", e);
}

/* Whether a value is, or lists, mappings of a type. */
static bool leads_to(const cyaml_schema_value_t *v, const struct type_about *t)
{
    if (v->type == CYAML_SEQUENCE)
        v = v->sequence.entry;
    return v->type == CYAML_MAPPING && v->mapping.fields == t->fields;
}

static enum err_code write_users(const struct type_about *t, struct buf *out, struct err *e)
{
    bool first = true;

    for (size_t i = 0; i < schema_types_n; i++)
        for (const cyaml_schema_field_t *f = schema_types[i].fields; f->key != NULL; f++) {
            if (!leads_to(&f->value, t))
                continue;
            TRY(buf_addf(out, e, "%s`%s` of [%s](#%s)", first ? "Stands at " : ", ", f->key,
                         schema_types[i].name, schema_types[i].name));
            first = false;
        }
    return first ? ERR_OK : buf_addstr(out, ".\n\n", e);
}

static enum err_code write_codes(struct buf *out, struct err *e)
{
    TRY(buf_addstr(out,
                   "\n## What can be wrong\n\n"
                   "Each message about a manifest bears one of these codes; they are stable.\n\n"
                   "| code | | what it means | what to do |\n|---|---|---|---|\n",
                   e));
    for (size_t i = 0; i < diag_rows_n; i++) {
        const struct diag_row *r = &diag_rows[i];
        TRY(buf_addf(out, e, "| M%03d | %s | %s | ", (int)r->code,
                     r->level == DIAG_ERROR ? "error" : "warning", r->title));
        TRY(write_cell(r->cure, out, e));
        TRY(buf_addstr(out, " |\n", e));
    }
    return ERR_OK;
}

enum err_code manifest_reference_markdown(struct buf *out, struct err *e)
{
    TRY(buf_addstr(out, preface, e));
    for (size_t i = 0; i < schema_types_n; i++) {
        const struct type_about *t = &schema_types[i];
        TRY(buf_addf(out, e, "\n### %s\n\n%s\n\n", t->name, t->text));
        TRY(write_users(t, out, e));
        TRY(buf_addstr(out, "| key | value | default | meaning |\n|---|---|---|---|\n", e));
        for (const cyaml_schema_field_t *f = t->fields; f->key != NULL; f++)
            TRY(write_row(t, f, out, e));
    }
    TRY(buf_addstr(out, env_form, e));
    return write_codes(out, e);
}

/* ---- Explain -------------------------------------------------------------------------------- */

static enum err_code explain_code(const char *code, struct buf *out, struct err *e)
{
    struct err ignored = ERR_INIT;
    int64_t number = 0;

    (void)str_to_i64(code + 1, 0, 999, &number, &ignored);
    for (size_t i = 0; i < diag_rows_n; i++)
        if ((int64_t)diag_rows[i].code == number)
            return buf_addf(out, e, "M%03d (%s)\n\n  %s.\n  %s\n", (int)number,
                            diag_rows[i].level == DIAG_ERROR ? "error" : "warning",
                            diag_rows[i].title, diag_rows[i].cure);
    return err_set(e, ERR_NOT_FOUND, "there is no code '%s'", code);
}

/* Names of a mapping's keys in a column of their own. */
static enum err_code explain_keys(const struct type_about *t, struct buf *out, struct err *e)
{
    size_t widest = 0;

    for (const struct key_about *k = t->keys; k->key != NULL; k++)
        widest = strlen(k->key) > widest ? strlen(k->key) : widest;
    TRY(buf_addstr(out, "\n", e));
    for (const struct key_about *k = t->keys; k->key != NULL; k++)
        TRY(buf_addf(out, e, "  %-*s  %s\n", (int)widest, k->key, k->text));
    return ERR_OK;
}

static enum err_code explain_value(const char *path, const cyaml_schema_field_t *f,
                                   const struct key_about *k, struct buf *out, struct err *e)
{
    const cyaml_schema_value_t *v = &f->value;

    TRY(buf_addf(out, e, "%s (", path));
    TRY(write_kind(v, k, false, out, e));
    TRY(buf_addf(out, e, ")%s\n\n  %s\n", schema_required(f) ? ", needed" : "", k->text));
    if (k->fallback != NULL)
        TRY(buf_addf(out, e, "  Default: %s\n", k->fallback));
    if (k->example != NULL)
        TRY(buf_addf(out, e, "  Example: %s: %s\n", k->key, k->example));
    if (v->type == CYAML_SEQUENCE)
        v = v->sequence.entry;
    if (v->type != CYAML_MAPPING)
        return ERR_OK;
    const struct type_about *t = schema_type(v->mapping.fields);
    if (strcmp(t->text, k->text) != 0)
        TRY(buf_addf(out, e, "  %s\n", t->text));
    return explain_keys(t, out, e);
}

/* The next word of "slaves[].sync.code" into word; returns what is behind it, NULL at the end. */
static const char *next_word(const char *path, char word[static 64])
{
    size_t n = strcspn(path, ".[");
    (void)snprintf(word, 64, "%.*s", (int)(n > 63 ? 63 : n), path);
    path += n;
    if (*path == '[') {
        path += strcspn(path, "]");
        path += *path == ']' ? 1 : 0;
    }
    path += *path == '.' ? 1 : 0;
    return *path == '\0' ? NULL : path;
}

/* `before`: how much of the path was right. */
static enum err_code no_such_key(const char *path, size_t before, const char *word,
                                 const struct type_about *t, struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const char *near = str_suggest(word, schema_keys(t->fields, a));

    if (near != NULL)
        return err_set(e, ERR_NOT_FOUND, "'%s' has no key '%s'; did you mean '%.*s%s'?", t->name,
                       word, (int)before, path, near);
    return err_set(e, ERR_NOT_FOUND, "'%s' has no key '%s'", t->name, word);
}

enum err_code manifest_explain(const char *key_path, struct buf *out, struct err *e)
{
    const struct type_about *t = schema_type(schema_root.mapping.fields);
    const cyaml_schema_field_t *f = NULL;
    const struct key_about *k = NULL;
    char word[64];

    if (key_path[0] == 'M' && strspn(key_path + 1, "0123456789") == 3 && key_path[4] == '\0')
        return explain_code(key_path, out, e);
    if (key_path[0] == '\0' || strcmp(key_path, ".") == 0) {
        TRY(buf_addf(out, e, "%s\n\n  %s\n", t->name, t->text));
        return explain_keys(t, out, e);
    }
    for (const char *rest = key_path; rest != NULL;) {
        const char *here = rest;
        rest = next_word(rest, word);
        if (t == NULL)
            return err_set(e, ERR_NOT_FOUND, "there is nothing inside '%s'", f->key);
        f = schema_field(t->fields, word);
        if (f == NULL)
            return no_such_key(key_path, (size_t)(here - key_path), word, t, e);
        k = schema_key(t, word);
        const cyaml_schema_value_t *v =
            f->value.type == CYAML_SEQUENCE ? f->value.sequence.entry : &f->value;
        t = v->type == CYAML_MAPPING ? schema_type(v->mapping.fields) : NULL;
    }
    return explain_value(key_path, f, k, out, e);
}
