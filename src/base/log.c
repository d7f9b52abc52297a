#include "mirrorctl/base.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    VALUE_BYTES = 4 << 10, /* of one value; the rest is cut and marked with "…" */
};

static const char *const LEVEL_NAMES[] = {
    [LOG_ERROR] = "error",
    [LOG_WARN] = "warn",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
};

static atomic_int max_level = LOG_INFO;
static atomic_bool as_json = false;
/* A line longer than PIPE_BUF may be written in pieces; no other may come between them. */
static pthread_mutex_t write_lock = PTHREAD_MUTEX_INITIALIZER;

void log_setup(enum log_level max, bool json)
{
    atomic_store(&max_level, (int)max);
    atomic_store(&as_json, json);
}

/* A line has no maximum of its own (values have), so adding cannot fail. */
static void add(struct buf *line, const char *bytes, size_t n)
{
    struct err ignored = ERR_INIT;
    (void)buf_add(line, bytes, n, &ignored);
}

static void add_str(struct buf *line, const char *s)
{
    add(line, s, strlen(s));
}

static void add_int(struct buf *line, int64_t n)
{
    struct err ignored = ERR_INIT;
    (void)buf_addf(line, &ignored, "%" PRId64, n);
}

/* Bytes of the UTF-8 sequence at s, 0 when it is none (overlong, surrogate, torn, above U+10FFFF).
 */
static size_t utf8_len(const unsigned char *s)
{
    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    size_t n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    }
    bool bad = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
               (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f);
    return bad ? 0 : n;
}

/* One character, escaped as JSON wants it; the text form borrows the same escapes. */
static size_t add_escaped(struct buf *line, const unsigned char *s)
{
    static const char FROM[] = "\"\\\b\f\n\r\t", TO[] = "\"\\bfnrt";
    struct err ignored = ERR_INIT;
    size_t n = utf8_len(s);

    if (n == 0) {
        add_str(line, "\xef\xbf\xbd"); /* U+FFFD: a reader of JSON must not choke on a bad byte */
        return 1;
    }
    const char *special = strchr(FROM, s[0]);
    if (special != NULL) {
        char pair[2] = {'\\', TO[special - FROM]};
        add(line, pair, sizeof(pair));
    } else if (s[0] < 0x20 || s[0] == 0x7f) {
        (void)buf_addf(line, &ignored, "\\u%04x", s[0]);
    } else {
        char bytes[4];
        memcpy(bytes, s, n);
        add(line, bytes, n);
    }
    return n;
}

static void add_body(struct buf *line, const char *s)
{
    const char *p = s;
    while (*p != '\0' && p - s < VALUE_BYTES) {
        unsigned char window[4] = {0};
        memcpy(window, p, strnlen(p, sizeof(window)));
        p += add_escaped(line, window);
    }
    if (*p != '\0')
        add_str(line, "\xe2\x80\xa6");
}

static void add_quoted(struct buf *line, const char *s)
{
    add_str(line, "\"");
    add_body(line, s);
    add_str(line, "\"");
}

static bool is_plain(const char *s)
{
    if (*s == '\0')
        return false;
    for (; *s != '\0'; s++) {
        unsigned char ch = (unsigned char)*s;
        if (ch <= ' ' || ch == '"' || ch == '\\' || ch == '=' || ch == 0x7f)
            return false;
    }
    return true;
}

static void build_text(struct buf *line, enum log_level level, const char *event,
                       const struct log_field *fields, size_t n)
{
    char stamp[16] = "";
    struct tm tm;
    time_t now = (time_t)clock_wall(&clock_system).s;

    /* Local time: this form is for the person in front of the terminal. */
    if (localtime_r(&now, &tm) != NULL)
        (void)strftime(stamp, sizeof(stamp), "%H:%M:%S", &tm);
    add_str(line, stamp);
    add_str(line, " ");
    add_str(line, LEVEL_NAMES[level]);
    add_str(line, " ");
    add_body(line, event);
    for (size_t i = 0; i < n; i++) {
        add_str(line, " ");
        add_str(line, fields[i].key);
        add_str(line, "=");
        if (fields[i].type == LOG_FIELD_INT)
            add_int(line, fields[i].num);
        else if (fields[i].str == NULL)
            add_str(line, "-");
        else if (is_plain(fields[i].str))
            add_body(line, fields[i].str);
        else
            add_quoted(line, fields[i].str);
    }
}

static void build_json(struct buf *line, enum log_level level, const char *event,
                       const struct log_field *fields, size_t n)
{
    char stamp[24];

    add_str(line, "{\"time\":\"");
    add_str(line, wall_format(clock_wall(&clock_system), stamp));
    add_str(line, "\",\"level\":\"");
    add_str(line, LEVEL_NAMES[level]);
    add_str(line, "\",\"event\":");
    add_quoted(line, event);
    for (size_t i = 0; i < n; i++) {
        add_str(line, ",");
        add_quoted(line, fields[i].key);
        add_str(line, ":");
        if (fields[i].type == LOG_FIELD_INT)
            add_int(line, fields[i].num);
        else if (fields[i].str == NULL)
            add_str(line, "null");
        else
            add_quoted(line, fields[i].str);
    }
    add_str(line, "}");
}

static void write_line(const char *bytes, size_t n)
{
    (void)pthread_mutex_lock(&write_lock);
    while (n > 0) {
        ssize_t written = write(STDERR_FILENO, bytes, n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            break; /* nowhere left to complain */
        bytes += written;
        n -= (size_t)written;
    }
    (void)pthread_mutex_unlock(&write_lock);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n)
{
    if ((int)level > atomic_load(&max_level))
        return;

    int saved = errno;
    CLEANUP(buf_release) struct buf line = BUF_INIT(SIZE_MAX / 2);
    if (atomic_load(&as_json))
        build_json(&line, level, event, fields, n);
    else
        build_text(&line, level, event, fields, n);
    add_str(&line, "\n");
    write_line(line.data, line.len);
    errno = saved;
}
