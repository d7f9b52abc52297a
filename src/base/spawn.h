/* Private to base: the fork and exec below child.c. */
#ifndef MIRRORCTL_BASE_SPAWN_H
#define MIRRORCTL_BASE_SPAWN_H

#include "mirrorctl/base.h"

#include <sys/types.h>

enum {
    SPAWN_SECRET_FD = 9, /* part of base.h's promise: git's credential helper reads it */
};

struct spawn {
    const char *const *argv;
    const char *const *env; /* added to the cleaned environment; NULL: none */
    bool env_whole;         /* all of ours but GIT_*, not only what PASSED_ON names */
    const char *cwd;        /* NULL: as is */
    int in, out, err;       /* become 0, 1 and 2 */
    int secret;             /* becomes SPAWN_SECRET_FD; -1: none */
};

/*
 * Starts the program as leader of a process group of its own. ERR_OK means that exec succeeded.
 * ERR_NOT_FOUND: no such program. ERR_IO: anything else. The caller keeps the descriptors.
 */
enum err_code spawn_process(const struct spawn *s, pid_t *out_pid, struct err *e);

#endif
