#include "verdict.h"

/* Wanted? There? Ours? The index is the row's own bits; a test walks all eight. */
const struct verdict_row plan_verdicts[8] = {
    {false, false, false, VERDICT_NOTHING, "nothing is wanted and nothing is there"},
    {false, false, true, VERDICT_FORGET, "gone on both sides"},
    {false, true, false, VERDICT_LEAVE, "not created by mirrorctl, left alone"},
    {false, true, true, VERDICT_DELETE, "no longer wanted"},
    {true, false, false, VERDICT_CREATE, "not there yet"},
    {true, false, true, VERDICT_CREATE_AGAIN, "was deleted at the slave"},
    {true, true, false, VERDICT_TAKE_OVER, "equal already, from now on kept by mirrorctl"},
    {true, true, true, VERDICT_COMPARE, "the ledger follows what is there"},
};

const struct verdict_row *plan_verdict(bool wanted, bool there, bool ours)
{
    return &plan_verdicts[(wanted ? 4 : 0) + (there ? 2 : 0) + (ours ? 1 : 0)];
}
