/* Smart HTTP: the https half of endpoint.h. */
#ifndef MIRRORCTL_GIT_ENDPOINT_HTTP_H
#define MIRRORCTL_GIT_ENDPOINT_HTTP_H

#include "endpoint.h"

enum err_code endpoint_http_list(const struct endpoint *ep, const char *service, struct arena *a,
                                 struct advert *out, struct err *e);
enum err_code endpoint_http_push(const struct endpoint *ep, const struct shipment *s,
                                 struct buf *answer, bool *out_sent, struct err *e);

#endif
