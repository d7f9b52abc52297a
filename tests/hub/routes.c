/* Every REST operation the hub knows: what it needs (3.1) and whose version is its ETag. */
#include "internal.h"
#include "rest.h"

#define ACTIONS_WORKFLOWS "actions/workflows#"
#define ACTIONS_SECRETS   "actions/secrets#"
#define ACTIONS_VARIABLES "actions/variables#"

/* clang-format off */
const struct hb_route hb_routes[] = {
    {"GET", "", hb_get_root, OP_NONE, PART_NONE, NULL},
    {"GET", "user", hb_get_user, OP_NONE, PART_NONE, "users/users#get-the-authenticated-user"},
    {"GET", "rate_limit", hb_get_rate_limit, OP_NONE, PART_NONE, "rate-limit/rate-limit"},
    {"GET", "meta", hb_get_meta, OP_NONE, PART_NONE, "meta/meta#get-github-meta-information"},
    {"GET", "versions", hb_get_versions, OP_NONE, PART_NONE, "meta/meta#get-all-api-versions"},
    {"POST", "user/repos", hb_post_user_repos, OP_NONE, PART_NONE, "repos/repos#create-a-repository-for-the-authenticated-user"},
    {"POST", "orgs/:org/repos", hb_post_org_repos, OP_NONE, PART_NONE, "repos/repos#create-an-organization-repository"},
    {"GET", "R", hb_get_repo, OP_METADATA, PART_REPO, "repos/repos#get-a-repository"},
    {"PATCH", "R", hb_patch_repo, OP_ADMIN_WRITE, PART_NONE, "repos/repos#update-a-repository"},
    {"GET", "R/hash-algorithm", hb_get_hash_algorithm, OP_METADATA, PART_NONE, NULL},
    {"GET", "R/actions/permissions", hb_get_permissions, OP_ADMIN_READ, PART_REPO, "actions/permissions#get-github-actions-permissions-for-a-repository"},
    {"PUT", "R/actions/permissions", hb_put_permissions, OP_ADMIN_WRITE, PART_NONE, "actions/permissions#set-github-actions-permissions-for-a-repository"},
    {"GET", "R/actions/permissions/workflow", hb_get_workflow_permissions, OP_ADMIN_READ, PART_REPO, "actions/permissions#get-default-workflow-permissions-for-a-repository"},
    {"PUT", "R/actions/permissions/workflow", hb_put_workflow_permissions, OP_ADMIN_WRITE, PART_NONE, "actions/permissions#set-default-workflow-permissions-for-a-repository"},
    {"GET", "R/actions/secrets", hb_list_secrets, OP_SECRETS_READ, PART_SECRETS, ACTIONS_SECRETS "list-repository-secrets"},
    {"GET", "R/actions/secrets/public-key", hb_get_public_key, OP_SECRETS_READ, PART_KEY, ACTIONS_SECRETS "get-a-repository-public-key"},
    {"GET", "R/actions/secrets/:name", hb_get_secret, OP_SECRETS_READ, PART_SECRETS, ACTIONS_SECRETS "get-a-repository-secret"},
    {"PUT", "R/actions/secrets/:name", hb_put_secret, OP_SECRETS_WRITE, PART_NONE, ACTIONS_SECRETS "create-or-update-a-repository-secret"},
    {"DELETE", "R/actions/secrets/:name", hb_delete_secret, OP_SECRETS_WRITE, PART_NONE, ACTIONS_SECRETS "delete-a-repository-secret"},
    {"GET", "R/actions/variables", hb_list_variables, OP_VARIABLES_READ, PART_VARIABLES, ACTIONS_VARIABLES "list-repository-variables"},
    {"POST", "R/actions/variables", hb_post_variable, OP_VARIABLES_WRITE, PART_NONE, ACTIONS_VARIABLES "create-a-repository-variable"},
    {"GET", "R/actions/variables/:name", hb_get_variable, OP_VARIABLES_READ, PART_VARIABLES, ACTIONS_VARIABLES "get-a-repository-variable"},
    {"PATCH", "R/actions/variables/:name", hb_patch_variable, OP_VARIABLES_WRITE, PART_NONE, ACTIONS_VARIABLES "update-a-repository-variable"},
    {"DELETE", "R/actions/variables/:name", hb_delete_variable, OP_VARIABLES_WRITE, PART_NONE, ACTIONS_VARIABLES "delete-a-repository-variable"},
    {"GET", "R/actions/workflows", hb_list_workflows, OP_ACTIONS_READ, PART_WORKFLOWS, ACTIONS_WORKFLOWS "list-repository-workflows"},
    {"GET", "R/actions/workflows/:id", hb_get_workflow, OP_ACTIONS_READ, PART_WORKFLOWS, ACTIONS_WORKFLOWS "get-a-workflow"},
    {"PUT", "R/actions/workflows/:id/enable", hb_enable_workflow, OP_ACTIONS_WRITE, PART_NONE, ACTIONS_WORKFLOWS "enable-a-workflow"},
    {"PUT", "R/actions/workflows/:id/disable", hb_disable_workflow, OP_ACTIONS_WRITE, PART_NONE, ACTIONS_WORKFLOWS "disable-a-workflow"},
    {"POST", "R/actions/workflows/:id/dispatches", hb_dispatch_workflow, OP_ACTIONS_WRITE, PART_NONE, ACTIONS_WORKFLOWS "create-a-workflow-dispatch-event"},
    {"GET", "R/actions/workflows/:id/runs", hb_list_runs, OP_ACTIONS_READ, PART_RUNS, "actions/workflow-runs#list-workflow-runs-for-a-workflow"},
    {"GET", "R/actions/runs", hb_list_runs, OP_ACTIONS_READ, PART_RUNS, "actions/workflow-runs#list-workflow-runs-for-a-repository"},
    {"GET", "R/contents/*", hb_get_contents, OP_CONTENTS_READ, PART_NONE, "repos/contents#get-repository-content"},
    {"GET", "R/contents", hb_get_contents, OP_CONTENTS_READ, PART_NONE, "repos/contents#get-repository-content"},
    {"PUT", "R/contents/*", hb_put_contents, OP_CONTENTS_WRITE, PART_NONE, "repos/contents#create-or-update-file-contents"},
    {"GET", "R/git/ref/*", hb_get_ref, OP_CONTENTS_READ, PART_NONE, "git/refs#get-a-reference"},
    {"GET", "R/git/matching-refs/*", hb_matching_refs, OP_CONTENTS_READ, PART_NONE, "git/refs#list-matching-references"},
    {"GET", "R/commits/*", hb_get_commit, OP_CONTENTS_READ, PART_NONE, "commits/commits#get-a-commit"},
    {"GET", "R/branches/:branch/protection", hb_get_protection, OP_ADMIN_READ, PART_NONE, "branches/branch-protection#get-branch-protection"},
    {"GET", "R/rules/branches/*", hb_get_branch_rules, OP_METADATA, PART_NONE, "repos/rules#get-rules-for-a-branch"},
    {"GET", "R/pages", hb_get_pages, OP_PAGES_READ, PART_NONE, "pages/pages#get-a-apiname-pages-site"},
};
/* clang-format on */
const size_t hb_n_routes = sizeof hb_routes / sizeof hb_routes[0];
