# A full disk, a read-only state: a clear message, a documented exit code, the state intact.

load world
setup() { world_start; }
teardown() {
    umount "$BATS_TEST_TMPDIR/small" 2>/dev/null || true
    world_stop
}

@test "a full disk stops the pass with a message, and the next one goes on" {
    mkdir small
    mount -t tmpfs -o size=700k tmpfs small 2>/dev/null || skip "no right to mount a small file system"
    head -c 600k /dev/zero >small/ballast
    run mirrorctl apply --state "$PWD/small/state"
    [ "$status" -eq 3 ]
    [[ $output == *"pace"* || $output == *"full"* ]]
    rm small/ballast
    umount small
    run mirrorctl apply
    [ "$status" -eq 0 ] || [ "$status" -eq 7 ]
}

@test "a state folder that cannot be written is told" {
    touch file
    run mirrorctl apply --state "$PWD/file/state"
    [ "$status" -eq 3 ]
    [[ $output == *"$PWD/file"* ]]
}

@test "a damaged state is refused with a way out, and nothing is written" {
    mirrorctl apply
    printf 'xxxxxxxxxxxxxxxx' | dd of=state/state.db bs=1 seek=4096 conv=notrunc status=none
    curl -fsS -X POST "$HUB/_hub/log-reset"
    run mirrorctl apply
    [ "$status" -eq 3 ]
    [[ $output == *damaged* || $output == *"not check out"* ]]
    [ "$(curl -fsS "$HUB/_hub/counters" | jq '.rest_writes + .git_pushes')" -eq 0 ]
}
