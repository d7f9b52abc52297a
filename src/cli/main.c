#include "mirrorctl/cli.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Runs the core that stands beside this program, or where `cmake --install` puts it. */
static int run_core(char **argv)
{
    char self[PATH_MAX], path[PATH_MAX + 64];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0) {
        fprintf(stderr, "mirrorctl: /proc/self/exe: %s\n", strerror(errno));
        return 3;
    }
    self[n] = '\0';
    char *slash = strrchr(self, '/');
    if (slash != NULL)
        *slash = '\0';
    snprintf(path, sizeof path, "%s/mirrorctl-core", self);
    execv(path, argv);
    snprintf(path, sizeof path, "%s/../" MIRRORCTL_LIBEXEC "/mirrorctl-core", self);
    execv(path, argv);
    fprintf(stderr, "mirrorctl: %s: %s; is the installation complete?\n", path, strerror(errno));
    return 3;
}

int main(int argc, char **argv)
{
    int code = cli_light_main(argc, argv);
    return code >= 0 ? code : run_core(argv);
}
