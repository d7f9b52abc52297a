#include "fake.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct wall wall_of(void *ctx)
{
    struct fake_clock *c = ctx;
    return (struct wall){.s = FAKE_WALL + atomic_load(&c->ms) / 1000};
}

static struct mono mono_of(void *ctx)
{
    struct fake_clock *c = ctx;
    return (struct mono){.ms = atomic_load(&c->ms)};
}

static void sleep_of(void *ctx, struct ms d)
{
    struct fake_clock *c = ctx;
    atomic_fetch_add(&c->ms, d.v);
    atomic_fetch_add(&c->slept, d.v);
}

void fake_clock_init(struct fake_clock *c)
{
    atomic_init(&c->ms, 1000);
    atomic_init(&c->slept, 0);
    c->clock = (struct clock){wall_of, mono_of, sleep_of, c};
}

static void note(struct fake_wire *w, const struct http_exchange *x)
{
    size_t i = w->calls, used = 0;

    if (i >= FAKE_SEEN)
        abort();
    w->at[i] = w->clock == NULL ? 0 : atomic_load(&w->clock->ms);
    (void)snprintf(w->method[i], sizeof(w->method[i]), "%s", x->method);
    (void)snprintf(w->url[i], sizeof(w->url[i]), "%s", x->url);
    (void)snprintf(w->body[i], sizeof(w->body[i]), "%.*s", (int)x->body_len,
                   x->body == NULL ? "" : (const char *)x->body);
    for (size_t h = 0; x->headers[h] != NULL; h++) {
        int n = snprintf(w->headers[i] + used, sizeof(w->headers[i]) - used, "%s\n", x->headers[h]);
        used += (size_t)n;
    }
}

enum err_code fake_transport(void *ctx, struct http_exchange *x, struct err *e)
{
    struct fake_wire *w = ctx;

    note(w, x);
    const struct fake_reply *line = &w->script[w->calls < w->n ? w->calls : w->n - 1];
    w->calls++;
    if (line->fail != ERR_OK)
        return err_set(e, line->fail, "the wire was cut");
    x->reply_status = line->status;
    if (line->headers != NULL)
        TRY(buf_addstr(&x->reply_headers, line->headers, e));
    return line->body == NULL ? ERR_OK : buf_addstr(&x->reply_body, line->body, e);
}

void fake_dir_make(char out[static 64])
{
    (void)snprintf(out, 64, "/tmp/mirrorctl-http-XXXXXX");
    if (mkdtemp(out) == NULL)
        abort();
}

void fake_dir_remove(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *de;

    while (d != NULL && (de = readdir(d)) != NULL)
        if (de->d_name[0] != '.' || strlen(de->d_name) > 2)
            (void)unlinkat(dirfd(d), de->d_name, 0);
    if (d != NULL)
        (void)closedir(d);
    (void)rmdir(dir);
}
