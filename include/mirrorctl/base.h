/*
 * base: what every room stands on. Errors, memory, text, time, files, log, child processes.
 *
 * This header is the room's manual. base opens no other room and sees only libc.
 *
 * A typical function of any room:
 *
 *     enum err_code thing_load(const char *path, struct thing **out_thing, struct err *e)
 *     {
 *         CLEANUP(buf_release) struct buf text = BUF_INIT(LIMIT_THING_BYTES);
 *         TRY(file_read(path, &text, e));
 *         ...
 *         *out_thing = thing;
 *         return ERR_OK;
 *     }
 *
 * Conventions held everywhere: object, inputs, outputs (`out_*`, written only on success), error last.
 * `struct err *` is never NULL. x_init/x_release keep the struct with the caller, x_new/x_free the heap.
 */
#ifndef MIRRORCTL_BASE_H
#define MIRRORCTL_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Attributes ------------------------------------------------------------------------------ */

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define CLEANUP(fn)            __attribute__((cleanup(fn)))
#define MUST_CHECK             __attribute__((warn_unused_result))
#define NORETURN               __attribute__((noreturn))
#define UNUSED                 __attribute__((unused))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* ---- Limits: all of them, in one list -------------------------------------------------------- */

enum {
    LIMIT_ERR_TEXT       = 1024,      /* bytes of an error sentence; longer ones end in "…" */
    LIMIT_MANIFEST_BYTES = 16 << 20,  /* a manifest file */
    LIMIT_ENV_FILE_BYTES = 1 << 20,   /* a .env file */
    LIMIT_SECRET_BYTES   = 48 << 10,  /* GitHub: 48 KB a secret (github.md 2) */
    LIMIT_VARIABLE_BYTES = 48 << 10,  /* GitHub: 48 KB a variable (github.md 2) */
    LIMIT_HTTP_BODY      = 8 << 20,   /* body of one REST reply, after decompression */
    LIMIT_HTTP_HEADERS   = 64 << 10,  /* all headers of one reply */
    LIMIT_CHILD_STDERR   = 64 << 10,  /* kept of a child's stderr; the rest is read and dropped */
    LIMIT_JSON_DEPTH     = 64,        /* nesting of a JSON document from outside */
    LIMIT_PAGES          = 1000,      /* pages of one listing */
    LIMIT_REF_NAME       = 1024,      /* bytes of a ref name */
    LIMIT_REFS           = 1000000,   /* refs of one repository */
    LIMIT_STATE_FILE     = 8 << 20,   /* the JSON file named by master.state_file */
    LIMIT_PLAN_FILE      = 64 << 20,  /* a plan saved by diff --out */
};

/* ---- Errors ---------------------------------------------------------------------------------- */

/*
 * Few codes, each with one policy. The code decides what happens next, the text what a person reads.
 * Not stored; may be reordered.
 */
enum err_code {
    ERR_OK = 0,
    ERR_USAGE,       /* the caller's words are wrong: stop (exit 2) */
    ERR_INVALID,     /* input from outside is malformed (manifest, JSON, reply) */
    ERR_NOT_FOUND,   /* the thing is not there, or not to be seen with this credential */
    ERR_AUTH,        /* credential missing, wrong or expired: this credential stops at once (exit 4) */
    ERR_PERMISSION,  /* credential is good but may not do this (exit 4) */
    ERR_RATE,        /* rate limited for longer than the pass may wait (exit 5) */
    ERR_TIMEOUT,     /* a deadline passed (exit 5) */
    ERR_UNAVAILABLE, /* network or server away; another pass may succeed (exit 3) */
    ERR_CONFLICT,    /* the world moved between observation and act: observe again (exit 3) */
    ERR_REFUSED,     /* a guard, divergence or missing confirmation: nothing done (exit 7) */
    ERR_FENCED,      /* a slave has been promoted: nothing written (exit 8) */
    ERR_LOCKED,      /* another mirrorctl holds the lock (exit 6) */
    ERR_LIMIT,       /* one of the LIMIT_ values, or a server's limit, was met */
    ERR_IO,          /* file or disk */
    ERR_DAMAGED,     /* stored state does not check out: refused, with a way out */
    ERR_INTERRUPTED, /* the user asked to stop (exit 130, 143) */
    ERR_CODE_COUNT
};

/* An error is a value: no allocation, copied freely. Text is one line, starts lower-case. */
struct err {
    enum err_code code;
    char text[LIMIT_ERR_TEXT];
};

#define ERR_INIT {.code = ERR_OK, .text = ""}

/* Fills *e and returns code. Never pass a secret to it. */
enum err_code err_set(struct err *e, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* As err_set, with ": " and strerror(errno) behind the text. */
enum err_code err_set_errno(struct err *e, enum err_code code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* Puts "fmt: " before the text that is there: the outer half of the sentence. Returns e->code. */
enum err_code err_wrap(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* "not-found" and so on: stable words for JSON and logs. */
const char *err_code_name(enum err_code code);

/* The one control-flow macro. It only returns. */
#define TRY(expr)                                                                                  \
    do {                                                                                           \
        enum err_code try_code_ = (expr);                                                          \
        if (try_code_ != ERR_OK)                                                                   \
            return try_code_;                                                                      \
    } while (0)

/* ---- Memory ---------------------------------------------------------------------------------- */

/*
 * Allocation never returns NULL: when memory is gone the process says so and ends with status 3
 * (docs/adr/0002). State on disk is built to survive kill -9 at any instruction, so this is one
 * case fewer in every function and none more on disk.
 */
void *mem_alloc(size_t n); /* zeroed; free() it */
void *mem_realloc(void *p, size_t n);
char *mem_strdup(const char *s);

/* One arena per pass: everything in it lives until arena_free. Not for secrets. Not thread-safe. */
struct arena;
struct arena *arena_new(void);
void arena_free(struct arena *a);
void arena_freep(struct arena **a); /* for CLEANUP */
void *arena_alloc(struct arena *a, size_t n); /* zeroed, aligned for any type */
char *arena_strdup(struct arena *a, const char *s); /* NULL in, NULL out */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Grows an array in the arena: returns a place with room for n+1 elements of size, copying n. */
void *arena_grow(struct arena *a, void *old, size_t n, size_t *cap, size_t size);

/* An arena from which several threads allocate: one lock, otherwise as above. */
struct arena *arena_new_shared(void);

/* ---- Text ------------------------------------------------------------------------------------ */

/*
 * A growing byte buffer that is born with its maximum. It is always NUL-terminated behind len.
 * buf_add* return ERR_LIMIT (and leave the buffer as it was) when max would be passed.
 */
struct buf {
    char *data;
    size_t len, cap, max;
};

#define BUF_INIT(maximum) {.data = NULL, .len = 0, .cap = 0, .max = (maximum)}

enum err_code buf_add(struct buf *b, const void *bytes, size_t n, struct err *e);
enum err_code buf_addstr(struct buf *b, const char *s, struct err *e);
enum err_code buf_addf(struct buf *b, struct err *e, const char *fmt, ...) PRINTF_LIKE(3, 4);
void buf_clear(struct buf *b);   /* len = 0, memory kept */
void buf_release(struct buf *b); /* memory wiped and freed; for CLEANUP */
const char *buf_str(const struct buf *b); /* never NULL */

bool str_eq(const char *a, const char *b);              /* NULL equals only NULL */
bool str_starts_with(const char *s, const char *prefix);
bool str_ends_with(const char *s, const char *suffix);
bool str_eq_nocase(const char *a, const char *b);       /* ASCII */
/* fnmatch(3) without flags: '*' crosses '/', as in git's refspec-like globs of the manifest. */
bool str_glob(const char *pattern, const char *s);
/* The whole string as a decimal number in [min, max], else ERR_INVALID. */
enum err_code str_to_i64(const char *s, int64_t min, int64_t max, int64_t *out_n, struct err *e);
/* The nearest word of a NULL-terminated list within an edit distance of 3 (and half the length),
 * or NULL: for "did you mean". */
const char *str_suggest(const char *word, const char *const *words);

/* ---- Time ------------------------------------------------------------------------------------ */

/* Units are types. Wall time is for people; mono is for deadlines and spacing. */
struct ms {
    int64_t v; /* milliseconds */
};
struct mono {
    int64_t ms; /* milliseconds on CLOCK_MONOTONIC; meaningless across processes */
};
struct wall {
    int64_t s; /* seconds since 1970-01-01T00:00:00Z; 0 = never */
};

/* A clock is passed to whoever needs time, so that tests can own it. */
struct clock {
    struct wall (*wall)(void *ctx);
    struct mono (*mono)(void *ctx);
    void (*sleep)(void *ctx, struct ms d); /* a signal may end it early */
    void *ctx;
};
extern const struct clock clock_system;

struct wall clock_wall(const struct clock *c);
struct mono clock_mono(const struct clock *c);
void clock_sleep(const struct clock *c, struct ms d);

/* "2026-11-22T22:22:26Z" into a buffer of at least 21 bytes. Returns buf; "" for 0. */
char *wall_format(struct wall t, char out[static 24]);
/* ISO 8601 with Z or numeric offset, with or without a fraction (github.md 1.4). ERR_INVALID. */
enum err_code wall_parse(const char *iso, struct wall *out_t, struct err *e);
/* "2m", "1h 5m", "3d": the distance between two wall times, for people. */
char *wall_ago(struct wall then, struct wall now, char out[static 24]);
/* A duration with a unit: 500ms, 30s, 5m, 2h, 7d. A bare number is ERR_INVALID, except 0. */
enum err_code duration_parse(const char *s, struct ms *out_d, struct err *e);

/* ---- Files ----------------------------------------------------------------------------------- */

void fd_closep(int *fd); /* for CLEANUP; ignores -1 */

/* Whole file appended to *out. ERR_NOT_FOUND, ERR_IO, ERR_LIMIT (out->max). "-" is stdin. */
enum err_code file_read(const char *path, struct buf *out, struct err *e);
/*
 * Replaces path by bytes so that a reader, and a crash, see the old or the new file and nothing else:
 * temporary file beside it, fsync, rename, fsync of the folder. Mode as given (e.g. 0600).
 */
enum err_code file_write_atomic(const char *path, const void *bytes, size_t n, unsigned mode,
                                struct err *e);
/* As mkdir -p; new folders get mode (less the umask). ERR_IO. */
enum err_code dir_make(const char *path, unsigned mode, struct err *e);
/* dir + "/" + name, or name when it is absolute. In the arena. */
char *path_join(struct arena *a, const char *dir, const char *name);
/* The folder part ("." when there is none). In the arena. */
char *path_dir(struct arena *a, const char *path);
/* "~/" at the start replaced by $HOME. In the arena. */
char *path_expand(struct arena *a, const char *path);

/* ---- Log ------------------------------------------------------------------------------------- */

/*
 * Only reconcile, daemon and cli log; other rooms return errors. One event is one line on stderr,
 * text or JSON. Fields are typed, so that a secret (an opaque struct) does not compile:
 *
 *     log_event(LOG_INFO, "pass done", LOG_STR("slave", id), LOG_INT("actions", n));
 *     log_write(LOG_INFO, "stopping", NULL, 0);  (C17 wants at least one field in log_event)
 */
enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
struct log_field {
    const char *key;
    enum { LOG_FIELD_STR, LOG_FIELD_INT } type;
    const char *str;
    int64_t num;
};
#define LOG_STR(k, v) ((struct log_field){.key = (k), .type = LOG_FIELD_STR, .str = (v)})
#define LOG_INT(k, v) ((struct log_field){.key = (k), .type = LOG_FIELD_INT, .num = (int64_t)(v)})

void log_setup(enum log_level max, bool json);
void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n);
#define log_event(level, event, ...)                                                               \
    log_write((level), (event), (struct log_field[]){__VA_ARGS__},                                 \
              sizeof((struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

/* ---- Child processes ------------------------------------------------------------------------- */

/*
 * Runs a program with a deadline. argv is NULL-terminated and never passes a shell; the program is
 * looked up in PATH. Of our environment the child gets what a short list names (PATH, HOME, locale, proxy,
 * ssh agent, …: src/base/spawn.c), since tokens and secrets may stand in the rest, and `env` (NAME=value,
 * NULL-terminated, may be NULL); never put a secret there. With env_whole it gets everything but GIT_*.
 * `secret_fd` (or -1) is inherited as descriptor 9: the way by which a credential reaches git.
 * Its process group is killed when the deadline passes (TERM, then KILL after 2 s).
 *
 * Only absolute folders of PATH count. A grandchild that outlives the program is not waited for.
 *
 *     CLEANUP(child_result_release) struct child_result r = child_result_init(1 << 20);
 *     struct child_spec c = CHILD_SPEC_INIT;
 *     c.argv = argv;
 *     c.deadline.v = 30000;
 *     TRY(child_run(&c, &r, e));
 */
struct child_spec {
    const char *const *argv;
    const char *const *env; /* NULL: none */
    bool env_whole;         /* for a program that the user named, such as a secret's command */
    const char *cwd;        /* NULL: as is */
    const void *stdin_bytes; /* written to the child's stdin while its output is read; or NULL */
    size_t stdin_len;
    int stdin_fd;           /* used as stdin when >= 0 and stdin_bytes is NULL; else /dev/null */
    int stdout_fd;          /* > 0: stdout goes there instead of the buffer */
    int secret_fd;          /* -1: none */
    struct ms deadline;     /* for the whole run; 0 = none */
    const volatile int *interrupted; /* non-zero ends the wait with ERR_INTERRUPTED; may be NULL */
};
#define CHILD_SPEC_INIT {.stdin_fd = -1, .stdout_fd = -1, .secret_fd = -1}

struct child_result {
    int status;          /* exit status, or 128 + signal */
    struct buf out, err; /* stdout (within out.max, else ERR_LIMIT) and the last of stderr */
};
void child_result_release(struct child_result *r); /* for CLEANUP */
/* A result with room for max_out bytes of stdout. */
struct child_result child_result_init(size_t max_out);

/*
 * ERR_OK means that the child ran and was reaped; look at status. ERR_NOT_FOUND: no such program.
 * ERR_TIMEOUT, ERR_INTERRUPTED, ERR_LIMIT, ERR_IO: the child was killed and reaped; r->err still
 * holds what it said. Any number of threads may run children at once.
 */
enum err_code child_run(const struct child_spec *spec, struct child_result *r, struct err *e);

/*
 * A child that is talked to: its stdin and stdout are pipes of the caller's, non-blocking reads and
 * writes under a deadline. stderr is collected (last LIMIT_CHILD_STDERR bytes). stdin_bytes is not
 * used; a stdin_fd or stdout_fd of the spec stands in for the pipe. An `idle` of 0 leaves only the
 * deadline of the spec, with which the child is killed.
 */
struct child;
enum err_code child_start(const struct child_spec *spec, struct child **out_child, struct err *e);
/* Up to n bytes; *out_n = 0 at end of file. ERR_TIMEOUT after `idle` without a byte. */
enum err_code child_read(struct child *c, void *bytes, size_t n, struct ms idle, size_t *out_n,
                         struct err *e);
enum err_code child_write(struct child *c, const void *bytes, size_t n, struct ms idle,
                          struct err *e);
void child_close_stdin(struct child *c);
/* Waits (within idle), reaps; *out_status as above. The child stays allocated until child_free. */
enum err_code child_wait(struct child *c, struct ms idle, int *out_status, struct err *e);
const char *child_stderr(const struct child *c); /* what came so far, NUL-terminated */
void child_free(struct child *c);                /* kills and reaps when still running; NULL is fine */
void child_freep(struct child **c);              /* for CLEANUP */

#endif
