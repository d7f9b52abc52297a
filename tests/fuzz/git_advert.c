/* Advertisements: as child processes and smart HTTP give them. */
#include "../../src/git/wire.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char *const SERVICES[] = {NULL, "git-receive-pack"};

    for (size_t i = 0; i < ARRAY_LEN(SERVICES); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct err e = ERR_INIT;
        struct advert x;
        if (advert_parse(a, bytes, n, SERVICES[i], &x, &e) != ERR_OK)
            continue;
        for (size_t k = 0; k < x.refs.n; k++) {
            const struct git_ref *ref = &x.refs.items[k];
            if (!str_starts_with(ref->name, "refs/") || strpbrk(ref->name, " \n\x1b") != NULL ||
                refs_find(x.refs.items, x.refs.n, ref->name) != ref)
                __builtin_trap();
        }
    }
    return 0;
}
