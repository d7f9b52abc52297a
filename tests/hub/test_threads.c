/* Many at once: writers, readers, pushers and somebody who looks at the log. ThreadSanitizer is the
 * real judge. */
#include "harness.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { THREADS = 4, ROUNDS = 25 };

struct worker {
    struct world *w;
    int number;
    char tip[65];
    int done;
};

static void *work(void *arg)
{
    struct worker *me = arg;
    for (int i = 0; i < ROUNDS; i++) {
        char body[100], ref[64], ok[80];
        struct hub_entry e;
        (void)snprintf(body, sizeof body, "{\"name\":\"V_%d_%d\",\"value\":\"x\"}", me->number, i);
        (void)snprintf(ref, sizeof ref, "refs/heads/w%d/%d", me->number, i);
        (void)snprintf(ok, sizeof ok, "ok %s", ref);
        const struct line line = {NULL, me->tip, ref};
        me->done += status_of(me->w, "full", "POST", REPO "/actions/variables", body) == 201;
        me->done +=
            status_of(me->w, "full", "GET", REPO "/actions/variables?per_page=30", NULL) == 200;
        me->done += push_says(me->w, "full", &line, 1, ok);
        me->done += status_of(me->w, "full", "GET", REPO "/git/matching-refs/heads/", NULL) == 200;
        if (hub_log_get(me->w->h, (size_t)i, &e))
            hub_entry_release(&e);
        (void)hub_quirk_set(me->w->h, "sealed-size", i % 2);
        (void)hub_workflow_set(me->w->h, "backup/standby", "ci.yml",
                               i % 2 ? "active" : "disabled_manually");
    }
    return NULL;
}

static void nothing_is_lost(void **state)
{
    (void)state;
    struct world w;
    struct answer a = {0};
    pthread_t thread[THREADS];
    struct worker worker[THREADS];
    world_make(&w);
    for (int i = 0; i < THREADS; i++) {
        worker[i] = (struct worker){.w = &w, .number = i};
        tip_of(&w, "heads/main", worker[i].tip);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, work, &worker[i]), 0);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(thread[i], NULL);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(worker[i].done, 4 * ROUNDS);
    ask(&w, &a, "full", "GET", REPO "/actions/variables", NULL, NULL);
    assert_int_equal(int_of(&a, "total_count"), THREADS * ROUNDS);
    ask(&w, &a, "full", "GET", REPO "/git/matching-refs/heads/w", NULL, NULL);
    assert_int_equal(json_array_size(a.json), THREADS * ROUNDS);
    answer_drop(&a);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_lost)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
