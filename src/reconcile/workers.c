#include "pass_slave.h"

enum {
    WORKERS_DEFAULT = 32,
    WORKERS_MAX = 256,
    WORKER_STACK = 512 << 10 /* libgit2 and jansson recurse little; 1,000 threads would still fit */
};

struct crew {
    struct pass *pass;
    void (*fn)(struct pass_slave *s);
    size_t next;
    pthread_mutex_t lock;
};

static void *work(void *arg)
{
    struct crew *crew = arg;
    for (;;) {
        pthread_mutex_lock(&crew->lock);
        size_t i = crew->next++;
        pthread_mutex_unlock(&crew->lock);
        if (i >= crew->pass->n_slaves)
            return NULL;
        crew->fn(&crew->pass->slaves[i]);
    }
}

/* With one worker everything runs in this thread, in order: that is how passes are tested. */
void workers_run(struct pass *p, void (*fn)(struct pass_slave *s))
{
    struct crew crew = {.pass = p, .fn = fn};
    pthread_t threads[WORKERS_MAX];
    pthread_attr_t attr;
    size_t want = p->o.workers > 0 ? (size_t)p->o.workers : WORKERS_DEFAULT, started = 0;
    if (want > p->n_slaves)
        want = p->n_slaves;
    if (want > WORKERS_MAX)
        want = WORKERS_MAX;
    pthread_mutex_init(&crew.lock, NULL);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, WORKER_STACK);
    while (started + 1 < want && pthread_create(&threads[started], &attr, work, &crew) == 0)
        started++;
    work(&crew); /* this thread is one of them: a refused pthread_create only makes it slower */
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_attr_destroy(&attr);
    pthread_mutex_destroy(&crew.lock);
}
