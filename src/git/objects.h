/*
 * Small things around libgit2 that several files need. Include it before mirrorctl/git.h: some
 * names of the door are names of libgit2's, too.
 */
#ifndef MIRRORCTL_GIT_OBJECTS_H
#define MIRRORCTL_GIT_OBJECTS_H

#ifdef MIRRORCTL_GIT_H
#error "objects.h comes before mirrorctl/git.h"
#endif

/* Types there, which nobody here needs: libgit2 opens no connection. */
#define git_push       libgit2_push
#define git_credential libgit2_credential
#include <git2.h>
#undef git_credential
#undef git_push

#include "mirrorctl/git.h"

/* Fills *e with "fmt: what libgit2 says last". */
enum err_code git2_error(struct err *e, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* ERR_INVALID unless it is the hex of a SHA-1. */
enum err_code oid_parse(const char *hex, git_oid *out, struct err *e);
char *oid_hex(struct arena *a, const git_oid *oid);

void free_git_repository(git_repository **p); /* for CLEANUP, all of them */
void free_git_object(git_object **p);
void free_git_commit(git_commit **p);
void free_git_tree(git_tree **p);
void free_git_tree_entry(git_tree_entry **p);
void free_git_reference(git_reference **p);
void free_git_reference_iterator(git_reference_iterator **p);
void free_git_config(git_config **p);
void free_git_index(git_index **p);
void free_git_revwalk(git_revwalk **p);
void free_git_signature(git_signature **p);

#endif
