/*
 * cli: words in, exit code out. Two programs share this room.
 *
 *   mirrorctl       the one that people call. Links nothing but libc: `--version`, `help` and `completion`
 *                   answer in 2 ms. Everything else is handed to
 *   mirrorctl-core  beside it (or in ../libexec/mirrorctl), which links all libraries; loading them takes
 *                   longer than git needs for all of `git --version` (docs/adr/0003).
 *
 * Commands and options are const tables (commands.c): parsing, help, completion, the man page and the test
 * that compares them read the same rows. A new command is a row, a file cmd_NAME.c, and a function.
 */
#ifndef MIRRORCTL_CLI_H
#define MIRRORCTL_CLI_H

#include "mirrorctl/base.h"
#include "mirrorctl/model.h"

/* ---- Options -------------------------------------------------------------------------------------- */

enum option_id {
    OPT_FILE,
    OPT_SLAVE,
    OPT_ONLY,
    OPT_STATE,
    OPT_OUTPUT,
    OPT_OUT,
    OPT_PLAN,
    OPT_DRY_RUN,
    OPT_PRUNE,
    OPT_TAKEOVER,
    OPT_ALLOW_REPLACED,
    OPT_WORKERS,
    OPT_TIMEOUT,
    OPT_COLOR,
    OPT_LOG_FORMAT,
    OPT_VERBOSE,
    OPT_QUIET,
    OPT_HELP,
    OPT_COUNT
};

struct option_row {
    const char *name;  /* long name, without dashes */
    char letter;       /* or 0 */
    const char *value; /* name of its value, or NULL */
    const char *words; /* allowed values, separated by '|', or NULL */
    const char *help;  /* one line */
};
extern const struct option_row option_rows[OPT_COUNT];

enum output { OUTPUT_TEXT, OUTPUT_WIDE, OUTPUT_JSON, OUTPUT_YAML };
enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

enum { CLI_MAX_SLAVES = 1024, CLI_MAX_OPERANDS = 8 };

struct cli_options {
    const char *file;
    const char *slaves[CLI_MAX_SLAVES + 1]; /* NULL-terminated */
    size_t n_slaves;
    bool only[LAYER_COUNT];
    bool has_only;
    const char *state;
    enum output output;
    const char *out, *plan;
    bool dry_run, prune, takeover, allow_replaced;
    int workers;
    struct ms timeout;
    enum color color;
    bool log_json, verbose, quiet, help;
    const char *operands[CLI_MAX_OPERANDS + 1]; /* NULL-terminated */
    size_t n_operands;
};

/* ---- Commands ------------------------------------------------------------------------------------- */

enum command_id {
    CMD_DIFF,
    CMD_APPLY,
    CMD_STATUS,
    CMD_CHECK,
    CMD_IMPORT,
    CMD_EXPLAIN,
    CMD_SCHEMA,
    CMD_COMPLETION,
    CMD_VERSION,
    CMD_HELP,
    CMD_COUNT
};

struct command_row {
    const char *name;
    const char *operands; /* as shown in its usage line, "" for none */
    size_t min_operands, max_operands;
    bool light;           /* answered without mirrorctl-core */
    const char *summary;  /* one line, lower-case */
    const char *about;    /* a paragraph for its help and the man page */
    enum option_id options[OPT_COUNT + 1]; /* ends with OPT_COUNT */
    const char *example;
};
extern const struct command_row command_rows[CMD_COUNT];

/* Exit codes, their meaning and what to do: help, man page and docs read them here. */
struct exit_row {
    int code;
    const char *meaning;
};
extern const struct exit_row exit_rows[];
extern const size_t exit_rows_n;

/*
 * Parses argv behind the program's name into command and options. ERR_USAGE names the word, says what was
 * expected, and suggests the nearest one.
 */
enum err_code cli_parse(int argc, char **argv, enum command_id *out_command,
                        struct cli_options *out_options, struct err *e);

/* ---- Texts from the tables --------------------------------------------------------------------------- */

enum err_code cli_help_all(struct buf *out, struct err *e);
enum err_code cli_help_command(enum command_id c, struct buf *out, struct err *e);
/* "exit-codes"; ERR_USAGE for other topics. */
enum err_code cli_help_topic(const char *topic, struct buf *out, struct err *e);
/* "bash", "zsh", "fish". */
enum err_code cli_completion(const char *shell, struct buf *out, struct err *e);
/* roff for mirrorctl(1). */
enum err_code cli_man_page(const char *version, struct buf *out, struct err *e);

/* The program's light half: returns an exit code, or -1 when mirrorctl-core has to do it. */
int cli_light_main(int argc, char **argv);
/* The other half. */
int cli_core_main(int argc, char **argv);

#endif
