/* A repository behind a scripted wire. */
#ifndef GITHUB_TEST_BENCH_H
#define GITHUB_TEST_BENCH_H

#include "fake.h"
#include "mirrorctl/github.h"

#define API  "https://ghes.example/api/v3"
#define REPO API "/repos/o/r"

struct bench {
    struct fake_clock clock;
    struct fake_wire wire;
    struct secret *token;
    struct http *http;
    struct arena *arena;
    struct github_repo repo;
    struct err e;
};

void bench_open(struct bench *b, const struct fake_reply *script, size_t n);
void bench_close(struct bench *b);

/* Declares b, open on the script that follows. */
#define BENCH(b, ...)                                                                              \
    static const struct fake_reply b##_script[] = {__VA_ARGS__};                                   \
    CLEANUP(bench_close) struct bench b;                                                           \
    bench_open(&b, b##_script, ARRAY_LEN(b##_script))

#endif
