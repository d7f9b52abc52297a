# diff, apply and status against the hub over a real socket: exit codes, forms of output, what errors say.

setup_file() {
    export PATH=$MIRRORCTL_BUILD/bin:$PATH NO_COLOR=1 no_proxy=127.0.0.1
    cd "$BATS_FILE_TMPDIR"
    export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@example.org GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@example.org
    git init -q -b main seed
    mkdir -p seed/.github/workflows
    echo 'on: push' >seed/.github/workflows/cron.yml
    echo 'on: push' >seed/.github/workflows/sentinel.yml
    git -C seed add . && git -C seed commit -q -m one
    git clone -q --bare seed master.git
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    cat >world.json <<W
{"users": ["acme", "backup"],
 "tokens": [{"token": "ghp_master0000000000000000000000000000", "kind": "classic", "user": "acme", "scopes": "repo workflow"},
            {"token": "ghp_backup0000000000000000000000000000", "kind": "classic", "user": "backup", "scopes": "repo workflow"}],
 "repos": [{"name": "acme/app", "private": true, "from": "$BATS_FILE_TMPDIR/master.git"},
           {"name": "backup/app", "private": true}]}
W
    mirrorctl-hub --root hub --world world.json --port-file port >hub.out 2>&1 3>&- &
    echo $! >hub.pid
    for _ in $(seq 100); do [ ! -s port ] || break; sleep 0.1; done
    HUB=http://127.0.0.1:$(cat port)
    export MIRRORCTL_STATE=$PWD/state MASTER_TOKEN=ghp_master0000000000000000000000000000
    export BACKUP_TOKEN=ghp_backup0000000000000000000000000000 API_KEY=canary-value
    cat >mirrors.yaml <<Y
version: 1
github: {url: "$HUB"}
master: {repo: acme/app, token: {env: MASTER_TOKEN}}
secrets: {names: [API_KEY]}
variables: [{name: MODE, value: mock}]
slaves:
  - {id: backup, type: github, repo: backup/app, token: {env: BACKUP_TOKEN}}
Y
}

teardown() {
    kill "$(cat hub.pid)" 2>/dev/null || true
}

@test "diff is 1, apply is 0, diff is 0, status knows" {
    run mirrorctl diff
    [ "$status" -eq 1 ]
    [[ $output == *"to create"* ]]
    [ ! -e state/state.db ]
    run mirrorctl apply
    [ "$status" -eq 0 ]
    run mirrorctl diff
    [ "$status" -eq 0 ]
    run mirrorctl status
    [ "$status" -eq 0 ]
    [[ $output == *backup* ]]
    mirrorctl status -o json | jq -e '.schema == 1 and .slaves[0].health == "ok"'
    mirrorctl status -o wide | grep -q backup/app
    mirrorctl status -o yaml | grep -q '^schema: 1'
}

@test "a pipe gets plain text; --color always does not" {
    run mirrorctl diff
    [[ $output != *$'\e['* ]]
    unset NO_COLOR
    run mirrorctl diff --color always
    [[ $output == *$'\e['* ]]
}

@test "json is one document for diff, one object a line for apply" {
    mirrorctl diff -o json >plan.json || [ $? -eq 1 ]
    jq -e '.schema == 1' plan.json
    mirrorctl apply -o json >events
    jq -es 'length > 3 and .[-1].event == "done"' events
}

@test "a saved plan is applied exactly, or refused when the world moved" {
    mirrorctl diff --out plan >/dev/null || [ $? -eq 1 ]
    curl -fsS "$HUB/_hub/variable" -d '{"repo": "backup/app", "name": "OTHER", "value": "x"}'
    run mirrorctl apply --plan plan
    [ "$status" -eq 0 ]
    curl -fsS "$HUB/_hub/variable" -d '{"repo": "backup/app", "name": "MODE", "value": "other"}'
    mirrorctl diff --out plan2 >/dev/null || [ $? -eq 1 ]
    curl -fsS "$HUB/_hub/variable" -d '{"repo": "backup/app", "name": "MODE", "value": "third"}'
    run mirrorctl apply --plan plan2
    [ "$status" -eq 7 ]
    [[ $output == *backup* ]]
    [ "$(curl -fsS "$HUB/_hub/variables?repo=backup/app" | jq -r '.MODE // (.[] | select(.name == "MODE").value)')" = third ]
}

@test "a missing token is 4 and named" {
    unset BACKUP_TOKEN
    run mirrorctl apply
    [ "$status" -eq 4 ]
    [[ $output == *BACKUP_TOKEN* ]]
}

@test "a wrong token is 4, says so, and is not shown" {
    export BACKUP_TOKEN=ghp_wrong
    run mirrorctl apply
    [ "$status" -eq 4 ]
    [[ $output == *token* ]]
    [[ $output != *ghp_wrong* ]]
}

@test "a repository that is not there is 3, and named" {
    sed -i 's|backup/app|backup/elsewhere|' mirrors.yaml
    run mirrorctl apply
    [ "$status" -eq 3 ]
    [[ $output == *backup/elsewhere* ]]
}

@test "a server that is away is 3, within seconds" {
    kill "$(cat hub.pid)"
    run timeout 60 mirrorctl apply
    [ "$status" -eq 3 ]
}

@test "status before the first apply says what to do" {
    run mirrorctl status --state "$PWD/nothing"
    [ "$status" -eq 2 ]
    [[ $output == *"mirrorctl apply"* ]]
}

@test "a promoted slave is fenced: 8, nothing written" {
    mirrorctl apply
    dir=hub/backup/app.git
    blob=$(echo '{"schema":1,"role":"TEMPORARY_MASTER","phase":"acting","epoch":1,"since":"2026-01-01T00:00:00Z"}' |
        git -C $dir hash-object -w --stdin)
    tree=$(printf '100644 blob %s\trole.json\n' "$blob" | git -C $dir mktree)
    git -C $dir update-ref refs/mirrorctl/role "$(git -C $dir commit-tree -m promoted "$tree")"
    curl -fsS "$HUB/_hub/rescan" -d '{"repo": "backup/app"}'
    before=$(git -C $dir for-each-ref)
    curl -fsS "$HUB/_hub/variable" -d '{"repo": "backup/app", "name": "MODE", "value": "theirs"}'
    run mirrorctl diff
    [ "$status" -eq 8 ]
    run mirrorctl apply
    [ "$status" -eq 8 ]
    [[ $output == *TEMPORARY_MASTER* ]]
    [ "$(git -C $dir for-each-ref)" = "$before" ]
    mirrorctl status -o json | jq -e '.slaves[0].health == "fenced" and .slaves[0].role == "TEMPORARY_MASTER"'
}

@test "an unknown slave is 2, with a suggestion" {
    run mirrorctl diff --slave bakup
    [ "$status" -eq 2 ]
    [[ $output == *"'backup'"* ]]
}

@test "nothing secret in state or output" {
    mirrorctl apply -v >out 2>&1
    mirrorctl apply -v -o json >>out 2>&1
    run grep -rlE 'canary-value|ghp_backup|ghp_master' state out
    [ "$status" -eq 1 ]
}
