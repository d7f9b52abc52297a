#include "mirrorctl/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void plain_memory_is_zeroed_and_never_null(void **state UNUSED)
{
    char *p = mem_alloc(64);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(p[i], 0);
    p = mem_realloc(p, 128);
    assert_non_null(p);
    free(p);
    p = mem_alloc(0);
    assert_non_null(p);
    free(p);
    p = mem_strdup("word");
    assert_string_equal(p, "word");
    free(p);
}

static void arena_memory_is_zeroed_aligned_and_apart(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    unsigned char *blocks[400];

    for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
        size_t n = i * 37 % 5000;
        blocks[i] = arena_alloc(a, n);
        assert_int_equal((uintptr_t)blocks[i] % alignof(max_align_t), 0);
        for (size_t k = 0; k < n; k++)
            assert_int_equal(blocks[i][k], 0);
        memset(blocks[i], (int)(i % 255) + 1, n);
    }
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
        for (size_t k = 0; k < i * 37 % 5000; k++)
            assert_int_equal(blocks[i][k], i % 255 + 1);
    }
}

static void arena_takes_large_blocks_too(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    char *small = arena_strdup(a, "small");
    char *large = arena_alloc(a, 5 << 20);
    char *next = arena_strdup(a, "next");

    memset(large, 'x', 5 << 20);
    assert_string_equal(small, "small");
    assert_string_equal(next, "next");
}

static void arena_strings(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    assert_null(arena_strdup(a, NULL));
    assert_null(arena_strndup(a, NULL, 3));
    assert_string_equal(arena_strdup(a, ""), "");
    assert_string_equal(arena_strndup(a, "abcdef", 3), "abc");
    assert_string_equal(arena_strndup(a, "ab", 10), "ab");
    assert_string_equal(arena_printf(a, "%s-%d", "x", 5), "x-5");
    assert_string_equal(arena_printf(a, "%s", ""), "");
}

static void grow_keeps_what_is_there(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    size_t n = 0, cap = 0;
    int *numbers = NULL;

    for (; n < 1000; n++) {
        int *before = numbers;
        bool room = n < cap;
        numbers = arena_grow(a, numbers, n, &cap, sizeof(*numbers));
        assert_true(cap > n);
        if (room)
            assert_ptr_equal(numbers, before);
        numbers[n] = (int)n;
    }
    for (size_t i = 0; i < n; i++)
        assert_int_equal(numbers[i], i);
}

static void *fill_shared(void *arg)
{
    struct arena *a = arg;
    char *texts[2000];

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        texts[i] = arena_printf(a, "%p-%zu", (void *)texts, i);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CLEANUP(arena_freep) struct arena *own = arena_new();
        if (!str_eq(texts[i], arena_printf(own, "%p-%zu", (void *)texts, i)))
            return texts[i];
    }
    return NULL;
}

static void shared_arena_serves_many_threads(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new_shared();
    pthread_t threads[8];

    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fill_shared, a), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *broken = NULL;
        assert_int_equal(pthread_join(threads[i], &broken), 0);
        assert_null(broken);
    }
}

/* In a process of its own, with its stderr read back. */
static void no_memory_says_so_and_ends_with_3(void **state UNUSED)
{
    int ends[2], status = 0;
    char text[128] = "";

    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        static struct arena *volatile a; /* kept: valgrind looks for leaks at _exit too */
        a = arena_new();
        (void)arena_alloc(a, SIZE_MAX - 4);
        _exit(0);
    }
    (void)close(ends[1]);
    assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
    (void)close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
    assert_string_equal(text, "mirrorctl: out of memory\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_memory_is_zeroed_and_never_null),
        cmocka_unit_test(arena_memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(arena_takes_large_blocks_too),
        cmocka_unit_test(arena_strings),
        cmocka_unit_test(grow_keeps_what_is_there),
        cmocka_unit_test(shared_arena_serves_many_threads),
        cmocka_unit_test(no_memory_says_so_and_ends_with_3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
