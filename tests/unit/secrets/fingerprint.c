#include "fixture.h"

#include <dirent.h>
#include <sys/wait.h>

static struct fingerprint_key key_of(struct fixture *f, const char *name, int fill)
{
    char bytes[FINGERPRINT_KEY_BYTES];
    struct fingerprint_key k = {NULL};
    struct err e = ERR_INIT;

    memset(bytes, fill, sizeof(bytes));
    const char *path = fixture_file(f, name, bytes, sizeof(bytes), 0600);
    assert_int_equal(fingerprint_key_open(path, &k, &e), ERR_OK);
    return k;
}

static const char *of(struct fixture *f, const struct fingerprint_key *k, const char *domain,
                      const char *name, const char *value)
{
    char hex[FINGERPRINT_HEX];
    CLEANUP(secret_freep) struct secret *s = secret_new(value, strlen(value));

    fingerprint_secret(k, domain, name, s, hex);
    assert_int_equal(strlen(hex), FINGERPRINT_HEX - 1);
    assert_int_equal(strspn(hex, "0123456789abcdef"), FINGERPRINT_HEX - 1);
    return arena_strdup(f->arena, hex);
}

static void tells_apart(void **state)
{
    struct fixture *f = *state;
    struct fingerprint_key k = key_of(f, "k1", 1), other = key_of(f, "k2", 2);
    const char *all[] = {
        of(f, &k, "slave/eu", "NAME", "value"),
        of(f, &other, "slave/eu", "NAME", "value"),
        of(f, &k, "slave/us", "NAME", "value"),
        of(f, &k, "slave/eu", "OTHER", "value"),
        of(f, &k, "slave/eu", "NAME", "valve"),
        of(f, &k, "slave/eu", "NAME", ""),
        of(f, &k, "slave/eu", "NAM", "Evalue"),
        of(f, &k, "slave/euN", "AME", "value"),
        of(f, &k, "", "", ""),
    };

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(all[i], all[j]);
    }
    assert_string_equal(all[0], of(f, &k, "slave/eu", "NAME", "value"));
    fingerprint_key_release(&k);
    fingerprint_key_release(&other);
    assert_null(k.key);
    fingerprint_key_release(&k);
}

static void bytes_and_secrets_differ(void **state)
{
    struct fixture *f = *state;
    struct fingerprint_key k = key_of(f, "k1", 1);
    char plain[FINGERPRINT_HEX], again[FINGERPRINT_HEX], other[FINGERPRINT_HEX];

    fingerprint_bytes(&k, "d", "abc", 3, plain);
    fingerprint_bytes(&k, "d", "abc", 3, again);
    assert_string_equal(plain, again);
    fingerprint_bytes(&k, "da", "bc", 2, other);
    assert_string_not_equal(plain, other);
    fingerprint_bytes(&k, "d", "ab\0", 3, other);
    assert_string_not_equal(plain, other);
    fingerprint_bytes(&k, "d", NULL, 0, other);
    assert_string_not_equal(plain, other);
    assert_string_not_equal(plain, of(f, &k, "d", "", "abc"));
    fingerprint_key_release(&k);
}

/* Computed by Python's hashlib.blake2b(key=…, digest_size=32), each field behind its length. */
static const char VECTOR_SECRET[] =
    "fc246cd0da66dffda9fef7aaac571ab7a1b50690bf21e214116c08b280f7d5bc";
static const char VECTOR_BYTES[] =
    "fe833e35d120a1c662af78c3a8b10f9b9050c9e3f065dcf4dbeb510f2ddd483d";

/* They stand in ledgers: a value that changes here costs every user one rewrite of all secrets. */
static void stays_what_it_was(void **state)
{
    struct fixture *f = *state;
    struct fingerprint_key k = key_of(f, "k1", 1);
    char hex[FINGERPRINT_HEX];

    assert_string_equal(of(f, &k, "slave/eu", "NAME", "value"), VECTOR_SECRET);
    fingerprint_bytes(&k, "ledger", "row", 3, hex);
    assert_string_equal(hex, VECTOR_BYTES);
    fingerprint_key_release(&k);
}

static void makes_a_key(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct fingerprint_key a = {NULL}, b = {NULL}, other = {NULL};
    const char *path = path_join(f->arena, f->dir, "new.key");
    struct stat st;

    assert_int_equal(fingerprint_key_open(path, &a, &e), ERR_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, FINGERPRINT_KEY_BYTES);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(fingerprint_key_open(path, &b, &e), ERR_OK);
    assert_true(secret_eq(a.key, b.key));
    assert_int_equal(fingerprint_key_open(path_join(f->arena, f->dir, "2.key"), &other, &e),
                     ERR_OK);
    assert_false(secret_eq(a.key, other.key));
    fingerprint_key_release(&a);
    fingerprint_key_release(&b);
    fingerprint_key_release(&other);
}

static void refuses_key_files(void **state)
{
    struct fixture *f = *state;
    struct fingerprint_key k = {NULL};
    char bytes[FINGERPRINT_KEY_BYTES + 1] = "";

    for (size_t n = 0; n <= sizeof(bytes); n++) {
        struct err e = ERR_INIT;
        if (n == FINGERPRINT_KEY_BYTES)
            continue;
        const char *path = fixture_file(f, "bad.key", bytes, n, 0600);
        assert_int_equal(fingerprint_key_open(path, &k, &e), ERR_DAMAGED);
        assert_error(&e, ERR_DAMAGED, "32 bytes");
        assert_null(k.key);
    }
    struct err e = ERR_INIT;
    const char *path = fixture_file(f, "bad.key", bytes, FINGERPRINT_KEY_BYTES, 0640);
    assert_int_equal(fingerprint_key_open(path, &k, &e), ERR_REFUSED);
    assert_int_equal(fingerprint_key_open(f->dir, &k, &e), ERR_IO);
    path = path_join(f->arena, f->dir, "none/key");
    assert_int_equal(fingerprint_key_open(path, &k, &e), ERR_IO);
    assert_error(&e, ERR_IO, "none/key");
}

/* Many start at once: all must come to the same key, and leave nothing else behind. */
static void agrees_on_one_key(void **state)
{
    enum { CHILDREN = 8 };
    struct fixture *f = *state;
    const char *dir = path_join(f->arena, f->dir, "race");
    const char *path = path_join(f->arena, dir, "state.key");
    int ends[2];

    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(pipe(ends), 0);
    for (int i = 0; i < CHILDREN; i++) {
        if (fork() != 0)
            continue;
        struct err e = ERR_INIT;
        struct fingerprint_key k = {NULL};
        char hex[FINGERPRINT_HEX];
        if (fingerprint_key_open(path, &k, &e) != ERR_OK)
            _exit(1);
        fingerprint_bytes(&k, "race", "", 0, hex);
        _exit(write(ends[1], hex, sizeof(hex)) == (ssize_t)sizeof(hex) ? 0 : 1);
    }
    char first[FINGERPRINT_HEX] = "", hex[FINGERPRINT_HEX];
    for (int i = 0; i < CHILDREN; i++) {
        int status = 0;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
        assert_int_equal(read(ends[0], hex, sizeof(hex)), (ssize_t)sizeof(hex));
        if (i == 0)
            memcpy(first, hex, sizeof(hex));
        assert_string_equal(first, hex);
    }
    (void)close(ends[0]);
    (void)close(ends[1]);

    int entries = 0;
    DIR *d = opendir(dir);
    for (struct dirent *x; (x = readdir(d)) != NULL;)
        entries += x->d_name[0] == '.' && (x->d_name[1] == '\0' || x->d_name[1] == '.') ? 0 : 1;
    (void)closedir(d);
    assert_int_equal(entries, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_apart),       cmocka_unit_test(bytes_and_secrets_differ),
        cmocka_unit_test(stays_what_it_was), cmocka_unit_test(makes_a_key),
        cmocka_unit_test(refuses_key_files), cmocka_unit_test(agrees_on_one_key),
    };
    return cmocka_run_group_tests_name("secrets fingerprint", tests, fixture_setup,
                                       fixture_teardown);
}
