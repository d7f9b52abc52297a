/*
 * Runs a command and writes down what it cost:
 *
 *     measure [-n RUNS] [-q] -o FILE COMMAND [ARGUMENT...]
 *
 * One line a run is appended to FILE: wall and CPU time in microseconds, the peak memory of the
 * largest process in KiB, and the exit status (128 + signal). CPU is user and system time of the
 * command and of every child that it waited for. -q sends stdout and stderr to /dev/null. Ends with
 * the first status that is not 0, and with 125 when nothing could be measured.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_SELF = 125, EXIT_NO_PROGRAM = 127, MOST_RUNS = 100000 };

struct cost {
    int64_t wall_us, cpu_us;
    long rss_kib;
    int status;
};

static int64_t now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t to_us(struct timeval t)
{
    return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

static _Noreturn void become(char **argv, int quiet)
{
    if (quiet) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (null < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
            _exit(EXIT_SELF);
    }
    (void)execvp(argv[0], argv);
    _exit(EXIT_NO_PROGRAM);
}

/* What wait4 tells holds for the child and for all that it has waited for itself. */
static int run(char **argv, int quiet, struct cost *out)
{
    struct rusage used;
    int status = 0;
    int64_t began = now_us();
    pid_t pid = fork();
    if (pid == 0)
        become(argv, quiet);
    if (pid < 0)
        return -1;
    while (wait4(pid, &status, 0, &used) < 0)
        if (errno != EINTR)
            return -1;
    *out =
        (struct cost){.wall_us = now_us() - began,
                      .cpu_us = to_us(used.ru_utime) + to_us(used.ru_stime),
                      .rss_kib = used.ru_maxrss,
                      .status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)};
    return 0;
}

static int measure(FILE *out, char **argv, long runs, int quiet)
{
    int worst = 0;
    for (long i = 0; i < runs; i++) {
        struct cost c;
        if (run(argv, quiet, &c) != 0)
            return EXIT_SELF;
        if (fprintf(out, "%lld %lld %ld %d\n", (long long)c.wall_us, (long long)c.cpu_us, c.rss_kib,
                    c.status) < 0)
            return EXIT_SELF;
        if (worst == 0)
            worst = c.status;
    }
    return worst;
}

int main(int argc, char **argv)
{
    const char *path = NULL;
    long runs = 1;
    int quiet = 0, c;
    while ((c = getopt(argc, argv, "+n:o:q")) != -1) {
        if (c == 'n')
            runs = strtol(optarg, NULL, 10);
        else if (c == 'o')
            path = optarg;
        else if (c == 'q')
            quiet = 1;
        else
            return EXIT_SELF;
    }
    if (path == NULL || optind >= argc || runs < 1 || runs > MOST_RUNS) {
        (void)fprintf(stderr, "usage: measure [-n RUNS] [-q] -o FILE COMMAND [ARGUMENT...]\n");
        return EXIT_SELF;
    }
    FILE *out = fopen(path, "ae");
    if (out == NULL) {
        (void)fprintf(stderr, "measure: %s: %s\n", path, strerror(errno));
        return EXIT_SELF;
    }
    int status = measure(out, argv + optind, runs, quiet);
    return fclose(out) == 0 ? status : EXIT_SELF;
}
