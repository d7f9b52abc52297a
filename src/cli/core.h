/* What the commands of mirrorctl-core share. One file a command: cmd_NAME.c. */
#ifndef MIRRORCTL_SRC_CLI_CORE_H
#define MIRRORCTL_SRC_CLI_CORE_H

#include "mirrorctl/cli.h"
#include "mirrorctl/manifest.h"
#include "mirrorctl/reconcile.h"

enum { LIMIT_ANSWER = 256 << 20 }; /* what one command prints at most */

/* Each returns the exit code and has told everything there is to tell. */
int cmd_pass(const struct cli_options *o, bool apply); /* diff and apply */
int cmd_status(const struct cli_options *o);
int cmd_check(const struct cli_options *o);
int cmd_import(const struct cli_options *o);
int cmd_explain(const struct cli_options *o);
int cmd_schema(const struct cli_options *o);

/* "mirrorctl: text" on stderr; returns the exit code of e. */
int tell_error(const struct err *e);
/* Writes the text to stdout; 0, or the exit code of what went wrong. */
int print_answer(const struct buf *text);
/* Whether to use colour on that descriptor: --color, NO_COLOR, TERM=dumb, terminal. */
bool use_color(const struct cli_options *o, int fd);
/* Columns of the terminal behind fd; 0 when it is none. */
int terminal_width(int fd);
/* The state directory of this call, in the arena. ERR_USAGE when there is no home. */
enum err_code state_dir(const struct cli_options *o, struct arena *a, const char **out,
                        struct err *e);
/* Loads -f (or mirrors.yaml) and prints its diagnostics on stderr. 0, or the exit code. */
int load_manifest(const struct cli_options *o, struct arena *a, struct manifest **out);

/* Set by SIGINT and SIGTERM to the signal's number; a second one ends the process at once. */
extern volatile int interrupted_by;
void catch_signals(void);

/* ---- Talk on stderr and stdout while a pass runs (talk.c)
 * ------------------------------------------ */

struct talk;
struct talk *talk_new(const struct cli_options *o);
void talk_free(struct talk *t); /* clears the progress line */
struct pass_observer talk_observer(struct talk *t);
/* The end of a pass: progress away; for apply the conditions and the closing count. */
void talk_summary(struct talk *t, const struct pass *p, bool applied);

#endif
