# check, schema, explain, import: the manifest as a user meets it.

setup() {
    PATH=$MIRRORCTL_BUILD/bin:$PATH
    cd "$BATS_TEST_TMPDIR"
    export NO_COLOR=1
}

@test "no file, no manifest" {
    run mirrorctl check
    [ "$status" -eq 2 ]
    [[ $output == *mirrors.yaml* ]]
    run mirrorctl check -f nowhere.yaml
    [ "$status" -eq 2 ]
    [[ $output == *nowhere.yaml* ]]
}

@test "the annotated reference is a good manifest" {
    run mirrorctl check -f "$BATS_TEST_DIRNAME/../../manifests/mirrors.yaml"
    [ "$status" -eq 0 ]
}

@test "all errors come at once, with file, line and column" {
    cat >mirrors.yaml <<'Y'
version: 1
master: {repo: a/b}
slaves:
  - {id: one, type: github, repo: c/d, tokn: {env: T}}
  - {id: one, type: git, url: "https://user:password@example.org/x.git"}
Y
    run mirrorctl check
    [ "$status" -eq 2 ]
    grep -qE '^mirrors.yaml:4:[0-9]+: error\[M[0-9]+\]: ' <<<"$output"
    grep -qE '^mirrors.yaml:5:[0-9]+: error\[M[0-9]+\]: ' <<<"$output"
    [[ $output == *'did you mean "token"'* ]]
    [[ $output != *password@* ]]
}

@test "a secret value in the manifest is refused and not shown" {
    cat >mirrors.yaml <<'Y'
version: 1
master: {repo: a/b}
slaves:
  - {id: one, type: github, repo: c/d, token: ghp_canarycanarycanarycanarycanarycanary}
Y
    run mirrorctl check
    [ "$status" -eq 2 ]
    [[ $output != *canary* ]]
}

@test "a .env in the original form works in place of a manifest, and imports" {
    cat >.env <<'ENV'
MIRROR_ENABLED=true
GITHUB_REPOSITORY=cyberpunk042/continuity-orchestrator
MIRROR_1_TYPE=github
MIRROR_1_TOKEN=ghp_canarycanarycanarycanarycanarycanary
MIRROR_1_REPO=backup-account/continuity-orchestrator
MIRROR_1_SYNC_SECRETS=false
MIRROR_1_SYNC_VARS=false
MIRROR_2_TYPE=git
MIRROR_2_URL=ssh://backup.example.com/repo.git
ENV
    chmod 600 .env
    run mirrorctl check -f .env
    [ "$status" -eq 0 ]
    mirrorctl import env .env >mirrors.yaml
    run cat mirrors.yaml
    [[ $output != *canary* ]]
    run mirrorctl check
    [ "$status" -eq 0 ]
}

@test "the schema is JSON and the one that is committed" {
    mirrorctl schema >schema.json
    jq -e '."$schema"' schema.json
    cmp schema.json "$BATS_TEST_DIRNAME/../../manifests/mirrors.schema.json"
}

@test "explain knows keys, and suggests near ones" {
    run mirrorctl explain 'slaves[].sync.code'
    [ "$status" -eq 0 ]
    run mirrorctl explain 'slaves[].sink'
    [ "$status" -eq 2 ]
}
