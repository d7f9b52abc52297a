/* The awkward behaviours, one row each. test_quirks.c holds every row against what a client sees,
 * on and off. */
#include "internal.h"

/* In the order of enum hb_quirk. */
const struct hub_quirk hub_quirks[] = {
    {"user-agent", "0", 1, "a request without User-Agent is refused with 403"},
    {"api-version", "5.6", 1, "an unknown X-GitHub-Api-Version is refused with 400"},
    {"trailing-slash", "0", 1, "a path with a trailing slash is 404"},
    {"lockout", "0", 10,
     "after so many 401 in five minutes every credential gets 403 for five minutes; 0: never"},
    {"ambiguous-404", "5.2", 1, "private and out of reach looks like absent: 404, not 403"},
    {"upper-case", "1.2", 1, "names of secrets and variables are stored in upper case"},
    {"small-pages", "1.13", 1,
     "variables come 10 a page, 30 at most; off: 30 and 100 as elsewhere"},
    {"silent-cap", "1.13", 1, "a per_page above the maximum is lowered without a word; off: 422"},
    {"link-by-id", "1.13", 1, "Link uses /repositories/{id}/...; off: the path of the request"},
    {"no-upsert", "1.3", 1, "POST of an existing variable is 409; off: it overwrites"},
    {"blank-variable", "1.3", 1, "an empty variable value is refused with 422"},
    {"secret-created", "1.2", 1,
     "PUT of a new secret is 201 {}, of a known one 204; off: always 204"},
    {"sealed-size", "1.2", 0,
     "the 48 KB of a secret are counted in sealed bytes; off: in plain ones"},
    {"key-id-integer", "1.2", 0, "key_id is a JSON integer, as an Enterprise Server answered"},
    {"eventual", "1.2", 0, "so many reads after a write still see what was before"},
    {"disable-twice", "1.4", 1, "disabling a workflow that is not active is 403"},
    {"offset-times", "1.4", 1, "workflow times have a fraction and an offset; off: they end in Z"},
    {"ghosts", "1.4", 1,
     "a workflow whose file is gone from every branch stays in the list as active"},
    {"dynamic", "1.4", 1, "GitHub's own dynamic/... workflows appear in the list"},
    {"empty-path", "1.4", 0, "the list has a row whose path is empty"},
    {"other-branches", "1.4", 1, "files that live only on other branches appear in the list"},
    {"actions-off-404", "1.5", 1,
     "with Actions off the workflow list is 404; 2: empty; off: as ever"},
    {"dispatch-204", "1.4", 1,
     "dispatch answers 204 in 2022-11-28; off: always 200 with run details"},
    {"raw-etag", "1.6", 1, "raw contents carry the blob id as a strong ETag"},
    {"ruleset-404", "1.8", 1, "a branch under a ruleset answers 404 on the classic endpoint"},
    {"github-token", "3.2", 1, "GITHUB_TOKEN never reaches variables, secrets or settings"},
    {"rate-limit", "4.1", 5000, "requests an hour for a user; 0: no limit and /rate_limit is 404"},
    {"free-304", "4.4", 1, "an authenticated 304 is not charged"},
    {"etag-per-token", "4.4", 1, "another token sees another ETag"},
    {"etag-weak", "4.4", 1, "ETags are weak on 200 and strong on 304; off: strong on both"},
    {"empty-accepted", "0", 1, "X-Accepted-OAuth-Scopes is empty for Actions endpoints"},
    {"write-307", "5.1", 1, "a renamed repository redirects writes with 307; off: 301 as for GET"},
    {"redirect-charged", "5.1", 1, "redirects are charged"},
    {"hidden-refs", "6.2", 1, "refs/pull/* is left out of the push advertisement and refused"},
    {"workflow-scope", "3.1", 1,
     "pushing workflow content that no branch has needs the workflow scope"},
    {"keep-default", "6.3", 1, "deleting the default branch by push is refused"},
    {"check-noop", "6.2", 1,
     "a line with equal old and new value is a precondition; off: it is ignored"},
    {"moved-message", "6.1", 1, "a push to a renamed repository works and says where it moved"},
    {"first-default", "6.4", 1,
     "the first branch pushed to an empty repository may become the default"},
    {"push-events", "7.4", 1, "no events above 5,000 branches or 3 tags in one push"},
    {"bot-silent", "3.2", 1, "what GITHUB_TOKEN pushes starts no runs"},
    {"max-ref-updates", "6.2", 0, "more commands than this abort a push; 0: no limit"},
    {"file-limit", "2", 104857600, "bytes a file may have in a push (GH001); 0: no limit"},
};
const size_t hub_n_quirks = sizeof hub_quirks / sizeof hub_quirks[0];
_Static_assert(sizeof hub_quirks / sizeof hub_quirks[0] == Q_COUNT, "a row for each quirk");

int hb_quirk(const struct hub *h, enum hb_quirk q)
{
    return h->quirk[q];
}

static bool quirk_index(const char *name, size_t *out)
{
    for (size_t i = 0; i < hub_n_quirks; i++) {
        if (strcmp(hub_quirks[i].name, name) == 0) {
            *out = i;
            return true;
        }
    }
    return hb_fail("no quirk '%s'", name);
}

bool hub_quirk_set(struct hub *h, const char *name, int value)
{
    size_t i = 0;
    if (!quirk_index(name, &i))
        return false;
    pthread_mutex_lock(&h->lock);
    h->quirk[i] = value;
    for (size_t k = 0; k < h->n_all_repos; k++) { /* what a reader sees may be another thing now */
        struct hb_repo *r = h->all_repos[k];
        r->version = hb_next_version(h);
        r->secrets.version = r->variables.version = hb_next_version(h);
        r->workflows_version = r->runs_version = r->key_version = hb_next_version(h);
    }
    pthread_mutex_unlock(&h->lock);
    return true;
}

int hub_quirk_get(struct hub *h, const char *name)
{
    size_t i = 0;
    if (!quirk_index(name, &i))
        return -1;
    pthread_mutex_lock(&h->lock);
    int value = h->quirk[i];
    pthread_mutex_unlock(&h->lock);
    return value;
}
