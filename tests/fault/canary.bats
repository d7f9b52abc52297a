# Nothing secret where it does not belong: arguments and environments of children, URLs, logs, output, plan files,
# state, git configuration. The secrets of this world all contain the word "canary".

load world
setup() { world_start; }
teardown() { world_stop; }

@test "no canary in state, output, plan files, nor in the repositories" {
    mirrorctl diff -v --out plan >out 2>&1 || [ $? -eq 1 ]
    mirrorctl apply -v >>out 2>&1
    mirrorctl apply -v -o json >>out 2>&1
    mirrorctl status -o json >>out 2>&1
    run grep -rlaiE 'canary|Y2FuYXJ5|Y2FuYX' state out plan hub/backup/app.git/config
    [ -z "$output" ]
}

@test "no canary in arguments or environments of children" {
    # A git of our own in front notes what it is started with.
    mkdir spy
    real=$(command -v git)
    cat >spy/git <<S
#!/bin/sh
{ tr '\\0' '\\n' </proc/\$\$/cmdline; tr '\\0' '\\n' </proc/\$\$/environ; } >>"$PWD/seen"
exec "$real" "\$@"
S
    chmod +x spy/git
    PATH=$PWD/spy:$PATH mirrorctl apply
    [ -s seen ]
    run grep -i canary seen
    [ -z "$output" ]
}

@test "no canary in the URLs that the server saw" {
    mirrorctl apply
    curl -fsS "$HUB/_hub/log" >log
    run grep -i canary log
    [ -z "$output" ]
}
