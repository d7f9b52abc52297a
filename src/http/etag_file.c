/*
 * Stored replies, the layer on disk. A file is
 *
 *     mirrorctl-etag 1\n
 *     <keyed digest of everything behind this line, under the file's name, hex>\n
 *     <bytes of etag> <of content type> <of link> <of body>\n
 *     etag, content type, link and body, one behind the other
 *
 * A file that does not check out is a miss, and is removed: the server is asked without a condition
 * then. No fsync: what a crash tears does not check out.
 */
#include "internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_MAX = 2 << 20, /* bytes read of one file: an entry and its headers are smaller */
    PATH_ROOM = 4096,
    DAY_S = 86400,
};

static const char MAGIC[] = "mirrorctl-etag 1\n";

/* ---- Entries ----------------------------------------------------------------------------------
 */

struct etag_entry *etag_entry_new(const char *name, const char *etag, const char *content_type,
                                  const char *link, const void *body, size_t n)
{
    struct etag_entry *entry = mem_alloc(sizeof(*entry));

    (void)snprintf(entry->name, sizeof(entry->name), "%s", name);
    entry->etag = mem_strdup(etag);
    entry->content_type = content_type == NULL ? NULL : mem_strdup(content_type);
    entry->link = link == NULL ? NULL : mem_strdup(link);
    entry->body = mem_alloc(n + 1);
    memcpy(entry->body, body, n);
    entry->body_len = n;
    entry->refs = 1;
    return entry;
}

void etag_entry_free(struct etag_entry *entry)
{
    free(entry->etag);
    free(entry->content_type);
    free(entry->link);
    free(entry->body);
    free(entry);
}

/* ---- Reading ----------------------------------------------------------------------------------
 */

static bool path_of(char out[static PATH_ROOM], const char *dir, const char *name)
{
    int n = snprintf(out, PATH_ROOM, "%s/%s", dir, name);
    return n > 0 && n < PATH_ROOM;
}

static void digest_of(const struct fingerprint_key *key, const char *name, const char *bytes,
                      size_t n, char out[static FINGERPRINT_HEX])
{
    char domain[sizeof("http-etag-file ") + FINGERPRINT_HEX];

    (void)snprintf(domain, sizeof(domain), "http-etag-file %s", name);
    fingerprint_bytes(key, domain, bytes, n, out);
}

/* One of the four lengths at *p; moves *p behind it and the blank or line break. */
static bool read_length(const char **p, char end, size_t max, size_t *out)
{
    char *after;

    if (**p < '0' || **p > '9')
        return false;
    unsigned long n = strtoul(*p, &after, 10);
    if (*after != end || n > max)
        return false;
    *p = after + 1;
    *out = n;
    return true;
}

static char *take_text(const char **p, size_t n)
{
    char *text = n == 0 ? NULL : mem_alloc(n + 1);
    if (text != NULL)
        memcpy(text, *p, n);
    *p += n;
    return text;
}

static struct etag_entry *parse(const char *name, const char *text, size_t n)
{
    const char *p = text;
    size_t etag, type, link, body;

    if (!read_length(&p, ' ', n, &etag) || !read_length(&p, ' ', n, &type) ||
        !read_length(&p, ' ', n, &link) || !read_length(&p, '\n', n, &body) || etag == 0 ||
        (size_t)(p - text) + etag + type + link + body != n)
        return NULL;
    struct etag_entry *entry = mem_alloc(sizeof(*entry));
    (void)snprintf(entry->name, sizeof(entry->name), "%s", name);
    entry->etag = take_text(&p, etag);
    entry->content_type = take_text(&p, type);
    entry->link = take_text(&p, link);
    entry->body = mem_alloc(body + 1);
    memcpy(entry->body, p, body);
    entry->body_len = body;
    entry->refs = 1;
    return entry;
}

/* An ETag goes into a request's header: what could break out of it is no ETag. */
static bool is_sendable(const char *etag)
{
    for (; *etag != '\0'; etag++)
        if ((unsigned char)*etag < ' ' || *etag == 0x7f)
            return false;
    return true;
}

/* The oldest are dropped first, and this one is in use. Once a day says it, too. */
static void mark_used(const char *path)
{
    struct stat st;
    struct timespec now;

    if (stat(path, &st) == 0 && clock_gettime(CLOCK_REALTIME, &now) == 0 &&
        (now.tv_sec < st.st_mtim.tv_sec || now.tv_sec - st.st_mtim.tv_sec > DAY_S))
        (void)utimensat(AT_FDCWD, path, NULL, 0);
}

struct etag_entry *etag_file_load(const char *dir, const struct fingerprint_key *key,
                                  const char *name)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(FILE_MAX);
    char path[PATH_ROOM], digest[FINGERPRINT_HEX];
    size_t head = sizeof(MAGIC) - 1, line = head + FINGERPRINT_HEX;
    struct etag_entry *entry = NULL;
    struct err ignored;

    if (name[0] == '\0' || !path_of(path, dir, name))
        return NULL;
    if (file_read(path, &text, &ignored) != ERR_OK)
        return NULL;
    if (text.len > line && memcmp(text.data, MAGIC, head) == 0 && text.data[line - 1] == '\n') {
        digest_of(key, name, text.data + line, text.len - line, digest);
        if (memcmp(digest, text.data + head, FINGERPRINT_HEX - 1) == 0)
            entry = parse(name, text.data + line, text.len - line);
    }
    if (entry != NULL && !is_sendable(entry->etag)) {
        etag_entry_free(entry);
        entry = NULL;
    }
    if (entry == NULL)
        (void)unlink(path);
    else
        mark_used(path);
    return entry;
}

/* ---- Writing ----------------------------------------------------------------------------------
 */

static const char *or_empty(const char *s)
{
    return s == NULL ? "" : s;
}

static bool render(const struct fingerprint_key *key, const struct etag_entry *entry,
                   struct buf *out)
{
    CLEANUP(buf_release) struct buf rest = BUF_INIT(FILE_MAX);
    char digest[FINGERPRINT_HEX];
    struct err ignored;

    if (buf_addf(&rest, &ignored, "%zu %zu %zu %zu\n%s%s%s", strlen(entry->etag),
                 strlen(or_empty(entry->content_type)), strlen(or_empty(entry->link)),
                 entry->body_len, entry->etag, or_empty(entry->content_type),
                 or_empty(entry->link)) != ERR_OK ||
        buf_add(&rest, entry->body, entry->body_len, &ignored) != ERR_OK)
        return false;
    digest_of(key, entry->name, rest.data, rest.len, digest);
    return buf_addf(out, &ignored, "%s%s\n", MAGIC, digest) == ERR_OK &&
           buf_add(out, rest.data, rest.len, &ignored) == ERR_OK;
}

static bool write_whole(const char *path, const struct buf *text)
{
    CLEANUP(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    for (size_t at = 0; fd >= 0 && at < text->len;) {
        ssize_t n = write(fd, text->data + at, text->len - at);
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return fd >= 0;
}

size_t etag_file_save(const char *dir, const struct fingerprint_key *key,
                      const struct etag_entry *entry)
{
    static atomic_uint counter;
    CLEANUP(buf_release) struct buf text = BUF_INIT(FILE_MAX);
    char path[PATH_ROOM], temp[PATH_ROOM], temp_name[128];

    (void)snprintf(temp_name, sizeof(temp_name), ".%ld-%u.new", (long)getpid(),
                   atomic_fetch_add(&counter, 1U));
    if (!path_of(path, dir, entry->name) || !path_of(temp, dir, temp_name) ||
        !render(key, entry, &text))
        return 0;
    if (!write_whole(temp, &text) || rename(temp, path) != 0) {
        (void)unlink(temp);
        return 0;
    }
    return text.len;
}

/* ---- Bounding ---------------------------------------------------------------------------------
 */

struct aged {
    struct timespec at;
    size_t bytes;
    char name[FINGERPRINT_HEX + 32];
};

static int by_age(const void *a, const void *b)
{
    const struct aged *x = a, *y = b;

    if (x->at.tv_sec != y->at.tv_sec)
        return x->at.tv_sec < y->at.tv_sec ? -1 : 1;
    if (x->at.tv_nsec != y->at.tv_nsec)
        return x->at.tv_nsec < y->at.tv_nsec ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* All files of ours in the folder, torn temporary ones included. Caller frees. */
static struct aged *list_files(DIR *d, size_t *out_n, size_t *out_bytes)
{
    struct aged *files = NULL;
    size_t n = 0, cap = 0, bytes = 0;
    struct dirent *de;
    struct stat st;

    while ((de = readdir(d)) != NULL) {
        size_t len = strlen(de->d_name);
        if (len >= sizeof(files->name) || str_eq(de->d_name, ".") || str_eq(de->d_name, "..") ||
            fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
            continue;
        if (n == cap) {
            cap = cap == 0 ? 64 : cap * 2;
            files = mem_realloc(files, cap * sizeof(*files));
        }
        memcpy(files[n].name, de->d_name, len + 1);
        files[n].at = st.st_mtim;
        files[n].bytes = (size_t)st.st_size;
        bytes += files[n++].bytes;
    }
    *out_n = n;
    *out_bytes = bytes;
    return files;
}

size_t etag_files_trim(const char *dir, size_t max)
{
    size_t n, bytes;
    DIR *d = opendir(dir);

    if (d == NULL)
        return 0;
    struct aged *files = list_files(d, &n, &bytes);
    if (bytes > max)
        qsort(files, n, sizeof(*files), by_age);
    for (size_t i = 0; i < n && bytes > max; i++)
        if (unlinkat(dirfd(d), files[i].name, 0) == 0)
            bytes -= files[i].bytes;
    free(files);
    (void)closedir(d);
    return bytes;
}
