#!/usr/bin/env bash
# banned.sh ROOT: calls that cannot be made safe, and the jump that hides control flow.
set -euo pipefail
export LC_ALL=C

root=${1:?usage: banned.sh ROOT}
mapfile -t files < <(find -L "$root/src" "$root/include" -name '*.[ch]' | sort)
((${#files[@]} > 0)) || { echo "banned: no sources under $root" >&2; exit 2; }

# Comments, strings and character constants are blanked first: words are not calls.
awk -v root="$root/" '
    BEGIN {
        calls = "(^|[^A-Za-z0-9_])(strcpy|strcat|sprintf|vsprintf|strtok|gets|atoi|system|popen)[ \t]*\\("
        jump = "(^|[^A-Za-z0-9_])goto([^A-Za-z0-9_]|$)"
    }
    FNR == 1 { comment = 0 }
    {
        rest = $0; code = ""
        while (rest != "") {
            if (comment) {
                at = index(rest, "*/")
                if (at == 0) break
                rest = substr(rest, at + 2); comment = 0
            } else if (match(rest, /\/\*|\/\/|"([^"\\]|\\.)*"|\047([^\047\\]|\\.)*\047/)) {
                token = substr(rest, RSTART, 2)
                code = code substr(rest, 1, RSTART - 1) " "
                if (token == "//") break
                if (token == "/*") { comment = 1; rest = substr(rest, RSTART + 2) }
                else rest = substr(rest, RSTART + RLENGTH)
            } else { code = code rest; break }
        }
        what = ""
        if (match(code, calls)) what = substr(code, RSTART, RLENGTH)
        else if (match(code, jump)) what = "goto"
        if (what != "") {
            gsub(/[^A-Za-z0-9_]/, "", what)
            path = FILENAME; sub("^" root, "", path)
            printf "%s:%d: \"%s\" is banned\n", path, FNR, what
            bad = 1
        }
    }
    END { exit bad }
' "${files[@]}"
