/* settle: what became of each command, from the report and from the list that was read afterwards.
 * Pure. */
#ifndef MIRRORCTL_GIT_SETTLE_H
#define MIRRORCTL_GIT_SETTLE_H

#include "wire.h"

struct settlement {
    struct arena *arena;
    const struct report *report;
    const char *words;            /* of the connection itself: stderr, an error sentence; or "" */
    const struct git_refs *after; /* NULL: could not be listed */
    const char *list_trouble;     /* why not */
};

/* The command was sent in this exchange. */
void settle_command(const struct settlement *st, struct git_command *c);
/* Whether the ref has the value that the command wants; false when it was not listed. */
bool settle_is_there(const struct git_refs *after, const struct git_command *c);
/* Whether the ref is as it was before the command; false when it was not listed. */
bool settle_is_untouched(const struct git_refs *after, const struct git_command *c);

#endif
