#include "internal.h"

#include <sodium.h>
#include <string.h>

static enum err_code decode_key(const char *key_b64, unsigned char out[crypto_box_PUBLICKEYBYTES],
                                struct err *e)
{
    unsigned char key[crypto_box_PUBLICKEYBYTES];
    size_t n = 0;

    if (sodium_base642bin(key, sizeof(key), key_b64, strlen(key_b64), NULL, &n, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        n != sizeof(key))
        return err_set(e, ERR_INVALID, "the public key is not %zu bytes of padded base64",
                       sizeof(key));
    memcpy(out, key, sizeof(key));
    return ERR_OK;
}

enum err_code secret_seal(const struct secret *s, const char *key_b64, struct arena *a,
                          char **out_b64, struct err *e)
{
    unsigned char key[crypto_box_PUBLICKEYBYTES];

    TRY(decode_key(key_b64, key, e));
    size_t n = s->len + crypto_box_SEALBYTES;
    unsigned char *box = arena_alloc(a, n);
    /* It fails for points of small order, with which anybody could open the box. */
    if (crypto_box_seal(box, (const unsigned char *)s->bytes, s->len, key) != 0)
        return err_set(e, ERR_INVALID, "the public key is not a usable one");
    size_t size = sodium_base64_ENCODED_LEN(n, sodium_base64_VARIANT_ORIGINAL);
    char *text = arena_alloc(a, size);
    *out_b64 = sodium_bin2base64(text, size, box, n, sodium_base64_VARIANT_ORIGINAL);
    return ERR_OK;
}
