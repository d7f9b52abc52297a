/*
 * Stored replies, the layer in memory: so that a process that lives long reads each file once. A
 * hash table with a list from newest to oldest; entries are counted, since a reply is used after
 * its request has come back and may have been pushed out meanwhile.
 *
 * GitHub REST, 2022-11-28 (github.md 4.4): ETags belong to the token, so the token's fingerprint is
 * part of the name; a 304 is free of the hourly limit.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    ETAG_MEMORY = 1 << 20,  /* bytes of bodies in memory; beyond, a file is read again: 40 us */
    ETAG_DISK = 64 << 20,   /* bytes of files */
    ETAG_ENTRY = 1 << 20,   /* a larger reply is not kept */
    ETAG_NAME = 16 << 10,   /* bytes of what a name is made of: URL and headers */
    ETAG_BUCKETS = 4096,
    ETAG_OVERHEAD = 256, /* counted for an entry beside its texts */
};

struct etag_store {
    char *dir;
    const struct fingerprint_key *key;
    pthread_mutex_t lock;
    struct etag_entry *buckets[ETAG_BUCKETS];
    struct etag_entry *newest, *oldest;
    size_t in_memory;
    size_t on_disk;
    bool measured; /* on_disk is known: the folder is read on the first write only */
};

enum err_code etag_open(const char *dir, const struct fingerprint_key *key, struct etag_store **out,
                        struct err *e)
{
    TRY(dir_make(dir, 0700, e));
    struct etag_store *s = mem_alloc(sizeof(*s));
    s->dir = mem_strdup(dir);
    s->key = key;
    (void)pthread_mutex_init(&s->lock, NULL);
    *out = s;
    return ERR_OK;
}

void etag_name(const struct etag_store *s, const char *method, const char *url,
               const char *const *headers, const char *credential, const char *extract,
               char out[static FINGERPRINT_HEX])
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(ETAG_NAME);
    struct err ignored;

    out[0] = '\0'; /* no name, no caching */
    if (buf_addf(&text, &ignored, "%s\n%s\n%s\n%s\n", method, url, credential, extract) != ERR_OK)
        return;
    for (size_t i = 0; headers != NULL && headers[i] != NULL; i++)
        if (buf_addf(&text, &ignored, "%s\n", headers[i]) != ERR_OK)
            return;
    fingerprint_bytes(s->key, "http-etag-name", text.data, text.len, out);
}

/* ---- The table, under the lock ----------------------------------------------------------------
 */

static struct etag_entry **bucket(struct etag_store *s, const char *name)
{
    unsigned h = 0; /* the name is a hash already: three hex digits make 4096 */

    for (int i = 0; i < 3 && name[i] != '\0'; i++)
        h = h << 4 | (unsigned)(name[i] <= '9' ? name[i] - '0' : name[i] - 'a' + 10);
    return &s->buckets[h % ETAG_BUCKETS];
}

static size_t weight(const struct etag_entry *entry)
{
    return entry->body_len + ETAG_OVERHEAD;
}

static void unref(struct etag_entry *entry)
{
    if (--entry->refs == 0)
        etag_entry_free(entry);
}

static void unlist(struct etag_store *s, struct etag_entry *entry)
{
    *(entry->newer != NULL ? &entry->newer->older : &s->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &s->oldest) = entry->newer;
    entry->newer = entry->older = NULL;
}

static void enlist(struct etag_store *s, struct etag_entry *entry)
{
    entry->older = s->newest;
    if (s->newest != NULL)
        s->newest->newer = entry;
    else
        s->oldest = entry;
    s->newest = entry;
}

static void drop(struct etag_store *s, struct etag_entry *entry)
{
    struct etag_entry **at = bucket(s, entry->name);

    while (*at != entry)
        at = &(*at)->chain;
    *at = entry->chain;
    unlist(s, entry);
    s->in_memory -= weight(entry);
    unref(entry);
}

static struct etag_entry *find(struct etag_store *s, const char *name)
{
    struct etag_entry *entry = *bucket(s, name);

    while (entry != NULL && !str_eq(entry->name, name))
        entry = entry->chain;
    return entry;
}

/* Takes over one reference. */
static void insert(struct etag_store *s, struct etag_entry *entry)
{
    struct etag_entry *old = find(s, entry->name);
    if (old != NULL)
        drop(s, old);

    struct etag_entry **at = bucket(s, entry->name);
    entry->chain = *at;
    *at = entry;
    enlist(s, entry);
    s->in_memory += weight(entry);
    while (s->in_memory > ETAG_MEMORY && s->oldest != entry)
        drop(s, s->oldest);
}

/* ---- Use --------------------------------------------------------------------------------------
 */

struct etag_entry *etag_get(struct etag_store *s, const char *name)
{
    (void)pthread_mutex_lock(&s->lock);
    struct etag_entry *entry = find(s, name);
    if (entry != NULL) {
        entry->refs++;
        unlist(s, entry);
        enlist(s, entry);
    }
    (void)pthread_mutex_unlock(&s->lock);
    if (entry != NULL)
        return entry;

    entry = etag_file_load(s->dir, s->key, name);
    if (entry == NULL)
        return NULL;
    (void)pthread_mutex_lock(&s->lock);
    entry->refs = 2; /* the table's and the caller's */
    insert(s, entry);
    (void)pthread_mutex_unlock(&s->lock);
    return entry;
}

void etag_put_back(struct etag_store *s, struct etag_entry *entry)
{
    if (entry == NULL)
        return;
    (void)pthread_mutex_lock(&s->lock);
    unref(entry);
    (void)pthread_mutex_unlock(&s->lock);
}

void etag_store(struct etag_store *s, const char *name, const struct head *head,
                const struct buf *body)
{
    if (name[0] == '\0' || head->etag == NULL || head->etag[0] == '\0' || body->len > ETAG_ENTRY)
        return;
    struct etag_entry *entry =
        etag_entry_new(name, head->etag, head->content_type, head->link, buf_str(body), body->len);
    size_t written = etag_file_save(s->dir, s->key, entry);
    (void)pthread_mutex_lock(&s->lock);
    entry->refs = 1;
    insert(s, entry);
    if (!s->measured) {
        s->on_disk = etag_files_trim(s->dir, ETAG_DISK);
        s->measured = true;
    } else {
        s->on_disk += written; /* an overwritten file counts twice until the next trimming */
        if (s->on_disk > ETAG_DISK)
            s->on_disk = etag_files_trim(s->dir, ETAG_DISK / 8 * 7);
    }
    (void)pthread_mutex_unlock(&s->lock);
}

void etag_close(struct etag_store *s)
{
    if (s == NULL)
        return;
    while (s->oldest != NULL)
        drop(s, s->oldest);
    (void)pthread_mutex_destroy(&s->lock);
    free(s->dir);
    free(s);
}
