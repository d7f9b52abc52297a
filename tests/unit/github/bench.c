#include "bench.h"

#include <stdlib.h>
#include <string.h>

static void must(enum err_code r)
{
    if (r != ERR_OK)
        abort();
}

void bench_open(struct bench *b, const struct fake_reply *script, size_t n)
{
    memset(b, 0, sizeof(*b));
    fake_clock_init(&b->clock);
    b->wire = (struct fake_wire){.script = script, .n = n, .clock = &b->clock};
    struct http_config cfg = {.user_agent = "mirrorctl/test",
                              .clock = &b->clock.clock,
                              .transport = fake_transport,
                              .transport_ctx = &b->wire};
    must(secrets_init(&b->e));
    must(http_new(&cfg, &b->http, &b->e));
    b->token = secret_new(CANARY, strlen(CANARY));
    b->arena = arena_new();
    github_repo_init(&b->repo, b->http, b->token, API "/", "o/r", b->arena);
}

void bench_close(struct bench *b)
{
    if (strstr(b->e.text, CANARY) != NULL)
        abort();
    http_free(b->http);
    secret_free(b->token);
    arena_free(b->arena);
}
