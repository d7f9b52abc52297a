/* TLS is verified, always: a certificate that does not check out costs no byte of a request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct server {
    char dir[64], cert[96], key[96], url[64];
    char *cert_pem, *key_pem;
    struct MHD_Daemon *daemon;
    atomic_int requests;
};

static enum MHD_Result answer(void *ctx, struct MHD_Connection *c, const char *url UNUSED,
                              const char *method UNUSED, const char *version UNUSED,
                              const char *body UNUSED, size_t *n, void **state)
{
    struct server *s = ctx;
    static int seen;
    static char ok[] = "ok";

    if (*state == NULL || *n > 0) {
        *state = &seen;
        *n = 0;
        return MHD_YES;
    }
    atomic_fetch_add(&s->requests, 1);
    struct MHD_Response *r = MHD_create_response_from_buffer(2, ok, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result queued = MHD_queue_response(c, 200, r);
    MHD_destroy_response(r);
    return queued;
}

static char *read_pem(const char *path)
{
    CLEANUP(buf_release) struct buf b = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    assert_int_equal(file_read(path, &b, &e), ERR_OK);
    return mem_strdup(b.data);
}

static bool make_certificate(struct server *s, const char *name, const char *days)
{
    CLEANUP(child_result_release) struct child_result r = child_result_init(1 << 16);
    struct child_spec spec = CHILD_SPEC_INIT;
    struct err e = ERR_INIT;
    const char *const argv[] = {
        "openssl", "req",     "-x509",   "-newkey", "ec",    "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes",  "-keyout", s->key,    "-out",    s->cert, "-days",    days,
        "-subj",   "/CN=t",   "-addext", name,      NULL};
    spec.argv = argv;
    spec.deadline.v = 20000;
    return child_run(&spec, &r, &e) == ERR_OK && r.status == 0;
}

static bool server_start(struct server *s, const char *name)
{
    memset(s, 0, sizeof(*s));
    fake_dir_make(s->dir);
    (void)snprintf(s->cert, sizeof(s->cert), "%s/cert.pem", s->dir);
    (void)snprintf(s->key, sizeof(s->key), "%s/key.pem", s->dir);
    if (!make_certificate(s, name, "2"))
        return false;
    s->cert_pem = read_pem(s->cert);
    s->key_pem = read_pem(s->key);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    s->daemon =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS, 0, NULL, NULL, answer, s,
                         MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_HTTPS_MEM_KEY, s->key_pem,
                         MHD_OPTION_HTTPS_MEM_CERT, s->cert_pem, MHD_OPTION_END);
    if (s->daemon == NULL)
        return false;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
    (void)snprintf(s->url, sizeof(s->url), "https://127.0.0.1:%u", info->port);
    return true;
}

static void server_stop(struct server *s)
{
    if (s->daemon != NULL)
        MHD_stop_daemon(s->daemon);
    free(s->cert_pem);
    free(s->key_pem);
    fake_dir_remove(s->dir);
}

static enum err_code get(const struct server *s, const char *ca_file, struct err *e)
{
    struct http_config cfg = {.user_agent = "t", .ca_file = ca_file};
    CLEANUP(http_freep) struct http *h = NULL;
    CLEANUP(http_reply_release) struct http_reply rp = HTTP_REPLY_INIT;

    assert_int_equal(secrets_init(e), ERR_OK);
    CLEANUP(secret_freep) struct secret *token = secret_new(CANARY, strlen(CANARY));
    TRY(http_new(&cfg, &h, e));
    struct http_request rq = {.method = "GET",
                              .url = s->url,
                              .lane = http_lane(h, token, s->url),
                              .auth = HTTP_AUTH_BEARER,
                              .deadline = {10000}};
    enum err_code r = http_do(h, &rq, &rp, e);
    struct http_stats stats = http_get_stats(h);
    if (r == ERR_OK)
        assert_string_equal(rp.body.data, "ok");
    else
        assert_int_equal(stats.bytes_out, 0);
    http_free(h); /* before the token */
    h = NULL;
    return r;
}

static void test_unknown_certificate(void **state UNUSED)
{
    CLEANUP(server_stop) struct server s;
    struct err e = ERR_INIT;
    if (!server_start(&s, "subjectAltName=IP:127.0.0.1"))
        skip();
    assert_int_equal(get(&s, NULL, &e), ERR_UNAVAILABLE);
    assert_non_null(strstr(e.text, "certificate was refused"));
    assert_null(strstr(e.text, CANARY));
    assert_int_equal(atomic_load(&s.requests), 0);
    assert_int_equal(get(&s, s.cert, &e), ERR_OK); /* added to the system's */
    assert_int_equal(atomic_load(&s.requests), 1);
}

static void test_other_name(void **state UNUSED)
{
    CLEANUP(server_stop) struct server s;
    struct err e = ERR_INIT;
    if (!server_start(&s, "subjectAltName=DNS:elsewhere.example"))
        skip();
    assert_int_equal(get(&s, s.cert, &e), ERR_UNAVAILABLE);
    assert_int_equal(atomic_load(&s.requests), 0);
}

static void test_ca_file_of_rubbish(void **state UNUSED)
{
    CLEANUP(server_stop) struct server s;
    struct err e = ERR_INIT;
    if (!server_start(&s, "subjectAltName=IP:127.0.0.1"))
        skip();
    /* Beside a bundle it adds nothing; alone it is told. */
    enum err_code r = get(&s, s.key, &e);
    assert_true(r == ERR_UNAVAILABLE || (r == ERR_IO && strstr(e.text, "CA file") != NULL));
    assert_int_equal(atomic_load(&s.requests), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_certificate),
        cmocka_unit_test(test_other_name),
        cmocka_unit_test(test_ca_file_of_rubbish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
