#include "wire.h"

#include <string.h>

/* Bytes of the UTF-8 character at p, 0 when it is none that may be shown. */
static size_t character(const unsigned char *p, size_t left)
{
    static const struct {
        unsigned char mask, lead;
        unsigned lowest; /* smaller values have a shorter form */
    } FORMS[] = {
        {0xE0, 0xC0, 0x80},
        {0xF0, 0xE0, 0x800},
        {0xF8, 0xF0, 0x10000},
    };

    if (p[0] < 0x80)
        return p[0] >= 0x20 && p[0] != 0x7F ? 1 : 0;
    for (size_t i = 0; i < ARRAY_LEN(FORMS); i++) {
        size_t len = i + 2;
        if ((p[0] & FORMS[i].mask) != FORMS[i].lead || left < len)
            continue;
        unsigned value = p[0] & (unsigned)(unsigned char)~FORMS[i].mask;
        for (size_t k = 1; k < len; k++) {
            if ((p[k] & 0xC0) != 0x80)
                return 0;
            value = value << 6 | (p[k] & 0x3F);
        }
        bool surrogate = value >= 0xD800 && value <= 0xDFFF;
        bool control = value < 0xA0; /* C1: terminals obey some of them */
        return value < FORMS[i].lowest || value > 0x10FFFF || surrogate || control ? 0 : len;
    }
    return 0;
}

char *text_clean(struct arena *a, const char *bytes, size_t n)
{
    size_t keep = n < WIRE_TEXT ? n : WIRE_TEXT, len = 0, line = 0;
    char *out = arena_alloc(a, keep + 1);

    for (size_t i = 0; i < keep;) {
        const unsigned char *p = (const unsigned char *)bytes + i;
        if (*p == '\r' && i + 1 < keep && p[1] != '\n') {
            len = line; /* overwritten on a terminal, so not worth keeping */
            i++;
            continue;
        }
        if (*p == '\n' || *p == '\r' || *p == '\t') {
            if (*p != '\r')
                out[len++] = *p == '\t' ? ' ' : '\n';
            if (*p == '\n')
                line = len;
            i++;
            continue;
        }
        size_t size = character(p, keep - i);
        if (size == 0)
            out[len++] = '?';
        for (size_t k = 0; k < size; k++)
            out[len++] = (char)p[k];
        i += size == 0 ? 1 : size;
    }
    while (len > 0 && (out[len - 1] == '\n' || out[len - 1] == ' '))
        len--;
    out[len] = '\0';
    return out;
}

char *text_one_line(struct arena *a, const char *text)
{
    size_t n = strlen(text), len = 0;
    char *out = arena_alloc(a, 2 * n + 1); /* each line break may become two bytes */

    for (const char *p = text; *p != '\0';) {
        size_t size = strcspn(p, "\n");
        const char *next = p + size + (p[size] == '\n' ? 1 : 0);
        if (size >= 7 && strncmp(p, "remote:", 7) == 0) {
            p += 7;
            size -= 7;
        }
        while (size > 0 && *p == ' ') {
            p++;
            size--;
        }
        while (size > 0 && p[size - 1] == ' ')
            size--;
        if (size > 0 && len > 0) {
            out[len++] = ';';
            out[len++] = ' ';
        }
        for (size_t i = 0; i < size; i++)
            out[len++] = p[i];
        p = next;
    }
    out[len] = '\0';
    return out;
}

const char *text_find_moved(struct arena *a, const char *text)
{
    const char *p = strstr(text, "repository moved");
    if (p == NULL || (p = strchr(p, ':')) == NULL)
        return NULL;
    for (p++; *p != '\0';) {
        p += strspn(p, " \n\t");
        if (strncmp(p, "remote:", 7) == 0) {
            p += 7;
            continue;
        }
        size_t n = strcspn(p, " \n\t");
        return n > 0 ? arena_strndup(a, p, n) : NULL;
    }
    return NULL;
}

bool oid_is_valid(const char *s, size_t hex_len)
{
    return strspn(s, "0123456789abcdef") == hex_len && s[hex_len] == '\0';
}

bool oid_is_null(const char *oid)
{
    return oid == NULL || oid[strspn(oid, "0")] == '\0';
}
