#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    COMMAND_MS = 30000, /* as secrets.h says; a person may have to touch a key in that time */
    NEWLINE_BYTES = 2,  /* "\r\n", which is dropped, may stand behind the largest value */
};

const char *source_path(struct arena *a, const struct value_source *src, const char *base_dir)
{
    const char *path = path_expand(a, src->path == NULL ? "" : src->path);
    return base_dir == NULL ? path : path_join(a, base_dir, path);
}

/* What was read, less one newline, becomes the value. */
static enum err_code finish(struct locked *l, struct secret **out_secret, struct err *e)
{
    if (l->len > 0 && l->bytes[l->len - 1] == '\n') {
        l->len--;
        if (l->len > 0 && l->bytes[l->len - 1] == '\r')
            l->len--;
    }
    if (l->len > LIMIT_SECRET_BYTES)
        return err_set(e, ERR_LIMIT, "more than %d bytes", (int)LIMIT_SECRET_BYTES);
    if (l->len > 0 && memchr(l->bytes, '\0', l->len) != NULL)
        return err_set(e, ERR_INVALID, "a NUL byte inside");
    *out_secret = secret_adopt(l);
    return ERR_OK;
}

static enum err_code load_env(const struct value_source *src, struct secret **out_secret,
                              struct err *e)
{
    const char *value = getenv(src->name);

    if (value == NULL)
        return err_set(e, ERR_NOT_FOUND, "not set in the environment");
    size_t n = strlen(value);
    if (n > LIMIT_SECRET_BYTES)
        return err_set(e, ERR_LIMIT, "more than %d bytes", (int)LIMIT_SECRET_BYTES);
    *out_secret = secret_new(value, n);
    return ERR_OK;
}

static enum err_code load_file(const char *path, unsigned check, struct secret **out_secret,
                               struct err *e)
{
    CLEANUP(locked_release) struct locked l = {.bytes = NULL};

    TRY(locked_read_file(path, check, LIMIT_SECRET_BYTES + NEWLINE_BYTES, &l, e));
    return finish(&l, out_secret, e);
}

/* A name that is joined to a folder must stay in it. */
static enum err_code check_name(const char *name, struct err *e)
{
    if (name == NULL || name[0] == '\0' || strchr(name, '/') != NULL || str_eq(name, ".") ||
        str_eq(name, ".."))
        return err_set(e, ERR_INVALID, "the name must be that of one file in the folder");
    return ERR_OK;
}

static enum err_code load_dir(const struct value_source *src, const char *base_dir, struct arena *a,
                              struct secret **out_secret, struct err *e)
{
    TRY(check_name(src->name, e));
    return load_file(path_join(a, source_path(a, src, base_dir), src->name), 0, out_secret, e);
}

static enum err_code load_credential(const struct value_source *src, struct arena *a,
                                     struct secret **out_secret, struct err *e)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");

    TRY(check_name(src->name, e));
    if (dir == NULL || dir[0] == '\0')
        return err_set(e, ERR_NOT_FOUND,
                       "CREDENTIALS_DIRECTORY is not set: the unit needs LoadCredential=%s:…",
                       src->name);
    return load_file(path_join(a, dir, src->name), 0, out_secret, e);
}

static enum err_code load_env_file(const struct value_source *src, const char *base_dir,
                                   struct arena *a, struct secret **out_secret, struct err *e)
{
    struct env_file *f = NULL;
    const char *path = source_path(a, src, base_dir);

    TRY(env_file_load(path, &f, e));
    const struct secret *value = env_file_get(f, src->name);
    if (value != NULL)
        *out_secret = secret_new(value->bytes, value->len);
    else
        (void)env_file_missing(f, path, src->name, e);
    env_file_free(f);
    return value != NULL ? ERR_OK : e->code;
}

static enum err_code read_child(struct child *c, struct locked *l, struct err *e)
{
    const size_t max = LIMIT_SECRET_BYTES + NEWLINE_BYTES;

    for (;;) {
        size_t n, room = locked_grow(l);
        TRY(child_read(c, l->bytes + l->len, room, (struct ms){0}, &n, e));
        if (n == 0)
            return ERR_OK;
        l->len += n;
        if (l->len > max)
            return err_set(e, ERR_LIMIT, "more than %d bytes", (int)LIMIT_SECRET_BYTES);
    }
}

/* What it says on stderr is left out: a script that traces itself prints the value there. */
static enum err_code load_command(const struct value_source *src, const char *base_dir,
                                  struct ms deadline, struct secret **out_secret, struct err *e)
{
    CLEANUP(locked_release) struct locked l = {.bytes = NULL};
    CLEANUP(child_freep) struct child *c = NULL;
    struct child_spec spec = CHILD_SPEC_INIT;
    int status = 0;

    if (src->argv == NULL || src->argv[0] == NULL)
        return err_set(e, ERR_INVALID, "the command is empty");
    spec.argv = src->argv;
    spec.env_whole = true; /* a program of the user's choice: it may need VAULT_ADDR, GNUPGHOME, … */
    spec.cwd = base_dir == NULL || base_dir[0] == '\0' ? NULL : base_dir;
    spec.deadline = deadline;
    TRY(child_start(&spec, &c, e));
    child_close_stdin(c);

    enum err_code r = read_child(c, &l, e);
    if (r == ERR_OK)
        r = child_wait(c, (struct ms){0}, &status, e);
    if (r == ERR_TIMEOUT)
        return err_set(e, ERR_UNAVAILABLE, "it did not end within %lld s",
                       (long long)(deadline.v + 999) / 1000);
    if (r != ERR_OK)
        return r;
    if (status != 0)
        return err_set(e, ERR_UNAVAILABLE, "it ended with status %d: run it by hand to see why",
                       status);
    return finish(&l, out_secret, e);
}

static enum err_code load(const struct value_source *src, const char *base_dir, struct ms deadline,
                          struct arena *a, struct secret **out_secret, struct err *e)
{
    switch (src->type) {
    case SOURCE_NONE:
        break;
    case SOURCE_ENV:
        return load_env(src, out_secret, e);
    case SOURCE_ENV_FILE:
        return load_env_file(src, base_dir, a, out_secret, e);
    case SOURCE_DIR:
        return load_dir(src, base_dir, a, out_secret, e);
    case SOURCE_FILE:
        return load_file(source_path(a, src, base_dir), CHECK_MODE, out_secret, e);
    case SOURCE_CREDENTIAL:
        return load_credential(src, a, out_secret, e);
    case SOURCE_COMMAND:
        return load_command(src, base_dir, deadline, out_secret, e);
    }
    return err_set(e, ERR_INVALID, "no source is given");
}

enum err_code source_load(const struct value_source *src, const char *base_dir, struct ms deadline,
                          struct secret **out_secret, struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();

    if (load(src, base_dir, deadline, a, out_secret, e) != ERR_OK)
        return err_wrap(e, "%s", value_source_describe(a, src));
    return ERR_OK;
}

enum err_code secret_load(const struct value_source *src, const char *base_dir,
                          struct secret **out_secret, struct err *e)
{
    return source_load(src, base_dir, (struct ms){COMMAND_MS}, out_secret, e);
}
