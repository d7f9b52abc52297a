#!/usr/bin/env bash
# What one would write without mirrorctl: slaves brought in step by gh and git, one after the other.
#
#   by-hand.sh sync FLEET      code, secrets (those that are missing: a value cannot be read back), variables, workflows
#   by-hand.sh secrets FLEET   writes all secrets, since which of them changed cannot be known
#
# FLEET has a line for each slave: OWNER/NAME TOKEN. From the environment:
#   BENCH_HOST      host:port of the GitHub
#   BENCH_MASTER    OWNER/NAME of the master, BENCH_MASTER_TOKEN its token
#   BENCH_CACHE     a bare clone of the master, made at first use
#   BENCH_SECRETS   file of NAME=value lines, BENCH_VARIABLES the same for variables
#   BENCH_KEEP      the workflow file that runs on a slave; the others are switched off
# It leaves out what mirrorctl does besides: role marker, fence, default branch, guards, journal, status.
set -euo pipefail
mode=$1 fleet=$2

# The token as git wants it, given by the environment: no credential helper, no second request.
git_with() {
    local token=$1
    shift
    GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=http.extraHeader \
        GIT_CONFIG_VALUE_0="Authorization: Basic $(printf 'x-access-token:%s' "$token" | base64 -w0)" git "$@"
}

fetch_master() {
    local url=https://$BENCH_HOST/$BENCH_MASTER.git
    if [ -d "$BENCH_CACHE" ]; then
        git_with "$BENCH_MASTER_TOKEN" -C "$BENCH_CACHE" fetch -q --prune "$url" '+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*'
    else
        git_with "$BENCH_MASTER_TOKEN" clone -q --bare "$url" "$BENCH_CACHE"
    fi
}

sync_code() {
    git_with "$2" -C "$BENCH_CACHE" push -q --prune "https://$BENCH_HOST/$1.git" '+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*'
}

set_secrets() {
    gh secret set -R "$BENCH_HOST/$1" -f "$BENCH_SECRETS" >/dev/null
}

sync_secrets() {
    local there
    there=$(gh api "repos/$1/actions/secrets?per_page=100" --jq '.secrets[].name')
    while IFS='=' read -r name _; do
        case $'\n'$there$'\n' in
        *$'\n'"$name"$'\n'*) ;;
        *) set_secrets "$1"; return ;;
        esac
    done <"$BENCH_SECRETS"
}

sync_variables() {
    local there name value
    there=$(gh api "repos/$1/actions/variables?per_page=30" --jq '.variables[] | .name + "=" + .value')
    while IFS='=' read -r name value; do
        case $'\n'$there$'\n' in
        *$'\n'"$name=$value"$'\n'*) ;;
        *$'\n'"$name="*) gh api -X PATCH "repos/$1/actions/variables/$name" -f value="$value" >/dev/null ;;
        *) gh api -X POST "repos/$1/actions/variables" -f name="$name" -f value="$value" >/dev/null ;;
        esac
    done <"$BENCH_VARIABLES"
}

sync_workflows() {
    local active id
    active=$(gh api "repos/$1/actions/workflows?per_page=100" \
        --jq '.workflows[] | select(.state == "active" and (.path | startswith(".github/")) and
            .path != ".github/workflows/'"$BENCH_KEEP"'") | .id')
    for id in $active; do
        gh api -X PUT "repos/$1/actions/workflows/$id/disable" >/dev/null
    done
}

[ "$mode" = secrets ] || fetch_master
while read -r repo token; do
    export GH_HOST=$BENCH_HOST GH_ENTERPRISE_TOKEN=$token
    if [ "$mode" = secrets ]; then
        set_secrets "$repo"
        continue
    fi
    sync_code "$repo" "$token"
    sync_secrets "$repo"
    sync_variables "$repo"
    sync_workflows "$repo"
done <"$fleet"
