/* A clock that the test owns, and a transport with a script. */
#ifndef HTTP_TEST_FAKE_H
#define HTTP_TEST_FAKE_H

#include "mirrorctl/http.h"

#include <stdatomic.h>

/* Looks like a token, so that it is found wherever it leaks. */
#define CANARY "ghp_CANARYcanary0123456789CANARYcanary01"

enum { FAKE_WALL = 1790000000 }; /* 2026-09-21T14:13:20Z */

struct fake_clock {
    atomic_llong ms;
    atomic_llong slept;
    struct clock clock;
};
void fake_clock_init(struct fake_clock *c);

/* One line of the script. Headers are "Name: value\r\n..."; NULL = none. */
struct fake_reply {
    int status;
    const char *headers, *body;
    enum err_code fail; /* ERR_OK, or what the transport returns */
};

enum { FAKE_SEEN = 64 };
struct fake_wire {
    const struct fake_reply *script; /* the last line is repeated */
    size_t n;
    const struct fake_clock *clock;
    /* what came, in order */
    size_t calls;
    long long at[FAKE_SEEN];
    char method[FAKE_SEEN][16], url[FAKE_SEEN][256], headers[FAKE_SEEN][1024], body[FAKE_SEEN][256];
};
enum err_code fake_transport(void *ctx, struct http_exchange *x, struct err *e);

/* A fresh temporary folder; the test removes it with fake_dir_remove. */
void fake_dir_make(char out[static 64]);
void fake_dir_remove(const char *dir);

#endif
