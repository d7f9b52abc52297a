/* Inside the engine: a transfer while curl has it. Touched by the engine thread only, but for
 * `done`. */
#ifndef MIRRORCTL_HTTP_FLIGHT_H
#define MIRRORCTL_HTTP_FLIGHT_H

#include "internal.h"

#include <curl/curl.h>
#include <semaphore.h>

struct flight {
    struct transfer *t;
    struct flight *next, *prev; /* of the inbox, the queue, or those in the air */
    CURL *easy;
    struct curl_slist *headers;
    char text[CURL_ERROR_SIZE]; /* what curl says */
    size_t head_bytes;          /* of all header blocks of this exchange */
    int64_t body_at;            /* next byte of the request's body */
    int sends;                  /* how often curl began to send it */
    int64_t progress, last_progress;
    struct mono last_change;

    enum err_code code;
    struct err err;
    sem_t landed; /* posted when the flight is over: then it is its caller's again */
};

/* What every transfer of an engine has in common. */
struct transfer_common {
    struct trust trust;
    struct ms connect_timeout;
    const struct clock *clock;
};

/* Sets up f->easy. False when curl refuses an option: that is a curl other than it was built for.
 */
bool transfer_prepare(struct flight *f, const struct transfer_common *common);
/* Turns curl's verdict into code, err and the result in f->t. */
void transfer_conclude(struct flight *f, CURLcode rc);
/* The list of headers for curl; free it with transfer_headers_free, which wipes it. */
struct curl_slist *transfer_headers(const struct transfer *t);
void transfer_headers_free(struct curl_slist *list);

#endif
