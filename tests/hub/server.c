#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    MAX_CONNECTIONS = 2000,
    STACK = 512 * 1024,
    MAX_HEADERS = 64,
    IN_MEMORY = 1 << 20, /* a larger upload goes to a file */
    SLICE_MS = 100       /* how soon a waiting thread notices the end of the program */
};

struct server {
    struct hub *hub;
    const char *root;
    bool tls;
    atomic_bool stopping;
    struct MHD_Daemon *daemon;
};

struct upload {
    struct server *server;
    char *uri; /* as it was on the request line */
    bool begun;
    char *data;
    size_t len, cap;
    int fd;        /* -1 while it is small */
    void *map;     /* of the file, for the hub */
    long long cut; /* close the connection after so many bytes; -1: never */
};

/* ---- the body of the request ---- */

static bool write_all(int fd, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t k = write(fd, data, n);
        if (k < 0 && errno != EINTR)
            return false;
        if (k > 0) {
            data += k;
            n -= (size_t)k;
        }
    }
    return true;
}

static bool spill(struct upload *u, const char *data, size_t n)
{
    if (u->fd < 0) {
        u->fd = open(u->server->root, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (u->fd < 0 || !write_all(u->fd, u->data, u->len))
            return false;
        free(u->data);
        u->data = NULL;
    }
    u->len += n;
    return write_all(u->fd, data, n);
}

static bool take(struct upload *u, const char *data, size_t n)
{
    if (u->fd >= 0 || u->len + n > IN_MEMORY)
        return spill(u, data, n);
    if (u->len + n > u->cap) {
        size_t cap = (u->len + n) * 2;
        char *bigger = realloc(u->data, cap);
        if (bigger == NULL)
            return false;
        u->data = bigger;
        u->cap = cap;
    }
    memcpy(u->data + u->len, data, n);
    u->len += n;
    return true;
}

static void finished(void *cls, struct MHD_Connection *connection, void **state,
                     enum MHD_RequestTerminationCode why)
{
    (void)cls;
    (void)connection;
    (void)why;
    struct upload *u = *state;
    if (u == NULL)
        return;
    if (u->map != NULL)
        (void)munmap(u->map, u->len);
    if (u->fd >= 0)
        (void)close(u->fd);
    free(u->data);
    free(u->uri);
    free(u);
    *state = NULL;
}

/* ---- sockets ---- */

static int socket_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info == NULL ? -1 : info->connect_fd;
}

static bool from_afar(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info == NULL || info->client_addr->sa_family != AF_INET)
        return true;
    struct sockaddr_in in;
    memcpy(&in, info->client_addr, sizeof in);
    return ntohl(in.sin_addr.s_addr) >> 24 != 127;
}

/* As a crashed peer does. libmicrohttpd would send an orderly end before it closes; dissolving the
 * association, which Linux does for AF_UNSPEC, sends a reset at once. */
static enum MHD_Result reset(struct MHD_Connection *connection)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    (void)connect(socket_of(connection), &nobody, sizeof nobody);
    return MHD_NO;
}

static void wait_ms(const struct server *s, unsigned ms)
{
    while (ms > 0 && !s->stopping) {
        unsigned slice = ms < SLICE_MS ? ms : SLICE_MS;
        const struct timespec t = {.tv_sec = 0, .tv_nsec = (long)slice * 1000000};
        (void)nanosleep(&t, NULL);
        ms -= slice;
    }
}

/* Until the client has enough, or the program ends. */
static void be_silent(const struct server *s, struct MHD_Connection *connection)
{
    struct pollfd p = {.fd = socket_of(connection), .events = POLLRDHUP};
    while (!s->stopping && poll(&p, 1, SLICE_MS) == 0)
        continue;
}

/* ---- the reply ---- */

struct sending {
    const struct server *server;
    struct hub_reply reply;
};

static void sent(void *cls)
{
    struct sending *out = cls;
    hub_reply_release(&out->reply);
    free(out);
}

static ssize_t send_piece(void *cls, uint64_t pos, char *buf, size_t max)
{
    struct sending *out = cls;
    const struct hub_reply *r = &out->reply;
    if (pos >= r->sent_len)
        return MHD_CONTENT_READER_END_WITH_ERROR; /* promised more: the connection closes here */
    size_t n = r->sent_len - (size_t)pos;
    if (r->drip_bytes > 0) {
        wait_ms(out->server, r->drip_ms);
        n = n < r->drip_bytes ? n : r->drip_bytes;
    }
    n = n < max ? n : max;
    memcpy(buf, r->body + pos, n);
    return (ssize_t)n;
}

static struct MHD_Response *response_of(struct sending *out)
{
    const struct hub_reply *r = &out->reply;
    bool plain = r->drip_bytes == 0 && r->sent_len == r->declared_len && r->body_len == r->sent_len;
    if (plain)
        return MHD_create_response_from_buffer_with_free_callback_cls(r->body_len, r->body, sent,
                                                                      out);
    return MHD_create_response_from_callback(r->declared_len, 64 * 1024, send_piece, out, sent);
}

static enum MHD_Result answer(struct server *s, struct MHD_Connection *connection,
                              struct hub_reply *reply)
{
    if (reply->delay_ms > 0)
        wait_ms(s, reply->delay_ms);
    if (reply->kind != HUB_ANSWER) {
        if (reply->kind == HUB_SILENT)
            be_silent(s, connection);
        hub_reply_release(reply);
        return reset(connection);
    }
    struct sending *out = malloc(sizeof *out);
    if (out == NULL)
        return MHD_NO;
    *out = (struct sending){s, *reply};
    struct MHD_Response *response = response_of(out);
    if (response == NULL) {
        sent(out);
        return MHD_NO;
    }
    int status = reply->status;
    for (size_t i = 0; i < out->reply.n_headers; i++)
        (void)MHD_add_response_header(response, out->reply.headers[i].name,
                                      out->reply.headers[i].value);
    enum MHD_Result ok = MHD_queue_response(connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return ok;
}

/* ---- the request ---- */

struct collected {
    struct hub_header header[MAX_HEADERS];
    size_t n;
};

static enum MHD_Result collect(void *cls, enum MHD_ValueKind kind, const char *name,
                               const char *value)
{
    (void)kind;
    struct collected *c = cls;
    if (c->n < MAX_HEADERS)
        c->header[c->n++] = (struct hub_header){name, value != NULL ? value : ""};
    return MHD_YES;
}

/* MHD takes path and query apart and decodes them; GitHub's rules are the hub's own, so the line is
 * kept as it is. */
static void *begin(void *cls, const char *uri, struct MHD_Connection *connection)
{
    (void)connection;
    struct upload *u = calloc(1, sizeof *u);
    if (u == NULL)
        return NULL;
    u->server = cls;
    u->uri = strdup(uri);
    u->fd = -1;
    return u;
}

static size_t as_it_is(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    return strlen(text);
}

static enum MHD_Result serve(struct server *s, struct MHD_Connection *connection,
                             const char *method, struct upload *u)
{
    struct collected c = {.n = 0};
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, collect, &c);
    if (u->fd >= 0) {
        void *map = mmap(NULL, u->len, PROT_READ, MAP_PRIVATE, u->fd, 0);
        if (map == MAP_FAILED)
            return MHD_NO;
        u->map = map;
    }
    struct hub_request q = {.method = method,
                            .path = u->uri,
                            .tls = s->tls,
                            .remote_peer = from_afar(connection),
                            .host =
                                MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host"),
                            .headers = c.header,
                            .n_headers = c.n,
                            .body = u->map != NULL ? u->map : u->data,
                            .body_len = u->len,
                            .body_fd = u->fd >= 0 ? &u->fd : NULL};
    struct hub_reply reply;
    hub_handle(s->hub, &q, &reply);
    return answer(s, connection, &reply);
}

/* Called once with the head, then for each piece of the body, then once more with no piece. */
static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **state)
{
    (void)url;
    (void)version;
    struct server *s = cls;
    struct upload *u = *state;
    if (u == NULL || u->uri == NULL)
        return MHD_NO;
    if (!u->begun) {
        u->begun = true;
        u->cut = hub_upload_cut(s->hub, method, u->uri);
        return MHD_YES;
    }
    if (*size == 0)
        return serve(s, connection, method, u);
    if (!take(u, data, *size))
        return MHD_NO;
    *size = 0;
    return u->cut >= 0 && u->len >= (size_t)u->cut ? reset(connection) : MHD_YES;
}

/* ---- the door ---- */

static bool listen_on(struct server *s, const struct sockaddr_in *at, char *cert, char *key)
{
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                     MHD_USE_POLL |
                     MHD_USE_SUPPRESS_DATE_NO_CLOCK; /* Date comes from the hub's clock */
    const struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, cert},
                                         {MHD_OPTION_HTTPS_MEM_KEY, 0, key},
                                         {MHD_OPTION_END, 0, NULL}};
    const struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    if (s->tls)
        flags |= MHD_USE_TLS;
    s->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, handle, s, MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)at,
        MHD_OPTION_ARRAY, s->tls ? tls : none, MHD_OPTION_URI_LOG_CALLBACK, begin, s,
        MHD_OPTION_UNESCAPE_CALLBACK, as_it_is, NULL, MHD_OPTION_NOTIFY_COMPLETED, finished, NULL,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)MAX_CONNECTIONS, MHD_OPTION_THREAD_STACK_SIZE,
        (size_t)STACK, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(64 * 1024),
        MHD_OPTION_LISTEN_BACKLOG_SIZE, 1024U, MHD_OPTION_END);
    return s->daemon != NULL;
}

struct server *server_start(struct hub *hub, const char *root, const struct sockaddr_in *at,
                            char *cert, char *key)
{
    struct server *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->hub = hub;
    s->root = root;
    s->tls = cert != NULL;
    if (listen_on(s, at, cert, key))
        return s;
    free(s);
    return NULL;
}

unsigned server_port(const struct server *s)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info != NULL ? info->port : 0;
}

void server_stop(struct server *s)
{
    if (s == NULL)
        return;
    s->stopping = true;
    MHD_stop_daemon(s->daemon);
    free(s);
}
