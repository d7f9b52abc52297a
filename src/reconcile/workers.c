#include "pass_slave.h"

#include <stdlib.h>

enum {
    WORKERS_DEFAULT = 32,
    WORKERS_MAX = 256,
    WORKER_STACK = 512 << 10 /* libgit2 and jansson recurse little; 1,000 threads would still fit */
};

struct crew {
    void (*fn)(struct pass_slave *s);
    struct pass_slave **todo;
    size_t n, next;
    pthread_mutex_t lock;
};

static void *work(void *arg)
{
    struct crew *crew = arg;
    for (;;) {
        pthread_mutex_lock(&crew->lock);
        size_t i = crew->next++;
        pthread_mutex_unlock(&crew->lock);
        if (i >= crew->n)
            return NULL;
        crew->fn(crew->todo[i]);
    }
}

/* With one worker everything runs in this thread, in order: that is how passes are tested. */
static void run_crew(const struct pass *p, struct crew *crew)
{
    pthread_t threads[WORKERS_MAX];
    pthread_attr_t attr;
    size_t want = p->o.workers > 0 ? (size_t)p->o.workers : WORKERS_DEFAULT, started = 0;
    if (want > crew->n)
        want = crew->n;
    if (want > WORKERS_MAX)
        want = WORKERS_MAX;
    pthread_mutex_init(&crew->lock, NULL);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, WORKER_STACK);
    while (started + 1 < want && pthread_create(&threads[started], &attr, work, crew) == 0)
        started++;
    work(crew); /* this thread is one of them: a refused pthread_create only makes it slower */
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_attr_destroy(&attr);
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
