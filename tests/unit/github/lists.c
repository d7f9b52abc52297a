/* Lists: pages, counts, ghosts, and what must not be taken for complete. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A server of rows in pages: what a script cannot be, because it has a state. */
struct shelf {
    int64_t total; /* that it claims */
    int rows, per_page;
    int calls;
    int lies;        /* the first so many calls claim one row more */
    bool circle;     /* the last page's next is the first */
    bool elsewhere;  /* next is on another server */
    bool twins;      /* the first row of each page is the last of the one before */
    int broken_page; /* answers 404; 0 = none */
};

static int page_of(const char *url)
{
    const char *at = strstr(url, "&page=");
    return at == NULL ? 1 : (int)strtol(at + 6, NULL, 10);
}

static enum err_code shelf_transport(void *ctx, struct http_exchange *x, struct err *e)
{
    struct shelf *s = ctx;
    int page = page_of(x->url), first = (page - 1) * s->per_page;
    bool more = first + s->per_page < s->rows;

    s->calls++;
    x->reply_status = page == s->broken_page ? 404 : 200;
    if (more || s->circle)
        TRY(buf_addf(&x->reply_headers, e,
                     "Link: <https://%s/repositories/1/actions/variables?per_page=%d&page=%d>; "
                     "rel=\"next\", <x>; rel=\"last\"\r\n",
                     s->elsewhere ? "evil.example" : "ghes.example", s->per_page,
                     more ? page + 1 : 1));
    TRY(buf_addf(&x->reply_body, e, "{\"total_count\":%" PRId64 ",\"variables\":[",
                 s->total + (s->calls <= s->lies ? 1 : 0)));
    for (int i = first; i < first + s->per_page && i < s->rows; i++)
        TRY(buf_addf(&x->reply_body, e, "%s{\"name\":\"V%d\",\"value\":\"v\",\"updated_at\":\"t\"}",
                     i == first ? "" : ",", s->twins && i == first && i > 0 ? i - 1 : i));
    return buf_addstr(&x->reply_body, "]}", e);
}

static enum err_code list_shelf(struct shelf *s, size_t *n, bool *complete, struct err *e)
{
    struct http_config cfg = {.user_agent = "t", .transport = shelf_transport, .transport_ctx = s};
    CLEANUP(http_freep) struct http *h = NULL;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct github_repo repo;
    struct github_variable *list = NULL;

    TRY(http_new(&cfg, &h, e));
    github_repo_init(&repo, h, NULL, API, "o/r", a);
    TRY(github_variables_list(&repo, &list, n, complete, e));
    for (size_t i = 0; i < *n; i++)
        assert_string_equal(list[i].value, "v");
    return ERR_OK;
}

static void test_pages(void **state UNUSED)
{
    static const struct {
        const char *what;
        struct shelf shelf;
        enum err_code code;
        size_t n;
        bool complete;
        int calls;
    } T[] = {
        {"none", {.total = 0, .rows = 0, .per_page = 30}, ERR_OK, 0, true, 1},
        {"one page", {.total = 30, .rows = 30, .per_page = 30}, ERR_OK, 30, true, 1},
        {"three", {.total = 75, .rows = 75, .per_page = 30}, ERR_OK, 75, true, 3},
        {"a smaller cap", {.total = 25, .rows = 25, .per_page = 10}, ERR_OK, 25, true, 3},
        {"cut short", {.total = 26, .rows = 25, .per_page = 10}, ERR_OK, 25, false, 6},
        {"moved once", {.total = 25, .rows = 25, .per_page = 10, .lies = 3}, ERR_OK, 25, true, 6},
        {"too many", {.total = 24, .rows = 25, .per_page = 30}, ERR_OK, 25, false, 2},
        {"twins", {.total = 25, .rows = 25, .per_page = 10, .twins = true}, ERR_OK, 25, false, 6},
        {"a circle",
         {.total = 20, .rows = 20, .per_page = 10, .circle = true},
         ERR_OK,
         30,
         false,
         6},
        {"elsewhere",
         {.total = 25, .rows = 25, .per_page = 10, .elsewhere = true},
         ERR_OK,
         10,
         false,
         2},
        {"broken",
         {.total = 25, .rows = 25, .per_page = 10, .broken_page = 2},
         ERR_NOT_FOUND,
         0,
         false,
         2},
        {"a negative", {.total = -1, .rows = 0, .per_page = 10}, ERR_OK, 0, false, 2},
    };
    for (size_t i = 0; i < ARRAY_LEN(T); i++) {
        struct shelf s = T[i].shelf;
        struct err e = ERR_INIT;
        size_t n = 0;
        bool complete = false;
        enum err_code r = list_shelf(&s, &n, &complete, &e);
        if (r != T[i].code || n != T[i].n || complete != T[i].complete || s.calls != T[i].calls)
            fail_msg("%s: %s %s, %zu rows, complete %d, %d calls", T[i].what, err_code_name(r),
                     e.text, n, complete, s.calls);
    }
}

/* A list without end meets the limit of pages. */
static void test_endless(void **state UNUSED)
{
    struct shelf s = {.total = INT64_MAX, .rows = INT32_MAX, .per_page = 1};
    struct err e = ERR_INIT;
    size_t n = 0;
    bool complete = true;
    assert_int_equal(list_shelf(&s, &n, &complete, &e), ERR_LIMIT);
    assert_int_equal(s.calls, LIMIT_PAGES);
}

static void test_parameters(void **state UNUSED)
{
    BENCH(b, {.status = 200, .body = "{\"total_count\":0,\"variables\":[]}"},
          {.status = 200, .body = "{\"total_count\":0,\"secrets\":[]}"},
          {.status = 200, .body = "{\"total_count\":0,\"workflows\":[]}"});
    struct github_variable *v;
    struct github_secret *s;
    struct github_workflow *w;
    size_t n;
    bool complete = false;
    assert_int_equal(github_variables_list(&b.repo, &v, &n, &complete, &b.e), ERR_OK);
    assert_string_equal(b.wire.url[0], REPO "/actions/variables?per_page=30");
    assert_int_equal(github_secrets_list(&b.repo, &s, &n, &complete, &b.e), ERR_OK);
    assert_string_equal(b.wire.url[1], REPO "/actions/secrets?per_page=100");
    assert_int_equal(github_workflows_list(&b.repo, &w, &n, &complete, &b.e), ERR_OK);
    assert_string_equal(b.wire.url[2], REPO "/actions/workflows?per_page=100");
    assert_true(complete);
}

static void test_secrets(void **state UNUSED)
{
    BENCH(b,
          {.status = 200,
           .body =
               "{\"total_count\":2,\"secrets\":[{\"name\":\"A\",\"created_at\":\"c\","
               "\"updated_at\":\"2023-06-05T14:41:26Z\"},{\"name\":\"B\",\"updated_at\":\"u\"}]}"});
    struct github_secret *s;
    size_t n;
    bool complete;
    assert_int_equal(github_secrets_list(&b.repo, &s, &n, &complete, &b.e), ERR_OK);
    assert_int_equal(n, 2);
    assert_true(complete);
    assert_string_equal(s[0].name, "A");
    assert_string_equal(s[0].updated_at, "2023-06-05T14:41:26Z");
    assert_string_equal(s[1].name, "B");
}

/* github.md 1.4 and 8: ghosts, empty paths, dynamic ones; they count and are left out. */
static void test_workflows(void **state UNUSED)
{
    BENCH(b,
          {.status = 200,
           .body =
               "{\"total_count\":8,\"workflows\":["
               "{\"id\":131874881,\"name\":\"CI\",\"path\":\".github/workflows/ci.yml\","
               "\"state\":\"disabled_manually\",\"created_at\":\"2024-12-06T21:17:46.000-05:00\"},"
               "{\"id\":2,\"path\":\"\",\"state\":\"active\"},"
               "{\"id\":3,\"path\":\"dynamic/pages/pages-build-deployment\",\"state\":\"active\"},"
               "{\"id\":4,\"path\":null},"
               "{\"id\":5},"
               "{\"id\":6,\"path\":\".github/workflows/\",\"state\":\"active\"},"
               "{\"id\":7,\"path\":\".github/workflows/sub/x.yml\",\"state\":\"active\"},"
               "{\"id\":8,\"path\":\".github/workflows/new.yaml\",\"state\":\"a_future_one\"}]}"});
    struct github_workflow *w;
    size_t n;
    bool complete;
    assert_int_equal(github_workflows_list(&b.repo, &w, &n, &complete, &b.e), ERR_OK);
    assert_true(complete);
    assert_int_equal(n, 2);
    assert_int_equal(w[0].id, 131874881);
    assert_string_equal(w[0].file, "ci.yml");
    assert_string_equal(w[0].state, "disabled_manually");
    assert_string_equal(w[1].file, "new.yaml");
    assert_string_equal(w[1].state, "a_future_one");
}

static void test_invalid(void **state UNUSED)
{
    static const char *const BODIES[] = {
        "[]",
        "{\"variables\":[]}",
        "{\"total_count\":\"0\",\"variables\":[]}",
        "{\"total_count\":0}",
        "{\"total_count\":0,\"variables\":{}}",
        "{\"total_count\":1,\"variables\":[1]}",
        "{\"total_count\":1,\"variables\":[{\"name\":\"A\",\"updated_at\":\"t\"}]}",
        "{\"total_count\":1,\"variables\":[{\"name\":1,\"value\":\"v\",\"updated_at\":\"t\"}]}",
        "<html>login please</html>",
    };
    for (size_t i = 0; i < ARRAY_LEN(BODIES); i++) {
        const struct fake_reply reply = {.status = 200, .body = BODIES[i]};
        CLEANUP(bench_close) struct bench b;
        struct github_variable *v = NULL;
        size_t n = 77;
        bool complete = false;
        bench_open(&b, &reply, 1);
        if (github_variables_list(&b.repo, &v, &n, &complete, &b.e) != ERR_INVALID)
            fail_msg("accepted: %s", BODIES[i]);
        assert_int_equal(n, 77);
        assert_true(str_starts_with(b.e.text, "GET " REPO "/actions/variables: "));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages),      cmocka_unit_test(test_endless),
        cmocka_unit_test(test_parameters), cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_workflows),  cmocka_unit_test(test_invalid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
