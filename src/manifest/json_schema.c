/*
 * JSON Schema (draft 2020-12) from the tables: what an editor needs to complete and to underline.
 * Checks of parts against parts it cannot have; a test holds that it never refuses what the loader
 * takes.
 */
#include "room.h"

#include <string.h>

/* A writer that knows only where it stands: comma, newline, indentation. */
struct json {
    struct buf *out;
    struct err *e;
    int depth;
    bool first; /* nothing stands yet in what was opened last */
};

static enum err_code json_text(struct json *j, const char *s)
{
    TRY(buf_addstr(j->out, "\"", j->e));
    for (; *s != '\0'; s++) {
        if (*s == '"' || *s == '\\')
            TRY(buf_addstr(j->out, "\\", j->e));
        TRY(buf_add(j->out, s, 1, j->e));
    }
    return buf_addstr(j->out, "\"", j->e);
}

static enum err_code json_next(struct json *j)
{
    TRY(buf_addf(j->out, j->e, "%s\n%*s", j->first ? "" : ",", j->depth * 2, ""));
    j->first = false;
    return ERR_OK;
}

static enum err_code json_key(struct json *j, const char *key)
{
    TRY(json_next(j));
    TRY(json_text(j, key));
    return buf_addstr(j->out, ": ", j->e);
}

static enum err_code json_open(struct json *j, const char *bracket)
{
    j->depth++;
    j->first = true;
    return buf_addstr(j->out, bracket, j->e);
}

static enum err_code json_close(struct json *j, const char *bracket)
{
    j->depth--;
    j->first = false;
    return buf_addf(j->out, j->e, "\n%*s%s", j->depth * 2, "", bracket);
}

static enum err_code json_string(struct json *j, const char *key, const char *value)
{
    TRY(json_key(j, key));
    return json_text(j, value);
}

static enum err_code json_number(struct json *j, const char *key, int64_t value)
{
    TRY(json_key(j, key));
    return buf_addf(j->out, j->e, "%lld", (long long)value);
}

static enum err_code json_word(struct json *j, const char *key, bool value)
{
    TRY(json_key(j, key));
    return buf_addstr(j->out, value ? "true" : "false", j->e);
}

/* ["a", "b"] on one line. */
static enum err_code json_words(struct json *j, const char *const *words)
{
    TRY(buf_addstr(j->out, "[", j->e));
    for (size_t i = 0; words[i] != NULL; i++) {
        TRY(buf_addstr(j->out, i > 0 ? ", " : "", j->e));
        TRY(json_text(j, words[i]));
    }
    return buf_addstr(j->out, "]", j->e);
}

/* ---- Values --------------------------------------------------------------------------------- */

static enum err_code write_enum(struct json *j, const cyaml_schema_value_t *v)
{
    TRY(json_key(j, "enum"));
    TRY(buf_addstr(j->out, "[", j->e));
    for (uint32_t i = 0; i < v->enumeration.count; i++) {
        TRY(buf_addstr(j->out, i > 0 ? ", " : "", j->e));
        TRY(json_text(j, v->enumeration.strings[i].str));
    }
    return buf_addstr(j->out, "]", j->e);
}

static enum err_code write_range(struct json *j, const struct key_about *k)
{
    if (k->min == k->max)
        return json_number(j, "const", k->min);
    TRY(json_string(j, "type", "integer"));
    TRY(json_number(j, "minimum", k->min));
    return json_number(j, "maximum", k->max);
}

static enum err_code write_text(struct json *j, const cyaml_schema_value_t *v,
                                const struct key_about *k)
{
    TRY(json_string(j, "type", "string"));
    if (v->string.min > 0)
        TRY(json_number(j, "minLength", v->string.min));
    const char *pattern = format_pattern(k->format);
    return pattern == NULL ? ERR_OK : json_string(j, "pattern", pattern);
}

static enum err_code write_value(struct json *j, const cyaml_schema_value_t *v,
                                 const struct key_about *k)
{
    switch (v->type) {
    case CYAML_MAPPING:
        TRY(json_key(j, "$ref"));
        return buf_addf(j->out, j->e, "\"#/$defs/%s\"", schema_type(v->mapping.fields)->name);
    case CYAML_SEQUENCE:
        TRY(json_string(j, "type", "array"));
        if (v->sequence.min > 0)
            TRY(json_number(j, "minItems", v->sequence.min));
        if (v->sequence.max != CYAML_UNLIMITED)
            TRY(json_number(j, "maxItems", v->sequence.max));
        TRY(json_key(j, "items"));
        TRY(json_open(j, "{"));
        TRY(write_value(j, v->sequence.entry, k));
        return json_close(j, "}");
    case CYAML_BOOL:
        return json_string(j, "type", "boolean");
    case CYAML_INT:
        return write_range(j, k);
    case CYAML_ENUM:
        return write_enum(j, v);
    case CYAML_STRING:
        return write_text(j, v, k);
    case CYAML_UINT:
    case CYAML_FLAGS:
    case CYAML_FLOAT:
    case CYAML_BITFIELD:
    case CYAML_SEQUENCE_FIXED:
    case CYAML_IGNORE:
    case CYAML__TYPE_COUNT:
        break;
    }
    return err_set(j->e, ERR_USAGE, "the tables use a type that JSON Schema is not written for");
}

static enum err_code write_property(struct json *j, const struct type_about *t,
                                    const cyaml_schema_field_t *f)
{
    const struct key_about *k = schema_key(t, f->key);

    TRY(json_key(j, f->key));
    TRY(json_open(j, "{"));
    TRY(json_string(j, "description", k->text));
    TRY(write_value(j, &f->value, k));
    if (f->value.type == CYAML_BOOL &&
        (str_eq(k->fallback, "true") || str_eq(k->fallback, "false")))
        TRY(json_word(j, "default", str_eq(k->fallback, "true")));
    if (f->value.type == CYAML_STRING && k->example != NULL && k->example[0] != '"') {
        const char *const examples[] = {k->example, NULL};
        TRY(json_key(j, "examples"));
        TRY(json_words(j, examples));
    }
    return json_close(j, "}");
}

/* ---- Mappings ------------------------------------------------------------------------------- */

/* "oneOf": [{"required": ["a"]}, …] */
static enum err_code write_choice(struct json *j, const char *word, const char *const *keys)
{
    TRY(json_key(j, word));
    TRY(json_open(j, "["));
    for (size_t i = 0; keys[i] != NULL; i++) {
        const char *const one[] = {keys[i], NULL};
        TRY(json_next(j));
        TRY(buf_addstr(j->out, "{\"required\": ", j->e));
        TRY(json_words(j, one));
        TRY(buf_addstr(j->out, "}", j->e));
    }
    return json_close(j, "]");
}

static enum err_code write_companion(struct json *j, const struct type_about *t)
{
    static const char *const name[] = {"name", NULL};

    TRY(json_key(j, "dependentSchemas"));
    TRY(json_open(j, "{"));
    TRY(json_key(j, "name"));
    TRY(json_open(j, "{"));
    TRY(write_choice(j, "anyOf", t->name_goes_with));
    TRY(json_close(j, "}"));
    TRY(json_close(j, "}"));
    if (!t->name_needed)
        return ERR_OK;
    TRY(json_key(j, "dependentRequired"));
    TRY(json_open(j, "{"));
    for (size_t i = 0; t->name_goes_with[i] != NULL; i++) {
        TRY(json_key(j, t->name_goes_with[i]));
        TRY(json_words(j, name));
    }
    return json_close(j, "}");
}

static enum err_code write_required(struct json *j, const cyaml_schema_field_t *fields)
{
    const char *words[8] = {NULL};
    size_t n = 0;

    for (const cyaml_schema_field_t *f = fields; f->key != NULL; f++)
        if (schema_required(f) && n + 1 < ARRAY_LEN(words))
            words[n++] = f->key;
    if (n == 0)
        return ERR_OK;
    TRY(json_key(j, "required"));
    return json_words(j, words);
}

static enum err_code write_type(struct json *j, const struct type_about *t)
{
    TRY(json_key(j, t->name));
    TRY(json_open(j, "{"));
    TRY(json_string(j, "description", t->text));
    TRY(json_string(j, "type", "object"));
    TRY(json_word(j, "additionalProperties", false));
    TRY(write_required(j, t->fields));
    if (t->one_of != NULL)
        TRY(write_choice(j, "oneOf", t->one_of));
    if (t->any_of != NULL)
        TRY(write_choice(j, "anyOf", t->any_of));
    if (t->name_goes_with != NULL)
        TRY(write_companion(j, t));
    TRY(json_key(j, "properties"));
    TRY(json_open(j, "{"));
    for (const cyaml_schema_field_t *f = t->fields; f->key != NULL; f++)
        TRY(write_property(j, t, f));
    TRY(json_close(j, "}"));
    return json_close(j, "}");
}

enum err_code manifest_schema_json(struct buf *out, struct err *e)
{
    struct json j = {.out = out, .e = e};

    TRY(json_open(&j, "{"));
    TRY(json_string(&j, "$schema", "https://json-schema.org/draft/2020-12/schema"));
    TRY(json_string(&j, "title", "mirrorctl manifest"));
    TRY(json_string(&j, "$ref", "#/$defs/manifest"));
    TRY(json_key(&j, "$defs"));
    TRY(json_open(&j, "{"));
    for (size_t i = 0; i < schema_types_n; i++)
        TRY(write_type(&j, &schema_types[i]));
    TRY(json_close(&j, "}"));
    TRY(json_close(&j, "}"));
    return buf_addstr(out, "\n", e);
}
