/* git over smart HTTP (6.1): who may, the advertisement from memory, fetches through git's own
 * http-backend. */
#include "gitside.h"
#include "internal.h"
#include "rest.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct git_path {
    char *repo;          /* "owner/name" without .git */
    const char *service; /* "info/refs", "git-upload-pack", "git-receive-pack" */
};

static const char *const services[] = {"/info/refs", "/git-upload-pack", "/git-receive-pack"};

static bool take_apart(const char *path, struct git_path *out)
{
    size_t len = strcspn(path, "?");
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        size_t n = strlen(services[i]);
        if (len <= n || strncmp(path + len - n, services[i], n) != 0)
            continue;
        char *repo = hb_decode(path + 1, len - n - 1);
        if (hb_ends(repo, ".git"))
            repo[strlen(repo) - 4] = '\0';
        const char *slash = strchr(repo, '/');
        if (slash == NULL || strchr(slash + 1, '/') != NULL) {
            free(repo);
            return false;
        }
        *out = (struct git_path){.repo = repo, .service = services[i] + 1};
        return true;
    }
    return false;
}

bool hb_is_git(const struct hub_request *q)
{
    struct git_path p;
    if (!take_apart(q->path, &p))
        return false;
    free(p.repo);
    return true;
}

/* git shows a text/plain body of an error as "remote:" lines. */
static void refuse(struct hb_ctx *c, int status, const char *text)
{
    if (status == 401)
        hb_head(c->out, "www-authenticate", "Basic realm=\"GitHub\"");
    hb_body_text(c->out, status, "text/plain; charset=UTF-8", text);
}

static bool refused(struct hb_ctx *c, enum hb_verdict identity, bool push)
{
    if (identity == V_LOCKED_OUT) {
        refuse(c, 403, "Maximum number of login attempts exceeded. Please try again later.");
        return true;
    }
    bool anonymous = c->who.token == NULL;
    if (c->who.unknown || (anonymous && (c->repo == NULL || c->repo->is_private || push))) {
        refuse(c, 401,
               c->who.unknown
                   ? "Invalid username or token. Password authentication is not supported for "
                     "Git operations."
                   : "No anonymous write access.");
        return true;
    }
    enum hb_verdict v =
        c->repo == NULL ? V_NOT_FOUND : hb_may(c->h, &c->who, c->repo, OP_CONTENTS_READ);
    if (v == V_NOT_FOUND) {
        refuse(c, 404, "Repository not found.");
        return true;
    }
    if (push && v == V_OK)
        v = hb_may(c->h, &c->who, c->repo, OP_CONTENTS_WRITE);
    if (v != V_OK) {
        char *actor = hb_actor(&c->who);
        char *text = v == V_FORBIDDEN_PAT
                         ? hb_strdup("Write access to repository not granted.")
                         : hb_fmt("Permission to %s.git denied to %s.", c->repo->full_name, actor);
        refuse(c, 403, text);
        free(text);
        free(actor);
        return true;
    }
    if (push && c->repo->archived) {
        refuse(c, 403, "This repository was archived so it is read-only.");
        return true;
    }
    return false;
}

static void advertise(struct hb_ctx *c)
{
    bool hide = hb_quirk(c->h, Q_HIDDEN_REFS) != 0;
    c->h->counters.git_advertisements++;
    hb_git_enter(c->h, c->repo);
    const struct hb_buf *advert = hb_advert(c->repo, hide);
    hb_body_take(c->out, hb_strndup(advert->data, advert->len), advert->len);
    hb_git_leave(c->h, c->repo);
    c->out->status = 200;
    hb_head(c->out, "content-type", "application/x-git-receive-pack-advertisement");
}

/* ---- fetch ---- */

/* The answer of a CGI program lies in a file; a large body is mapped, not copied. */
static void cgi_answer(struct hb_ctx *c, int fd)
{
    struct stat st;
    char head[4097];
    ssize_t n = pread(fd, head, sizeof head - 1, 0);
    head[n > 0 ? n : 0] = '\0';
    char *blank = strstr(head, "\r\n\r\n");
    if (blank == NULL || fstat(fd, &st) != 0 || ftruncate(fd, st.st_size + 1) != 0) {
        refuse(c, 500, "Internal Server Error");
        return;
    }
    size_t at = (size_t)(blank - head) + 4, len = (size_t)st.st_size;
    c->out->status = 200;
    blank[2] = '\0';
    for (char *line = head; *line != '\0';) {
        size_t k = strcspn(line, "\r");
        line[k] = '\0';
        char *colon = strstr(line, ": ");
        if (hb_starts(line, "Status: "))
            c->out->status = (int)strtol(line + 8, NULL, 10);
        else if (colon != NULL && strncasecmp(line, "content-type", 12) == 0)
            hb_head(c->out, "content-type", colon + 2);
        line += k + 2;
    }
    void *map = mmap(NULL, len + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED) {
        refuse(c, 500, "Internal Server Error");
        return;
    }
    hb_body_take(c->out, (unsigned char *)map + at, len - at);
    c->out->map = map;
    c->out->map_len = len + 1;
}

static char *env_of(const char *name, const char *value)
{
    return hb_fmt("%s=%s", name, value != NULL ? value : "");
}

/* dir: the repository's directory as it was when the request came. */
static void backend(struct hb_ctx *c, const char *dir, const char *service)
{
    static const char *const argv[] = {"git", "http-backend", NULL};
    bool post = strcmp(c->q->method, "POST") == 0;
    char *path = hb_fmt("%s/%s", dir, service), *length = hb_fmt("%zu", c->q->body_len);
    char *own[] = {env_of("PATH_TRANSLATED", path),
                   env_of("REQUEST_METHOD", post ? "POST" : "GET"),
                   env_of("QUERY_STRING", c->query),
                   env_of("CONTENT_TYPE", hb_header(c->q, "content-type")),
                   env_of("HTTP_CONTENT_ENCODING", hb_header(c->q, "content-encoding")),
                   env_of("GIT_PROTOCOL", hb_header(c->q, "git-protocol")),
                   env_of("CONTENT_LENGTH", length)};
    const char *env[] = {own[0],
                         own[1],
                         own[2],
                         own[3],
                         own[4],
                         own[5],
                         post ? own[6] : "REMOTE_USER=hub",
                         "GIT_HTTP_EXPORT_ALL=1",
                         "REMOTE_ADDR=127.0.0.1",
                         NULL};
    struct hb_child child = {.argv = argv, .env = env, .in = -1, .out = hb_tmp(c->h), .err = -1};
    if (post)
        child.in = hb_tmp_with(c->h, c->q->body, c->q->body_len);
    if (child.out < 0 || hb_run(&child) != 0)
        refuse(c, 500, "Internal Server Error");
    else
        cgi_answer(c, child.out);
    if (child.in >= 0)
        (void)close(child.in);
    if (child.out >= 0)
        (void)close(child.out);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        free(own[i]);
    free(path);
    free(length);
}

/* Readers do not wait for a push to the same repository. */
static void fetch(struct hb_ctx *c, const char *service)
{
    c->h->counters.git_fetches += strcmp(service, "git-upload-pack") == 0;
    char *dir = hb_strdup(c->repo->dir);
    pthread_mutex_unlock(&c->h->lock);
    backend(c, dir, service);
    pthread_mutex_lock(&c->h->lock);
    free(dir);
}

void hb_git_http(struct hb_ctx *c, const struct hub_fault *fault)
{
    struct git_path p = {0};
    (void)take_apart(c->q->path, &p);
    char *wanted = hb_query(c, "service");
    bool listing = strcmp(p.service, "info/refs") == 0;
    bool push = strcmp(listing && wanted != NULL ? wanted : p.service, "git-receive-pack") == 0;
    bool smart = !listing || push || (wanted != NULL && strcmp(wanted, "git-upload-pack") == 0);
    enum hb_verdict identity = hb_identify(c->h, hb_header(c->q, "authorization"), &c->who);
    c->repo = hb_repo(c->h, p.repo);
    if (c->repo == NULL && (c->repo = hb_repo_moved(c->h, p.repo)) != NULL)
        c->moved = true; /* git goes on working under the old name (6.1) */
    if (!refused(c, identity, push)) {
        if (!smart)
            refuse(c, 403, "Please upgrade your git client.");
        else if (!push)
            fetch(c, p.service);
        else if (listing)
            advertise(c);
        else
            hb_receive_pack(c, fault);
    }
    hb_head(c->out, "server", "GitHub-Babel/hub");
    hb_head(c->out, "cache-control", "no-cache, max-age=0, must-revalidate");
    hb_head(c->out, "expires", "Fri, 01 Jan 1980 00:00:00 GMT");
    free(wanted);
    free(p.repo);
}
