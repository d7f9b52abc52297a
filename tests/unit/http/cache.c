/* Conditional requests and the two layers of stored replies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake.h"
#include "internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define URL "https://h.example/x"

struct bench {
    char dir[64];
    struct fingerprint_key key;
    struct fake_clock clock;
    struct fake_wire wire;
    struct http *http;
    struct secret *token;
    struct http_reply rp;
    struct err e;
};

static void open_http(struct bench *b)
{
    struct http_config cfg = {.user_agent = "t",
                              .etag_dir = b->dir,
                              .etag_key = &b->key,
                              .clock = &b->clock.clock,
                              .transport = fake_transport,
                              .transport_ctx = &b->wire};
    assert_int_equal(http_new(&cfg, &b->http, &b->e), ERR_OK);
}

static void set_up(struct bench *b, const struct fake_reply *script, size_t n)
{
    memset(b, 0, sizeof(*b));
    assert_int_equal(secrets_init(&b->e), ERR_OK);
    fake_dir_make(b->dir);
    fake_clock_init(&b->clock);
    b->key.key = secret_new("0123456789abcdef0123456789abcdef", 32);
    b->token = secret_new(CANARY, strlen(CANARY));
    b->wire.script = script;
    b->wire.n = n;
    open_http(b);
}

static void tear_down(struct bench *b)
{
    http_reply_release(&b->rp);
    http_free(b->http);
    secret_free(b->token);
    secret_free(b->key.key);
    fake_dir_remove(b->dir);
}

static enum err_code get(struct bench *b, const struct secret *token, const char *accept)
{
    const char *const headers[] = {accept, NULL};
    struct http_request rq = {.method = "GET",
                              .url = URL,
                              .lane = http_lane(b->http, token, URL),
                              .auth = HTTP_AUTH_BEARER,
                              .headers = headers,
                              .cache = true};
    return http_do(b->http, &rq, &b->rp, &b->e);
}

static bool was_conditional(const struct bench *b, size_t call)
{
    return strstr(b->wire.headers[call], "If-None-Match: W/\"0cf5dd\"\n") != NULL;
}

static const struct fake_reply FRESH_THEN_SAME[] = {
    {.status = 200,
     .headers = "etag: W/\"0cf5dd\"\r\nContent-Type: application/json; charset=utf-8\r\n"
                "Link: <https://h.example/x?page=2>; rel=\"next\"\r\n",
     .body = "{\"a\":1}"},
    {.status = 304, .headers = "etag: \"0cf5dd\"\r\n"},
};

static void assert_same(const struct bench *b)
{
    assert_int_equal(b->rp.status, 200);
    assert_true(b->rp.not_modified);
    assert_string_equal(b->rp.body.data, "{\"a\":1}");
    assert_string_equal(b->rp.content_type, "application/json");
    assert_string_equal(b->rp.link_next, "https://h.example/x?page=2");
}

/* The vector of github.md 9: a weak tag goes back verbatim, the 304 has a strong one and no body.
 */
static void test_in_memory(void **state UNUSED)
{
    CLEANUP(tear_down) struct bench b;
    set_up(&b, FRESH_THEN_SAME, 2);
    assert_int_equal(get(&b, b.token, "Accept: a"), ERR_OK);
    assert_false(b.rp.not_modified);
    assert_false(was_conditional(&b, 0));
    for (size_t i = 1; i < 4; i++) {
        assert_int_equal(get(&b, b.token, "Accept: a"), ERR_OK);
        assert_true(was_conditional(&b, i));
        assert_same(&b);
    }
    assert_int_equal(http_get_stats(b.http).not_modified, 3);
}

static void test_on_disk(void **state UNUSED)
{
    CLEANUP(tear_down) struct bench b;
    set_up(&b, FRESH_THEN_SAME, 2);
    assert_int_equal(get(&b, b.token, "Accept: a"), ERR_OK);
    http_free(b.http);
    open_http(&b); /* another process */
    assert_int_equal(get(&b, b.token, "Accept: a"), ERR_OK);
    assert_true(was_conditional(&b, 1));
    assert_same(&b);
}

static void test_names(void **state UNUSED)
{
    CLEANUP(tear_down) struct bench b;
    set_up(&b, FRESH_THEN_SAME, 1);
    CLEANUP(secret_freep) struct secret *other = secret_new("other", 5);
    assert_int_equal(get(&b, b.token, "Accept: a"), ERR_OK);
    assert_int_equal(get(&b, b.token, "Accept: b"), ERR_OK);
    assert_int_equal(get(&b, other, "Accept: a"), ERR_OK);
    assert_int_equal(get(&b, NULL, "Accept: a"), ERR_OK);
    for (size_t i = 0; i < 4; i++)
        assert_false(was_conditional(&b, i));
}

static void test_uncached(void **state UNUSED)
{
    CLEANUP(tear_down) struct bench b;
    set_up(&b, FRESH_THEN_SAME, 1);
    struct http_request rq = {.method = "GET", .url = URL, .lane = http_lane(b.http, b.token, URL)};
    for (int i = 0; i < 2; i++)
        assert_int_equal(http_do(b.http, &rq, &b.rp, &b.e), ERR_OK);
    assert_false(was_conditional(&b, 1));
}

/* A 304 to which nothing is stored is no answer of ours; a new body replaces the old. */
static void test_changed(void **state UNUSED)
{
    static const struct fake_reply SCRIPT[] = {
        {.status = 200, .headers = "etag: W/\"0cf5dd\"\r\n", .body = "one"},
        {.status = 200, .headers = "etag: W/\"222222\"\r\n", .body = "two"},
        {.status = 304},
    };
    CLEANUP(tear_down) struct bench b;
    set_up(&b, SCRIPT, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(get(&b, b.token, "Accept: a"), ERR_OK);
    assert_non_null(strstr(b.wire.headers[2], "If-None-Match: W/\"222222\"\n"));
    assert_string_equal(b.rp.body.data, "two");
}

static void file_of(const struct bench *b, char out[static 256])
{
    DIR *d = opendir(b->dir);
    struct dirent *de;
    int found = 0;

    while ((de = readdir(d)) != NULL)
        if (de->d_name[0] != '.') {
            (void)snprintf(out, 256, "%.60s/%.100s", b->dir, de->d_name);
            found++;
        }
    (void)closedir(d);
    assert_int_equal(found, 1);
}

/* Every bit of a stored reply counts: turned, cut, or moved to another name, it is a miss. */
static void test_damaged(void **state UNUSED)
{
    CLEANUP(tear_down) struct bench b;
    CLEANUP(buf_release) struct buf whole = BUF_INIT(1 << 20);
    char path[256];
    set_up(&b, FRESH_THEN_SAME, 1);
    assert_int_equal(get(&b, b.token, "Accept: a"), ERR_OK);
    file_of(&b, path);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(file_read(path, &whole, &b.e), ERR_OK);
    assert_null(memmem(whole.data, whole.len, CANARY, strlen(CANARY)));
    const char *name = strrchr(path, '/') + 1;

    for (size_t i = 0; i < whole.len * 2; i++) {
        size_t at = i / 2, n = i % 2 == 0 ? whole.len : at;
        char saved = whole.data[at];
        if (i % 2 == 0)
            whole.data[at] = (char)(saved ^ (1 << (at % 8)));
        assert_int_equal(file_write_atomic(path, whole.data, n, 0600, &b.e), ERR_OK);
        whole.data[at] = saved;
        assert_null(etag_file_load(b.dir, &b.key, name));
        assert_int_not_equal(access(path, F_OK), 0);
    }
    assert_int_equal(file_write_atomic(path, whole.data, whole.len, 0600, &b.e), ERR_OK);
    struct etag_entry *good = etag_file_load(b.dir, &b.key, name);
    assert_non_null(good);
    assert_string_equal(good->etag, "W/\"0cf5dd\"");
    etag_entry_free(good);

    char moved[256];
    (void)snprintf(moved, sizeof(moved), "%s/%064d", b.dir, 0);
    assert_int_equal(rename(path, moved), 0);
    assert_null(etag_file_load(b.dir, &b.key, strrchr(moved, '/') + 1));
}

static void test_unwritable(void **state UNUSED)
{
    CLEANUP(tear_down) struct bench b;
    set_up(&b, FRESH_THEN_SAME, 2);
    assert_int_equal(rmdir(b.dir), 0); /* a cache may fail: the memory still serves */
    assert_int_equal(get(&b, b.token, "Accept: a"), ERR_OK);
    assert_int_equal(get(&b, b.token, "Accept: a"), ERR_OK);
    assert_same(&b);
}

static void test_trim(void **state UNUSED)
{
    CLEANUP(tear_down) struct bench b;
    set_up(&b, FRESH_THEN_SAME, 1);
    for (int i = 0; i < 10; i++) {
        char path[256], body[100] = "";
        (void)snprintf(path, sizeof(path), "%s/%064d", b.dir, i);
        assert_int_equal(file_write_atomic(path, body, sizeof(body), 0600, &b.e), ERR_OK);
        struct timespec at[2] = {{.tv_sec = 1000 + i}, {.tv_sec = 1000 + i}};
        assert_int_equal(utimensat(AT_FDCWD, path, at, 0), 0);
    }
    assert_int_equal(etag_files_trim(b.dir, 5000), 1000);
    assert_int_equal(etag_files_trim(b.dir, 450), 400);
    for (int i = 0; i < 10; i++) {
        char path[256];
        (void)snprintf(path, sizeof(path), "%s/%064d", b.dir, i);
        assert_int_equal(access(path, F_OK) == 0, i >= 6);
    }
}

/* The memory is bounded, and what was pushed out comes back from disk. */
static void test_memory_bound(void **state UNUSED)
{
    enum { N = 40, BODY = 1000000 };
    CLEANUP(tear_down) struct bench b;
    CLEANUP(buf_release) struct buf body = BUF_INIT(BODY);
    struct etag_store *s = NULL;
    set_up(&b, FRESH_THEN_SAME, 1);
    char *bytes = mem_alloc(BODY);
    memset(bytes, 'x', BODY);
    assert_int_equal(buf_add(&body, bytes, BODY, &b.e), ERR_OK);
    free(bytes);
    assert_int_equal(etag_open(b.dir, &b.key, &s, &b.e), ERR_OK);
    char names[N][FINGERPRINT_HEX];
    for (int i = 0; i < N; i++) {
        char url[32], tag[32];
        (void)snprintf(url, sizeof(url), "https://h/%d", i);
        (void)snprintf(tag, sizeof(tag), "\"%d\"", i);
        etag_name(s, "GET", url, NULL, "", "", names[i]);
        struct head head = {.etag = tag};
        etag_store(s, names[i], &head, &body);
    }
    for (int i = 0; i < N; i++) {
        char tag[32];
        (void)snprintf(tag, sizeof(tag), "\"%d\"", i);
        struct etag_entry *entry = etag_get(s, names[i]);
        assert_non_null(entry);
        assert_string_equal(entry->etag, tag);
        assert_int_equal(entry->body_len, BODY);
        etag_put_back(s, entry);
    }
    etag_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_memory),    cmocka_unit_test(test_on_disk),
        cmocka_unit_test(test_names),        cmocka_unit_test(test_uncached),
        cmocka_unit_test(test_changed),      cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_unwritable),   cmocka_unit_test(test_trim),
        cmocka_unit_test(test_memory_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
