#include "failure.h"
#include "wire.h"

#include <string.h>

struct row {
    const char *first, *second; /* both must be in the text; second may be NULL */
    enum err_code code;
    const char *cure; /* or NULL */
};

/* The first row that fits wins. */
static const struct row ROWS[] = {
    {"REMOTE HOST IDENTIFICATION HAS CHANGED", NULL, ERR_REFUSED,
     "the server's host key is not the one in known_hosts: find out why before changing it"},
    {"Host key verification failed", NULL, ERR_REFUSED,
     "put the server's host key into known_hosts (ssh-keyscan, compared with what its owner says)"},
    {"dubious ownership", NULL, ERR_PERMISSION,
     "the repository belongs to another user: git config --global --add safe.directory PATH"},
    {"not in a work tree", NULL, ERR_INVALID, NULL},
    {"does not appear to be a git repository", NULL, ERR_NOT_FOUND, NULL},
    {"Repository not found", NULL, ERR_NOT_FOUND,
     "it is not there, or this credential may not see it"},
    {"Permission denied (", NULL, ERR_AUTH, "ssh found no key that the server accepts"},
    {"Too many authentication failures", NULL, ERR_AUTH, "name one key with ssh_key"},
    {"Authentication failed", NULL, ERR_AUTH, "the token is wrong or has expired"},
    {"could not read Username", NULL, ERR_AUTH, "the server wants a token"},
    {"could not read Password", NULL, ERR_AUTH, "the token is wrong or has expired"},
    {"returned error: 401", NULL, ERR_AUTH, "the token is wrong or has expired"},
    {"returned error: 403", NULL, ERR_PERMISSION, "the token may not read this repository"},
    {"returned error: 404", NULL, ERR_NOT_FOUND,
     "it is not there, or this credential may not see it"},
    {"returned error: 429", NULL, ERR_RATE, "wait some minutes"},
    {"rate-limited", NULL, ERR_RATE, "wait some minutes"},
    {"Permission to ", " denied", ERR_PERMISSION, NULL},
    {"access denied", NULL, ERR_PERMISSION, NULL},
    {"Permission denied", NULL, ERR_PERMISSION, NULL},
    {"couldn't find remote ref", NULL, ERR_CONFLICT, NULL},
    {"No space left on device", NULL, ERR_IO, "free some space"},
    {"Disk quota exceeded", NULL, ERR_IO, "free some space"},
    {"Operation too slow", NULL, ERR_TIMEOUT, NULL},
    {"timed out", NULL, ERR_TIMEOUT, NULL},
    {"not found", NULL, ERR_NOT_FOUND, NULL},
};

static bool fits(const struct row *r, const char *text)
{
    return strstr(text, r->first) != NULL && (r->second == NULL || strstr(text, r->second) != NULL);
}

/* Lines that only repeat what every failure says. */
static bool is_noise(const char *line)
{
    static const char *const NOISE[] = {
        "Please make sure you have the correct access rights",
        "and the repository exists.",
        "fatal: Could not read from remote repository.",
        "fatal: the remote end hung up unexpectedly",
        "fatal: The remote end hung up unexpectedly",
        "fatal: protocol error: unexpected end of file",
    };

    for (size_t i = 0; i < ARRAY_LEN(NOISE); i++) {
        if (str_starts_with(line, NOISE[i]))
            return true;
    }
    return line[strspn(line, " @-")] == '\0';
}

/* The first line that starts like an error, else the last one that is not noise. */
static const char *telling_line(struct arena *a, const char *text)
{
    char *rest = text_clean(a, text, strlen(text)), *line;
    const char *last = NULL;

    while ((line = strsep(&rest, "\n")) != NULL) {
        if (is_noise(line))
            continue;
        if (str_starts_with(line, "fatal: ") || str_starts_with(line, "error: "))
            return line + 7;
        if (str_starts_with(line, "ERROR: "))
            return line + 7;
        last = str_starts_with(line, "remote: ") ? line + 8 : line;
    }
    return last;
}

enum err_code failure_of_child(const char *url, int status, const char *text, struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    enum err_code code = ERR_UNAVAILABLE;
    const char *cure = NULL, *line = telling_line(a, text);

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        if (fits(&ROWS[i], text)) {
            code = ROWS[i].code;
            cure = ROWS[i].cure;
            break;
        }
    }
    if (line == NULL)
        line = arena_printf(a, "ended with status %d and no word", status);
    if (cure == NULL)
        return err_set(e, code, "%s: %s", url, line);
    return err_set(e, code, "%s: %s (%s)", url, line, cure);
}

bool failure_is_damage(const char *text)
{
    static const char *const SIGNS[] = {
        "is corrupt",
        "corrupted",
        "is empty",
        "bad object",
        "broken link",
        "bad tree object",
        "bad config",
        "not a git repository",
        "unable to read tree",
        "unable to read sha",
        "is far too short",
        "cannot be accessed",
        "did not send all necessary objects",
        "missing blob",
        "missing tree",
        "missing commit",
        "unable to parse",
        "index file",
        "bad signature",
        "unable to find all commit-graph files",
        "could not parse commit",
        "invalid sha1 pointer",
        "bad pack header",
        "unable to read ",
        "packfile ",
    };

    for (size_t i = 0; i < ARRAY_LEN(SIGNS); i++) {
        if (strstr(text, SIGNS[i]) != NULL)
            return true;
    }
    return false;
}
