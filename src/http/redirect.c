/* GitHub answers a renamed repository's GET with 301 and its writes with 307 (github.md 5.1). */
#include "internal.h"

#include <stdlib.h>

bool redirect_wanted(int status, const char *method, const struct head *head)
{
    if (head->location == NULL || head->location[0] == '\0')
        return false;
    if (status == 301) /* by its definition a write could become a GET: that one is not followed */
        return str_eq(method, "GET") || str_eq(method, "HEAD");
    return status == 302 || status == 307 || status == 308;
}

static void text_freep(char **text)
{
    free(*text);
}

enum err_code redirect_target(const char *url, const char *origin, const char *location,
                              char **out_url, struct err *e)
{
    CLEANUP(text_freep) char *target = NULL;
    CLEANUP(text_freep) char *target_origin = NULL;

    TRY(url_resolve(url, location, &target, e));
    if (url_origin(target, &target_origin, e) != ERR_OK) {
        e->code = ERR_REFUSED;
        return err_wrap(e, "redirect not followed");
    }
    if (!str_eq(origin, target_origin))
        return err_set(e, ERR_REFUSED,
                       "redirect to another server (%s) not followed: it would be given the token",
                       target_origin);
    *out_url = target;
    target = NULL;
    return ERR_OK;
}
