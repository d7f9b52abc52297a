/*
 * The engine: one thread, one curl multi handle. Threads that call engine_run put a flight into the
 * inbox, wake the engine, and sleep on the flight's own semaphore. The lock guards inbox, woken and
 * stop; curl itself is touched by the engine thread only.
 */
#include "flight.h"

#include <signal.h>
#include <stdlib.h>

enum {
    ENGINE_REST_MS = 10000, /* poll with nothing to do; a wake-up ends it */
};

struct list {
    struct flight *first, *last;
    int n;
};

struct engine {
    CURLM *multi;
    pthread_t thread;
    struct transfer_common common;
    const volatile int *interrupted;

    pthread_mutex_t lock;
    struct list inbox;
    bool woken, stop;

    struct list queue, air; /* waiting for a free place; in curl's hands */
    CURL *spare[HTTP_IN_FLIGHT];
    int n_spare;
    struct mono next_tick;
};

static void list_add(struct list *l, struct flight *f)
{
    f->next = NULL;
    f->prev = l->last;
    if (l->last != NULL)
        l->last->next = f;
    else
        l->first = f;
    l->last = f;
    l->n++;
}

static void list_remove(struct list *l, struct flight *f)
{
    if (f->prev != NULL)
        f->prev->next = f->next;
    else
        l->first = f->next;
    if (f->next != NULL)
        f->next->prev = f->prev;
    else
        l->last = f->prev;
    l->n--;
}

/* ---- On the engine thread ---------------------------------------------------------------------
 */

/* The last touch: its caller may be gone with it at once. */
static void land(struct flight *f)
{
    (void)sem_post(&f->landed);
}

/* Takes a flight out of curl's hands; its own code stands when a callback or a tick has set one. */
static void finish(struct engine *g, struct flight *f, CURLcode rc)
{
    transfer_conclude(f, rc);
    (void)curl_multi_remove_handle(g->multi, f->easy);
    curl_easy_reset(f->easy); /* it pointed to the credential's header */
    g->spare[g->n_spare++] = f->easy;
    list_remove(&g->air, f);
    land(f);
}

static void start(struct engine *g, struct flight *f)
{
    f->easy = g->n_spare > 0 ? g->spare[--g->n_spare] : curl_easy_init();
    f->last_change = clock_mono(g->common.clock);
    if (f->easy == NULL || !transfer_prepare(f, &g->common) ||
        curl_multi_add_handle(g->multi, f->easy) != CURLM_OK) {
        f->code = err_set(&f->err, ERR_IO, "this libcurl cannot make the request");
        if (f->easy != NULL)
            curl_easy_cleanup(f->easy);
        land(f);
        return;
    }
    list_add(&g->air, f);
}

/* False when the engine is to end: nothing is left and nobody will come. */
static bool take_in(struct engine *g)
{
    (void)pthread_mutex_lock(&g->lock);
    while (g->inbox.first != NULL) {
        struct flight *f = g->inbox.first;
        list_remove(&g->inbox, f);
        list_add(&g->queue, f);
    }
    g->woken = false;
    bool stop = g->stop;
    (void)pthread_mutex_unlock(&g->lock);

    while (g->queue.first != NULL && g->air.n < HTTP_IN_FLIGHT) {
        struct flight *f = g->queue.first;
        list_remove(&g->queue, f);
        start(g, f);
    }
    return !stop || g->air.n > 0;
}

static void collect(struct engine *g)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(g->multi, &left)) != NULL) {
        struct flight *f = NULL;
        CURLcode rc = msg->data.result;
        if (msg->msg == CURLMSG_DONE &&
            curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &f) == CURLE_OK && f != NULL)
            finish(g, f, rc);
    }
}

/* Silence counts from the moment the connection stands; before that the connect timeout holds. */
static bool is_silent(struct flight *f, struct mono now)
{
    curl_off_t up = 0;

    (void)curl_easy_getinfo(f->easy, CURLINFO_SIZE_UPLOAD_T, &up);
    if (f->progress + up != f->last_progress || f->sends == 0) {
        f->last_progress = f->progress + up;
        f->last_change = now;
        return false;
    }
    return now.ms - f->last_change.ms >= f->t->idle.v;
}

/* Whether a flight has to come down: sets its code. */
static bool is_over(struct engine *g, struct flight *f, struct mono now, bool in_air)
{
    if (g->interrupted != NULL && __atomic_load_n(g->interrupted, __ATOMIC_RELAXED) != 0)
        f->code = err_set(&f->err, ERR_INTERRUPTED, "interrupted");
    else if (now.ms >= f->t->deadline.ms)
        f->code = err_set(&f->err, ERR_TIMEOUT, "no answer before the deadline");
    else if (in_air && is_silent(f, now))
        f->code = err_set(&f->err, ERR_TIMEOUT, "the server was silent for %.3g s",
                          (double)f->t->idle.v / 1000);
    return f->code != ERR_OK;
}

static void tick(struct engine *g)
{
    struct mono now = clock_mono(g->common.clock);
    struct flight *next;

    if (now.ms < g->next_tick.ms)
        return;
    g->next_tick.ms = now.ms + HTTP_TICK_MS;
    for (struct flight *f = g->air.first; f != NULL; f = next) {
        next = f->next;
        if (is_over(g, f, now, true))
            finish(g, f, CURLE_ABORTED_BY_CALLBACK);
    }
    for (struct flight *f = g->queue.first; f != NULL; f = next) {
        next = f->next;
        if (is_over(g, f, now, false)) {
            list_remove(&g->queue, f);
            land(f);
        }
    }
}

static void *engine_main(void *ctx)
{
    struct engine *g = ctx;
    int running;

    while (take_in(g)) {
        (void)curl_multi_perform(g->multi, &running);
        collect(g);
        tick(g);
        int rest = g->air.n + g->queue.n > 0 ? HTTP_TICK_MS : ENGINE_REST_MS;
        (void)curl_multi_poll(g->multi, NULL, 0, rest, NULL);
    }
    return NULL;
}

/* ---- On the threads of callers ----------------------------------------------------------------
 */

enum err_code engine_run(struct engine *g, struct transfer *t, struct err *e)
{
    struct flight f = {.t = t, .headers = transfer_headers(t)};

    t->head = (struct buf)BUF_INIT(LIMIT_HTTP_HEADERS);
    t->reply = (struct buf)BUF_INIT(t->max_body);
    (void)sem_init(&f.landed, 0, 0);
    (void)pthread_mutex_lock(&g->lock);
    list_add(&g->inbox, &f);
    bool wake = !g->woken;
    g->woken = true;
    (void)pthread_mutex_unlock(&g->lock);
    if (wake)
        (void)curl_multi_wakeup(g->multi);
    while (sem_wait(&f.landed) != 0)
        ; /* a signal came: the engine decides when it is over */
    (void)sem_destroy(&f.landed);
    transfer_headers_free(f.headers);
    if (f.code != ERR_OK)
        *e = f.err;
    return f.code;
}

void transfer_release(struct transfer *t)
{
    buf_release(&t->head);
    buf_release(&t->reply);
}

/* ---- Making and ending ------------------------------------------------------------------------
 */

static void init_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Signals belong to whoever started us: the engine thread takes none. */
static bool start_thread(struct engine *g)
{
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&g->thread, NULL, engine_main, g) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static void engine_release(struct engine *g)
{
    while (g->n_spare > 0)
        curl_easy_cleanup(g->spare[--g->n_spare]);
    if (g->multi != NULL)
        (void)curl_multi_cleanup(g->multi);
    fd_closep(&g->common.trust.fd);
    (void)pthread_mutex_destroy(&g->lock);
    free(g);
}

enum err_code engine_new(const struct http_config *cfg, struct engine **out, struct err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct trust trust;

    (void)pthread_once(&once, init_curl);
    TRY(trust_open(cfg->ca_file, &trust, e));
    struct engine *g = mem_alloc(sizeof(*g));
    g->common.trust = trust;
    g->common.connect_timeout = cfg->connect_timeout;
    g->common.clock = cfg->clock;
    g->interrupted = cfg->interrupted;
    (void)pthread_mutex_init(&g->lock, NULL);
    g->multi = curl_multi_init();
    if (g->multi == NULL ||
        curl_multi_setopt(g->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX) != CURLM_OK ||
        curl_multi_setopt(g->multi, CURLMOPT_MAXCONNECTS, (long)HTTP_IN_FLIGHT) != CURLM_OK ||
        !start_thread(g)) {
        engine_release(g);
        return err_set(e, ERR_IO, "the http engine does not start");
    }
    *out = g;
    return ERR_OK;
}

void engine_free(struct engine *g)
{
    (void)pthread_mutex_lock(&g->lock);
    g->stop = true;
    (void)pthread_mutex_unlock(&g->lock);
    (void)curl_multi_wakeup(g->multi);
    (void)pthread_join(g->thread, NULL);
    engine_release(g);
}
