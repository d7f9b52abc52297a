#include "peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct line {
    struct peer *peer;
    int fd;
};

static void must(bool good, const char *what)
{
    if (!good) {
        perror(what);
        abort();
    }
}

/* ---- Reading requests -------------------------------------------------------------------------
 */

/* Waits for bytes; false when the client has gone or the server stops. */
static bool readable(struct peer *p, int fd)
{
    struct pollfd pfd = {.fd = fd, .events = POLLIN};

    while (atomic_load(&p->stop) == 0)
        if (poll(&pfd, 1, 20) > 0)
            return true;
    return false;
}

static size_t length_of(const char *head)
{
    const char *at = strcasestr(head, "\r\ncontent-length:");
    return at == NULL ? 0 : strtoul(at + 17, NULL, 10);
}

/* Reads one request; the body is left in *body, which the caller frees. */
static bool read_request(struct peer *p, int fd, struct peer_call *call, char **body)
{
    size_t n = 0;
    char *end = NULL;

    while (end == NULL) {
        if (n >= sizeof(call->head) - 1 || !readable(p, fd))
            return false;
        ssize_t got = recv(fd, call->head + n, 1, 0);
        if (got <= 0)
            return false;
        n++;
        atomic_fetch_add(&p->bytes, 1);
        call->head[n] = '\0';
        end = strstr(call->head, "\r\n\r\n");
    }
    call->body_len = length_of(call->head);
    *body = calloc(1, call->body_len + 1);
    for (size_t at = 0; at < call->body_len;) {
        ssize_t got = readable(p, fd) ? recv(fd, *body + at, call->body_len - at, 0) : 0;
        if (got <= 0)
            return false;
        at += (size_t)got;
        atomic_fetch_add(&p->bytes, got);
    }
    call->body = *body;
    return true;
}

static void count_in(struct peer *p)
{
    int now = atomic_fetch_add(&p->at_once, 1) + 1, most = atomic_load(&p->most_at_once);
    while (now > most && !atomic_compare_exchange_weak(&p->most_at_once, &most, now))
        ;
}

void peer_settled(struct peer_call *c)
{
    if (!c->settled)
        atomic_fetch_sub(&c->peer->at_once, 1);
    c->settled = true;
}

static void *line_main(void *ctx)
{
    struct line *l = ctx;
    bool on = true;

    for (int i = 0; on; i++) {
        struct peer_call call = {.fd = l->fd, .on_line = i, .peer = l->peer};
        char *body = NULL;
        on = read_request(l->peer, l->fd, &call, &body);
        if (on) {
            call.number = atomic_fetch_add(&l->peer->requests, 1);
            count_in(l->peer);
            on = l->peer->answer(&call);
            peer_settled(&call);
        }
        free(body);
    }
    (void)shutdown(l->fd, SHUT_RDWR);
    free(l);
    return NULL;
}

static void *accept_main(void *ctx)
{
    struct peer *p = ctx;

    while (atomic_load(&p->stop) == 0) {
        if (!readable(p, p->fd))
            break;
        int fd = accept4(p->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        must(p->n_lines < 256, "too many connections");
        atomic_fetch_add(&p->connections, 1);
        struct line *l = calloc(1, sizeof(*l));
        l->peer = p;
        l->fd = fd;
        p->fds[p->n_lines] = fd;
        must(pthread_create(&p->lines[p->n_lines++], NULL, line_main, l) == 0, "thread");
    }
    return NULL;
}

/* ---- Its life ---------------------------------------------------------------------------------
 */

void peer_start(struct peer *p, bool (*answer)(struct peer_call *call), void *ctx)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);

    memset(p, 0, sizeof(*p));
    p->answer = answer;
    p->ctx = ctx;
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(p->fd >= 0 && bind(p->fd, (struct sockaddr *)&at, len) == 0, "bind");
    must(listen(p->fd, 256) == 0 && getsockname(p->fd, (struct sockaddr *)&at, &len) == 0,
         "listen");
    (void)snprintf(p->url, sizeof(p->url), "http://127.0.0.1:%d", ntohs(at.sin_port));
    must(pthread_create(&p->thread, NULL, accept_main, p) == 0, "thread");
}

void peer_stop(struct peer *p)
{
    atomic_store(&p->stop, 1);
    (void)pthread_join(p->thread, NULL);
    for (int i = 0; i < p->n_lines; i++) {
        (void)pthread_join(p->lines[i], NULL);
        (void)close(p->fds[i]);
    }
    (void)close(p->fd);
}

bool peer_send(struct peer_call *c, const void *bytes, size_t n)
{
    for (size_t at = 0; at < n;) {
        struct pollfd pfd = {.fd = c->fd, .events = POLLOUT};
        if (atomic_load(&c->peer->stop) != 0)
            return false;
        if (poll(&pfd, 1, 20) <= 0)
            continue;
        ssize_t sent = send(c->fd, (const char *)bytes + at, n - at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent <= 0)
            return false;
        at += (size_t)sent;
    }
    return true;
}

bool peer_say(struct peer_call *c, const char *text)
{
    return peer_send(c, text, strlen(text));
}

bool peer_reply(struct peer_call *c, const char *status, const char *headers, const char *body)
{
    char head[4096];

    (void)snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n", status,
                   strlen(body), headers);
    return peer_say(c, head) && peer_say(c, body);
}

void peer_reset(struct peer_call *c)
{
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    int spare = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    /* Closes the connection now, while the number stays taken until peer_stop. */
    (void)dup3(spare, c->fd, O_CLOEXEC);
    (void)close(spare);
}

void peer_sleep(struct peer_call *c, int ms)
{
    for (int slept = 0; slept < ms && atomic_load(&c->peer->stop) == 0; slept += 10) {
        struct timespec t = {.tv_nsec = 10000000};
        (void)nanosleep(&t, NULL);
    }
}
