/* What the files of this room share: the rows of table.c, and how an outcome is filled. */
#ifndef MIRRORCTL_SRC_KINDS_H
#define MIRRORCTL_SRC_KINDS_H

#include "mirrorctl/kinds.h"

extern const struct kind_row kind_row_actions, kind_row_ref, kind_row_default_branch,
    kind_row_secret, kind_row_variable, kind_row_workflow, kind_row_role;

/* The action is done; the ledger will say value and stamp (NULL for a deletion). */
void outcome_done(struct kind_outcome *o, const struct action *a, const char *value,
                  const char *stamp);
/* The action failed with *e. */
void outcome_failed(struct kind_outcome *o, const struct err *e);
/* Actions i … n-1 were not begun, because of *e. */
void outcomes_not_begun(struct kind_outcome *o, size_t i, size_t n, const struct err *e);

/* Whether the user asked to stop; fills *e with ERR_INTERRUPTED when so. */
bool kind_interrupted(const struct kind_context *c, struct err *e);

/* Errors after which nothing else is tried with this slave in this pass. */
bool err_stops_slave(enum err_code code);

/*
 * One listing went wrong: the kind is FAILED with that error, and the caller returns ERR_OK, except for
 * errors that make the whole slave unreadable, which are returned.
 */
enum err_code view_fail(struct view *v, enum kind k, const struct err *e);

/*
 * Most writes are one request each. Carries out actions one after the other with `one`, stopping
 * between two of them when the user asked to, or when an error stops the slave.
 */
enum err_code apply_each(struct kind_context *c, const struct action *actions, size_t n,
                         struct kind_outcome *outcomes,
                         enum err_code (*one)(struct kind_context *c, const struct action *a,
                                              struct kind_outcome *o, struct err *e),
                         struct err *e);

#endif
