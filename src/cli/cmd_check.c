#include "core.h"

#include <stdio.h>

int cmd_check(const struct cli_options *o)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct manifest *m = NULL;
    int code = load_manifest(o, a, &m);
    if (code == 0 && !o->quiet)
        printf("%s: good: master %s, %zu slave%s\n", m->path,
               m->master.repo != NULL ? m->master.repo : m->master.url, m->n_slaves,
               m->n_slaves == 1 ? "" : "s");
    return code;
}
