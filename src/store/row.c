#include "internal.h"

#include <string.h>

enum {
    ROW_BYTES_MAX = 64 << 20, /* far above the largest row: one variable of 48 KB */
};

/* The order of columns is that of the schema: what is written here is what SELECT * gives. */
const struct table TABLE_META = {
    "meta",
    "ttiit",
    "INSERT OR REPLACE INTO meta VALUES (?,?,?,?,?,?)",
};
const struct table TABLE_SLAVE = {
    "slave",
    "tiittiit",
    "INSERT OR REPLACE INTO slave VALUES (?,?,?,?,?,?,?,?,?)",
};
const struct table TABLE_LEDGER = {
    "ledger",
    "tttttti",
    "INSERT OR REPLACE INTO ledger VALUES (?,?,?,?,?,?,?,?)",
};
const struct table TABLE_JOURNAL = {
    "journal",
    "ittttttiitt",
    "INSERT OR REPLACE INTO journal VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
};
const struct table TABLE_EVENT = {
    "event",
    "iittt",
    "INSERT OR REPLACE INTO event VALUES (?,?,?,?,?,?)",
};
const struct table TABLE_STATUS = {
    "status",
    "titttititti"
    "tiiitt"
    "tiiitt"
    "tiiitt"
    "tiiitt",
    "INSERT OR REPLACE INTO status VALUES (?,?,?,?,?,?,?,?,?,?,?,"
    "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
};

/* ---- Hashes ------------------------------------------------------------------------------------
 */

static enum err_code add_number(struct buf *b, char tag, int64_t n, struct err *e)
{
    unsigned char bytes[9] = {(unsigned char)tag};

    for (size_t i = 0; i < 8; i++)
        bytes[1 + i] = (unsigned char)((uint64_t)n >> (8 * i));
    return buf_add(b, bytes, sizeof(bytes), e);
}

/* One encoding for one row: every field says its type, and texts their length. */
static enum err_code encode(struct buf *b, const struct cell *cells, size_t n, struct err *e)
{
    buf_clear(b);
    for (size_t i = 0; i < n; i++) {
        if (cells[i].type == CELL_INT) {
            TRY(add_number(b, 'i', cells[i].num, e));
        } else if (cells[i].text == NULL) {
            TRY(buf_add(b, "n", 1, e));
        } else {
            size_t len = strlen(cells[i].text);
            TRY(add_number(b, 't', (int64_t)len, e));
            TRY(buf_add(b, cells[i].text, len, e));
        }
    }
    return ERR_OK;
}

static enum err_code row_hash(struct store *s, const struct table *t, const struct cell *cells,
                              char out[static FINGERPRINT_HEX], struct err *e)
{
    s->scratch.max = ROW_BYTES_MAX;
    TRY(encode(&s->scratch, cells, strlen(t->shape), e));
    fingerprint_bytes(&s->key, t->name, s->scratch.data, s->scratch.len, out);
    return ERR_OK;
}

/* ---- Writing and reading -----------------------------------------------------------------------
 */

enum err_code row_put(struct store *s, sqlite3_stmt *st, const struct table *t,
                      const struct cell *cells, char out_hash[static FINGERPRINT_HEX],
                      struct err *e)
{
    int n = (int)strlen(t->shape);

    TRY(row_hash(s, t, cells, out_hash, e));
    for (int i = 0; i < n; i++) {
        if (cells[i].type == CELL_INT)
            (void)sqlite3_bind_int64(st, i + 1, cells[i].num);
        else
            bind_text(st, i + 1, cells[i].text);
    }
    bind_text(st, n + 1, out_hash);
    return db_run(s, st, e);
}

/* Whether the value has the type that is written there, and no NUL that would end a text early. */
static bool take_cell(sqlite3_stmt *st, int i, char letter, struct arena *a, struct cell *out)
{
    int type = sqlite3_column_type(st, i);

    if (letter == 'i') {
        *out = CELL_I(sqlite3_column_int64(st, i));
        return type == SQLITE_INTEGER;
    }
    *out = CELL_T(NULL);
    if (type == SQLITE_NULL)
        return true;
    if (type != SQLITE_TEXT)
        return false;
    const char *text = (const char *)sqlite3_column_text(st, i);
    size_t n = (size_t)sqlite3_column_bytes(st, i);
    if (text == NULL || strlen(text) != n)
        return false;
    out->text = arena_strndup(a, text, n);
    return true;
}

enum err_code row_get(struct store *s, sqlite3_stmt *st, const struct table *t, struct arena *a,
                      struct cell *out_cells, char out_hash[static FINGERPRINT_HEX], struct err *e)
{
    int n = (int)strlen(t->shape);
    char hash[FINGERPRINT_HEX];
    bool good = sqlite3_column_count(st) == n + 1;

    for (int i = 0; good && i < n; i++)
        good = take_cell(st, i, t->shape[i], a, &out_cells[i]);
    if (good)
        TRY(row_hash(s, t, out_cells, hash, e));
    good = good && sqlite3_column_type(st, n) == SQLITE_TEXT &&
           str_eq((const char *)sqlite3_column_text(st, n), hash) &&
           sqlite3_column_bytes(st, n) == FINGERPRINT_HEX - 1;
    if (!good)
        return store_damaged(s->dir, e, "a row of table '%s' is not what was written", t->name);
    memcpy(out_hash, hash, sizeof(hash));
    return ERR_OK;
}

/* ---- Tallies -----------------------------------------------------------------------------------
 */

static unsigned digit(char ch)
{
    return ch >= 'a' ? (unsigned)(ch - 'a') + 10 : (unsigned)(ch - '0');
}

/* Hex in, hex out. XOR needs no order, and takes out a row as it put it in. */
static void combine(struct tally *t, const char *hash)
{
    for (size_t i = 0; i < FINGERPRINT_HEX - 1; i++)
        t->sum[i] = "0123456789abcdef"[(digit(t->sum[i]) ^ digit(hash[i])) & 0xf];
}

void tally_init(struct tally *t)
{
    t->n = 0;
    memset(t->sum, '0', sizeof(t->sum) - 1);
    t->sum[sizeof(t->sum) - 1] = '\0';
}

void tally_add(struct tally *t, const char *hash)
{
    t->n++;
    combine(t, hash);
}

void tally_drop(struct tally *t, const char *hash)
{
    t->n--;
    combine(t, hash);
}

bool tally_eq(const struct tally *a, const struct tally *b)
{
    return a->n == b->n && str_eq(a->sum, b->sum);
}
