# The world of the bench, sourced by tests/bench/run: a master, fleets of slaves, the hub over HTTPS.
# shellcheck shell=bash disable=SC2154  # work, top, bin: set by run

secrets_wanted=17
readonly variables=(MASTER_REPO=acme/continuity ADAPTER_MOCK_MODE=true REGION=eu-central-1 LOG_LEVEL=info
    SITE_URL=https://www.example.org/continuity RELEASE_CHANNEL=stable)

# 300 commits on a handful of branches and tags, four workflows. fast-import, since 300 calls of git take long.
make_master() {
    local n file
    {
        for n in $(seq 300); do
            printf 'commit refs/heads/main\ncommitter Ada <ada@example.org> %d +0000\ndata <<END\nTick %d\nEND\n' $((1700000000 + n)) "$n"
            printf 'M 644 inline src/part%d.c\ndata <<END\nint part%d(void) { return %d; }\nEND\n' $((n % 40)) $((n % 40)) "$n"
            [ "$n" -eq 1 ] || continue
            for file in cron deploy-site sentinel test; do
                printf 'M 644 inline .github/workflows/%s.yml\ndata <<END\nname: %s\non: {schedule: [{cron: "*/30 * * * *"}], workflow_dispatch: {}}\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: make}]}}\nEND\n' "$file" "$file"
            done
        done
    } >"$work/history"
    git init -q --bare --template= -b main "$work/master.git"
    git -C "$work/master.git" fast-import --quiet <"$work/history"
    for n in 1 2 3 4; do git -C "$work/master.git" branch "release/$n" "main~$((n * 40))"; done
    for n in $(seq 10); do git -C "$work/master.git" tag "v1.$n" "main~$((n * 25))"; done
    git -C "$work/master.git" pack-refs --all
    master_refs=$(cat "$work/master.git/packed-refs")$'\n'
}

# make_secrets ROUND: another value for each of them in every round.
make_secrets() {
    local n
    for n in $(seq $secrets_wanted); do
        printf 'SECRET_%02d=value_%s_of_%02d_%s\n' "$n" "$1" "$n" 0123456789abcdef0123456789abcdef
    done >"$work/secrets.env"
}

# borrow DIR: a bare repository with the master's refs, whose objects lie in the master's.
borrow() {
    mkdir -p "$1/objects/info" "$1/objects/pack" "$1/refs/heads" "$1/refs/tags"
    printf '%s\n' "$work/master.git/objects" >"$1/objects/info/alternates"
    printf 'ref: refs/heads/main\n' >"$1/HEAD"
    printf '[core]\n\trepositoryformatversion = 0\n\tbare = true\n[gc]\n\tauto = 0\n' >"$1/config"
    printf '%s' "$master_refs" >"$1/packed-refs"
}

# fleet NAME SLAVES ACCOUNTS [seeded]: adds repositories, users and tokens to the world, and writes $work/NAME.fleet.
# Seeded slaves have the code: the hub takes over what lies in its folder, and borrowing is faster than pushing.
fleet() {
    local name=$1 slaves=$2 accounts=$3 seeded=${4-} n a
    for n in $(seq "$accounts"); do
        printf '"%s%d"\n' "$name" "$n" >>"$work/users"
        printf '{"token": "ghp_%s_%036d", "user": "%s%d", "scopes": "repo workflow"}\n' "$name" "$n" "$name" "$n" >>"$work/tokens"
        printf '%s_%d=ghp_%s_%036d\n' "${name^^}" "$n" "$name" "$n" >>"$work/tokens.env"
    done
    for n in $(seq "$slaves"); do
        a=$(((n - 1) % accounts + 1))
        printf '{"name": "%s%d/standby-%d"}\n' "$name" "$a" "$n" >>"$work/repos"
        [ -z "$seeded" ] || borrow "$work/hub/$name$a/standby-$n.git"
        printf '%s%d/standby-%d ghp_%s_%036d\n' "$name" "$a" "$n" "$name" "$a"
    done >"$work/$name.fleet"
}

make_world() {
    echo '"acme"' >"$work/users"
    echo '{"token": "ghp_master", "user": "acme", "scopes": "repo workflow"}' >"$work/tokens"
    printf '{"name": "acme/continuity", "from": "%s"}\n' "$work/master.git" >"$work/repos"
    echo 'MASTER=ghp_master' >"$work/tokens.env"
    fleet ours 10 10
    fleet theirs 10 10
    fleet hundred 100 10 seeded
    fleet crowd "$crowd" 10 seeded
    chmod 600 "$work/tokens.env"
    jq -n --slurpfile users "$work/users" --slurpfile tokens "$work/tokens" --slurpfile repos "$work/repos" \
        '{users: $users, tokens: $tokens, repos: $repos, quirks: {"rate-limit": 0}}' >"$work/world.json"
}

# A certificate of our own, believed beside the system's, as it would be for an enterprise server: everybody reads both.
make_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
    cat /etc/ssl/certs/ca-certificates.crt "$work/cert.pem" >"$work/bundle.pem"
}

hub_pid=
start_hub() {
    "$bin/mirrorctl-hub" --listen 127.0.0.1:0 --root "$work/hub" --world "$work/world.json" --port-file "$work/port" \
        --tls-cert "$work/cert.pem" --tls-key "$work/key.pem" >"$work/hub.out" 2>&1 &
    hub_pid=$!
    for _ in $(seq 6000); do
        [ ! -s "$work/port" ] || break
        kill -0 "$hub_pid" 2>/dev/null || { cat "$work/hub.out" >&2; die "the hub did not start"; }
        sleep 0.1
    done
    host=localhost:$(cat "$work/port")
}
hub() { curl -fsS --cacert "$work/cert.pem" -X POST "https://$host/_hub/$1" -d "${2:-{\}}"; }

# manifest FLEET: $work/FLEET.yaml, with everything that a slave can have.
manifest() {
    local name=$1 n=0 repo account variable
    {
        printf 'version: 1\ngithub: {url: "https://%s", ca_file: "%s"}\n' "$host" "$work/cert.pem"
        printf 'master:\n  repo: acme/continuity\n  token: {env_file: "%s", name: MASTER}\n' "$work/tokens.env"
        printf 'secrets:\n  from: {env_file: "%s"}\n  names: [' "$work/secrets.env"
        printf 'SECRET_%02d, ' $(seq $((secrets_wanted - 1)))
        printf 'SECRET_%02d]\nvariables:\n' "$secrets_wanted"
        for variable in "${variables[@]}"; do
            printf '  - {name: %s, value: "%s"}\n' "${variable%%=*}" "${variable#*=}"
        done
        printf 'slaves:\n'
        while read -r repo _; do
            n=$((n + 1)) account=${repo%%/*}
            printf '  - {id: s%04d, type: github, repo: %s, token: {env_file: "%s", name: %s_%d}}\n' \
                "$n" "$repo" "$work/tokens.env" "${name^^}" "${account#"$name"}"
        done <"$work/$name.fleet"
    } >"$work/$name.yaml"
}
