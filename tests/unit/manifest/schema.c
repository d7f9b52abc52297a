/*
 * The loader and the JSON Schema over one corpus. Both must take the valid manifests; both must
 * refuse the invalid ones, but for those whose names say that a schema cannot know:
 *
 *   sem-*    what only the meaning tells (two slaves with one id); the schema takes it
 *   yaml-*   what is wrong before there are values (syntax, aliases); JSON has no such thing
 *   *.env    not YAML
 *
 * The validator is the part of draft 2020-12 that the generator uses, and fails on any other word.
 */
#include "support.h"

#include <jansson.h>
#include <regex.h>
#include <yaml.h>

/* ---- YAML to JSON, as an editor's YAML 1.2 would -------------------------------------------- */

static bool is_int(const char *s)
{
    s += *s == '-' || *s == '+' ? 1 : 0;
    return *s != '\0' && strspn(s, "0123456789") == strlen(s);
}

static json_t *plain_scalar(const char *s)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    char *end;

    for (size_t i = 0; i < ARRAY_LEN(nulls); i++)
        if (strcmp(s, nulls[i]) == 0)
            return json_null();
    if (strcmp(s, "true") == 0 || strcmp(s, "True") == 0 || strcmp(s, "TRUE") == 0)
        return json_true();
    if (strcmp(s, "false") == 0 || strcmp(s, "False") == 0 || strcmp(s, "FALSE") == 0)
        return json_false();
    if (is_int(s))
        return json_integer(strtoll(s, NULL, 10));
    if (strncmp(s, "0x", 2) == 0)
        return json_integer(strtoll(s, NULL, 16));
    if (strcmp(s, ".inf") == 0) /* JSON has no infinity; any number that is not whole will do */
        return json_real(1.5);
    double d = strtod(s, &end);
    bool number = *end == '\0' && strspn(s, "0123456789.eE+-") == strlen(s);
    return number ? json_real(d) : json_string(s);
}

static json_t *convert(yaml_document_t *doc, yaml_node_t *n)
{
    json_t *out = NULL;

    if (n->type == YAML_SCALAR_NODE) {
        const char *s = (const char *)n->data.scalar.value;
        return n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? plain_scalar(s) : json_string(s);
    }
    if (n->type == YAML_SEQUENCE_NODE) {
        out = json_array();
        for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top;
             i++)
            json_array_append_new(out, convert(doc, yaml_document_get_node(doc, *i)));
        return out;
    }
    out = json_object();
    for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
        yaml_node_t *key = yaml_document_get_node(doc, p->key);
        json_object_set_new(out, (const char *)key->data.scalar.value,
                            convert(doc, yaml_document_get_node(doc, p->value)));
    }
    return out;
}

static json_t *yaml_to_json(const struct buf *text)
{
    yaml_parser_t p;
    yaml_document_t doc;
    json_t *out = NULL;

    assert_int_equal(yaml_parser_initialize(&p), 1);
    yaml_parser_set_input_string(&p, (const unsigned char *)buf_str(text), text->len);
    if (yaml_parser_load(&p, &doc) == 1) {
        if (yaml_document_get_root_node(&doc) != NULL)
            out = convert(&doc, yaml_document_get_root_node(&doc));
        yaml_document_delete(&doc);
    }
    yaml_parser_delete(&p);
    return out;
}

/* ---- A validator ---------------------------------------------------------------------------- */

static json_t *root;

static bool valid(const json_t *schema, json_t *v);

static size_t count_valid(const json_t *schemas, json_t *v)
{
    size_t n = 0, i;
    json_t *s;
    json_array_foreach(schemas, i, s) n += valid(s, v) ? 1 : 0;
    return n;
}

static bool has_all(const json_t *keys, const json_t *v)
{
    size_t i;
    json_t *k;
    json_array_foreach(keys, i,
                       k) if (json_object_get(v, json_string_value(k)) == NULL) return false;
    return true;
}

static bool has_type(const char *type, const json_t *v)
{
    if (strcmp(type, "object") == 0)
        return json_is_object(v);
    if (strcmp(type, "array") == 0)
        return json_is_array(v);
    if (strcmp(type, "string") == 0)
        return json_is_string(v);
    if (strcmp(type, "boolean") == 0)
        return json_is_boolean(v);
    if (strcmp(type, "integer") == 0)
        return json_is_integer(v);
    fail_msg("the validator has no type '%s'", type);
    return false;
}

static bool matches(const char *pattern, const json_t *v)
{
    regex_t re;
    if (!json_is_string(v))
        return true;
    assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
    bool found = regexec(&re, json_string_value(v), 0, NULL, 0) == 0;
    regfree(&re);
    return found;
}

static bool is_in(const json_t *words, json_t *v)
{
    size_t i;
    json_t *w;
    json_array_foreach(words, i, w) if (json_equal(w, v) == 1) return true;
    return false;
}

static bool valid_ref(const char *ref, json_t *v)
{
    assert_true(str_starts_with(ref, "#/$defs/"));
    json_t *target = json_object_get(json_object_get(root, "$defs"), ref + strlen("#/$defs/"));
    assert_non_null(target);
    return valid(target, v);
}

static bool valid_items(const json_t *schema, const json_t *v)
{
    size_t i;
    json_t *item;
    if (json_is_array(v))
        json_array_foreach(v, i, item) if (!valid(schema, item)) return false;
    return true;
}

static bool valid_properties(const json_t *schema, const json_t *properties, json_t *v)
{
    const char *key;
    json_t *item;
    bool closed = json_is_false(json_object_get(schema, "additionalProperties"));

    if (!json_is_object(v))
        return true;
    json_object_foreach(v, key, item)
    {
        json_t *s = json_object_get(properties, key);
        if (s == NULL ? closed : !valid(s, item))
            return false;
    }
    return true;
}

static bool valid_dependent(const json_t *dependent, json_t *v, bool schemas)
{
    const char *key;
    json_t *what;
    json_object_foreach((json_t *)(uintptr_t)dependent, key,
                        what) if (json_object_get(v, key) != NULL &&
                                  !(schemas ? valid(what, v) : has_all(what, v))) return false;
    return true;
}

/* One word of a schema; false when v does not do what it asks. */
static bool valid_word(const json_t *schema, const char *word, json_t *arg, json_t *v)
{
    static const char *const notes[] = {
        "$schema", "title", "$defs", "description", "examples", "default", "additionalProperties"};
    json_int_t n = json_integer_value(arg);

    for (size_t i = 0; i < ARRAY_LEN(notes); i++)
        if (strcmp(word, notes[i]) == 0)
            return true;
    if (strcmp(word, "$ref") == 0)
        return valid_ref(json_string_value(arg), v);
    if (strcmp(word, "type") == 0)
        return has_type(json_string_value(arg), v);
    if (strcmp(word, "const") == 0)
        return json_equal(arg, v) == 1;
    if (strcmp(word, "enum") == 0)
        return is_in(arg, v);
    if (strcmp(word, "pattern") == 0)
        return matches(json_string_value(arg), v);
    if (strcmp(word, "minLength") == 0)
        return !json_is_string(v) || (json_int_t)json_string_length(v) >= n;
    if (strcmp(word, "minimum") == 0)
        return !json_is_integer(v) || json_integer_value(v) >= n;
    if (strcmp(word, "maximum") == 0)
        return !json_is_integer(v) || json_integer_value(v) <= n;
    if (strcmp(word, "minItems") == 0)
        return !json_is_array(v) || (json_int_t)json_array_size(v) >= n;
    if (strcmp(word, "maxItems") == 0)
        return !json_is_array(v) || (json_int_t)json_array_size(v) <= n;
    if (strcmp(word, "items") == 0)
        return valid_items(arg, v);
    if (strcmp(word, "properties") == 0)
        return valid_properties(schema, arg, v);
    if (strcmp(word, "required") == 0)
        return !json_is_object(v) || has_all(arg, v);
    if (strcmp(word, "oneOf") == 0)
        return count_valid(arg, v) == 1;
    if (strcmp(word, "anyOf") == 0)
        return count_valid(arg, v) > 0;
    if (strcmp(word, "dependentSchemas") == 0)
        return valid_dependent(arg, v, true);
    if (strcmp(word, "dependentRequired") == 0)
        return valid_dependent(arg, v, false);
    fail_msg("the validator does not know '%s'", word);
    return false;
}

static bool valid(const json_t *schema, json_t *v)
{
    const char *word;
    json_t *arg;
    json_object_foreach((json_t *)(uintptr_t)schema, word,
                        arg) if (!valid_word(schema, word, arg, v)) return false;
    return true;
}

/* ---- The corpus ----------------------------------------------------------------------------- */

static size_t wrong;

static bool schema_takes(const char *path)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(1 << 22);
    read_file(path, &text);
    json_t *v = yaml_to_json(&text);
    if (v == NULL)
        fail_msg("%s is no YAML", path);
    bool taken = valid(root, v);
    json_decref(v);
    return taken;
}

static void must_take(const char *path, const char *name)
{
    if (str_ends_with(name, ".env") || schema_takes(path))
        return;
    print_error("the schema refuses %s\n", path);
    wrong++;
}

static void must_refuse(const char *path, const char *name)
{
    if (str_ends_with(name, ".env") || str_starts_with(name, "yaml-"))
        return;
    bool taken = schema_takes(path), semantic = str_starts_with(name, "sem-");
    if (taken == semantic)
        return;
    print_error("the schema %s %s\n", taken ? "takes" : "refuses", path);
    wrong++;
}

static void loader_and_schema_agree(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf text = BUF_INIT(1 << 22);
    json_error_t je;

    assert_int_equal(manifest_schema_json(&text, &e), ERR_OK);
    root = json_loads(buf_str(&text), JSON_REJECT_DUPLICATES, &je);
    assert_non_null(root);
    wrong = 0;
    (void)for_each_manifest("valid", must_take);
    (void)for_each_manifest("invalid", must_refuse);
    must_take(REPOSITORY "/manifests/mirrors.yaml", "mirrors.yaml");
    json_decref(root);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loader_and_schema_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
