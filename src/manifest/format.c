/*
 * What the text of a scalar must look like. The pattern is an extended regular expression that
 * means the same to POSIX and to ECMAScript: the JSON Schema carries it. The function checks what
 * it cannot say.
 */
#include "room.h"

#include <stdio.h>
#include <string.h>

struct format_row {
    const char *pattern;
    const char *expected;
    enum diag code;
    void (*check)(struct reading *r, const struct node *n);
};

static void check_id(struct reading *r, const struct node *n)
{
    if (strcmp(n->text, "master") == 0)
        report_at(r, D_ID, n, "choose another", "\"master\" is how the master itself is called");
}

static void check_repo(struct reading *r, const struct node *n)
{
    if (str_ends_with(n->text, ".git"))
        report_at(r, D_REPO, n, "leave .git out", "\"%s\" is not the name of a repository",
                  quoted(r, n->text));
}

static void check_name(struct reading *r, const struct node *n)
{
    if (strncasecmp(n->text, "GITHUB_", 7) == 0)
        report_at(r, D_NAME, n, NULL,
                  "GitHub refuses names that start with GITHUB_, as \"%s\" does",
                  quoted(r, n->text));
}

static void check_file_name(struct reading *r, const struct node *n)
{
    if (strcmp(n->text, ".") == 0 || strcmp(n->text, "..") == 0)
        report_at(r, D_PATH, n, NULL, "\"%s\" is not the name of a file", n->text);
}

/* ---- Addresses ------------------------------------------------------------------------------ */

static bool refuse_password(struct reading *r, const struct node *n)
{
    if (mask_find_url_password(n->text, n->len) == n->len)
        return false;
    hide(r, n);
    report_at(r, D_URL_PASSWORD, n, "take it out, and name where it is read under `token`",
              "an address with a password or token in it");
    return true;
}

static void refuse_plain_http(struct reading *r, const struct node *n, const struct address *ad)
{
    if (strcmp(ad->scheme, "http") == 0 && !address_is_loopback(ad))
        report_at(r, D_HTTP, n, "use https", "plain http is accepted for loopback addresses only");
}

static void check_http_url(struct reading *r, const struct node *n)
{
    struct address ad;

    if (refuse_password(r, n))
        return;
    if (!address_parse(n->text, r->arena, &ad) || ad.host == NULL || ad.user != NULL)
        report_at(r, D_URL, n, NULL, "\"%s\" is not an address such as https://github.com",
                  quoted(r, n->text));
    else
        refuse_plain_http(r, n, &ad);
}

static const char *git_url_hint(const char *url)
{
    return str_starts_with(url, "git://")
               ? "git:// is neither encrypted nor authenticated: use https or ssh"
               : "https://…, ssh://…, USER@HOST:PATH, or a path with / ./ ../ ~/ in front";
}

static void check_git_url(struct reading *r, const struct node *n)
{
    struct address ad;

    if (refuse_password(r, n))
        return;
    if (!address_parse(n->text, r->arena, &ad)) {
        report_at(r, D_URL, n, git_url_hint(n->text),
                  "\"%s\" is not an address that git can be pushed to", quoted(r, n->text));
        return;
    }
    refuse_plain_http(r, n, &ad);
}

/* ---- Paths ---------------------------------------------------------------------------------- */

static void check_path(struct reading *r, const struct node *n)
{
    if (strchr(n->text, '\n') != NULL)
        report_at(r, D_PATH, n, NULL, "a path of several lines");
    else if (strstr(n->text, "://") != NULL)
        report_at(r, D_PATH, n, NULL, "\"%s\" is an address; a path is needed", quoted(r, n->text));
    else if (n->text[0] == '~' && n->text[1] != '/' && n->text[1] != '\0')
        report_at(r, D_PATH, n, "only ~/ is known", "\"%s\" names somebody's home",
                  quoted(r, n->text));
}

static bool leads_out(const char *path)
{
    return strcmp(path, "..") == 0 || str_starts_with(path, "../") || str_ends_with(path, "/..") ||
           strstr(path, "/../") != NULL;
}

static void check_tree_path(struct reading *r, const struct node *n)
{
    if (leads_out(n->text) || str_ends_with(n->text, "/") || strstr(n->text, "//") != NULL)
        report_at(r, D_PATH, n, "a path inside the repository, such as state/current.json",
                  "\"%s\" is not a file of a repository", quoted(r, n->text));
}

/* ---- Refs and workflows --------------------------------------------------------------------- */

static void check_ref_glob(struct reading *r, const struct node *n)
{
    const char *s = n->text;

    if (strstr(s, "..") != NULL || strstr(s, "//") != NULL || strstr(s, "@{") != NULL ||
        str_ends_with(s, "/") || str_ends_with(s, ".lock"))
        report_at(r, D_REF_GLOB, n, NULL, "\"%s\" cannot match the name of a ref", quoted(r, s));
    else if (str_starts_with(s, "refs/pull/") || str_starts_with(s, "refs/mirrorctl/"))
        report_at(r, D_REF_GLOB, n, "leave it out", "%s is never mirrored",
                  s[5] == 'p' ? "refs/pull/" : "refs/mirrorctl/");
}

static void check_workflow(struct reading *r, const struct node *n)
{
    bool glob = strpbrk(n->text, "*?[") != NULL;

    if (!glob && !str_ends_with(n->text, ".yml") && !str_ends_with(n->text, ".yaml"))
        report_at(r, D_WORKFLOW, n, arena_printf(r->arena, "such as %s.yml", quoted(r, n->text)),
                  "\"%s\" is not the name of a workflow file", quoted(r, n->text));
}

/* ---- The table ------------------------------------------------------------------------------ */

static void check_duration(struct reading *r, const struct node *n)
{
    struct err e = ERR_INIT;
    struct ms d;
    if (duration_parse(n->text, &d, &e) != ERR_OK)
        report_at(r, D_DURATION, n, NULL, "\"%s\" is too long a time", quoted(r, n->text));
}

static void check_value(struct reading *r, const struct node *n)
{
    if (n->len > LIMIT_VARIABLE_BYTES)
        report_at(r, D_VALUE_SIZE, n, NULL, "a value of %zu bytes; GitHub takes 49152", n->len);
    if (mask_find_url_password(n->text, n->len) < n->len)
        report_at(r, W_PASSWORD, n, "make it a secret",
                  "a variable with an address that has a password in it");
    bool open;
    const char *unknown = reference_find_unknown(n->text, r->arena, &open);
    if (unknown == NULL)
        return;
    if (open) {
        report_at(r, D_REFERENCE, n, "$${ stands for ${", "a ${ that no } follows");
        return;
    }
    const char *near = str_suggest(unknown, reference_names());
    const char *hint = near != NULL ? arena_printf(r->arena, "did you mean ${%s}?", near)
                                    : "known are ${master.repo}, ${master.url}, ${slave.id} and "
                                      "${slave.repo}; $${ stands for ${";
    report_at(r, D_REFERENCE, n, hint, "unknown reference ${%s}", quoted(r, unknown));
}

static const struct format_row rows[FORMAT_COUNT] = {
    [FORMAT_ANY] = {NULL, "a text", D_SCALAR, NULL},
    [FORMAT_ID] = {"^[a-z0-9][a-z0-9._-]{0,62}$",
                   "an id: lower-case letters, digits, dot, dash and underscore, at most 63", D_ID,
                   check_id},
    [FORMAT_REPO] = {"^[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+$", "OWNER/NAME", D_REPO,
                     check_repo},
    [FORMAT_NAME] = {"^[A-Za-z_][A-Za-z0-9_]*$",
                     "a name that GitHub takes: letters, digits and underscore, not first a digit",
                     D_NAME, check_name},
    [FORMAT_ENV_NAME] = {"^[A-Za-z_][A-Za-z0-9_]*$", "the name of an environment variable",
                         D_LITERAL_SECRET, NULL},
    [FORMAT_CREDENTIAL] = {"^[A-Za-z0-9._-]+$", "a name without folders", D_PATH, check_file_name},
    [FORMAT_HTTP_URL] = {"^https?://[^?# ]+$", "an address such as https://github.com", D_URL,
                         check_http_url},
    [FORMAT_GIT_URL] = {"^((https?|ssh|file)://|/|[.]{1,2}/|~/|([A-Za-z0-9._-]+@)?[A-Za-z0-9._-]+:)"
                        "[^ ]",
                        "an address that git can be pushed to", D_URL, check_git_url},
    [FORMAT_PATH] = {NULL, "a path", D_PATH, check_path},
    [FORMAT_TREE_PATH] = {"^[^/]", "a path inside the repository", D_PATH, check_tree_path},
    [FORMAT_FIELD] = {"^[^. ]+([.][^. ]+)*$", "keys joined by dots", D_PATH, NULL},
    [FORMAT_DURATION] = {"^(0|[0-9]{1,9}(ms|s|m|h|d))$", "a duration such as 30s, 5m or 2h",
                         D_DURATION, check_duration},
    [FORMAT_REF_GLOB] = {"^refs/[^ ~:^\\\\]+$", "a glob over full ref names, such as refs/heads/*",
                         D_REF_GLOB, check_ref_glob},
    [FORMAT_WORKFLOW] = {"^[^/]+$", "a workflow's file name, or a glob over such", D_WORKFLOW,
                         check_workflow},
    [FORMAT_WORKFLOW_FILE] = {"^[^/*?[]+[.]ya?ml$", "a workflow's file name", D_WORKFLOW, NULL},
    [FORMAT_VALUE] = {NULL, "a text", D_REFERENCE, check_value},
};

const char *format_pattern(enum format f)
{
    return rows[f].pattern;
}

const char *format_expected(enum format f)
{
    return rows[f].expected;
}

static bool matches(struct reading *r, enum format f, const char *text)
{
    if (!r->compiled[f]) {
        if (regcomp(&r->patterns[f], rows[f].pattern, REG_EXTENDED | REG_NOSUB) != 0)
            return false;
        r->compiled[f] = true;
    }
    return regexec(&r->patterns[f], text, 0, NULL, 0) == 0;
}

/* What was probably meant by a text that is not of the form. */
static const char *format_hint(struct reading *r, enum format f, const char *text)
{
    if (f == FORMAT_REF_GLOB && strncmp(text, "refs/", 5) != 0 && strpbrk(text, " ~:^\\") == NULL)
        return arena_printf(
            r->arena, "such as refs/%s%s",
            str_starts_with(text, "heads/") || str_starts_with(text, "tags/") ? "" : "heads/",
            quoted(r, text));
    if ((f == FORMAT_WORKFLOW || f == FORMAT_WORKFLOW_FILE) && strchr(text, '/') != NULL)
        return "without its folder, such as cron.yml";
    if (f == FORMAT_GIT_URL)
        return git_url_hint(text);
    if (f == FORMAT_REPO && strstr(text, "://") != NULL)
        return "without the host, such as owner/name";
    return NULL;
}

void format_check(struct reading *r, enum format f, const struct node *n)
{
    const struct format_row *row = &rows[f];

    if ((f == FORMAT_HTTP_URL || f == FORMAT_GIT_URL || f == FORMAT_REPO) && refuse_password(r, n))
        return;
    if (row->pattern == NULL || (strchr(n->text, '\n') == NULL && matches(r, f, n->text))) {
        if (row->check != NULL)
            row->check(r, n);
        return;
    }
    if (f == FORMAT_ENV_NAME || (r->secretive && strchr(n->text, '=') != NULL)) {
        hide(r, n); /* {env: hunter2!} and names: [A=hunter2] */
        report_at(r, D_LITERAL_SECRET, n, "secret values do not belong in a manifest",
                  "this is not %s", row->expected);
        return;
    }
    report_at(r, row->code, n, format_hint(r, f, n->text), "\"%s\" is not %s", quoted(r, n->text),
              row->expected);
}
