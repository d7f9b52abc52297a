/* A folder with real repositories, made by git and a shell, for the tests of this room. */
#ifndef MIRRORCTL_TEST_GIT_FIXTURE_H
#define MIRRORCTL_TEST_GIT_FIXTURE_H

#include "mirrorctl/git.h"

struct place {
    char *dir; /* absolute; HOME of the process while it is open */
    struct arena *arena;
    struct err err; /* of the call under test */
};

/* For cmocka's setup and teardown: *state is a struct place. */
int place_setup(void **state);
int place_teardown(void **state);

/*
 * Runs a script in the folder with a fixed identity and date; fails the test unless it ends with 0.
 * Returns what it printed, without the newline at the end.
 *
 *   mk NAME           a bare repository NAME
 *   commit REPO REF MESSAGE [PARENT]   writes a commit (bare), moves REF to it, prints its id
 */
const char *sh(struct place *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
const char *at(struct place *p, const char *name); /* dir + "/" + name */

/* A bare master with two branches, a tag, an annotated tag: main has 3 commits, side 1 more on the
 * 2nd. */
void make_master(struct place *p, const char *name);
/* Opens it with a cache "cache"; fails the test when that fails. */
struct git_source *open_source(struct place *p, const char *master);
struct git_remote *open_remote(struct place *p, const char *name);
struct git_refs list(struct place *p, struct git_remote *r);
const char *value(const struct git_refs *refs, const char *name); /* or NULL */
/* Both repositories have equal refs, and git fsck finds nothing. */
void assert_in_step(struct place *p, const char *master, const char *slave);

void assert_ok(struct place *p, enum err_code r);
void assert_fails(struct place *p, enum err_code r, enum err_code expected, const char *text);

#endif
