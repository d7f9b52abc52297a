#!/usr/bin/env bash
# Every REST operation of the hub, by hand: requests.sh API HUB
# API is where the requests go, HUB where the world is changed from outside.
set -euo pipefail
api=$1 hub=$2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

control() { curl -sS --fail-with-body -o "$work/control" "$hub/_hub/$1" -d "$2" || { cat "$work/control" >&2; exit 1; }; }

token=ghp_contract_full
# call STATUS METHOD PATH [BODY] [CURL OPTION...]: the reply is in $work/body and $work/head afterwards
call() {
    local expected=$1 method=$2 target=$3 body=${4-} status
    shift "$(($# > 4 ? 4 : $#))"
    case $target in http*) ;; *) target=$api$target ;; esac
    [ -z "$body" ] || set -- "$@" -H 'Content-Type: application/json' --data-raw "$body"
    status=$(curl -sS -m 20 -X "$method" -o "$work/body" -D "$work/head" -w '%{http_code}' \
        -H "Authorization: Bearer $token" -H 'Accept: application/vnd.github+json' \
        -H 'X-GitHub-Api-Version: 2022-11-28' "$@" "$target")
    [ "$status" = "$expected" ] || {
        printf 'requests: %s %s: %s instead of %s: %s\n' "$method" "$target" "$status" "$expected" "$(head -c 600 "$work/body")" >&2
        exit 1
    }
}
header() { sed -n "s/^$1: *//Ip" "$work/head" | tr -d '\r'; }
value() { jq -er "$1" "$work/body"; }
is() { [ "$1" = "$2" ] || { echo "requests: '$1' instead of '$2'" >&2; exit 1; }; }
# pages PATH MEMBER: follows Link to the end and tells how many rows there were
pages() {
    local rows=0 next=$1
    while [ -n "$next" ]; do
        call 200 GET "$next"
        rows=$((rows + $(value ".$2 | length")))
        next=$(header link | tr ',' '\n' | sed -n 's/.*<\(.*\)>; *rel="next".*/\1/p')
    done
    echo "$rows"
}

workflow='on: {push: {branches: [main]}, workflow_dispatch: {}}
jobs: {}
'
control seed "$(jq -n --arg w "$workflow" '{
    users: ["contract", "reader"], orgs: [{login: "contract-org", admin: "contract"}],
    tokens: [{token: "ghp_contract_full", user: "contract", scopes: ["repo", "workflow", "admin:org"]},
             {token: "github_pat_contract_reader", kind: "fine-grained", user: "contract",
              repos: ["contract/standby"], permissions: {contents: "read"}}],
    repos: [{name: "contract/standby",
             files: {".github/workflows/ci.yml": $w, ".github/workflows/cron.yml": $w,
                     ".github/workflows/sentinel.yml": $w, "state/current.json": "{}\n", "README.md": "x\n"},
             protect: {main: {}}, rules: [{branch: "release/*", type: "non_fast_forward"}],
             variables: ([range(34) | {("V\(.)"): "value \(.)"}] | add),
             secrets: ([range(34) | {("S\(.)"): "secret \(.)"}] | add)}]}')"
R=/repos/contract/standby

# ---- What the service says of itself ----
call 200 GET /
call 200 GET /user
call 200 GET /rate_limit
call 200 GET /meta
call 200 GET /versions

# ---- Repositories ----
call 201 POST /user/repos '{"name": "made", "private": true, "auto_init": false}'
is "$(header location)" "$api/repos/contract/made"
call 422 POST /user/repos '{"name": "made"}'
call 201 POST /orgs/contract-org/repos '{"name": "made", "visibility": "private"}'
call 200 GET $R
etag=$(header etag)
call 304 GET $R '' -H "If-None-Match: $etag"
is "$(header etag)" "${etag#W/}"
call 404 GET /repos/contract/nobody
call 200 GET $R/hash-algorithm
call 200 GET "$R/contents/state/current.json"
call 201 PUT "$R/contents/note.txt" '{"message": "A note", "content": "eAo=", "branch": "main"}'
call 200 PUT "$R/contents/note.txt" "$(jq -c '{message: "Again", content: "eQo=", branch: "main", sha: .content.sha}' "$work/body")"
call 200 GET "$R/contents/state"
call 404 GET "$R/contents/state/none.json"
call 200 GET $R/git/ref/heads/main
sha=$(value .object.sha)
call 404 GET $R/git/ref/heads/none
call 200 GET $R/git/matching-refs/tags
call 200 GET $R/git/matching-refs/heads/ma
is "$(value '.[0].object.sha')" "$sha"
call 200 GET $R/commits/main
call 200 GET $R/commits/heads/main
call 200 GET $R/branches/main/protection
call 404 GET $R/branches/none/protection
call 200 GET $R/rules/branches/release/1
call 404 GET $R/pages
control repo '{"repo": "contract/standby"}'
git --git-dir="$(jq -r .dir "$work/control")" branch -q next main
control rescan '{"repo": "contract/standby"}'
call 200 PATCH $R '{"default_branch": "next"}'
is "$(value .default_branch)" next
call 422 PATCH $R '{"default_branch": "none"}'
call 200 PATCH $R '{"default_branch": "main"}'

# ---- Secrets ----
is "$(pages "$R/actions/secrets?per_page=100" secrets)" 34
is "$(pages "$R/actions/secrets" secrets)" 34
call 200 GET $R/actions/secrets/public-key
sealed=$(node "$here/seal.mjs" 'a value' <"$work/body")
call 201 PUT $R/actions/secrets/new_one "$sealed"
call 204 PUT $R/actions/secrets/NEW_ONE "$sealed"
call 200 GET $R/actions/secrets/new_one
is "$(value .name)" NEW_ONE
control secrets '{"repo": "contract/standby"}'
is "$(jq -r .NEW_ONE "$work/control")" 'a value'
call 422 PUT $R/actions/secrets/GITHUB_NO "$sealed"
call 204 DELETE $R/actions/secrets/NEW_ONE
call 404 DELETE $R/actions/secrets/NEW_ONE
call 404 GET $R/actions/secrets/NEW_ONE

# ---- Variables ----
is "$(pages "$R/actions/variables?per_page=30" variables)" 34
is "$(pages "$R/actions/variables" variables)" 34
call 200 GET "$R/actions/variables?per_page=100"
is "$(value '.variables | length')" 30
call 201 POST $R/actions/variables '{"name": "new_one", "value": "1"}'
call 409 POST $R/actions/variables '{"name": "NEW_ONE", "value": "2"}'
call 422 POST $R/actions/variables '{"name": "1X", "value": "2"}'
call 204 PATCH $R/actions/variables/NEW_ONE '{"value": "2"}'
call 204 PATCH $R/actions/variables/NEW_ONE '{"name": "OTHER", "value": "3"}'
call 200 GET $R/actions/variables/other
is "$(value '.name + .value')" OTHER3
call 404 PATCH $R/actions/variables/NEW_ONE '{"value": "2"}'
call 204 DELETE $R/actions/variables/OTHER
call 404 DELETE $R/actions/variables/OTHER
call 404 GET $R/actions/variables/OTHER

# ---- Workflows and runs ----
is "$(pages "$R/actions/workflows?per_page=2" workflows)" 4 # one has an empty path, as happens
call 200 GET "$R/actions/workflows?per_page=100"
id=$(value '.workflows[] | select(.path == ".github/workflows/ci.yml").id')
call 204 PUT "$R/actions/workflows/$id/enable"
call 204 PUT "$R/actions/workflows/$id/disable"
call 403 PUT "$R/actions/workflows/$id/disable"
call 200 GET "$R/actions/workflows/$id"
is "$(value .state)" disabled_manually
call 422 POST "$R/actions/workflows/$id/dispatches" '{"ref": "main"}'
call 204 PUT "$R/actions/workflows/ci.yml/enable"
call 204 POST "$R/actions/workflows/ci.yml/dispatches" '{"ref": "main"}'
call 200 POST "$R/actions/workflows/$id/dispatches" '{"ref": "main", "return_run_details": true}'
call 404 GET "$R/actions/workflows/none.yml"
call 404 PUT "$R/actions/workflows/none.yml/disable"
call 404 PUT "$R/actions/workflows/none.yml/enable"
call 200 GET "$R/actions/workflows/ci.yml/runs?event=workflow_dispatch&per_page=1"
call 200 GET "$R/actions/runs?per_page=100"

# ---- Actions as a whole ----
call 200 GET $R/actions/permissions
call 204 PUT $R/actions/permissions '{"enabled": false}'
call 200 GET $R/actions/permissions
is "$(jq .enabled "$work/body")" false
call 404 GET $R/actions/workflows
call 204 PUT $R/actions/permissions '{"enabled": true}'
call 200 GET $R/actions/permissions
is "$(value .enabled)" true
call 200 GET $R/actions/permissions/workflow
call 204 PUT $R/actions/permissions/workflow '{"default_workflow_permissions": "write"}'

# ---- Without the right to ----
token=github_pat_contract_reader
call 403 GET $R/actions/secrets
call 403 PATCH $R '{"default_branch": "main"}'
token=ghp_of_nobody
call 401 GET $R
