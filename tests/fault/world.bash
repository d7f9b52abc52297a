# A hub with a master and one slave over a real socket, for the bats files of this folder. `load world`.

world_start() {
    cd "$BATS_TEST_TMPDIR"
    export PATH=$MIRRORCTL_BUILD/bin:$PATH NO_COLOR=1 no_proxy=127.0.0.1
    export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@example.org GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@example.org
    git init -q -b main seed
    mkdir -p seed/.github/workflows
    for name in cron test; do echo 'on: push' >seed/.github/workflows/$name.yml; done
    echo 'on: workflow_dispatch' >seed/.github/workflows/sentinel.yml # a slave may run this one
    for n in 1 2 3; do echo $n >seed/file && git -C seed add . && git -C seed commit -q -m "$n"; done
    git -C seed branch dev HEAD~1
    cat >world.json <<W
{"users": ["acme", "backup"],
 "tokens": [{"token": "ghp_canarymaster00000000000000000000000", "kind": "classic", "user": "acme", "scopes": "repo workflow"},
            {"token": "ghp_canaryslave000000000000000000000000", "kind": "classic", "user": "backup", "scopes": "repo workflow"}],
 "repos": [{"name": "acme/app", "private": true, "from": "$PWD/seed/.git"}, {"name": "backup/app", "private": true}]}
W
    mirrorctl-hub --root hub --world world.json --port-file port >hub.out 2>&1 3>&- &
    echo $! >hub.pid
    for _ in $(seq 200); do [ ! -s port ] || break; sleep 0.1; done
    HUB=http://127.0.0.1:$(cat port)
    export MIRRORCTL_STATE=$PWD/state MASTER_TOKEN=ghp_canarymaster00000000000000000000000
    export SLAVE_TOKEN=ghp_canaryslave000000000000000000000000
    for n in 1 2 3 4; do export "SECRET_$n=canary-secret-$n"; done
    cat >mirrors.yaml <<Y
version: 1
github: {url: "$HUB"}
master: {repo: acme/app, token: {env: MASTER_TOKEN}}
secrets: {names: [SECRET_1, SECRET_2, SECRET_3, SECRET_4]}
variables: [{name: ONE, value: "1"}, {name: TWO, value: "2"}]
slaves:
  - {id: backup, type: github, repo: backup/app, token: {env: SLAVE_TOKEN}}
Y
}

world_stop() {
    kill "$(cat hub.pid)" 2>/dev/null || true
}

# The slave has everything, and nothing else is left to do.
assert_converged() {
    mirrorctl diff
    diff <(git -C hub/acme/app.git for-each-ref refs/heads refs/tags) <(git -C hub/backup/app.git for-each-ref refs/heads refs/tags)
    git -C hub/backup/app.git fsck --full --strict --no-dangling
    for n in 1 2 3 4; do
        name=SECRET_$n
        curl -fsS "$HUB/_hub/secrets?repo=backup/app" | grep -q "${!name}"
    done
}
