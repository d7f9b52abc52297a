/* A small world for the hub's own tests, made anew for each of them.
 *
 * Users octo and backup; repository backup/standby, private, with one commit on main. Tokens by
 * name: "full" (classic, repo and workflow), "plain" (classic, repo), "fine" (fine-grained,
 * everything), "job" (GITHUB_TOKEN of the repository with all it may have), "other" (classic, repo,
 * of octo). The clock stands still until it is moved. */
#ifndef HUB_HARNESS_H
#define HUB_HARNESS_H

#include "hub.h"

#include <jansson.h>

struct world {
    struct hub *h;
    char root[64];
    int64_t now;
};

void world_make(struct world *w);
void world_end(struct world *w);

/* One REST request; the path begins below /api/v3. `extra` is NULL or lines of "name: value".
 * Replaces the last reply. */
struct answer {
    struct hub_reply reply;
    int status;
    json_t *json; /* NULL: the body is none */
};
void ask(struct world *w, struct answer *a, const char *token, const char *method, const char *path,
         const char *body, const char *extra);
void answer_drop(struct answer *a);
/* The status alone. */
int status_of(struct world *w, const char *token, const char *method, const char *path,
              const char *body);
const char *head_of(const struct answer *a, const char *name); /* "" when absent */
long long int_of(const struct answer *a, const char *name);
const char *text_of(const struct answer *a, const char *name); /* "" when absent */

#define REPO "/repos/backup/standby"

/* Puts a secret as a client does; the status. */
int put_secret(struct world *w, const char *token, const char *name, const char *value, size_t len);

/* ---- git ---- */

void commit_file(struct world *w, const char *branch, const char *path, const char *text);
void tip_of(struct world *w, const char *ref,
            char out[65]); /* "" when there is none; ref as "heads/main" */

/* A push of objects that are there already. `caps` may be NULL: report-status side-band-64k. */
struct pushed {
    int status;
    char *report; /* bands 1 and 2 together, as text with the pkt-line lengths in it */
};
struct line {
    const char *before, *after, *ref; /* NULL: zeros */
};
void push(struct world *w, struct pushed *p, const char *token, const char *repo, const char *caps,
          const struct line *lines, size_t n);
void pushed_drop(struct pushed *p);
bool push_says(struct world *w, const char *token, const struct line *lines, size_t n,
               const char *text);
char *advertised(struct world *w, const char *token, const char *repo); /* NULs shown as blanks */

#endif
