/* The inside of struct git_remote. One thread at a time. */
#ifndef MIRRORCTL_GIT_REMOTE_H
#define MIRRORCTL_GIT_REMOTE_H

#include "endpoint.h"
#include "wire.h"

struct git_remote {
    struct arena *arena;
    struct git_credential credential;
    struct endpoint endpoint;
    bool dry_run;
    bool listed; /* `offers` says what the server can do */
    struct offers {
        bool report_status, quiet, agent, names_format;
    } offers;
};

#endif
