#include "harness.h"

#include <ftw.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int64_t still(void *arg)
{
    const struct world *w = arg;
    return w->now;
}

void world_make(struct world *w)
{
    *w = (struct world){.now = 1733500000000};
    (void)snprintf(w->root, sizeof w->root, "/tmp/hub-test-XXXXXX");
    assert_non_null(mkdtemp(w->root));
    w->h = hub_new(&(struct hub_options){.root = w->root, .now_ms = still, .now_arg = w});
    assert_non_null(w->h);
    assert_true(hub_user_add(w->h, "octo"));
    assert_true(hub_user_add(w->h, "backup"));
    assert_true(
        hub_repo_add(w->h, &(struct hub_repo){.name = "backup/standby", .is_private = true}) > 0);
    const struct hub_token tokens[] = {
        {.text = "full", .kind = HUB_CLASSIC, .user = "backup", .scopes = "repo workflow"},
        {.text = "plain", .kind = HUB_CLASSIC, .user = "backup", .scopes = "repo"},
        {.text = "fine",
         .kind = HUB_FINE_GRAINED,
         .user = "backup",
         .permissions =
             "contents=write workflows=write secrets=write actions_variables=write actions=write "
             "administration=write"},
        {.text = "job",
         .kind = HUB_GITHUB_TOKEN,
         .repos = "backup/standby",
         .permissions = "contents=write actions=write actions_variables=write secrets=write "
                        "administration=write"},
        {.text = "other", .kind = HUB_CLASSIC, .user = "octo", .scopes = "repo"},
    };
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++)
        assert_true(hub_token_add(w->h, &tokens[i]));
    commit_file(w, "main", "README", "hello\n");
}

static int erase(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void world_end(struct world *w)
{
    hub_free(w->h);
    (void)nftw(w->root, erase, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- REST ---- */

void answer_drop(struct answer *a)
{
    hub_reply_release(&a->reply);
    json_decref(a->json);
    *a = (struct answer){0};
}

/* Cuts the lines apart, in place. A user-agent among them replaces the usual one, which comes
 * first. */
static size_t extra_headers(char *lines, struct hub_header *headers, size_t n, size_t most)
{
    for (char *p = lines; *p != '\0' && n < most;) {
        size_t len = strcspn(p, "\n");
        char *next = p + len + (p[len] == '\n'), *colon = strchr(p, ':');
        p[len] = '\0';
        assert_non_null(colon);
        *colon = '\0';
        headers[strcmp(p, "user-agent") == 0 ? 0 : n++] = (struct hub_header){p, colon + 2};
        p = next;
    }
    return n;
}

void ask(struct world *w, struct answer *a, const char *token, const char *method, const char *path,
         const char *body, const char *extra)
{
    char authorization[128], url[512], lines[512];
    struct hub_header headers[8] = {{"user-agent", "test"}};
    size_t n = 1;
    (void)snprintf(url, sizeof url, "/api/v3%s", path);
    (void)snprintf(lines, sizeof lines, "%s", extra != NULL ? extra : "");
    if (token != NULL) {
        (void)snprintf(authorization, sizeof authorization, "Bearer %s", token);
        headers[n++] = (struct hub_header){"authorization", authorization};
    }
    n = extra_headers(lines, headers, n, sizeof headers / sizeof headers[0]);
    const struct hub_request q = {.method = method,
                                  .path = url,
                                  .host = "hub.test",
                                  .headers = headers,
                                  .n_headers = n,
                                  .body = body,
                                  .body_len = body != NULL ? strlen(body) : 0};
    answer_drop(a);
    hub_handle(w->h, &q, &a->reply);
    a->status = a->reply.status;
    a->json = json_loadb((const char *)a->reply.body, a->reply.body_len, JSON_DECODE_ANY, NULL);
}

int status_of(struct world *w, const char *token, const char *method, const char *path,
              const char *body)
{
    struct answer a = {0};
    ask(w, &a, token, method, path, body, NULL);
    int status = a.status;
    answer_drop(&a);
    return status;
}

const char *head_of(const struct answer *a, const char *name)
{
    const char *value = hub_reply_header(&a->reply, name);
    return value != NULL ? value : "";
}

long long int_of(const struct answer *a, const char *name)
{
    return (long long)json_integer_value(json_object_get(a->json, name));
}

const char *text_of(const struct answer *a, const char *name)
{
    const char *text = json_string_value(json_object_get(a->json, name));
    return text != NULL ? text : "";
}

int put_secret(struct world *w, const char *token, const char *name, const char *value, size_t len)
{
    struct answer a = {0};
    unsigned char key[32];
    ask(w, &a, token, "GET", REPO "/actions/secrets/public-key", NULL, NULL);
    assert_int_equal(a.status, 200);
    assert_int_equal(sodium_base642bin(key, sizeof key, text_of(&a, "key"),
                                       strlen(text_of(&a, "key")), NULL, NULL, NULL,
                                       sodium_base64_VARIANT_ORIGINAL),
                     0);
    size_t box_len = len + crypto_box_SEALBYTES;
    size_t cap = sodium_base64_encoded_len(box_len, sodium_base64_VARIANT_ORIGINAL);
    unsigned char *box = malloc(box_len);
    char *text = malloc(cap), *body = malloc(cap + 200), path[256], id[64];
    assert_true(box != NULL && text != NULL && body != NULL);
    assert_int_equal(crypto_box_seal(box, (const unsigned char *)value, len, key), 0);
    (void)sodium_bin2base64(text, cap, box, box_len, sodium_base64_VARIANT_ORIGINAL);
    (void)snprintf(id, sizeof id, "%s", text_of(&a, "key_id"));
    if (id[0] == '\0')
        (void)snprintf(id, sizeof id, "%lld", int_of(&a, "key_id"));
    (void)snprintf(body, cap + 200, "{\"encrypted_value\":\"%s\",\"key_id\":\"%s\"}", text, id);
    (void)snprintf(path, sizeof path, REPO "/actions/secrets/%s", name);
    ask(w, &a, token, "PUT", path, body, NULL);
    int status = a.status;
    answer_drop(&a);
    free(box);
    free(text);
    free(body);
    return status;
}

/* ---- git ---- */

void commit_file(struct world *w, const char *branch, const char *path, const char *text)
{
    assert_true(hub_file_put(w->h, "backup/standby", branch, path, text, strlen(text)));
}

void tip_of(struct world *w, const char *ref, char out[65])
{
    struct answer a = {0};
    char path[256];
    (void)snprintf(path, sizeof path, REPO "/git/ref/%s", ref);
    ask(w, &a, "full", "GET", path, NULL, NULL);
    const char *sha = json_string_value(json_object_get(json_object_get(a.json, "object"), "sha"));
    (void)snprintf(out, 65, "%s", sha != NULL ? sha : "");
    answer_drop(&a);
}

static void git_request(struct world *w, struct hub_reply *reply, const char *token,
                        const char *method, const char *path, const void *body, size_t len)
{
    char pair[128], basic[256], value[300];
    (void)snprintf(pair, sizeof pair, "x-access-token:%s", token);
    (void)sodium_bin2base64(basic, sizeof basic, (const unsigned char *)pair, strlen(pair),
                            sodium_base64_VARIANT_ORIGINAL);
    (void)snprintf(value, sizeof value, "Basic %s", basic);
    const struct hub_header header[] = {{"authorization", value}};
    const struct hub_request q = {.method = method,
                                  .path = path,
                                  .host = "hub.test",
                                  .headers = header,
                                  .n_headers = token != NULL,
                                  .body = body,
                                  .body_len = len};
    hub_handle(w->h, &q, reply);
}

void pushed_drop(struct pushed *p)
{
    free(p->report);
    *p = (struct pushed){0};
}

void push(struct world *w, struct pushed *p, const char *token, const char *repo, const char *caps,
          const struct line *lines, size_t n)
{
    static const char zero[] = "0000000000000000000000000000000000000000";
    static const char empty_pack[] =
        "PACK\0\0\0\2\0\0\0\0\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c"
        "\x82\x3c\xfd\x3e\xd3\x1e";
    char *body = calloc(1, n * 400 + 1000), path[256];
    assert_non_null(body);
    size_t len = 0;
    bool creates = false;
    for (size_t i = 0; i < n; i++) {
        char row[700];
        const char *before = lines[i].before != NULL ? lines[i].before : zero;
        const char *after = lines[i].after != NULL ? lines[i].after : zero;
        int k = snprintf(row, sizeof row, "%s %s %s", before, after, lines[i].ref);
        if (i == 0)
            k += 1 + snprintf(row + k + 1, sizeof row - (size_t)k - 1, " %s",
                              caps != NULL ? caps : "report-status side-band-64k");
        creates = creates || lines[i].after != NULL;
        (void)snprintf(body + len, 5, "%04x", (unsigned)k + 4);
        memcpy(body + len + 4, row, (size_t)k);
        len += (size_t)k + 4;
    }
    memcpy(body + len, "0000", 4);
    len += 4;
    if (creates) {
        memcpy(body + len, empty_pack, sizeof empty_pack - 1);
        len += sizeof empty_pack - 1;
    }
    (void)snprintf(path, sizeof path, "/%s.git/git-receive-pack", repo);
    struct hub_reply reply;
    git_request(w, &reply, token, "POST", path, body, len);
    pushed_drop(p);
    p->status = reply.status;
    p->report = calloc(1, reply.body_len + 1);
    assert_non_null(p->report);
    memcpy(p->report, reply.body, reply.body_len);
    hub_reply_release(&reply);
    free(body);
}

bool push_says(struct world *w, const char *token, const struct line *lines, size_t n,
               const char *text)
{
    struct pushed p = {0};
    push(w, &p, token, "backup/standby", NULL, lines, n);
    bool found = strstr(p.report, text) != NULL;
    pushed_drop(&p);
    return found;
}

char *advertised(struct world *w, const char *token, const char *repo)
{
    char path[256];
    struct hub_reply reply;
    (void)snprintf(path, sizeof path, "/%s.git/info/refs?service=git-receive-pack", repo);
    git_request(w, &reply, token, "GET", path, NULL, 0);
    char *text = calloc(1, reply.body_len + 1);
    assert_non_null(text);
    for (size_t i = 0; i < reply.body_len; i++)
        text[i] = reply.body[i] != 0 ? (char)reply.body[i] : ' ';
    hub_reply_release(&reply);
    return text;
}
