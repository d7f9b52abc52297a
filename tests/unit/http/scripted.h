/* http_do with everything around it in the hands of the test. */
#ifndef HTTP_TEST_SCRIPTED_H
#define HTTP_TEST_SCRIPTED_H

#include "fake.h"

#define URL "https://h.example/api/v3/repos/o/r"

struct bench {
    struct fake_clock clock;
    struct fake_wire wire;
    struct http_config cfg;
    struct http *http;
    struct secret *token;
    struct http_request rq;
    struct http_reply rp;
    struct err e;
    volatile int interrupted;
};

void set_up(struct bench *b, const struct fake_reply *script, size_t n);
void open_http(struct bench *b);
/* http_do; no error may hold the token. */
enum err_code run(struct bench *b);
void tear_down(struct bench *b);
bool wire_has(const struct bench *b, size_t call, const char *line);

#define BENCH(name, ...)                                                                           \
    static const struct fake_reply SCRIPT[] = {__VA_ARGS__};                                       \
    CLEANUP(tear_down) struct bench name;                                                          \
    set_up(&name, SCRIPT, ARRAY_LEN(SCRIPT));                                                      \
    open_http(&name)

#endif
