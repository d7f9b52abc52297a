#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scripted.h"

#include <stdio.h>
#include <string.h>

void set_up(struct bench *b, const struct fake_reply *script, size_t n)
{
    memset(b, 0, sizeof(*b));
    fake_clock_init(&b->clock);
    b->wire.script = script;
    b->wire.n = n;
    b->wire.clock = &b->clock;
    b->cfg = (struct http_config){.user_agent = "mirrorctl/test",
                                  .clock = &b->clock.clock,
                                  .interrupted = &b->interrupted,
                                  .transport = fake_transport,
                                  .transport_ctx = &b->wire};
    assert_int_equal(secrets_init(&b->e), ERR_OK);
    b->token = secret_new(CANARY, strlen(CANARY));
}

void open_http(struct bench *b)
{
    assert_int_equal(http_new(&b->cfg, &b->http, &b->e), ERR_OK);
    b->rq = (struct http_request){.method = "GET",
                                  .url = URL,
                                  .lane = http_lane(b->http, b->token, URL),
                                  .auth = HTTP_AUTH_BEARER};
}

enum err_code run(struct bench *b)
{
    enum err_code r = http_do(b->http, &b->rq, &b->rp, &b->e);
    if (r != ERR_OK)
        assert_null(strstr(b->e.text, CANARY));
    return r;
}

void tear_down(struct bench *b)
{
    http_reply_release(&b->rp);
    http_free(b->http);
    secret_free(b->token);
}

bool wire_has(const struct bench *b, size_t call, const char *line)
{
    char whole[512];
    (void)snprintf(whole, sizeof(whole), "%s\n", line);
    return strstr(b->wire.headers[call], whole) != NULL;
}
