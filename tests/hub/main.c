/* mirrorctl-hub: the GitHub simulator as a program. README.md is its manual. */
#include "hub.h"
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct arguments {
    const char *listen, *root, *world, *cert, *key, *log, *port_file, *public_url;
};

static int usage(FILE *to)
{
    (void)fputs(
        "usage: mirrorctl-hub --root DIR [--listen ADDR:PORT] [--world FILE.json] [--log FILE]\n"
        "                     [--tls-cert FILE --tls-key FILE] [--port-file FILE] [--public-url "
        "URL]\n"
        "A GitHub simulator. Prints \"listening URL\" when it is ready; ends on SIGTERM or "
        "SIGINT.\n",
        to);
    return to == stdout ? 0 : 2;
}

static bool parse(int argc, char **argv, struct arguments *a, bool *out_help)
{
    static const struct option options[] = {{"listen", required_argument, NULL, 'l'},
                                            {"root", required_argument, NULL, 'r'},
                                            {"world", required_argument, NULL, 'w'},
                                            {"tls-cert", required_argument, NULL, 'c'},
                                            {"tls-key", required_argument, NULL, 'k'},
                                            {"log", required_argument, NULL, 'o'},
                                            {"port-file", required_argument, NULL, 'p'},
                                            {"public-url", required_argument, NULL, 'u'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const struct {
        int letter;
        const char **to;
    } where[] = {{'l', &a->listen}, {'r', &a->root}, {'w', &a->world},     {'c', &a->cert},
                 {'k', &a->key},    {'o', &a->log},  {'p', &a->port_file}, {'u', &a->public_url}};
    int letter = 0;
    while ((letter = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (letter == 'h' || letter == '?') {
            *out_help = letter == 'h';
            return false;
        }
        for (size_t i = 0; i < sizeof where / sizeof where[0]; i++)
            if (where[i].letter == letter)
                *where[i].to = optarg;
    }
    return optind == argc && a->root != NULL && (a->cert == NULL) == (a->key == NULL);
}

static char *file_text(const char *path, size_t *out_len)
{
    FILE *f = fopen(path, "re");
    char *text = NULL;
    size_t len = 0, cap = 0;
    while (f != NULL && !ferror(f)) {
        if (cap - len < 4096) {
            cap = cap * 2 + 8192;
            char *bigger = realloc(text, cap + 1);
            if (bigger == NULL)
                break;
            text = bigger;
        }
        size_t n = fread(text + len, 1, cap - len, f);
        len += n;
        text[len] = '\0';
        if (n == 0)
            break;
    }
    if (f == NULL || fclose(f) != 0 || text == NULL) {
        (void)fprintf(stderr, "mirrorctl-hub: cannot read '%s': %s\n", path, strerror(errno));
        free(text);
        return NULL;
    }
    *out_len = len;
    return text;
}

static bool address(const char *listen, struct sockaddr_in *out)
{
    char host[64] = "127.0.0.1";
    const char *colon = strrchr(listen, ':');
    if (colon == NULL || (size_t)(colon - listen) >= sizeof host)
        return false;
    if (colon > listen) {
        memcpy(host, listen, (size_t)(colon - listen));
        host[colon - listen] = '\0';
    }
    char *end = NULL;
    unsigned long port = strtoul(colon + 1, &end, 10);
    *out = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    return end != colon + 1 && *end == '\0' && port < 65536 &&
           inet_pton(AF_INET, host, &out->sin_addr) == 1;
}

static bool announce(const struct server *server, const struct arguments *a,
                     const struct sockaddr_in *at)
{
    char host[64];
    unsigned port = server_port(server);
    if (port == 0 || inet_ntop(AF_INET, &at->sin_addr, host, sizeof host) == NULL)
        return false;
    if (a->port_file != NULL) {
        FILE *f = fopen(a->port_file, "we");
        bool ok = f != NULL && fprintf(f, "%u\n", port) > 0;
        if (f == NULL || fclose(f) != 0 || !ok)
            return false;
    }
    (void)printf("listening %s://%s:%u\n", a->cert != NULL ? "https" : "http", host, port);
    return fflush(stdout) == 0;
}

static bool world(struct hub *h, const char *path)
{
    size_t len = 0;
    char *json = path != NULL ? file_text(path, &len) : NULL;
    if (path == NULL)
        return true;
    bool ok = json != NULL && hub_seed(h, json, len);
    if (json != NULL && !ok)
        (void)fprintf(stderr, "mirrorctl-hub: world '%s': %s\n", path, hub_error());
    free(json);
    return ok;
}

static int serve_until_told(struct hub *h, const struct arguments *a, const struct sockaddr_in *at)
{
    size_t n = 0;
    int status = 1, sig = 0;
    char *cert = a->cert != NULL ? file_text(a->cert, &n) : NULL;
    char *key = a->key != NULL ? file_text(a->key, &n) : NULL;
    sigset_t ends;
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGTERM);
    (void)sigaddset(&ends, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &ends, NULL); /* before the threads, so that they inherit it */
    bool ready = a->cert == NULL || (cert != NULL && key != NULL);
    struct server *server = ready ? server_start(h, a->root, at, cert, key) : NULL;
    if (server == NULL || !announce(server, a, at)) {
        (void)fprintf(stderr, "mirrorctl-hub: cannot listen on %s: %s\n", a->listen,
                      strerror(errno));
    } else {
        (void)sigwait(&ends, &sig);
        status = 0;
    }
    server_stop(server);
    free(cert);
    free(key);
    return status;
}

int main(int argc, char **argv)
{
    struct arguments a = {.listen = "127.0.0.1:0"};
    struct sockaddr_in at;
    bool help = false;
    if (!parse(argc, argv, &a, &help))
        return usage(help ? stdout : stderr);
    if (!address(a.listen, &at)) {
        (void)fprintf(stderr, "mirrorctl-hub: '%s' is not ADDRESS:PORT\n", a.listen);
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    struct hub *h = hub_new(&(struct hub_options){.root = a.root, .public_url = a.public_url});
    if (h == NULL) {
        (void)fprintf(stderr, "mirrorctl-hub: %s\n", hub_error());
        return 1;
    }
    int log =
        a.log != NULL ? open(a.log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666) : -1;
    int status = 1;
    hub_log_to(h, log);
    if (a.log != NULL && log < 0)
        (void)fprintf(stderr, "mirrorctl-hub: cannot write '%s': %s\n", a.log, strerror(errno));
    else if (world(h, a.world))
        status = serve_until_told(h, &a, &at);
    hub_free(h);
    if (log >= 0)
        (void)close(log);
    return status;
}
