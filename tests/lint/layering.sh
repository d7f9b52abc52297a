#!/usr/bin/env bash
# layering.sh ROOT: every #include of a room, and what its CMakeLists.txt links, against layering.tsv.
# A wall that is only drawn gets holes: this is what makes the drawing true.
set -euo pipefail
export LC_ALL=C

root=${1:?usage: layering.sh ROOT}
table=$(cd "$(dirname "$0")" && pwd)/layering.tsv
shopt -s nullglob

files=("$root"/include/mirrorctl/*.h "$root"/src/*/*.[ch])
((${#files[@]} > 0)) || { echo "layering: no sources under $root" >&2; exit 2; }

# The room of a file: src/<room>/x.c, include/mirrorctl/<room>.h.
awk -v root="$root/" '
    function complain(what) {
        sub("^" root, "", path)
        printf "%s:%d: %s\n", path, FNR, what
        bad = 1
    }
    function has(list, word) { return index(" " list " ", " " word " ") > 0 }

    FILENAME == ARGV[1] {
        if ($0 ~ /^#/ || $0 == "") next
        n = split($0, cell, "\t")
        if (n != 3) { print "layering.tsv:" FNR ": three columns are wanted"; bad = 1; next }
        doors[cell[1]] = cell[2]; vendors[cell[1]] = cell[3]; known[cell[1]] = 1
        m = split(cell[3], word, " ")
        for (i = 1; i <= m; i++) if (word[i] != "-") guarded[word[i]] = 1
        next
    }
    FNR == 1 {
        path = FILENAME
        m = split(FILENAME, part, "/")
        is_door = FILENAME ~ /\/include\/mirrorctl\/[^\/]*$/
        room = is_door ? part[m] : part[m - 1]
        if (is_door) sub(/\.h$/, "", room)
        if (!(room in known)) complain("room \"" room "\" has no row in layering.tsv")
    }
    /^[ \t]*#[ \t]*include/ {
        path = FILENAME
        line = $0
        if (match(line, /"[^"]*"/)) {
            name = substr(line, RSTART + 1, RLENGTH - 2)
            if (name ~ /^mirrorctl\//) {
                other = name; sub(/^mirrorctl\//, "", other); sub(/\.h$/, "", other)
                if (other != room && !has(doors[room], other))
                    complain("room \"" room "\" may not open the door of \"" other "\"")
            } else if (name ~ /\//) {
                complain("room \"" room "\" reaches into another folder: " name)
            } else if (is_door) {
                complain("a door includes the inside of a room: " name)
            }
        } else if (match(line, /<[^>]*>/)) {
            name = substr(line, RSTART + 1, RLENGTH - 2)
            vendor = name
            sub(/\/.*$/, "", vendor); sub(/\.h$/, "", vendor)
            if (vendor in guarded) {
                if (is_door) complain("a door shows a foreign header: " name)
                else if (!has(vendors[room], vendor))
                    complain("room \"" room "\" may not see " name)
            }
        }
    }
    END { exit bad }
' "$table" "${files[@]}" || failed=1

# What a room links: USES and VENDOR of its CMakeLists.txt.
while IFS=$'\t' read -r room doors vendors; do
    [[ $room == \#* || -z $room ]] && continue
    cmake=$root/src/$room/CMakeLists.txt
    [[ -f $cmake ]] || continue
    words=$(sed 's/#.*//' "$cmake" | tr '()\n\t' '    ')
    mode=
    for word in $words; do
        case $word in
        USES | VENDOR) mode=$word ;;
        NAME | SOURCES | target_* | set* | if | add_*) mode= ;;
        *)
            # git2 is GIT2 to CMake, sqlite3 is SQLITE.
            # A room may be built as several libraries, <room>_…: they are all itself.
            if [[ $mode == USES && $word != "${room}_"* && " $doors " != *" $word "* ]]; then
                echo "src/$room/CMakeLists.txt: room \"$room\" may not link \"$word\""
                failed=1
            elif [[ $mode == VENDOR ]]; then
                low=${word,,}
                [[ $low == sqlite ]] && low=sqlite3
                if [[ " $vendors " != *" $low "* ]]; then
                    echo "src/$room/CMakeLists.txt: room \"$room\" may not link $word"
                    failed=1
                fi
            fi
            ;;
        esac
    done
done <"$table"

exit "${failed:-0}"
