/* A small server on loopback that does to its clients what no honest server would. */
#ifndef HTTP_TEST_PEER_H
#define HTTP_TEST_PEER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct peer_call {
    int fd;
    int number;      /* of the request at this server, from 0 */
    int on_line;     /* of the request on this connection, from 0 */
    char head[8192]; /* request line and headers */
    const char *body;
    size_t body_len;
    struct peer *peer;
    bool settled;
};

struct peer {
    /* Answers one request; false closes the connection. */
    bool (*answer)(struct peer_call *call);
    void *ctx;
    int fd;
    atomic_int requests, connections, at_once, most_at_once, stop;
    atomic_llong bytes; /* received, before any meaning */
    pthread_t thread;
    pthread_t lines[256];
    int fds[256];
    int n_lines;
    pthread_mutex_t lock;
    char url[64]; /* "http://127.0.0.1:PORT" */
};

void peer_start(struct peer *p, bool (*answer)(struct peer_call *call), void *ctx);
void peer_stop(struct peer *p);
/* All of it; false when the client has gone. */
bool peer_say(struct peer_call *c, const char *text);
bool peer_send(struct peer_call *c, const void *bytes, size_t n);
/* A whole reply with Content-Length. */
bool peer_reply(struct peer_call *c, const char *status, const char *headers, const char *body);
/* The request no longer counts for most_at_once. */
void peer_settled(struct peer_call *c);
/* Closes with RST instead of FIN. */
void peer_reset(struct peer_call *c);
/* Sleeps in short pieces until the time is over or the server stops. */
void peer_sleep(struct peer_call *c, int ms);

#endif
