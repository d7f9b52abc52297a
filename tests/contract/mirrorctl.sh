#!/usr/bin/env bash
# The world of the quickstart, brought in step by mirrorctl: mirrorctl.sh API HUB WORK
# REST goes to API, git to HUB. The story is that of examples/quickstart/run, without words.
set -euo pipefail
api=$1 hub=$2 work=$3
story=$(cd "$(dirname "$0")/../../examples/quickstart" && pwd)
umask 077
export MIRRORCTL_STATE=$work/state
export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.org GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.org

mkdir -p "$work/seed/.github/workflows" "$work/seed/src"
cd "$work/seed"
git init -q -b main
for name in cron deploy-site test sentinel; do
    printf 'name: %s\non: {push: {branches: [main]}, workflow_dispatch: {}}\njobs: {}\n' "$name" >".github/workflows/$name.yml"
done
for n in 1 2 3; do
    echo "$n" >src/n
    git add .
    git commit -q -m "Tick $n"
done
git tag v1.0 HEAD~1
git branch develop HEAD~1
git branch wip/experiment
git clone -q --bare . "$work/master.git"
git init -q --bare -b main "$work/archive.git"
cd "$work"

control() { curl -sS --fail-with-body -o control.out "$hub/_hub/$1" -d "$2" || { cat control.out >&2; exit 1; }; }
# Variables of somebody else, more than a page of them: the second page comes by way of a Link header.
sed "s|@WORK@|$work|g" "$story/world.json" |
    jq '.repos |= map(if .name == "backup-account/continuity" then .variables = ([range(34) | {("OTHER_\(.)"): "x"}] | add) else . end)' >world.json
control seed "$(cat world.json)"

jq -r '.tokens[].token' world.json >tokens
paste -d= <(printf '%s\n' MASTER_TOKEN BACKUP_TOKEN RESCUE_TOKEN) tokens >tokens.env
printf '%s\n' RESEND_API_KEY=re_contract_1 'RENEWAL_SECRET="two words"' TWILIO_TOKEN=tw_contract_1 >secrets.env
sed -e "s|@WORK@|$work|g" -e "s|^github:.*|github: {url: \"$hub\", api: \"$api\"}|" "$story/mirrors.yaml" >mirrors.yaml
grep -qF "api: \"$api\"" mirrors.yaml || { echo "mirrorctl.sh: the manifest of the quickstart has no line 'github:'" >&2; exit 1; }

# run STATUS COMMAND...: what it says matters only when it goes wrong
run() {
    local expected=$1 status=0
    shift
    "$@" >run.out 2>&1 || status=$?
    [ "$status" -eq "$expected" ] || { cat run.out >&2; echo "mirrorctl.sh: '$*' ended with $status instead of $expected" >&2; exit 1; }
}
run 1 mirrorctl diff -f mirrors.yaml
run 0 mirrorctl apply -f mirrors.yaml
run 0 mirrorctl diff -f mirrors.yaml
run 0 mirrorctl apply -f mirrors.yaml

slave=backup-account/continuity
control variable "{\"repo\": \"$slave\", \"name\": \"ADAPTER_MOCK_MODE\", \"value\": \"false\"}"
control variable "{\"repo\": \"$slave\", \"name\": \"MASTER_REPO\"}"
control secret "{\"repo\": \"$slave\", \"name\": \"RESEND_API_KEY\", \"value\": \"of somebody else\"}"
control secret "{\"repo\": \"$slave\", \"name\": \"RENEWAL_SECRET\"}"
control workflow "{\"repo\": \"$slave\", \"name\": \"cron.yml\", \"state\": \"active\"}"
control workflow "{\"repo\": \"$slave\", \"name\": \"sentinel.yml\", \"state\": \"disabled_inactivity\"}"
control default-branch "{\"repo\": \"$slave\", \"branch\": \"develop\"}"
control file '{"repo": "acme/continuity", "path": "src/n", "data": "4\n"}'
sed -i 's/^TWILIO_TOKEN=.*/TWILIO_TOKEN=tw_contract_2/' secrets.env
run 1 mirrorctl diff -f mirrors.yaml
run 0 mirrorctl apply -f mirrors.yaml
run 0 mirrorctl diff -f mirrors.yaml

# What is no longer wanted is deleted when that is asked for.
sed -i -e 's/, TWILIO_TOKEN\]/]/' -e '/ADAPTER_MOCK_MODE/d' mirrors.yaml
run 0 mirrorctl apply -f mirrors.yaml --prune
run 0 mirrorctl diff -f mirrors.yaml

# The contract is one thing, the result another: what was sealed through the proxy opens as it should.
control secrets "{\"repo\": \"$slave\"}"
jq -e '. == {RENEWAL_SECRET: "two words", RESEND_API_KEY: "re_contract_1"}' control.out >/dev/null || { cat control.out >&2; exit 1; }
