/* SPDX-License-Identifier: MIT
 *
 * Private keys as JSON Web Keys, RFC 7517 and RFC 7518 section 6: how certbot keeps its account keys.
 */
#include "import/internal.h"

#include <string.h>

#include "crypto/b64url.h"
#include "json/json.h"

#define NUMBER_MAX 1024 /* bytes: RSA of 8192 bits */
#define NUMBERS_MAX 8

/* The numbers of a key, in buffers that wipe themselves. */
struct numbers {
    struct buf bufs[NUMBERS_MAX];
    struct key_number numbers[NUMBERS_MAX];
};

static void numbers_done(struct numbers *numbers)
{
    for (size_t i = 0; i < NUMBERS_MAX; i++)
        buf_done(&numbers->bufs[i]);
}

static enum err_code decode(const json_t *jwk, const char *const *names, size_t count, const char *what,
                            struct numbers *out, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = NULL;
        enum err_code code = json_want_string(jwk, names[i], what, &text, err);

        if (code != ERR_OK)
            return code;
        out->bufs[i] = BUF_INIT(NUMBER_MAX);
        if (!b64url_decode(text, strlen(text), &out->bufs[i]) || !buf_ok(&out->bufs[i]) || out->bufs[i].len == 0)
            return err_set(err, ERR_INPUT, "%s has no base64url number of 1 to %d bytes as \"%s\"", what, NUMBER_MAX,
                           names[i]);
        out->numbers[i] = (struct key_number){(const uint8_t *)buf_cstr(&out->bufs[i]), out->bufs[i].len};
    }
    return ERR_OK;
}

static enum err_code rsa(const json_t *jwk, const char *what, struct key **out, struct err *err)
{
    static const char *const names[] = {"n", "e", "d", "p", "q", "dp", "dq", "qi"};
    struct numbers AUTO(numbers_done) n = {.bufs = {{NULL, 0, 0, 0, false}}};
    enum err_code code = decode(jwk, names, ARRAY_LEN(names), what, &n, err);
    struct key_rsa_numbers numbers;

    if (code != ERR_OK)
        return code;
    numbers = (struct key_rsa_numbers){n.numbers[0], n.numbers[1], n.numbers[2], n.numbers[3],
                                       n.numbers[4], n.numbers[5], n.numbers[6], n.numbers[7]};
    return key_from_rsa(&numbers, what, out, err);
}

static enum err_code ec(const json_t *jwk, const char *what, struct key **out, struct err *err)
{
    static const char *const names[] = {"x", "y", "d"};
    struct numbers AUTO(numbers_done) n = {.bufs = {{NULL, 0, 0, 0, false}}};
    struct key_ec_numbers numbers = {.crv = NULL};
    enum err_code code = json_want_string(jwk, "crv", what, &numbers.crv, err);

    if (code == ERR_OK)
        code = decode(jwk, names, ARRAY_LEN(names), what, &n, err);
    if (code != ERR_OK)
        return code;
    numbers.x = n.numbers[0];
    numbers.y = n.numbers[1];
    numbers.d = n.numbers[2];
    return key_from_ec(&numbers, what, out, err);
}

enum err_code import_jwk_parse(const json_t *jwk, const char *file, struct key **out, struct err *err)
{
    char AUTO_FREE *what = mem_printf("\"%s\"", file);
    const char *kty = NULL;
    enum err_code code = json_want_string(jwk, "kty", what, &kty, err);

    if (code != ERR_OK)
        return code;
    if (strcmp(kty, "RSA") == 0)
        return rsa(jwk, what, out, err);
    if (strcmp(kty, "EC") == 0)
        return ec(jwk, what, out, err);
    return err_set(err, ERR_INPUT, "%s holds a key of the type \"%.20s\", where \"RSA\" or \"EC\" belongs", what, kty);
}
