/*
 * Every code that a message about a manifest may bear. The numbers are stable: users look them up,
 * and tools match them.
 */
#include "room.h"

const struct diag_row diag_rows[] = {
    {D_SYNTAX, DIAG_ERROR, "The file is not YAML",
     "Look at the line and the one above it: indentation, a missing quote, a tab."},
    {D_TOO_LARGE, DIAG_ERROR, "The file is larger or deeper than any manifest needs to be",
     "16 MB, 64 levels, 64 KB a value."},
    {D_ALIAS, DIAG_ERROR, "Anchors, aliases, tags and merge keys are not accepted",
     "Write the value where it is needed; what slaves share goes into `defaults`."},
    {D_DOCUMENTS, DIAG_ERROR, "There must be exactly one YAML document",
     "Split the file, and give mirrorctl one of them."},
    {D_ENCODING, DIAG_ERROR, "The file is not UTF-8 text", "Save it as UTF-8."},
    {D_LIBRARY, DIAG_ERROR, "libcyaml refuses what the checks before it accepted",
     "This is a mistake in mirrorctl: please report it with the manifest."},
    {D_TYPE, DIAG_ERROR, "A mapping, a list or a single value stands where another of them belongs",
     "`mirrorctl explain KEY` shows what goes there."},
    {D_DUPLICATE_KEY, DIAG_ERROR, "A key stands twice in one mapping", "Remove one of them."},
    {D_UNKNOWN_KEY, DIAG_ERROR, "There is no such key", "`mirrorctl explain` lists the keys."},
    {D_MISSING_KEY, DIAG_ERROR, "A key that must be there is not", "Add it."},
    {D_SCALAR, DIAG_ERROR, "A value is of another type than its key",
     "Truth values are true and false, numbers are decimal digits; text that looks like one of "
     "them goes into quotes."},
    {D_WORD, DIAG_ERROR, "A word is not among those that the key takes", "The message lists them."},
    {D_RANGE, DIAG_ERROR, "A number is too small or too large", "The message tells the range."},
    {D_DURATION, DIAG_ERROR, "A duration has no unit, or is none",
     "Write 500ms, 30s, 5m, 2h or 7d."},
    {D_ONE_OF, DIAG_ERROR, "Of some keys exactly one, or at least one, must be there",
     "The message lists them."},
    {D_COMPANION, DIAG_ERROR, "`name` goes with env_file and dir, and with nothing else",
     "Add it, or take it away."},
    {D_ID, DIAG_ERROR, "An id is not of the form that ids have",
     "Lower-case letters, digits, dot, dash and underscore; at most 63; the first a letter or "
     "digit."},
    {D_REPO, DIAG_ERROR, "A repository is not OWNER/NAME", "Write owner/name, without the host."},
    {D_NAME, DIAG_ERROR, "GitHub would refuse this name",
     "Letters, digits and underscore, not starting with a digit nor with GITHUB_."},
    {D_URL, DIAG_ERROR, "An address is none that mirrorctl can use",
     "https://HOST/PATH, ssh://[USER@]HOST/PATH, USER@HOST:PATH or a path that starts with / ./ "
     "../ ~/."},
    {D_HTTP, DIAG_ERROR, "Plain http would show credentials to everybody on the way", "Use https."},
    {D_REF_GLOB, DIAG_ERROR, "A glob over refs is none that can match, or one that must not",
     "Start with refs/; refs/pull/ and refs/mirrorctl/ are never mirrored."},
    {D_PATH, DIAG_ERROR, "A path is not of the form that is needed here", "See the message."},
    {D_WORKFLOW, DIAG_ERROR, "A workflow is named by its file name, without folders",
     "cron.yml, not .github/workflows/cron.yml."},
    {D_REFERENCE, DIAG_ERROR, "A ${…} names nothing that is known here",
     "${master.repo}, ${master.url}, ${slave.id}, ${slave.repo}; $${ stands for ${."},
    {D_EMPTY, DIAG_ERROR, "A value is empty", "Leave the key out, or say allow_empty: true."},
    {D_LITERAL_SECRET, DIAG_ERROR, "A secret value stands in the manifest",
     "Name where it is read instead: {env: NAME}, {file: PATH}, … If the file was ever shared or "
     "committed, revoke the value."},
    {D_TOKEN, DIAG_ERROR, "Something in the manifest looks like a credential",
     "Name where it is read instead. If the file was ever shared or committed, revoke it."},
    {D_URL_PASSWORD, DIAG_ERROR, "An address contains a password or token",
     "Take it out and use `token`. If the file was ever shared or committed, revoke it."},
    {D_DUPLICATE_ID, DIAG_ERROR, "Two slaves have one id", "Rename one of them."},
    {D_DUPLICATE_NAME, DIAG_ERROR, "A secret or variable is listed twice for one slave",
     "Remove one of them, or say with `slaves` which slave gets which."},
    {D_UNKNOWN_SLAVE, DIAG_ERROR, "There is no slave with this id", "See the ids under `slaves`."},
    {D_SLAVE_IS_MASTER, DIAG_ERROR, "A slave is the master itself", "Check repo and url of both."},
    {D_SAME_REPO, DIAG_ERROR, "Two slaves are one repository", "Remove one of them."},
    {D_TWO_LISTS, DIAG_ERROR, "A role names a workflow in two lists",
     "Remove it from one of them."},
    {D_TYPE_NEEDS, DIAG_ERROR, "A slave of this type cannot do without this key", "Add it."},
    {D_TYPE_REFUSES, DIAG_ERROR, "A slave of this type cannot have this",
     "Type git mirrors code and nothing else."},
    {D_LEASE, DIAG_ERROR, "The lease must be kept by a slave of type github",
     "Name another slave."},
    {D_TOO_MANY, DIAG_ERROR, "GitHub takes 100 secrets and 500 variables a repository",
     "Take some out, or give them to some slaves only."},
    {D_VALUE_SIZE, DIAG_ERROR, "GitHub takes 48 KB a variable", "Shorten it."},
    {D_STATE_FILE, DIAG_ERROR, "A relative state_file starts at master.source, which is not there",
     "Give `source`, or an absolute path."},
    {D_MISPLACED_SLAVES, DIAG_ERROR, "Inside a slave, `slaves` says nothing",
     "Take it out: what stands there is for that slave."},
    {W_RANK, DIAG_WARNING, "Two slaves have one rank",
     "Give each its own, so that the order of promotion is yours and not that of the file."},
    {W_EMPTY_PRUNE, DIAG_WARNING, "An empty list with prune deletes all that mirrorctl wrote there",
     "Take `prune` out if that is not meant."},
    {W_PASSWORD, DIAG_WARNING, "A variable contains an address with a password",
     "Variables can be read by everybody who can read the repository: make it a secret."},
    {D_ENV_LINE, DIAG_ERROR, "A line of the .env file is not NAME=value",
     "Comments start with #; values with spaces go into quotes."},
    {D_ENV_UNKNOWN, DIAG_ERROR, "There is no such MIRROR_ setting", "See docs/manifest.md."},
    {D_ENV_MISSING, DIAG_ERROR, "A MIRROR_ setting that must be there is not", "Add it."},
    {D_ENV_VALUE, DIAG_ERROR, "A MIRROR_ setting has a value that it cannot have",
     "The message tells which it can."},
    {D_ENV_OWN_TOKEN, DIAG_ERROR, "mirrorctl's own credentials are never mirrored",
     "Take the name out of the list."},
    {W_ENV_DISABLED, DIAG_WARNING, "MIRROR_ENABLED is not true: all slaves are suspended",
     "Set MIRROR_ENABLED=true."},
    {W_ENV_NO_SECRETS, DIAG_WARNING, "Secrets or variables are to be mirrored, but none is named",
     "Add MIRROR_SECRETS=NAME,NAME or MIRROR_VARS=NAME,NAME."},
};

const size_t diag_rows_n = ARRAY_LEN(diag_rows);

const struct diag_row *diag_row(enum diag code)
{
    for (size_t i = 0; i < diag_rows_n; i++)
        if (diag_rows[i].code == code)
            return &diag_rows[i];
    return &diag_rows[0];
}
