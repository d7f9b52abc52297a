/* The code of the row that knows no more than "a hook said no"; see refusal.c. */
#ifndef MIRRORCTL_GIT_REFUSAL_H
#define MIRRORCTL_GIT_REFUSAL_H

#define GIT_REFUSAL_HOOK "hook"

#endif
