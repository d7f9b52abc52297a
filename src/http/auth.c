#include "internal.h"

#include <stdlib.h>
#include <string.h>

static const char BEARER[] = "Authorization: Bearer ";
static const char BASIC[] = "Authorization: Basic ";
static const char BASIC_USER[] = "x-access-token:"; /* takes PATs and app tokens (github.md 6.1) */

struct order {
    enum http_auth auth;
    char *header;
};

/* Standard padded base64; out has room for it. libsodium's belongs to another room. */
static void base64(const unsigned char *in, size_t n, char *out)
{
    static const char SET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        unsigned word = (unsigned)in[i] << 16 | (left > 1 ? (unsigned)in[i + 1] << 8 : 0) |
                        (left > 2 ? (unsigned)in[i + 2] : 0);
        *out++ = SET[word >> 18];
        *out++ = SET[word >> 12 & 63];
        *out++ = left > 1 ? SET[word >> 6 & 63] : '=';
        *out++ = left > 2 ? SET[word & 63] : '=';
    }
    *out = '\0';
}

static char *basic(const char *bytes, size_t n)
{
    size_t user = sizeof(BASIC_USER) - 1, plain_len = user + n;
    unsigned char *plain = mem_alloc(plain_len + 1);
    char *header = mem_alloc(sizeof(BASIC) + (plain_len + 2) / 3 * 4);

    memcpy(plain, BASIC_USER, user);
    memcpy(plain + user, bytes, n);
    memcpy(header, BASIC, sizeof(BASIC));
    base64(plain, plain_len, header + sizeof(BASIC) - 1);
    explicit_bzero(plain, plain_len);
    free(plain);
    return header;
}

static enum err_code build(const char *bytes, size_t n, void *ctx, struct err *e)
{
    struct order *order = ctx;

    /* A line break would start a header of the token's own. */
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)bytes[i] <= ' ' || (unsigned char)bytes[i] >= 0x7f)
            return err_set(e, ERR_AUTH,
                           "the credential holds a blank, a line break or another "
                           "character that no token has");
    if (n == 0)
        return err_set(e, ERR_AUTH, "the credential is empty");
    if (order->auth == HTTP_AUTH_BASIC) {
        order->header = basic(bytes, n);
        return ERR_OK;
    }
    order->header = mem_alloc(sizeof(BEARER) + n);
    memcpy(order->header, BEARER, sizeof(BEARER) - 1);
    memcpy(order->header + sizeof(BEARER) - 1, bytes, n);
    return ERR_OK;
}

enum err_code auth_header(const struct secret *token, enum http_auth auth, char **out,
                          struct err *e)
{
    struct order order = {.auth = auth};

    *out = NULL;
    if (token == NULL || auth == HTTP_AUTH_NONE)
        return ERR_OK;
    TRY(secret_lend(token, build, &order, e));
    *out = order.header;
    return ERR_OK;
}

void auth_wipe(char **header)
{
    if (*header != NULL) {
        explicit_bzero(*header, strlen(*header));
        free(*header);
    }
    *header = NULL;
}
