/* The hub behind a socket.
 *
 * One thread a connection, not a small pool: a request may wait for git children, for a scripted
 * delay or for ever, and must not hold up the others. Clients of the tests keep at most some
 * hundred connections open. */
#ifndef HUB_SERVER_H
#define HUB_SERVER_H

#include "hub.h"

struct server;
struct sockaddr_in;

/* Listens at once. With `cert` and `key`, PEM texts, it speaks TLS. Uploads above 1 MiB lie in
 * unlinked files in `root`. hub, root, cert and key must outlive the server. NULL: see errno. */
struct server *server_start(struct hub *hub, const char *root, const struct sockaddr_in *at,
                            char *cert, char *key);
unsigned server_port(const struct server *s);
void server_stop(struct server *s); /* ends waiting requests; NULL is fine */

#endif
