# Words in, words out: help, version, completion, usage errors. Nothing here needs a server.

setup() {
    PATH=$MIRRORCTL_BUILD/bin:$PATH
    cd "$BATS_TEST_TMPDIR"
}

@test "--version and version say the same" {
    run mirrorctl --version
    [ "$status" -eq 0 ]
    [[ $output =~ ^mirrorctl\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
    [ "$output" = "$(mirrorctl version)" ]
}

@test "the light program links libc alone" {
    run ldd "$MIRRORCTL_BUILD/bin/mirrorctl"
    [[ $output != *libcurl* ]]
    [[ $output != *libgit2* ]]
    [[ $output != *sqlite* ]]
}

@test "help lists every command, and every command has help" {
    run mirrorctl help
    [ "$status" -eq 0 ]
    for command in diff apply status check import explain schema completion version help; do
        [[ $output == *"  $command"* ]]
        mirrorctl help "$command" | grep -q "^usage: mirrorctl $command"
        mirrorctl "$command" --help | grep -q "^usage: mirrorctl $command"
    done
}

@test "help keeps within 80 columns" {
    for command in diff apply status check import explain schema completion version help; do
        run awk 'length($0) > 80' <(mirrorctl help "$command")
        [ -z "$output" ]
    done
}

@test "exit codes are documented" {
    run mirrorctl help exit-codes
    for code in 0 1 2 3 4 5 6 7 8 130 143; do
        grep -qE "^ +$code  " <<<"$output"
    done
}

@test "a wrong command is 2, with a suggestion" {
    run mirrorctl aply
    [ "$status" -eq 2 ]
    [[ $output == *"did you mean 'apply'"* ]]
}

@test "a wrong option is 2, with a suggestion" {
    run mirrorctl diff --slaves x
    [ "$status" -eq 2 ]
    [[ $output == *"did you mean '--slave'"* ]]
}

@test "an option that another command has is told from one that is unknown" {
    run mirrorctl check --prune
    [ "$status" -eq 2 ]
    [[ $output == *"'check' takes no --prune"* ]]
}

@test "a value that is missing or wrong is told" {
    run mirrorctl diff --slave
    [ "$status" -eq 2 ]
    [[ $output == *"needs a value"* ]]
    run mirrorctl diff -o xml
    [ "$status" -eq 2 ]
    [[ $output == *"text|wide|json|yaml"* ]]
    run mirrorctl diff --only code,secret
    [ "$status" -eq 2 ]
    run mirrorctl diff --timeout 5
    [ "$status" -eq 2 ]
}

@test "nothing at all is a usage error" {
    run mirrorctl
    [ "$status" -eq 2 ]
    [[ $output == *"mirrorctl help"* ]]
}

@test "completions are scripts that their shell accepts" {
    mirrorctl completion bash | bash -n
    run mirrorctl completion tcsh
    [ "$status" -eq 2 ]
}

@test "bash completion completes commands and options" {
    source <(mirrorctl completion bash)
    COMP_WORDS=(mirrorctl ap) COMP_CWORD=1
    _mirrorctl
    [ "${COMPREPLY[*]}" = apply ]
    COMP_WORDS=(mirrorctl apply --pr) COMP_CWORD=2
    _mirrorctl
    [ "${COMPREPLY[*]}" = --prune ]
}

@test "the man page names every command and option" {
    mirrorctl help man >page
    for word in diff apply status check import explain schema completion; do
        grep -q "^.SS \"$word" page
    done
    grep -q 'allow\\-replaced' page
    grep -q '^.SH EXIT STATUS' page
}
