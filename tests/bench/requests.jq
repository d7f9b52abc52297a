# What each request to a slave is for. Input: the hub's log; $repos: the slaves, one name a line.
# Output: rows of kind, requests, conditional, answered 304, reason; writes first by order of work.
def kinds: [
  ["^GET /repos/R$",                           "GET repository",            "is it the one we know, may we write, default branch"],
  ["^GET /R/info/refs$",                       "GET refs",                  "advertisement of receive-pack: all refs and the role marker"],
  ["^GET /repos/R/actions/permissions$",       "GET Actions switch",        "empty repository: is Actions on"],
  ["^GET /repos/R/actions/secrets$",           "GET secrets",               "names and updated_at; read back once after writing"],
  ["^GET /repos/R/actions/secrets/public-key$","GET public key",            "sealed boxes are made for it; only when one is written"],
  ["^GET /repos/R/actions/secrets/[^/]+$",     "GET one secret",            "updated_at read back"],
  ["^GET /repos/R/actions/variables$",         "GET variables",             "names and values, 30 a page"],
  ["^GET /repos/R/actions/workflows$",         "GET workflows",             "names and states; again after a push, which may bring some"],
  ["^PUT /repos/R/actions/permissions$",       "PUT Actions switch",        "off before the first push, on after it: nothing runs"],
  ["^POST /R/git-receive-pack$",               "POST push",                 "code in one push, the role marker in another"],
  ["^PATCH /repos/R$",                         "PATCH repository",          "default branch"],
  ["^PUT /repos/R/actions/secrets/[^/]+$",     "PUT secret",                "one each"],
  ["^POST /repos/R/actions/variables$",        "POST variable",             "one each"],
  ["^PATCH /repos/R/actions/variables/[^/]+$", "PATCH variable",            "one each that differs"],
  ["^PUT /repos/R/actions/workflows/[0-9]+/disable$", "PUT disable workflow", "one each that must not run"],
  ["^PUT /repos/R/actions/workflows/[0-9]+/enable$",  "PUT enable workflow",  "one each that must run"],
  [".",                                        "other",                     "NOT EXPECTED"]
];
($repos | split("\n") | map(select(. != ""))) as $names
| [ .[]
    | (.path | sub("^/api/v3"; "") | split("?")[0]) as $path
    | ($path | ltrimstr("/repos") | ltrimstr("/") | split("/")[0:2] | join("/") | rtrimstr(".git")) as $repo
    | select($names | index($repo))
    | . + {line: "\(.method) \($path | sub($repo + "(\\.git)?"; "R"))"} ]
| . as $all
| [ $all[] | .line as $line | . + {kind: ([kinds | to_entries[] | select(.value[0] as $re | $line | test($re))][0])} ]
| group_by(.kind.key)
| .[] | [ .[0].kind.value[1], length, ([.[] | select(.conditional)] | length), ([.[] | select(.status == 304)] | length),
          .[0].kind.value[2], (if .[0].kind.value[1] == "other" then ([.[].line] | unique | join(", ")) else "" end) ]
| @tsv
