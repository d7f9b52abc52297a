#include "mirrorctl/base.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char ELLIPSIS[] = "\xe2\x80\xa6";

/* One line, as the header promises: texts of servers and children may hold anything. */
static void flatten(char *text)
{
    for (char *p = text; *p != '\0'; p++) {
        unsigned char ch = (unsigned char)*p;
        if (ch < 0x20 || ch == 0x7f)
            *p = ' ';
    }
}

/* Where to cut s so that at most max bytes stay and no UTF-8 sequence is torn. */
static size_t utf8_cut(const char *s, size_t max)
{
    size_t n = max;
    while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
        n--;
    return n;
}

static void store(struct err *e, const char *text)
{
    size_t n = strlen(text);
    if (n < sizeof(e->text)) {
        memcpy(e->text, text, n + 1);
    } else {
        n = utf8_cut(text, sizeof(e->text) - sizeof(ELLIPSIS));
        memcpy(e->text, text, n);
        memcpy(e->text + n, ELLIPSIS, sizeof(ELLIPSIS));
    }
    flatten(e->text);
}

/* Formats into a buffer of our own first, since an argument may well be e->text. */
static void PRINTF_LIKE(2, 0)
    format(char out[static LIMIT_ERR_TEXT * 2], const char *fmt, va_list args)
{
    if (vsnprintf(out, (size_t)LIMIT_ERR_TEXT * 2, fmt, args) < 0)
        out[0] = '\0';
}

enum err_code err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
    char text[LIMIT_ERR_TEXT * 2];
    va_list args;

    va_start(args, fmt);
    format(text, fmt, args);
    va_end(args);
    e->code = code;
    store(e, text);
    return code;
}

enum err_code err_set_errno(struct err *e, enum err_code code, const char *fmt, ...)
{
    int saved = errno;
    char text[LIMIT_ERR_TEXT * 2], whole[LIMIT_ERR_TEXT * 3];
    va_list args;

    va_start(args, fmt);
    format(text, fmt, args);
    va_end(args);
    (void)snprintf(whole, sizeof(whole), "%s: %s", text, strerror(saved));
    e->code = code;
    store(e, whole);
    errno = saved;
    return code;
}

enum err_code err_wrap(struct err *e, const char *fmt, ...)
{
    char text[LIMIT_ERR_TEXT * 2], whole[LIMIT_ERR_TEXT * 3 + 2];
    va_list args;

    va_start(args, fmt);
    format(text, fmt, args);
    va_end(args);
    (void)snprintf(whole, sizeof(whole), "%s: %s", text, e->text);
    store(e, whole);
    return e->code;
}

const char *err_code_name(enum err_code code)
{
    static const char *const NAMES[ERR_CODE_COUNT] = {
        [ERR_OK] = "ok",
        [ERR_USAGE] = "usage",
        [ERR_INVALID] = "invalid",
        [ERR_NOT_FOUND] = "not-found",
        [ERR_AUTH] = "auth",
        [ERR_PERMISSION] = "permission",
        [ERR_RATE] = "rate",
        [ERR_TIMEOUT] = "timeout",
        [ERR_UNAVAILABLE] = "unavailable",
        [ERR_CONFLICT] = "conflict",
        [ERR_REFUSED] = "refused",
        [ERR_FENCED] = "fenced",
        [ERR_LOCKED] = "locked",
        [ERR_LIMIT] = "limit",
        [ERR_IO] = "io",
        [ERR_DAMAGED] = "damaged",
        [ERR_INTERRUPTED] = "interrupted",
    };

    if ((size_t)code >= ARRAY_LEN(NAMES) || NAMES[code] == NULL)
        return "unknown";
    return NAMES[code];
}
