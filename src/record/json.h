/* What the files of record share: building, dumping and reading JSON. */
#ifndef MIRRORCTL_SRC_RECORD_JSON_H
#define MIRRORCTL_SRC_RECORD_JSON_H

#include <jansson.h>

#include "mirrorctl/record.h"

enum { RECORD_SCHEMA = 1 };

void record_json_release(json_t **j); /* for CLEANUP */

/* ---- Building ---------------------------------------------------------------------------------
 */

/* Remembers that one step failed, so that only the end has to be checked. */
struct json_build {
    bool failed;
};

/* NULL is null. Bytes that are not UTF-8 become \xNN: JSON has no place for them. */
json_t *record_string(const char *s);
json_t *record_time(struct wall t); /* null for 0 */
/* Takes value over, also when it fails. */
void record_put(struct json_build *b, json_t *object, const char *key, json_t *value);
void record_append(struct json_build *b, json_t *array, json_t *value);
json_t *record_counts(struct json_build *b, const struct plan_counts *c);
json_t *record_action(struct json_build *b, const struct action *a);
json_t *record_condition(struct json_build *b, const struct condition *c);
/* Status as it is written in JSON and YAML. */
json_t *record_status(struct json_build *b, const struct status *s);

/* Appends the text of j; flags as of json_dumps. ERR_LIMIT: out's, or memory. */
enum err_code record_dump(const json_t *j, const struct json_build *b, size_t flags,
                          struct buf *out, struct err *e);

/* ---- Reading ----------------------------------------------------------------------------------
 */

/* Parses an object within LIMIT_JSON_DEPTH and checks its schema. `what` begins the sentences. */
enum err_code record_parse(const char *what, const char *json, size_t n, json_t **out,
                           struct err *e);

/*
 * Fields of an object. The absent and null ones are NULL (0, false) unless needed; a wrong type is
 * ERR_INVALID with the field's name. Strings go to the arena.
 */
struct json_fields {
    const char *what; /* "marker", "plan: slave 2" */
    json_t *object;
    struct arena *arena;
};

enum err_code field_string(const struct json_fields *f, const char *key, bool needed,
                           const char **out, struct err *e);
enum err_code field_integer(const struct json_fields *f, const char *key, bool needed, int64_t *out,
                            struct err *e);
enum err_code field_bool(const struct json_fields *f, const char *key, bool *out, struct err *e);
enum err_code field_time(const struct json_fields *f, const char *key, struct wall *out,
                         struct err *e);
/* NULL when absent. */
enum err_code field_array(const struct json_fields *f, const char *key, json_t **out,
                          struct err *e);

/* ---- document.c: a JSON text without loss -------------------------------------------------------
 */

/* Where the members of an object stand in its text. */
struct json_member {
    const char *key;         /* first byte of the key's string, quote included */
    const char *value, *end; /* value and the byte behind it */
    bool found;
};

struct json_document {
    const char *open, *close;  /* the braces of the outermost object */
    const char *last_end;      /* behind the last member's value; NULL: no member */
    struct json_member wanted; /* the last member of the asked name */
};

/* Walks the whole text, numbers of any size included. ERR_INVALID with the line. */
enum err_code document_find(const char *text, size_t n, const char *key, struct json_document *out,
                            struct err *e);

#endif
