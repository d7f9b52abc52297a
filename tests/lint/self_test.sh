#!/usr/bin/env bash
# self_test.sh CC: each lint is shown a house with one hole, and must see it; and the same house without.
set -euo pipefail

cc=${1:?usage: self_test.sh CC}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0

fail() {
    echo "self-test: $*" >&2
    exit 1
}

# A house of two rooms in which nothing is wrong.
build_house() {
    rm -rf "$work/house"
    mkdir -p "$work/house/include/mirrorctl" "$work/house/src/plan" "$work/house/src/http"
    printf '#include "mirrorctl/model.h"\n' >"$work/house/include/mirrorctl/plan.h"
    printf '#include "mirrorctl/plan.h"\n#include "inside.h"\n#include <string.h>\n' \
        >"$work/house/src/plan/plan.c"
    printf '#include <curl/curl.h>\n#include "mirrorctl/secrets.h"\n' >"$work/house/src/http/http.c"
    printf 'mirrorctl_room(NAME plan\n  SOURCES plan.c\n  USES base model)\n' \
        >"$work/house/src/plan/CMakeLists.txt"
}

clean() { # LINT
    build_house
    "$here/$1" "$work/house" >"$work/out" 2>&1 || fail "$1 complains about a clean house: $(cat "$work/out")"
}

# LINT FILE LINE WORD: with LINE added to FILE, LINT fails and says WORD.
caught() {
    build_house
    printf '%s\n' "$3" >>"$work/house/$2"
    if "$here/$1" "$work/house" >"$work/out" 2>&1; then
        fail "$1 does not see in $2: $3"
    fi
    grep -qF -- "$4" "$work/out" || fail "$1 says \"$(cat "$work/out")\", not \"$4\""
    count=$((count + 1))
}

# LINT FILE LINE: no complaint.
passes() {
    build_house
    printf '%s\n' "$3" >>"$work/house/$2"
    "$here/$1" "$work/house" >"$work/out" 2>&1 || fail "$1 complains about: $3 ($(cat "$work/out"))"
    count=$((count + 1))
}

clean layering.sh
caught layering.sh src/plan/plan.c '#include "mirrorctl/http.h"' 'may not open the door of "http"'
caught layering.sh src/plan/plan.c '  #  include "mirrorctl/store.h"' 'may not open the door of "store"'
caught layering.sh include/mirrorctl/plan.h '#include "mirrorctl/git.h"' 'may not open the door of "git"'
caught layering.sh src/plan/plan.c '#include <curl/curl.h>' 'may not see curl/curl.h'
caught layering.sh src/http/http.c '#include <jansson.h>' 'may not see jansson.h'
caught layering.sh src/http/http.c '#include <git2.h>' 'may not see git2.h'
caught layering.sh src/plan/plan.c '#include <sqlite3.h>' 'may not see sqlite3.h'
caught layering.sh src/plan/plan.c '#include <sodium/crypto_box.h>' 'may not see sodium'
caught layering.sh src/plan/plan.c '#include <yaml.h>' 'may not see yaml.h'
caught layering.sh src/plan/plan.c '#include "../http/engine.h"' 'reaches into another folder'
caught layering.sh include/mirrorctl/plan.h '#include <curl/curl.h>' 'a door shows a foreign header'
caught layering.sh include/mirrorctl/plan.h '#include "verdict.h"' 'includes the inside'
caught layering.sh include/mirrorctl/util.h '/* */' 'has no row'
caught layering.sh src/plan/CMakeLists.txt 'mirrorctl_room(NAME plan USES http)' 'may not link "http"'
caught layering.sh src/plan/CMakeLists.txt 'mirrorctl_room(NAME plan VENDOR CURL)' 'may not link CURL'

clean banned.sh
banned='strcpy strcat sprintf vsprintf strtok gets atoi system popen'
build_house
for call in $banned; do echo "    $call (x);"; done >>"$work/house/src/plan/plan.c"
"$here/banned.sh" "$work/house" >"$work/out" 2>&1 && fail "banned.sh sees none of $banned"
for call in $banned; do
    grep -qF "\"$call\" is banned" "$work/out" || fail "banned.sh does not see $call"
    count=$((count + 1))
done
caught banned.sh src/http/http.c '        goto done;' '"goto" is banned'
caught banned.sh include/mirrorctl/plan.h '#define X(a) (y(a), atoi(a))' '"atoi" is banned'
caught banned.sh src/plan/plan.c '/* why */ system("x"); /* so */' '"system" is banned'
passes banned.sh src/plan/plan.c 'snprintf(a, n, "system(%d)", my_system(1)); // goto there'
passes banned.sh src/plan/plan.c $'/* goto\n   strcpy(a, b) */ char c = \'"\'; int gotoo;'

library() { # CODE
    printf '%s\n' "$1" >"$work/x.c"
    (cd "$work" && "$cc" -w -O1 -c x.c -o x.o && rm -f x.a && ar rcs x.a x.o)
}

library '#include <string.h>
int f(const char *a) { return strcmp(a, "x"); }'
"$here/purity.sh" "$work/x.a" >"$work/out" 2>&1 || fail "purity.sh complains about strcmp: $(cat "$work/out")"
# One library with every hole: each must be named.
impure='time rand puts getenv open setlocale clock clock_sleep file_read getpid random strftime'
library "$(for call in $impure; do echo "int $call(); int f_$call(void) { return $call(); }"; done)"
if "$here/purity.sh" "$work/x.a" >"$work/out" 2>&1; then
    fail "purity.sh finds a library pure that calls $impure"
fi
for call in $impure; do
    grep -qw -- "$call" "$work/out" || fail "purity.sh does not name $call"
    count=$((count + 1))
done

echo "$count holes planted, all seen"
