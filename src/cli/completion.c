/* Completion scripts, from the tables. */
#include "mirrorctl/cli.h"

static enum err_code bash(struct buf *out, struct err *e)
{
    TRY(buf_addstr(out,
                   "_mirrorctl() {\n"
                   "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
                   "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                   "        COMPREPLY=($(compgen -W '",
                   e));
    for (size_t i = 0; i < CMD_COUNT; i++)
        TRY(buf_addf(out, e, "%s%s", i > 0 ? " " : "", command_rows[i].name));
    TRY(buf_addstr(out, "' -- \"$cur\"))\n        return\n    fi\n    case $prev in\n", e));
    for (size_t i = 0; i < OPT_COUNT; i++) {
        const struct option_row *r = &option_rows[i];
        if (r->words == NULL)
            continue;
        TRY(buf_addf(out, e,
                     "    --%s) COMPREPLY=($(IFS='|'; compgen -W '%s' -- \"$cur\")); return ;;\n",
                     r->name, r->words));
    }
    TRY(buf_addstr(out, "    esac\n    case ${COMP_WORDS[1]} in\n", e));
    for (size_t i = 0; i < CMD_COUNT; i++) {
        TRY(buf_addf(out, e, "    %s) COMPREPLY=($(compgen -W '", command_rows[i].name));
        for (size_t k = 0; command_rows[i].options[k] != OPT_COUNT; k++)
            TRY(buf_addf(out, e, "%s--%s", k > 0 ? " " : "",
                         option_rows[command_rows[i].options[k]].name));
        TRY(buf_addstr(out, "' -- \"$cur\")) ;;\n", e));
    }
    return buf_addstr(out,
                      "    esac\n"
                      "    [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$cur\"))\n"
                      "}\ncomplete -F _mirrorctl mirrorctl\n",
                      e);
}

static enum err_code zsh(struct buf *out, struct err *e)
{
    TRY(buf_addstr(out, "#compdef mirrorctl\nautoload -U +X bashcompinit && bashcompinit\n", e));
    return bash(out, e);
}

static enum err_code fish(struct buf *out, struct err *e)
{
    for (size_t i = 0; i < CMD_COUNT; i++)
        TRY(buf_addf(out, e, "complete -c mirrorctl -f -n __fish_use_subcommand -a %s -d '%s'\n",
                     command_rows[i].name, command_rows[i].summary));
    for (size_t i = 0; i < CMD_COUNT; i++) {
        for (size_t k = 0; command_rows[i].options[k] != OPT_COUNT; k++) {
            const struct option_row *r = &option_rows[command_rows[i].options[k]];
            TRY(buf_addf(out, e, "complete -c mirrorctl -n '__fish_seen_subcommand_from %s' -l %s",
                         command_rows[i].name, r->name));
            if (r->letter != 0)
                TRY(buf_addf(out, e, " -s %c", r->letter));
            TRY(buf_addf(out, e, "%s -d '%s'\n", r->value != NULL ? " -r" : "", r->help));
        }
    }
    return ERR_OK;
}

enum err_code cli_completion(const char *shell, struct buf *out, struct err *e)
{
    static const struct {
        const char *name;
        enum err_code (*write)(struct buf *out, struct err *e);
    } shells[] = {
        {"bash", bash},
        {"zsh", zsh},
        {"fish", fish},
    };
    for (size_t i = 0; i < ARRAY_LEN(shells); i++)
        if (str_eq(shell, shells[i].name))
            return shells[i].write(out, e);
    return err_set(e, ERR_USAGE, "no completion for '%s'; expected bash, zsh or fish", shell);
}
