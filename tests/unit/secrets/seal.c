#include "fixture.h"

#include <sodium.h>

struct recipient {
    unsigned char pk[crypto_box_PUBLICKEYBYTES], sk[crypto_box_SECRETKEYBYTES];
    char b64[64];
};

static void make_recipient(struct recipient *r)
{
    assert_int_equal(crypto_box_keypair(r->pk, r->sk), 0);
    (void)sodium_bin2base64(r->b64, sizeof(r->b64), r->pk, sizeof(r->pk),
                            sodium_base64_VARIANT_ORIGINAL);
}

/* Opens the box as GitHub does, with its half of the key. */
static void assert_opens(const struct recipient *r, const char *b64, const char *bytes, size_t n)
{
    size_t len = 0, size = strlen(b64);
    unsigned char *box = mem_alloc(size), *text = mem_alloc(n + 1);

    assert_int_equal(size % 4, 0); /* padded */
    assert_null(strpbrk(b64, "-_\n"));
    assert_int_equal(
        sodium_base642bin(box, size, b64, size, NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL),
        0);
    assert_int_equal(len, n + crypto_box_SEALBYTES);
    assert_int_equal(crypto_box_seal_open(text, box, len, r->pk, r->sk), 0);
    assert_memory_equal(text, bytes, n);
    free(box);
    free(text);
}

static void opens_again(void **state)
{
    static const size_t SIZES[] = {0, 1, 2, 3, 15, 16, 17, 4095, 4096, LIMIT_SECRET_BYTES};
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct recipient r;
    char *bytes = mem_alloc(LIMIT_SECRET_BYTES);

    make_recipient(&r);
    randombytes_buf(bytes, LIMIT_SECRET_BYTES);
    for (size_t i = 0; i < ARRAY_LEN(SIZES); i++) {
        CLEANUP(secret_freep) struct secret *s = secret_new(bytes, SIZES[i]);
        char *box = NULL, *again = NULL;
        assert_int_equal(secret_seal(s, r.b64, f->arena, &box, &e), ERR_OK);
        assert_opens(&r, box, bytes, SIZES[i]);
        assert_int_equal(secret_seal(s, r.b64, f->arena, &again, &e), ERR_OK);
        assert_string_not_equal(box, again); /* a new ephemeral key each time */
    }
    free(bytes);
}

static void refuses_keys(void **state)
{
    static const char *const BAD[] = {
        "",
        "=",
        "not base64 at all",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",   /* 31 bytes */
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",   /* 33 bytes */
        "2Sg8iYjAxxmI2LvUXpJjkYrMxprPLJ8FNJLhNT2EGUs",    /* without its padding */
        "2Sg8iYjAxxmI2LvUXpJjkYrMxprPLJ8FNJLhNT2EGU-=",   /* of the URL-safe alphabet */
        "2Sg8iYjAxxmI2LvUXpJjkYrMxprPLJ8FNJLhNT2EGUs=\n", /* more behind it */
        "2Sg8iYjAxxmI2LvUXpJjkYrMxprPLJ8F\nNJLhNT2EGUs=", /* in lines */
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",   /* a point of small order */
        "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",   /* another */
    };
    struct fixture *f = *state;
    CLEANUP(secret_freep) struct secret *s = secret_new(CANARY, strlen(CANARY));
    char *box = NULL;

    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct err e = ERR_INIT;
        if (secret_seal(s, BAD[i], f->arena, &box, &e) != ERR_INVALID)
            fail_msg("row %zu was taken", i);
        assert_null(box);
        assert_error(&e, ERR_INVALID, "public key");
    }
    struct err e = ERR_INIT;
    assert_int_equal(
        secret_seal(s, "2Sg8iYjAxxmI2LvUXpJjkYrMxprPLJ8FNJLhNT2EGUs=", f->arena, &box, &e), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_again),
        cmocka_unit_test(refuses_keys),
    };
    return cmocka_run_group_tests_name("secrets seal", tests, fixture_setup, fixture_teardown);
}
