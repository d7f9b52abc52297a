#include "pass_slave.h"

#include <stdlib.h>

#include <time.h>

/*
 * The crew begins small, and grows while slaves wait and nobody gets done: over a slow line each
 * slave takes half a second, and all hands are there after 60 ms; next to a fast server four times
 * as many threads would mean four times as many TLS connections, and a fifth more CPU for the same
 * work (docs/measurements.md).
 */
enum {
    WORKERS_DEFAULT = 32,
    WORKERS_MAX = 256,
    WORKERS_FIRST = 3,
    GROW_MS = 20,
    WORKER_STACK = 512 << 10 /* libgit2 and jansson recurse little; 1,000 threads would still fit */
};

struct crew {
    void (*fn)(struct pass_slave *s);
    struct pass_slave **todo;
    size_t n, next, done;
    pthread_mutex_t lock;
    pthread_cond_t taken; /* the last of todo */
};

static void *work(void *arg)
{
    struct crew *crew = arg;
    pthread_mutex_lock(&crew->lock);
    while (crew->next < crew->n) {
        size_t i = crew->next++;
        if (crew->next == crew->n)
            pthread_cond_signal(&crew->taken);
        pthread_mutex_unlock(&crew->lock);
        crew->fn(crew->todo[i]);
        pthread_mutex_lock(&crew->lock);
        crew->done++;
    }
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

/* Under the lock. Waits until nothing is left to take, or for a while. */
static void wait_a_while(struct crew *crew)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += GROW_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    while (crew->next < crew->n && pthread_cond_timedwait(&crew->taken, &crew->lock, &until) == 0)
        ;
}

static size_t hire(struct crew *crew, pthread_t *threads, size_t have, size_t want)
{
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, WORKER_STACK);
    while (have < want && pthread_create(&threads[have], &attr, work, crew) == 0)
        have++;
    pthread_attr_destroy(&attr);
    return have;
}

static void crew_init(struct crew *crew)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&crew->taken, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&crew->lock, NULL);
}

static void run_threads(struct crew *crew, size_t most)
{
    pthread_t threads[WORKERS_MAX];
    size_t hired = hire(crew, threads, 0, most < WORKERS_FIRST ? most : WORKERS_FIRST);
    if (hired == 0)
        work(crew); /* a refused thread only makes it slower */
    pthread_mutex_lock(&crew->lock);
    while (crew->next < crew->n) {
        size_t before = crew->done;
        wait_a_while(crew);
        if (crew->done == before && crew->next < crew->n)
            hired = hire(crew, threads, hired, hired * 2 < most ? hired * 2 : most);
    }
    pthread_mutex_unlock(&crew->lock);
    for (size_t i = 0; i < hired; i++)
        pthread_join(threads[i], NULL);
}

/* With one worker everything runs in this thread, in order: that is how passes are tested. */
static void run_crew(const struct pass *p, struct crew *crew)
{
    size_t most = p->o.workers > 0 ? (size_t)p->o.workers : WORKERS_DEFAULT;
    if (most > crew->n)
        most = crew->n;
    if (most > WORKERS_MAX)
        most = WORKERS_MAX;
    crew_init(crew);
    if (most == 1)
        work(crew);
    else
        run_threads(crew, most);
    pthread_cond_destroy(&crew->taken);
    pthread_mutex_destroy(&crew->lock);
}

/* Who does not wait for the network is done here and now: a thread costs more than an idle slave.
 */
void workers_run(struct pass *p, void (*fn)(struct pass_slave *s),
                 bool (*waits)(const struct pass_slave *s))
{
    struct crew crew = {.fn = fn, .todo = mem_alloc(p->n_slaves * sizeof *crew.todo)};
    for (size_t i = 0; i < p->n_slaves; i++)
        if (waits(&p->slaves[i]))
            crew.todo[crew.n++] = &p->slaves[i];
        else
            fn(&p->slaves[i]);
    if (crew.n > 0)
        run_crew(p, &crew);
    free(crew.todo);
}
