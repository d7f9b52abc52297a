/* Words into options, by the tables. */
#include "mirrorctl/cli.h"

#include <getopt.h>
#include <string.h>

enum { LONG_BASE = 1000 }; /* getopt_long's val for option id i is LONG_BASE + i */

/* ---- Commands
 * ------------------------------------------------------------------------------------- */

static enum err_code find_command(const char *word, enum command_id *out, struct err *e)
{
    const char *names[CMD_COUNT + 1] = {NULL};
    for (size_t i = 0; i < CMD_COUNT; i++) {
        names[i] = command_rows[i].name;
        if (str_eq(word, names[i])) {
            *out = (enum command_id)i;
            return ERR_OK;
        }
    }
    const char *near = str_suggest(word, names);
    if (near != NULL)
        return err_set(e, ERR_USAGE, "unknown command '%s'; did you mean '%s'?", word, near);
    return err_set(e, ERR_USAGE, "unknown command '%s'; see 'mirrorctl help'", word);
}

static bool takes(const struct command_row *c, enum option_id id)
{
    for (size_t i = 0; c->options[i] != OPT_COUNT; i++)
        if (c->options[i] == id)
            return true;
    return false;
}

/* ---- Values
 * --------------------------------------------------------------------------------------- */

/* The index of a word in "a|b|c", or -1. */
static int word_index(const char *words, const char *word)
{
    size_t len = strlen(word);
    int i = 0;
    for (const char *p = words; *p != '\0'; i++) {
        size_t n = strcspn(p, "|");
        if (n == len && strncmp(p, word, n) == 0)
            return i;
        p += n + (p[n] == '|');
    }
    return -1;
}

static enum err_code choose(enum option_id id, const char *value, int *out, struct err *e)
{
    int i = word_index(option_rows[id].words, value);
    if (i < 0)
        return err_set(e, ERR_USAGE, "--%s '%s': expected one of %s", option_rows[id].name, value,
                       option_rows[id].words);
    *out = i;
    return ERR_OK;
}

static enum err_code parse_layers(const char *list, struct cli_options *o, struct err *e)
{
    o->has_only = true;
    for (const char *p = list; *p != '\0';) {
        char word[32] = "";
        size_t n = strcspn(p, ",");
        enum layer l = LAYER_CODE;
        if (n < sizeof word)
            memcpy(word, p, n);
        if (n == 0 || n >= sizeof word || !layer_from_name(word, &l))
            return err_set(e, ERR_USAGE,
                           "--only '%s': expected code, secrets, variables or workflows, separated "
                           "by commas",
                           list);
        o->only[l] = true;
        p += n + (p[n] == ',');
    }
    return ERR_OK;
}

static enum err_code parse_number(enum option_id id, const char *value, struct cli_options *o,
                                  struct err *e)
{
    int64_t n = 0;
    if (id == OPT_TIMEOUT) {
        if (duration_parse(value, &o->timeout, e) != ERR_OK)
            return err_wrap(e, "--timeout '%s'", value);
        return ERR_OK;
    }
    if (str_to_i64(value, 1, 256, &n, e) != ERR_OK)
        return err_wrap(e, "--workers '%s'", value);
    o->workers = (int)n;
    return ERR_OK;
}

static enum err_code take_value(enum option_id id, const char *value, struct cli_options *o,
                                struct err *e)
{
    int i = 0;
    if (id == OPT_SLAVE) {
        if (o->n_slaves == CLI_MAX_SLAVES)
            return err_set(e, ERR_USAGE, "--slave: at most %d", (int)CLI_MAX_SLAVES);
        o->slaves[o->n_slaves++] = value;
        return ERR_OK;
    }
    if (id == OPT_ONLY)
        return parse_layers(value, o, e);
    if (id == OPT_WORKERS || id == OPT_TIMEOUT)
        return parse_number(id, value, o, e);
    if (option_rows[id].words != NULL)
        TRY(choose(id, value, &i, e));
    if (id == OPT_OUTPUT)
        o->output = (enum output)i;
    else if (id == OPT_COLOR)
        o->color = (enum color)i;
    else if (id == OPT_LOG_FORMAT)
        o->log_json = i == 1;
    return ERR_OK;
}

/* Where plain words and switches go: one table instead of a branch an option. */
static void take_plain(enum option_id id, const char *value, struct cli_options *o)
{
    const char **strings[OPT_COUNT] = {
        [OPT_FILE] = &o->file, [OPT_STATE] = &o->state, [OPT_OUT] = &o->out, [OPT_PLAN] = &o->plan};
    bool *switches[OPT_COUNT] = {
        [OPT_DRY_RUN] = &o->dry_run,   [OPT_PRUNE] = &o->prune,
        [OPT_TAKEOVER] = &o->takeover, [OPT_ALLOW_REPLACED] = &o->allow_replaced,
        [OPT_VERBOSE] = &o->verbose,   [OPT_QUIET] = &o->quiet,
        [OPT_HELP] = &o->help};
    if (strings[id] != NULL)
        *strings[id] = value;
    if (switches[id] != NULL)
        *switches[id] = true;
}

/* ---- getopt
 * ---------------------------------------------------------------------------------------- */

static void build(struct option *longs, char *letters)
{
    *letters++ = ':'; /* tell a missing value from an unknown option */
    for (size_t i = 0; i < OPT_COUNT; i++) {
        const struct option_row *r = &option_rows[i];
        longs[i] = (struct option){.name = r->name,
                                   .has_arg = r->value != NULL ? required_argument : no_argument,
                                   .val = LONG_BASE + (int)i};
        if (r->letter == 0)
            continue;
        *letters++ = r->letter;
        if (r->value != NULL)
            *letters++ = ':';
    }
    *letters = '\0';
}

static enum err_code unknown_option(const char *word, struct err *e)
{
    const char *names[OPT_COUNT + 1] = {NULL};
    for (size_t i = 0; i < OPT_COUNT; i++)
        names[i] = option_rows[i].name;
    const char *near = str_starts_with(word, "--") ? str_suggest(word + 2, names) : NULL;
    if (near != NULL)
        return err_set(e, ERR_USAGE, "unknown option '%s'; did you mean '--%s'?", word, near);
    return err_set(e, ERR_USAGE, "unknown option '%s'; see 'mirrorctl help'", word);
}

static enum option_id id_of(int got)
{
    if (got >= LONG_BASE)
        return (enum option_id)(got - LONG_BASE);
    for (size_t i = 0; i < OPT_COUNT; i++)
        if (option_rows[i].letter == (char)got)
            return (enum option_id)i;
    return OPT_COUNT;
}

static enum err_code one_option(const struct command_row *c, int got, const char *word,
                                struct cli_options *o, struct err *e)
{
    if (got == '?')
        return unknown_option(word, e);
    if (got == ':')
        return err_set(e, ERR_USAGE, "option '%s' needs a value", word);
    enum option_id id = id_of(got);
    if (!takes(c, id))
        return err_set(e, ERR_USAGE, "'%s' takes no --%s; see 'mirrorctl help %s'", c->name,
                       option_rows[id].name, c->name);
    take_plain(id, optarg, o);
    return optarg != NULL ? take_value(id, optarg, o, e) : ERR_OK;
}

static enum err_code check_operands(const struct command_row *c, const struct cli_options *o,
                                    struct err *e)
{
    if (o->help)
        return ERR_OK;
    if (o->n_operands > c->max_operands)
        return err_set(e, ERR_USAGE, "'%s' does not take '%s'; usage: mirrorctl %s %s", c->name,
                       o->operands[c->max_operands], c->name, c->operands);
    if (o->n_operands < c->min_operands)
        return err_set(e, ERR_USAGE, "usage: mirrorctl %s %s", c->name, c->operands);
    return ERR_OK;
}

static enum err_code parse_rest(const struct command_row *c, int argc, char **argv,
                                struct cli_options *o, struct err *e)
{
    struct option longs[OPT_COUNT + 1] = {0};
    char letters[2 * OPT_COUNT + 2];
    build(longs, letters);
    optind = 0; /* glibc: start anew, permuting, so that options may stand behind operands */
    opterr = 0;
    for (;;) {
        int at = optind > 0 ? optind : 1;
        int got = getopt_long(argc, argv, letters, longs, NULL);
        if (got == -1)
            break;
        TRY(one_option(c, got, argv[optind > at ? optind - 1 : at], o, e));
    }
    for (; optind < argc; optind++) {
        if (o->n_operands == CLI_MAX_OPERANDS)
            return err_set(e, ERR_USAGE, "too many words; see 'mirrorctl help %s'", c->name);
        o->operands[o->n_operands++] = argv[optind];
    }
    return check_operands(c, o, e);
}

enum err_code cli_parse(int argc, char **argv, enum command_id *out_command,
                        struct cli_options *out_options, struct err *e)
{
    struct cli_options o = {0};
    enum command_id c = CMD_HELP;
    if (argc < 2)
        return err_set(e, ERR_USAGE, "a command is missing; see 'mirrorctl help'");
    const char *word = argv[1];
    if (str_eq(word, "--version") || str_eq(word, "-V"))
        word = "version";
    if (str_eq(word, "--help") || str_eq(word, "-h"))
        word = "help";
    TRY(find_command(word, &c, e));
    TRY(parse_rest(&command_rows[c], argc - 1, argv + 1, &o, e));
    for (enum layer l = 0; l < LAYER_COUNT && !o.has_only; l++)
        o.only[l] = true;
    *out_command = c;
    *out_options = o;
    return ERR_OK;
}
