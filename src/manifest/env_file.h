/* The lines of a .env file, between env_file.c (which reads them) and env.c (which knows MIRROR_*).
 */
#ifndef MIRRORCTL_MANIFEST_ENV_FILE_H
#define MIRRORCTL_MANIFEST_ENV_FILE_H

#include "room.h"

struct env_line {
    const char *name;
    const char *from; /* where its value begins in the file */
    struct pos at;    /* of the name */
    struct pos value_at;
    int value_width;
    bool empty; /* the value has no characters */
};

struct env_lines {
    struct env_line *items;
    size_t n, cap;
    struct names last; /* name → its last line, the one that counts */
};

/*
 * Grammar: blank lines, # comments, `export ` in front, NAME=value; the value bare (ends at " #"),
 * 'single' (verbatim, may span lines) or "double" (\n \t \" \\ \$, may span lines). Reports what is
 * not. No value is copied: it may be a secret.
 */
void env_read(struct reading *r, struct env_lines *out);
/* The value of a line, in the arena: only for what is no secret. "" for NULL. */
const char *env_value(struct reading *r, const struct env_line *l);
const struct env_line *env_find(const struct env_lines *lines, const char *name);

#endif
