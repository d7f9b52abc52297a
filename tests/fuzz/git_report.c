/* Reports of a push with and without side-band, and the words between them. */
#include "../../src/git/settle.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void settle(struct arena *a, const struct report *report)
{
    static struct git_ref there[] = {
        {"refs/heads/a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
    };
    struct git_refs after = {.items = there, .n = 1};
    struct settlement st = {.arena = a, .report = report, .words = "", .after = &after};
    struct git_command moved = {.ref = "refs/heads/a", .old_oid = "b", .new_oid = "c"};
    struct git_command same = {.ref = "refs/heads/a", .old_oid = there[0].oid, .new_oid = "c"};

    settle_command(&st, &moved);
    settle_command(&st, &same);
    /* Whatever the server says: what is not there is not done. */
    if (moved.result == GIT_DONE || same.result == GIT_DONE)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    for (int side_band = 0; side_band < 2; side_band++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct report r;
        report_parse(a, bytes, n, side_band != 0, &r);
        if (r.remote[strcspn(r.remote, "\x1b\r\x07\x7f")] != '\0')
            __builtin_trap();
        settle(a, &r);
    }
    return 0;
}
