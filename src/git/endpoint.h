/*
 * endpoint: the far side of an exchange, reached over https (the http room), over ssh, or as a
 * program on this machine. It moves bytes under deadlines; what they mean is wire.h's business.
 */
#ifndef MIRRORCTL_GIT_ENDPOINT_H
#define MIRRORCTL_GIT_ENDPOINT_H

#include "address.h"
#include "wire.h"

#define SERVICE_PUSH  "git-receive-pack"
#define SERVICE_FETCH "git-upload-pack"

struct endpoint {
    struct address at;
    const struct git_credential *credential;
    struct http *http;
    struct http_lane *lane;
    struct ms idle; /* silence that ends any phase; never 0 */
    const volatile int *interrupted;
};

/*
 * The advertisement of a service. ERR_AUTH, ERR_PERMISSION, ERR_NOT_FOUND, ERR_RATE, ERR_TIMEOUT,
 * ERR_UNAVAILABLE, ERR_INVALID and what advert_parse says, each with the address in its sentence.
 */
enum err_code endpoint_list(const struct endpoint *ep, const char *service, struct arena *a,
                            struct advert *out, struct err *e);

/* What is sent in one push. */
struct shipment {
    const struct buf *commands; /* pkt-lines, the flush included */
    int pack_fd;                /* read with pread from 0; -1: no pack */
    int64_t pack_size;
    void (*progress)(void *ctx, int64_t bytes, int64_t total); /* may be NULL */
    void *progress_ctx;
    /* Asked with the advertisement of this very connection (ssh and local) before anything is sent;
     * not ERR_OK ends the exchange there. */
    enum err_code (*look)(void *ctx, const struct advert *fresh, struct err *e);
    void *look_ctx;
};

/*
 * One push: *answer gets what came back, *out_words (in the arena) what was said on stderr. An
 * error means that the answer is not whole; it then holds what came, and nobody knows what the
 * server did. *out_sent is true as soon as a byte of the commands may have left.
 */
enum err_code endpoint_push(const struct endpoint *ep, const struct shipment *s, struct arena *a,
                            struct buf *answer, const char **out_words, bool *out_sent,
                            struct err *e);

#endif
