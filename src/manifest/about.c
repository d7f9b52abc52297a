/*
 * What libcyaml's tables cannot say about the format: meaning, defaults, examples, formats, ranges
 * and which keys go together. One row a type of mapping, one row a key; a test holds that none is
 * missing.
 * These texts are the descriptions of the JSON Schema, docs/manifest.md and `mirrorctl explain`.
 */
#include "schema.h"

#include <string.h>

/* clang-format 14 crashes over tables like these: */
/* clang-format off */

#define END_OF_KEYS {.key = NULL}
#define ROW(name, form, otherwise, sample, meaning)                                                \
    {.key = (name), .text = (meaning), .fallback = (otherwise), .example = (sample),               \
     .format = FORMAT_##form}
#define NUMBER(name, least, most, otherwise, sample, meaning)                                      \
    {.key = (name), .text = (meaning), .fallback = (otherwise), .example = (sample),               \
     .min = (least), .max = (most)}

/* ---- Sources -------------------------------------------------------------------------------- */

#define SOURCE_KEYS(name_text)                                                                     \
    ROW("env", ENV_NAME, NULL, "GITHUB_TOKEN",                                                     \
        "Name of an environment variable of mirrorctl."),                                          \
    ROW("file", PATH, NULL, "/etc/mirrorctl/token",                                            \
        "A file that holds the value and nothing else; one newline at its end is dropped. "        \
        "Only its owner may be able to read it."),                                                 \
    ROW("env_file", PATH, NULL, ".env",                                                        \
        "A file of `NAME=value` lines, read anew in each pass. Only its owner may be able to "     \
        "read it."),                                                                               \
    ROW("dir", PATH, NULL, "/run/secrets",                                                     \
        "A folder with one file a value, as Kubernetes and Docker mount secrets."),                \
    ROW("credential", CREDENTIAL, NULL, "github-token",                                        \
        "Name of a systemd credential (`LoadCredential=`), a file in "                             \
        "`$CREDENTIALS_DIRECTORY`."),                                                              \
    ROW("command", ANY, NULL, "[pass, show, github]",                                          \
        "A program and its arguments. What it prints is the value; one newline at the end is "     \
        "dropped. No shell is involved; it has 30 seconds."),                                      \
    ROW("name", CREDENTIAL, NULL, "MIRROR_1_TOKEN", name_text),                                \
        END_OF_KEYS

static const char *const source_forms[] = {"env",        "file",    "env_file", "dir",
                                           "credential", "command", NULL};
static const char *const named_forms[] = {"env_file", "dir", NULL};

static const struct key_about source_keys[] = {
    SOURCE_KEYS("Which value of the `env_file` or the `dir` it is. Goes with these two, and must "
                "be there with them."),
};

static const struct key_about item_source_keys[] = {
    SOURCE_KEYS("What the value is called in the `env_file` or the `dir`, when that is not the "
                "secret's own name. This is how a secret gets another name at a slave."),
};

static const struct key_about names_source_keys[] = {
    ROW("env_file", PATH, NULL, ".env",
        "A file of `NAME=value` lines that holds the listed names."),
    ROW("dir", PATH, NULL, "/run/secrets",
        "A folder with one file a name, as Kubernetes and Docker mount secrets."),
    END_OF_KEYS,
};

/* ---- Addresses and master ------------------------------------------------------------------- */

static const struct key_about github_keys[] = {
    ROW("url", HTTP_URL, "https://github.com", "https://github.example.com",
        "Where people open it in a browser. GitHub Enterprise Cloud with data residency "
        "(`https://SUB.ghe.com`) and GitHub Enterprise Server work as well. Plain http is "
        "accepted for loopback addresses only."),
    ROW("api", HTTP_URL,
        "follows from `url`: https://api.github.com, https://api.SUB.ghe.com, or URL/api/v3",
        "https://github.example.com/api/v3",
        "Base address of the REST API."),
    ROW("ca_file", PATH, NULL, "company-ca.pem",
        "PEM file of a further certificate authority to trust, for servers with a company's "
        "own."),
    ROW("write_interval", DURATION,
        "1s on github.com and ghe.com (their rate limits ask for it), none elsewhere",
        "1s",
        "Pause between two writes with one credential."),
    NUMBER("reads", 1, 100, "10", "10",
        "How many reads may be under way at once with one credential."),
    END_OF_KEYS,
};

static const struct key_about heartbeat_keys[] = {
    ROW("path", TREE_PATH, "state/current.json", "state/current.json",
        "The JSON file, as a path in the repository."),
    ROW("field", FIELD, "meta.updated_at_iso", "meta.updated_at_iso",
        "Where in it the time of the last sign of life stands: keys joined by dots."),
    ROW("max_age", DURATION, "2h", "2h",
        "An older sign of life is none."),
    END_OF_KEYS,
};

static const struct key_about master_keys[] = {
    ROW("repo", REPO, NULL, "cyberpunk042/continuity-orchestrator",
        "The master at GitHub."),
    ROW("url", GIT_URL, "follows from `github.url` and `repo`",
        "ssh://git@github.com/cyberpunk042/continuity-orchestrator.git",
        "Its git address: https, ssh, `user@host:path`, or a path that starts with `/`, `./`, "
        "`../` or `~/`. Alone, without `repo`, the master is a plain git repository: only code "
        "comes from it."),
    ROW("github", ANY, "`github` at the top", NULL,
        "Another GitHub than the one at the top."),
    ROW("token", ANY, NULL, "{env: GITHUB_TOKEN}",
        "Reads the master, and switches its workflows when it may. A public master can be read "
        "without."),
    ROW("ssh_key", PATH, "what ssh itself would use", "/etc/mirrorctl/master_ed25519",
        "Private key for an ssh address."),
    ROW("known_hosts", PATH, "those of ssh itself", "/etc/mirrorctl/known_hosts",
        "Host keys for an ssh address. They are always checked strictly."),
    ROW("source", PATH, "a bare cache is kept and fetched", ".",
        "A local clone to take the code from."),
    ROW("state_file", PATH, NULL, "state/current.json",
        "JSON file into which the `mirrors` object is written: the state that the master's own "
        "pages show. A relative path starts at `source`. mirrorctl never commits it."),
    ROW("heartbeat", ANY, NULL, NULL,
        "Where the master's sign of life is read."),
    ROW("workflows", ANY, "true when `repo` is given", "true",
        "Whether the master's own workflows are switched as the role MASTER says."),
    END_OF_KEYS,
};

static const char *const master_any[] = {"repo", "url", NULL};

/* ---- Roles ---------------------------------------------------------------------------------- */

static const struct key_about role_keys[] = {
    ROW("enabled", WORKFLOW, "none", "[cron.yml, deploy-site.yml]",
        "Workflow files, or globs over them, that run in this role."),
    ROW("disabled", WORKFLOW, "none", "[\"*\"]",
        "Those that do not."),
    ROW("ignored", WORKFLOW, "none", "[\"codeql*\"]",
        "Those that are left as they are. So are workflows that no list names."),
    END_OF_KEYS,
};

static const struct key_about roles_keys[] = {
    ROW("MASTER", ANY, "all on but sentinel.yml",
        "{enabled: [\"*\"], disabled: [sentinel.yml]}",
        "The repository that runs everything."),
    ROW("SLAVE", ANY, "all off but sentinel.yml",
        "{enabled: [sentinel.yml], disabled: [\"*\"]}",
        "A standby."),
    ROW("TEMPORARY_MASTER", ANY, "cron.yml, deploy-site.yml and sentinel.yml on, the rest as it is",
        "{enabled: [cron.yml, sentinel.yml], ignored: [\"*\"]}",
        "A slave that was promoted because the master went down."),
    END_OF_KEYS,
};

/* ---- Secrets and variables ------------------------------------------------------------------ */

#define ADOPT_TEXT                                                                                 \
    "Whether one that is already at the slave, and was not written by mirrorctl, may be "          \
    "overwritten."
#define ALLOW_EMPTY_TEXT "Whether an empty value is meant. Without it an empty value is an error."
#define SLAVES_TEXT                                                                                \
    "Ids of the slaves that get it. For them it beats an entry of the same name without `slaves`."

static const struct key_about secret_keys[] = {
    ROW("name", NAME, NULL, "RENEWAL_TRIGGER_TOKEN",
        "Its name at the slave. GitHub stores names in upper case."),
    ROW("from", ANY, "the list's `from`, under the same name",
        "{env: MIRROR_1_RENEWAL_TRIGGER_TOKEN}",
        "Where its value is read."),
    ROW("slaves", ID, "all", "[github-backup]",
        SLAVES_TEXT),
    ROW("roles", ANY, "all", "[TEMPORARY_MASTER]",
        "Roles in which the slave has it. An empty list means none, which takes an inherited "
        "secret out again."),
    ROW("adopt", ANY, "that of the list", "true",
        ADOPT_TEXT),
    ROW("allow_empty", ANY, "that of the list", "true",
        ALLOW_EMPTY_TEXT),
    END_OF_KEYS,
};

static const struct key_about secrets_keys[] = {
    ROW("from", ANY, "the environment of mirrorctl", "{env_file: .env}",
        "Where the values of `names`, and of items without a `from`, are read. Relative paths "
        "start at the manifest's folder."),
    ROW("names", NAME, "none", "[RESEND_API_KEY, RENEWAL_SECRET]",
        "Secrets that are called the same at the source and at the slave. At the source they "
        "are looked up as written here."),
    ROW("items", ANY, "none", NULL,
        "Secrets that need more than their name."),
    ROW("adopt", ANY, "false", "true",
        ADOPT_TEXT),
    ROW("allow_empty", ANY, "false", "true",
        ALLOW_EMPTY_TEXT),
    ROW("prune", ANY, "false", "true",
        "Whether secrets that mirrorctl wrote, and that are no longer wanted, are deleted at "
        "the slave. Others are never touched."),
    END_OF_KEYS,
};

#define ROLE_VALUE(role)                                                                           \
    ROW(role, VALUE, NULL, "\"false\"",                                                            \
        "The value while the slave is " role ".")

static const struct key_about role_values_keys[] = {
    ROLE_VALUE("MASTER"),
    ROLE_VALUE("SLAVE"),
    ROLE_VALUE("TEMPORARY_MASTER"),
    END_OF_KEYS,
};

static const struct key_about variable_keys[] = {
    ROW("name", NAME, NULL, "ADAPTER_MOCK_MODE",
        "Its name. GitHub stores names in upper case."),
    ROW("value", VALUE, "not wanted in roles that `in` does not name", "\"${master.repo}\"",
        "Its value, in all roles that `in` does not name. `${master.repo}`, `${master.url}`, "
        "`${slave.id}` and `${slave.repo}` are replaced; `$${` stands for `${`. What looks "
        "like a number or a truth value goes into quotes."),
    ROW("in", ANY, NULL, "{TEMPORARY_MASTER: \"false\"}",
        "Values for single roles."),
    ROW("slaves", ID, "all", "[github-backup]",
        SLAVES_TEXT),
    ROW("adopt", ANY, "that of `variable_rules`", "true",
        ADOPT_TEXT),
    ROW("allow_empty", ANY, "that of `variable_rules`", "true",
        ALLOW_EMPTY_TEXT),
    END_OF_KEYS,
};

static const char *const variable_any[] = {"value", "in", NULL};

static const struct key_about rules_keys[] = {
    ROW("adopt", ANY, "false", "true",
        ADOPT_TEXT),
    ROW("allow_empty", ANY, "false", "true",
        ALLOW_EMPTY_TEXT),
    ROW("prune", ANY, "false", "true",
        "Whether variables that mirrorctl wrote, and that are no longer wanted, are deleted at "
        "the slave. Others are never touched."),
    END_OF_KEYS,
};

/* ---- Refs, failover, guards, sync ----------------------------------------------------------- */

static const struct key_about refs_keys[] = {
    ROW("include", REF_GLOB, "[\"refs/heads/*\", \"refs/tags/*\"]",
        "[\"refs/heads/*\", \"refs/tags/v*\"]",
        "Globs over full ref names: what is mirrored. `*` crosses `/`. refs/pull/ and "
        "refs/mirrorctl/ never are."),
    ROW("exclude", REF_GLOB, "none", "[\"refs/heads/wip/*\"]",
        "Taken out again, from pruning too."),
    ROW("prune", ANY, "false", "true",
        "Whether refs that the master no longer has are deleted at the slave."),
    ROW("move_tags", ANY, "false", "true",
        "Whether a tag that points elsewhere at the master is moved at the slave."),
    ROW("on_divergence", ANY, "refuse", "rescue",
        "What to do about a branch of the slave that has commits the master does not know: "
        "`refuse` leaves the slave alone and says so, `rescue` keeps them under "
        "refs/mirrorctl/rescue/ first, `overwrite` loses them."),
    END_OF_KEYS,
};

static const struct key_about failover_keys[] = {
    ROW("interval", DURATION, "30m", "30m",
        "How often a slave looks after the master."),
    NUMBER("fall", 1, 1000, "3", "3",
        "So many observations of a dead master, one after the other, promote a slave."),
    NUMBER("rise", 1, 1000, "2", "2",
        "So many observations of a living master, one after the other, end the promotion."),
    ROW("recovery", ANY, "auto", "manual",
        "Whether a master that is back takes over by itself (`auto`) or on command (`manual`)."),
    ROW("return", ANY, "branch", "fast-forward",
        "How the work of a temporary master gets back to the master: as a `branch` to be "
        "merged, by `fast-forward` when the master has nothing new, or not at all (`none`)."),
    ROW("start", WORKFLOW_FILE, "none", "[cron.yml]",
        "Workflow files that are started once a slave was promoted."),
    ROW("chain", ANY, "false", "true",
        "Whether the sentinel workflow starts its own next run, because GitHub's schedules are "
        "late or fail to come."),
    ROW("lease", ID, "the slave of type github with the lowest rank", "github-backup",
        "Id of the slave whose repository holds the lease: the right to be the one temporary "
        "master."),
    ROW("master_token", ANY, NULL, "{env: SENTINEL_READ_TOKEN}",
        "With it a slave reads a private master."),
    ROW("lease_token", ANY, NULL, "{env: SENTINEL_LEASE_TOKEN}",
        "With it a slave writes the lease repository. Needed when there are several slaves."),
    END_OF_KEYS,
};

static const struct key_about guards_keys[] = {
    NUMBER("max_deletes", 0, 1000000, "10", "10",
        "More deletions at one slave in one pass are refused as a whole."),
    NUMBER("max_delete_share", 0, 100, "50", "25",
        "So many percent of what mirrorctl keeps at a slave may be deleted in one pass; looked "
        "at from 5 deletions on."),
    END_OF_KEYS,
};

static const struct key_about sync_keys[] = {
    ROW("code", ANY, "true", "false",
        "Branches and tags."),
    ROW("secrets", ANY, "true for type github", "false",
        "Actions secrets. Only for type github."),
    ROW("variables", ANY, "true for type github", "false",
        "Actions variables. Only for type github."),
    ROW("workflows", ANY, "true for type github", "false",
        "Which workflows are on. Only for type github."),
    END_OF_KEYS,
};

/* ---- Top, defaults, slave ------------------------------------------------------------------- */

#define LAYER_KEYS                                                                                 \
    ROW("github", ANY, NULL, NULL,                                                                 \
        "Which GitHub, and how to talk to it."),                                                   \
    ROW("roles", ANY, NULL, NULL,                                                              \
        "Which workflows run in which role. A role given further inside replaces the same "        \
        "role as a whole."),                                                                       \
    ROW("secrets", ANY, NULL, NULL,                                                            \
        "Actions secrets. Lists at the top, in `defaults` and in a slave merge by name; the "      \
        "innermost wins."),                                                                        \
    ROW("variables", ANY, NULL, NULL,                                                          \
        "Actions variables. Lists at the top, in `defaults` and in a slave merge by name; "        \
        "the innermost wins."),                                                                    \
    ROW("variable_rules", ANY, NULL, NULL,                                                     \
        "What holds for all variables, as in `secrets`."),                                         \
    ROW("refs", ANY, NULL, NULL,                                                               \
        "Which branches and tags, and how."),                                                      \
    ROW("lfs", ANY, "auto", "off",                                                             \
        "Whether large files (git LFS) are brought along when the repository uses them "           \
        "(`auto`) or not (`off`)."),                                                               \
    ROW("guards", ANY, NULL, NULL,                                                                 \
        "What stops a slave's pass before it deletes too much.")

#define ACCESS_KEYS                                                                                \
    ROW("token", ANY, NULL, "{env: MIRROR_1_TOKEN}",                                               \
        "The credential for it. Type github cannot do without."),                                  \
    ROW("ssh_key", PATH, "what ssh itself would use", "/etc/mirrorctl/archive_ed25519",        \
        "Private key for an ssh address."),                                                        \
    ROW("known_hosts", PATH, "those of ssh itself", "/etc/mirrorctl/known_hosts",              \
        "Host keys for an ssh address. They are always checked strictly."),                        \
    ROW("sync", ANY, NULL, NULL,                                                                   \
        "What is kept in step.")

static const struct key_about defaults_keys[] = {ACCESS_KEYS, LAYER_KEYS, END_OF_KEYS};

static const struct key_about slave_keys[] = {
    ROW("id", ID, NULL, "github-backup",
        "How it is called here and in all reports. `master` is taken."),
    ROW("type", ANY, NULL, "github",
        "`github`: code, secrets, variables, workflows, failover. `git`: code only, an archive "
        "anywhere."),
    ROW("repo", REPO, NULL, "backup-account/continuity-orchestrator",
        "The slave at GitHub. Type github needs it."),
    ROW("url", GIT_URL, "follows from `github.url` and `repo`",
        "ssh://git@backup.example.com/srv/repo.git",
        "Its git address: https, ssh, `user@host:path`, or a path that starts with `/`, `./`, "
        "`../` or `~/`. Type git needs it."),
    NUMBER("rank", 0, 1000000, "its place in the list, from 1", "1",
        "Order of promotion: the lowest first."),
    ROW("suspended", ANY, "false", "true",
        "Leaves it alone, and shows it as suspended."),
    ACCESS_KEYS,
    LAYER_KEYS,
    END_OF_KEYS,
};

static const struct key_about root_keys[] = {
    NUMBER("version", 1, 1, NULL, "1",
        "Of this format."),
    ROW("master", ANY, NULL, NULL,
        "The repository that is mirrored."),
    LAYER_KEYS,
    ROW("failover", ANY, NULL, NULL,
        "When a slave takes over, and how it hands back."),
    ROW("defaults", ANY, NULL, NULL,
        "What slaves share. Beats the top, and is beaten by the slave itself."),
    ROW("slaves", ANY, NULL, NULL,
        "The repositories that are kept in step with the master."),
    END_OF_KEYS,
};

/* ---- All types ------------------------------------------------------------------------------ */

const struct type_about schema_types[] = {
    {.name = "manifest",
     .fields = schema_root_fields,
     .text = "What every slave should be. Relative paths start at the manifest's folder. Durations "
             "are a number with a unit: `500ms`, `30s`, `5m`, `2h`, `7d`.",
     .keys = root_keys},
    {.name = "master",
     .fields = schema_master_fields,
     .text = "The repository that is mirrored. It needs `repo`, `url` or both.",
     .keys = master_keys,
     .any_of = master_any},
    {.name = "slave",
     .fields = schema_slave_fields,
     .text = "One repository that is kept in step with the master.",
     .keys = slave_keys},
    {.name = "defaults",
     .fields = schema_defaults_fields,
     .text = "What slaves share.",
     .keys = defaults_keys},
    {.name = "github",
     .fields = schema_github_fields,
     .text = "Which GitHub, and how to talk to it.",
     .keys = github_keys},
    {.name = "source",
     .fields = schema_source_fields,
     .text = "Where a credential is read: exactly one of `env`, `file`, `env_file`, `dir`, "
             "`credential`, `command`. Never the credential itself.",
     .keys = source_keys,
     .one_of = source_forms,
     .name_goes_with = named_forms,
     .name_needed = true},
    {.name = "secrets",
     .fields = schema_secrets_fields,
     .text = "Actions secrets of the slaves.",
     .keys = secrets_keys},
    {.name = "names_source",
     .fields = schema_names_source_fields,
     .text = "Where several values are read, each under its own name.",
     .keys = names_source_keys,
     .one_of = named_forms},
    {.name = "secret",
     .fields = schema_secret_fields,
     .text = "A secret that needs more than its name.",
     .keys = secret_keys},
    {.name = "item_source",
     .fields = schema_item_source_fields,
     .text = "Where a secret's value is read: exactly one of `env`, `file`, `env_file`, `dir`, "
             "`credential`, `command`. Never the value itself.",
     .keys = item_source_keys,
     .one_of = source_forms,
     .name_goes_with = named_forms},
    {.name = "variable",
     .fields = schema_variable_fields,
     .text = "An Actions variable. It needs `value`, `in` or both.",
     .keys = variable_keys,
     .any_of = variable_any},
    {.name = "role_values",
     .fields = schema_role_values_fields,
     .text = "Values for single roles; `${…}` as in `value`.",
     .keys = role_values_keys},
    {.name = "variable_rules",
     .fields = schema_rules_fields,
     .text = "What holds for all variables of the list beside it.",
     .keys = rules_keys},
    {.name = "roles",
     .fields = schema_roles_fields,
     .text = "A role is a desired set of workflows.",
     .keys = roles_keys},
    {.name = "role",
     .fields = schema_role_fields,
     .text = "Which workflows run. A file name beats a glob; among globs `ignored` beats "
             "`enabled`, and that beats `disabled`.",
     .keys = role_keys},
    {.name = "refs",
     .fields = schema_refs_fields,
     .text = "Which branches and tags are mirrored.",
     .keys = refs_keys},
    {.name = "sync",
     .fields = schema_sync_fields,
     .text = "What is kept in step.",
     .keys = sync_keys},
    {.name = "guards",
     .fields = schema_guards_fields,
     .text = "What stops a slave's pass before it deletes too much.",
     .keys = guards_keys},
    {.name = "heartbeat",
     .fields = schema_heartbeat_fields,
     .text = "Where the master's sign of life is read.",
     .keys = heartbeat_keys},
    {.name = "failover",
     .fields = schema_failover_fields,
     .text = "When a slave takes over, and how it hands back.",
     .keys = failover_keys},
};

const size_t schema_types_n = ARRAY_LEN(schema_types);

const struct type_about *schema_type(const cyaml_schema_field_t *fields)
{
    for (size_t i = 0; i < schema_types_n; i++)
        if (schema_types[i].fields == fields)
            return &schema_types[i];
    return NULL;
}

const struct key_about *schema_key(const struct type_about *t, const char *key)
{
    for (const struct key_about *k = t->keys; k->key != NULL; k++)
        if (strcmp(k->key, key) == 0)
            return k;
    return NULL;
}
