#!/bin/sh
# The hub behind a socket: real git, curl and gh against it. Usage: test_server.sh MIRRORCTL-HUB
set -eu
hub=$1
work=$(mktemp -d /tmp/hub-server-XXXXXX)
pids=
finish() {
    for pid in $pids; do kill "$pid" 2>/dev/null || :; done
    for pid in $pids; do wait "$pid" 2>/dev/null || :; done
    rm -rf "$work"
}
trap finish EXIT
cd "$work"
export HOME="$work" GIT_TERMINAL_PROMPT=0 GIT_CONFIG_NOSYSTEM=1
git config --global user.name Tester
git config --global user.email tester@example.invalid
git config --global init.defaultBranch main

fail() {
    echo "FAIL: $*" >&2
    exit 1
}
has() { # has TEXT FILE
    grep -qF -- "$1" "$2" || fail "no '$1' in: $(cat "$2")"
}

cat >world.json <<'WORLD'
{"users": ["backup"],
 "repos": [{"name": "backup/standby"}, {"name": "backup/bare"}],
 "tokens": [{"token": "ghp_canary_full", "user": "backup", "scopes": ["repo", "workflow"]},
            {"token": "ghp_canary_plain", "user": "backup", "scopes": ["repo"]}]}
WORLD

# start NAME [OPTION...]: sets url
start() {
    name=$1
    shift
    "$hub" --root "$work/$name" --world world.json --log "$name.log" "$@" >"$name.out" 2>"$name.err" &
    pids="$pids $!"
    for _ in $(seq 200); do
        grep -q '^listening ' "$name.out" && break
        sleep 0.05
    done
    url=$(sed -n 's/^listening //p' "$name.out")
    test -n "$url" || fail "the hub did not start: $(cat "$name.err")"
}
control() { # control VERB [JSON]
    curl -fsS "$url/_hub/$1" -d "${2:-{\}}" || fail "control $1"
}

# ---- git ----
start plain
at=$(echo "$url" | sed 's|//|//x:ghp_canary_full@|')
git init -q src
cd src
mkdir -p .github/workflows
printf 'name: CI\non: [push]\njobs: {}\n' >.github/workflows/ci.yml
git add .
git commit -qm one
git branch side
git tag v1
git remote add hub "$at/backup/standby.git"
git push hub main side v1 2>../push1
git push hub main 2>../push2
has 'Everything up-to-date' ../push2
if git push "$(echo "$url" | sed 's|//|//x:ghp_canary_plain@|')/backup/bare.git" main 2>../push3; then
    fail 'a workflow file went through without the workflow scope'
fi
has 'refusing to allow a Personal Access Token to create or update workflow' ../push3
if git push hub :main 2>../push4; then fail 'the default branch was deleted'; fi
has 'refusing to delete the current branch: refs/heads/main' ../push4
if git push hub main:refs/pull/1/head 2>../push5; then fail 'a hidden ref was pushed'; fi
has 'deny updating a hidden ref' ../push5
git push -q hub :side
# fetch sees what push hides
git --git-dir="$work/plain/backup/standby.git" update-ref refs/pull/7/head main
git ls-remote hub >../refs
has refs/pull/7/head ../refs
# a pack that does not fit into memory buffers
head -c 6000000 /dev/urandom >big
git add big
git commit -qm big
git push -q hub main
cd ..
git clone -q "$at/backup/standby.git" copy
cmp src/big copy/big
test "$(git -C src rev-parse main)" = "$(git -C copy rev-parse main)" || fail 'another commit came back'
git -C plain/backup/standby.git fsck --strict >fsck 2>&1 || fail "fsck: $(cat fsck)"
# renamed: works on, and says so
control rename '{"repo": "backup/standby", "to": "backup/moved"}' >/dev/null
git -C src push hub main:again 2>push6
has 'This repository moved. Please use the new location:' push6
has '/backup/moved.git' push6
if git ls-remote "$url/backup/moved.git" 2>anonymous; then fail 'private, and anybody may read it'; fi
git -C src branch many
control quirk '{"name": "max-ref-updates", "value": 1}' >/dev/null
if git -C src push hub many many:many2 2>push7; then fail 'too many refs went through'; fi
has 'maximum ref updates exceeded: 2 commands sent but max allowed is 1' push7
control quirk '{"name": "max-ref-updates", "value": 0}' >/dev/null

# ---- faults on the wire ----
api="$url/api/v3/repos/backup/moved"
auth='Authorization: Bearer ghp_canary_full'
get() { # get [CURL OPTION...]: the exit status of curl
    rc=0
    curl -sS -m 3 -o body -H "$auth" "$@" "$api" 2>curl.err || rc=$?
    echo "$rc"
}
fault() {
    control faults-clear >/dev/null
    control fault "$1" >/dev/null
}
test "$(get)" = 0 || fail 'no answer without a fault'
fault '{"path": "*", "effect": "reset", "count": 1}'
test "$(get)" = 56 || fail "reset: $(cat curl.err)"
fault '{"path": "*", "effect": "truncate"}'
test "$(get)" = 18 || fail 'truncate'
fault '{"path": "*", "effect": "wrong-length", "size": 5}'
test "$(get)" = 18 || fail 'wrong-length'
fault '{"path": "*", "effect": "silent"}'
test "$(get -m 1)" = 28 || fail 'silent'
fault '{"path": "*", "effect": "drip", "delay_ms": 100}'
test "$(get -m 1)" = 28 || fail 'drip'
fault '{"path": "*", "effect": "gzip-bomb", "size": 1000000}'
test "$(get --compressed)" = 0 || fail 'gzip-bomb'
test "$(wc -c <body)" -gt 990000 || fail 'gzip-bomb is small'
fault '{"path": "*", "effect": "big-body", "size": 3000000}'
test "$(get)" = 0 || fail 'big-body'
test "$(wc -c <body)" -gt 3000000 || fail 'big-body is small'
fault '{"path": "*/git-receive-pack", "effect": "cut-upload", "size": 100000}'
head -c 3000000 /dev/urandom >src/big2
git -C src add big2
git -C src commit -qm big2
if git -C src push -q hub main 2>push8; then fail 'a cut upload went through'; fi
fault '{"path": "*/git-receive-pack", "effect": "push-lost"}'
git -C src push -q hub main:lost 2>push9
control faults-clear >/dev/null
if git ls-remote --exit-code "$at/backup/moved.git" refs/heads/lost >/dev/null; then fail 'a lost push is there'; fi
fault '{"path": "*", "preset": "secondary-c"}'
curl -sS -D head -o body -H "$auth" "$api"
has 'retry-after: ' head
has ' GMT' head
control faults-clear >/dev/null
control log >log
if grep -q canary log plain.log; then fail 'a token is in the log'; fi
has '"token": "t1"' log

# ---- gh, over HTTPS only ----
if ! command -v gh >/dev/null; then
    echo 'SKIPPED: gh IS MISSING, the hub was NOT tried with GitHub'"'"'s own client' >&2
    exit 0
fi
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>openssl.err || fail "openssl: $(cat openssl.err)"
start tls --tls-cert cert.pem --tls-key key.pem
export SSL_CERT_FILE="$work/cert.pem" CURL_CA_BUNDLE="$work/cert.pem" GH_CONFIG_DIR="$work/gh"
export GH_HOST="localhost:${url##*:}" GH_ENTERPRISE_TOKEN=ghp_canary_full GH_NO_UPDATE_NOTIFIER=1 NO_COLOR=1
r="$GH_HOST/backup/standby"
GIT_SSL_CAINFO="$work/cert.pem" git -C src push -q \
    "https://x:ghp_canary_full@$GH_HOST/backup/standby.git" main
gh api repos/backup/standby --jq .full_name >gh1
has backup/standby gh1
gh api repos/backup/standby/actions/variables -f name=colour -f value=blue >gh2
gh api --paginate repos/backup/standby/actions/variables --jq '.variables[].name' >gh3
has COLOUR gh3
gh secret set api_key -R "$r" --body 'canary value' >gh4 2>&1 || fail "gh secret set: $(cat gh4)"
control secrets '{"repo": "backup/standby"}' >gh5
has '"API_KEY": "canary value"' gh5
gh secret list -R "$r" >gh6
has API_KEY gh6
gh workflow list -R "$r" >gh7
has CI gh7
gh workflow disable ci.yml -R "$r" >gh8 2>&1 || fail "gh workflow disable: $(cat gh8)"
control workflows '{"repo": "backup/standby"}' >gh9
has '".github/workflows/ci.yml": "disabled_manually"' gh9
gh workflow enable ci.yml -R "$r" >gh10 2>&1 || fail "gh workflow enable: $(cat gh10)"
gh secret remove API_KEY -R "$r" >gh11 2>&1 || fail "gh secret remove: $(cat gh11)"
control secrets '{"repo": "backup/standby"}' >gh12
has '{}' gh12
if gh api repos/backup/none >gh13 2>&1; then fail 'a repository that is not there'; fi
has 'Not Found' gh13

for pid in $pids; do kill "$pid"; done
for pid in $pids; do wait "$pid" || fail "the hub ended with $?: $(cat ./*.err)"; done
pids=
if grep -q . plain.err tls.err; then fail "the hub complained: $(cat plain.err tls.err)"; fi
echo 'server: git, faults on the wire, gh: all as they should be'
