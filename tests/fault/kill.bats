# kill -9 at random moments: the next pass converges, and nothing is done twice with effect.

load world
setup() { world_start; }
teardown() { world_stop; }

@test "killed at random moments, the next pass converges" {
    seed=${MIRRORCTL_SEED:-$(date +%N)}
    echo "seed $seed"
    RANDOM=${seed#"${seed%%[!0]*}"}
    for round in $(seq 12); do
        # Something to do in every round, so that there is something to be killed in.
        export "SECRET_$((round % 4 + 1))=canary-secret-round-$round"
        sed -i "s/name: ONE, value: \"[^\"]*\"/name: ONE, value: \"$round\"/" mirrors.yaml
        curl -fsS -o /dev/null "$HUB/_hub/file" -d "{\"repo\": \"acme/app\", \"branch\": \"main\", \"path\": \"file\", \"data\": \"$round\"}"
        mirrorctl apply >/dev/null 2>&1 3>&- &
        victim=$!
        sleep "$((RANDOM % 3)).$(printf '%03d' $((RANDOM % 1000)))"
        kill -9 $victim 2>/dev/null || true
        wait $victim 2>/dev/null || true
    done
    # A slave that was seeded while being killed may have Actions off and half of its refs.
    mirrorctl apply
    assert_converged
    curl -fsS "$HUB/_hub/runs?repo=backup/app" | jq -e 'length == 0'
    curl -fsS -H "Authorization: Bearer $SLAVE_TOKEN" "$HUB/api/v3/repos/backup/app/actions/permissions" | jq -e .enabled
    run find state -name '*.tmp' -o -name 'tmp_pack*'
    [ -z "$output" ]
}

@test "Ctrl-C ends with 130, and the next pass goes on" {
    mirrorctl apply >/dev/null 2>&1 3>&- &
    victim=$!
    sleep 0.2
    kill -INT $victim
    status=0
    wait $victim || status=$?
    [ "$status" -eq 130 ] || [ "$status" -eq 0 ]
    mirrorctl apply
    assert_converged
}
