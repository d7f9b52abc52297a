#!/usr/bin/env bash
# purity.sh LIBRARY OTHER…: LIBRARY may call only what purity.allow names, what it defines itself, and what the
# OTHER libraries (pure ones) define.
set -euo pipefail
export LC_ALL=C

library=${1:?usage: purity.sh LIBRARY [PURE_LIBRARY…]}
allow=$(cd "$(dirname "$0")" && pwd)/purity.allow

pattern=$(sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$allow" | paste -sd '|')
wanted=$(nm -u -P -- "$library" | awk '$2 ~ /^[Uvw]$/ { print $1 }' | sort -u)
defined=$(for lib in "$@"; do nm -P --defined-only -- "$lib"; done | awk 'NF >= 3 { print $1 }' | sort -u)

[[ -n $defined ]] || { echo "purity: $library defines nothing" >&2; exit 2; }
impure=$(comm -23 <(printf '%s\n' "$wanted") <(printf '%s\n' "$defined") | grep -Evx "($pattern)?" || true)
if [[ -n $impure ]]; then
    echo "${library##*/} is to be pure, and calls:"
    printf '    %s\n' $impure
    exit 1
fi
