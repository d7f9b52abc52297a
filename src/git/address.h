/*
 * address: the forms in which a repository's place is written (git.h), taken apart once.
 */
#ifndef MIRRORCTL_GIT_ADDRESS_H
#define MIRRORCTL_GIT_ADDRESS_H

#include "mirrorctl/git.h"

enum address_form { ADDRESS_HTTP, ADDRESS_SSH, ADDRESS_LOCAL };

struct address {
    enum address_form form;
    const char *url;    /* as given; http: without slashes at the end */
    const char *origin; /* http: scheme://host[:port] */
    const char *host;   /* lower case; NULL for local */
    const char *user;   /* ssh; or NULL */
    const char *port;   /* ssh: digits; or NULL */
    const char *path;   /* http: behind the origin; ssh: as the server's shell gets it; local */
};

/* ERR_USAGE. The result lives in the arena. */
enum err_code git_address_parse(struct arena *a, const char *url, struct address *out,
                                struct err *e);
/* Whether two addresses name one repository, as far as that can be told without asking. */
bool address_same(const struct address *x, const struct address *y);

/* ssh with all its options, up to and without the host; NULL-terminated. */
const char **address_ssh_options(struct arena *a, const struct git_credential *c, size_t *out_n);
/* The program that talks to `service` ("git-receive-pack") over ssh or on this machine. */
const char *const *address_argv(struct arena *a, const struct address *at,
                                const struct git_credential *c, const char *service);
/* 'quoted' for a POSIX shell, as git does it. */
char *shell_quote(struct arena *a, const char *s);

#endif
