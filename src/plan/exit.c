#include "mirrorctl/plan.h"

/* docs/cli.md. Codes without a row of their own there are "some slaves failed". */
static const int EXIT_CODES[] = {
    [ERR_OK] = 0,        [ERR_USAGE] = 2,         [ERR_INVALID] = 3,
    [ERR_NOT_FOUND] = 3, [ERR_AUTH] = 4,          [ERR_PERMISSION] = 4,
    [ERR_RATE] = 5,      [ERR_TIMEOUT] = 5,       [ERR_UNAVAILABLE] = 3,
    [ERR_CONFLICT] = 3,  [ERR_REFUSED] = 7,       [ERR_FENCED] = 8,
    [ERR_LOCKED] = 6,    [ERR_LIMIT] = 3,         [ERR_IO] = 3,
    [ERR_DAMAGED] = 3,   [ERR_INTERRUPTED] = 130,
};
_Static_assert(ARRAY_LEN(EXIT_CODES) == ERR_CODE_COUNT, "an error without an exit code");

int err_exit_code(enum err_code code)
{
    return (unsigned)code < ERR_CODE_COUNT ? EXIT_CODES[code] : 3;
}

/* The place of a code in the order of weight; a code that is not ours counts as a failed slave. */
static size_t weight(int code)
{
    static const int BY_WEIGHT[] = {0, 1, 2, 3, 6, 5, 4, 7, 8, 130, 143};
    for (size_t i = 0; i < ARRAY_LEN(BY_WEIGHT); i++) {
        if (BY_WEIGHT[i] == code)
            return i;
    }
    return weight(3);
}

int exit_code_worst(int a, int b)
{
    return weight(a) >= weight(b) ? a : b;
}

int plan_exit_code(const struct plan *p)
{
    struct plan_counts n = plan_count(p);
    int code = n.create + n.update + n.destroy > 0 ? 1 : 0;

    for (size_t i = 0; i < p->n; i++) {
        const struct slave_plan *s = &p->slaves[i];
        code = exit_code_worst(code, err_exit_code(s->refused));
        for (size_t k = 0; k < s->n_conditions; k++)
            code = exit_code_worst(code, err_exit_code(s->conditions[k].err));
    }
    return code;
}
