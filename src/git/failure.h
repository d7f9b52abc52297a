/*
 * failure: what git, ssh and servers say when an exchange does not come about at all, as error
 * codes.
 */
#ifndef MIRRORCTL_GIT_FAILURE_H
#define MIRRORCTL_GIT_FAILURE_H

#include "mirrorctl/base.h"

/*
 * Fills *e from the stderr of a program that ended with `status` while it worked on `url`. The
 * sentence names the url, holds the most telling line, and a cure when one is known. Never ERR_OK.
 */
enum err_code failure_of_child(const char *url, int status, const char *text, struct err *e);
/* Whether the words tell of a damaged repository on this side. */
bool failure_is_damage(const char *text);

#endif
