/*
 * The tree along libcyaml's tables: unknown, double and missing keys, wrong types, wrong scalars,
 * wrong words and numbers, which keys go together. All of them, each where it stands.
 */
#include "room.h"

#include <limits.h>
#include <string.h>

static void walk_value(struct reading *r, const cyaml_schema_value_t *v, const struct key_about *k,
                       const struct node *n);

static const char *type_word(const struct node *n)
{
    switch (n->type) {
    case NODE_LIST:
        return "a list";
    case NODE_MAP:
        return "a mapping";
    case NODE_SCALAR:
        return n->plain && n->len == 0 ? "nothing" : "a single value";
    }
    return "";
}

/* Where a missing thing is missed: at the key of its map, else where the map begins. */
static const struct node *place_of(const struct node *n)
{
    return n->key != NULL ? n->key : n;
}

static struct pos start_of(const struct node *n)
{
    return place_of(n)->start;
}

static int width_of(const struct node *n)
{
    return n->key != NULL ? node_width(n->key) : 1;
}

/* ---- Scalars -------------------------------------------------------------------------------- */

static void check_bool(struct reading *r, const struct node *n)
{
    if (n->plain && (strcmp(n->text, "true") == 0 || strcmp(n->text, "false") == 0))
        return;
    report_at(r, D_SCALAR, n, "write true or false", "\"%s\" is not a truth value",
              quoted(r, n->text));
}

static void check_int(struct reading *r, const struct key_about *k, const struct node *n)
{
    struct err e = ERR_INIT;
    int64_t value = 0;
    size_t digits = strspn(n->text, "0123456789");

    if (!n->plain || digits == 0 || n->text[digits] != '\0') {
        report_at(r, D_SCALAR, n, NULL, "\"%s\" is not a whole number", quoted(r, n->text));
        return;
    }
    if (digits > 1 && n->text[0] == '0') {
        report_at(r, D_SCALAR, n, "YAML tools disagree whether that is decimal or octal",
                  "\"%s\" has a leading zero", quoted(r, n->text));
        return;
    }
    if (str_to_i64(n->text, k->min, k->max, &value, &e) == ERR_OK)
        return;
    if (k->min == k->max)
        report_at(r, D_RANGE, n, NULL, "%s must be %lld", k->key, (long long)k->min);
    else
        report_at(r, D_RANGE, n, NULL, "%s must be between %lld and %lld", k->key,
                  (long long)k->min, (long long)k->max);
}

static void check_word(struct reading *r, const cyaml_schema_value_t *v, const struct node *n)
{
    const char **words = arena_alloc(r->arena, (v->enumeration.count + 1) * sizeof(*words));
    const char *all = "";

    for (uint32_t i = 0; i < v->enumeration.count; i++) {
        words[i] = v->enumeration.strings[i].str;
        if (strcmp(words[i], n->text) == 0)
            return;
        all = arena_printf(r->arena, "%s%s%s", all, i > 0 ? ", " : "", words[i]);
    }
    const char *near = str_suggest(n->text, words);
    const char *hint = near == NULL ? NULL : arena_printf(r->arena, "did you mean \"%s\"?", near);
    report_at(r, D_WORD, n, hint, "\"%s\" is not one of %s", quoted(r, n->text), all);
}

static void check_text(struct reading *r, const cyaml_schema_value_t *v, const struct key_about *k,
                       const struct node *n)
{
    if (!node_is_text(n) && n->len == 0)
        report_at(r, D_TYPE, n, "give it a value, or leave the key out", "%s has no value", k->key);
    else if (!node_is_text(n) && k->format == FORMAT_DURATION)
        report_at(r, D_DURATION, n, arena_printf(r->arena, "such as %ss or %sm", n->text, n->text),
                  "%s needs a unit", k->key);
    else if (!node_is_text(n))
        report_at(r, D_SCALAR, n, "put it in quotes", "%s is a text, and %s is not", k->key,
                  quoted(r, n->text));
    else if (n->len < v->string.min)
        report_at(r, D_EMPTY, n, NULL, "%s is empty", k->key);
    else
        format_check(r, k->format, n);
}

/* ---- Secrets in plain sight ----------------------------------------------------------------- */

static bool is_source(const cyaml_schema_value_t *v)
{
    return v->type == CYAML_MAPPING && (v->mapping.fields == schema_source_fields ||
                                        v->mapping.fields == schema_item_source_fields);
}

/* Types in which people write values by mistake: what does not fit there is not shown. */
static bool is_secretive(const struct type_about *t)
{
    return t->fields == schema_source_fields || t->fields == schema_item_source_fields ||
           t->fields == schema_names_source_fields || t->fields == schema_secret_fields ||
           t->fields == schema_secrets_fields;
}

static void refuse_literal(struct reading *r, const struct key_about *k, const struct node *n)
{
    hide(r, n);
    report_at(r, D_LITERAL_SECRET, n, "name where it is read: {env: NAME}, {file: PATH}, …",
              "secret values do not belong in a manifest (%s)", k->key);
}

/* Anything below a place where the shape is wrong may be a secret, too. */
static void look_for_tokens(struct reading *r, const struct node *n)
{
    if (n->bad)
        return;
    if (n->type != NODE_SCALAR) {
        for (const struct node *c = n->first; c != NULL; c = c->next)
            look_for_tokens(r, c);
        return;
    }
    if (mask_find_token(n->text, n->len) == n->len)
        return;
    hide(r, n);
    report_at(r, D_TOKEN, n, "name where it is read: {env: NAME}, {file: PATH}, …",
              "this looks like a credential; credentials do not belong in a manifest");
}

/* ---- Mappings ------------------------------------------------------------------------------- */

/* Whether a list, as its neighbours in the manifest suggest, was meant. */
static const char *type_hint(const struct key_about *k, const struct node *n)
{
    if (n->type == NODE_SCALAR && n->plain && n->len == 0)
        return "give it a value, or leave the key out";
    if (strcmp(k->key, "variables") == 0 && n->type == NODE_MAP)
        return "- {name: NAME, value: VALUE}; what holds for all goes into variable_rules";
    return NULL;
}

static void wrong_type(struct reading *r, const struct key_about *k, const struct node *n,
                       const char *expected)
{
    report_at(r, D_TYPE, n, type_hint(k, n), "%s must be %s, and this is %s", k->key, expected,
              type_word(n));
    if (r->secretive)
        hide(r, n);
    look_for_tokens(r, n);
}

static const char *list_words(struct reading *r, const char *const *words)
{
    const char *all = "";
    for (size_t i = 0; words[i] != NULL; i++)
        all = arena_printf(r->arena, "%s%s%s", all, i > 0 ? ", " : "", words[i]);
    return all;
}

static size_t count_of(const struct node *n, const char *const *keys)
{
    size_t found = 0;
    for (size_t i = 0; keys[i] != NULL; i++)
        found += node_get(n, keys[i]) != NULL ? 1 : 0;
    return found;
}

static void check_together(struct reading *r, const struct type_about *t, const struct node *n)
{
    if (t->one_of != NULL && count_of(n, t->one_of) != 1)
        report(r, D_ONE_OF, start_of(n), width_of(n), NULL, "exactly one of %s must be given",
               list_words(r, t->one_of));
    if (t->any_of != NULL && count_of(n, t->any_of) == 0)
        report(r, D_ONE_OF, start_of(n), width_of(n), NULL, "%s must be given",
               strcmp(t->any_of[0], "value") == 0 ? "value or in" : "repo or url");
    if (t->name_goes_with == NULL)
        return;
    const struct node *name = node_get(n, "name");
    bool partner = count_of(n, t->name_goes_with) > 0;
    if (name != NULL && !partner)
        report_at(r, D_COMPANION, name->key, NULL, "name goes with env_file or dir only");
    if (name == NULL && partner && t->name_needed)
        report(r, D_COMPANION, start_of(n), width_of(n), "add name: NAME",
               "env_file and dir hold several values: name says which one");
}

static void unknown_key(struct reading *r, const struct type_about *t, const struct node *n)
{
    const struct node *key = n->key;
    if (r->secretive)
        hide(r, n);
    if (r->secretive && n->type == NODE_SCALAR && strcmp(key->text, "value") == 0) {
        refuse_literal(r, &(struct key_about){.key = "value"}, n);
        return;
    }
    const char *near = r->diags->n_errors > LIMIT_DIAGNOSTICS
                           ? NULL
                           : str_suggest(key->text, schema_keys(t->fields, r->arena));
    const char *hint = near == NULL ? NULL : arena_printf(r->arena, "did you mean \"%s\"?", near);

    if (t->fields == schema_names_source_fields &&
        schema_field(schema_source_fields, key->text) != NULL)
        hint = "for the environment leave `from` out; a source of one value goes into an item";
    report_at(r, D_UNKNOWN_KEY, key, hint, "unknown key \"%s\"", quoted(r, key->text));
    look_for_tokens(r, key);
    look_for_tokens(r, n);
}

/* Returns a bit for each field that is there; no mapping has more than 64 (a test holds that). */
static uint64_t walk_fields(struct reading *r, const struct type_about *t, const struct node *n)
{
    const cyaml_schema_field_t *fields = t->fields;
    uint64_t seen = 0;

    for (const struct node *c = n->first; c != NULL; c = c->next) {
        if (c->key->bad)
            continue;
        const cyaml_schema_field_t *f = schema_field(fields, c->key->text);
        if (f == NULL) {
            unknown_key(r, t, c);
            continue;
        }
        uint64_t bit = UINT64_C(1) << (f - fields);
        if ((seen & bit) != 0)
            report_at(r, D_DUPLICATE_KEY, c->key, NULL, "%s is given twice", f->key);
        seen |= bit;
        walk_value(r, &f->value, schema_key(t, f->key), c);
    }
    return seen;
}

static void walk_map(struct reading *r, const cyaml_schema_field_t *fields, const struct node *n)
{
    const struct type_about *t = schema_type(fields);
    bool outside = r->secretive;

    r->secretive = is_secretive(t);
    uint64_t seen = walk_fields(r, t, n);
    r->secretive = outside;
    for (const cyaml_schema_field_t *f = fields; f->key != NULL; f++)
        if (schema_required(f) && (seen & UINT64_C(1) << (f - fields)) == 0)
            report(r, D_MISSING_KEY, start_of(n), width_of(n), NULL, "%s is missing in %s", f->key,
                   n->key != NULL ? quoted(r, n->key->text) : t->name);
    check_together(r, t, n);
}

static void walk_list(struct reading *r, const cyaml_schema_value_t *v, const struct key_about *k,
                      const struct node *n)
{
    if (n->n < v->sequence.min)
        report_at(r, D_RANGE, place_of(n), NULL, "%s is empty; it needs at least %u", k->key,
                  v->sequence.min);
    if (v->sequence.max != CYAML_UNLIMITED && n->n > v->sequence.max)
        report_at(r, D_RANGE, place_of(n), NULL, "%s has more than %u", k->key, v->sequence.max);
    for (const struct node *c = n->first; c != NULL; c = c->next)
        walk_value(r, v->sequence.entry, k, c);
}

static void walk_scalar(struct reading *r, const cyaml_schema_value_t *v, const struct key_about *k,
                        const struct node *n)
{
    if (mask_find_token(n->text, n->len) < n->len)
        look_for_tokens(r, n);
    else if (v->type == CYAML_BOOL)
        check_bool(r, n);
    else if (v->type == CYAML_INT)
        check_int(r, k, n);
    else if (v->type == CYAML_ENUM)
        check_word(r, v, n);
    else
        check_text(r, v, k, n);
}

static void walk_value(struct reading *r, const cyaml_schema_value_t *v, const struct key_about *k,
                       const struct node *n)
{
    if (n->bad || r->diags->n_errors > LIMIT_DIAGNOSTICS)
        return;
    if (is_source(v) && n->type != NODE_MAP && n->n + n->len > 0)
        refuse_literal(r, k, n);
    else if (v->type == CYAML_MAPPING && n->type != NODE_MAP)
        wrong_type(r, k, n, "a mapping");
    else if (v->type == CYAML_MAPPING)
        walk_map(r, v->mapping.fields, n);
    else if (v->type == CYAML_SEQUENCE && n->type != NODE_LIST)
        wrong_type(r, k, n, "a list");
    else if (v->type == CYAML_SEQUENCE)
        walk_list(r, v, k, n);
    else if (n->type != NODE_SCALAR)
        wrong_type(r, k, n, "a single value");
    else
        walk_scalar(r, v, k, n);
}

void walk_check(struct reading *r, const struct node *root)
{
    static const struct key_about manifest = {.key = "the manifest"};
    walk_value(r, &schema_root, &manifest, root);
}
