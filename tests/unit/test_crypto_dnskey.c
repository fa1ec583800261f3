/* SPDX-License-Identifier: MIT
 *
 * Keys and signatures that make no sense, of every length.  Good ones are verified in test_dns_rrset.c.
 */
#include <string.h>

#include "crypto/dnskey.h"
#include "crypto/random.h"
#include "test.h"
#include "util/mem.h"

static const unsigned algorithms[] = {
    DNSKEY_RSASHA1,         DNSKEY_RSASHA1_NSEC3,   DNSKEY_RSASHA256, DNSKEY_RSASHA512,
    DNSKEY_ECDSAP256SHA256, DNSKEY_ECDSAP384SHA384, DNSKEY_ED25519,   DNSKEY_ED448};

static struct dnskey_bytes bytes(const uint8_t *data, size_t len)
{
    return (struct dnskey_bytes){data, len};
}

TEST(keys_and_signatures_of_any_length_and_content_verify_nothing)
{
    static const uint8_t fillings[] = {0, 1, 3, 0x80, 0xff};

    for (size_t a = 0; a < ARRAY_LEN(algorithms); a++)
        for (size_t f = 0; f < ARRAY_LEN(fillings); f++)
            for (size_t len = 0; len < 160; len += len < 100 ? 1 : 7) {
                AUTO_FREE uint8_t *data = mem_calloc(len, 1); /* of exactly this length */

                if (len)
                    memset(data, fillings[f], len);
                assert_int_equal(dnskey_verify(algorithms[a], bytes(data, len), bytes(data, len), bytes(data, len)),
                                 DNSKEY_BAD);
            }
}

TEST(rsa_keys_outside_the_sizes_of_rfc_5702_are_none)
{
    /* Numbers as large as a record can hold are not computed with. */
    AUTO_FREE uint8_t *key = mem_calloc(65535, 1);
    uint8_t signature[64] = {1};

    memset(key, 0xff, 65535);
    key[0] = 3;
    assert_int_equal(
        dnskey_verify(DNSKEY_RSASHA256, bytes(key, 65535), bytes(signature, 1), bytes(signature, sizeof signature)),
        DNSKEY_BAD);
    key[0] = 0; /* exponent of 32 kbit */
    key[1] = 0x10;
    key[2] = 0x00;
    assert_int_equal(dnskey_verify(DNSKEY_RSASHA256, bytes(key, 3 + 4096 + 512), bytes(signature, 1),
                                   bytes(signature, sizeof signature)),
                     DNSKEY_BAD);
}

TEST(algorithms_that_are_not_known_are_not_supported)
{
    const uint8_t data[64] = {1};

    for (unsigned number = 0; number < 300; number++) {
        bool is_known = false;

        for (size_t a = 0; a < ARRAY_LEN(algorithms); a++)
            is_known = is_known || algorithms[a] == number;
        assert_int_equal(dnskey_is_known(number), is_known);
        if (!is_known)
            assert_int_equal(dnskey_verify(number, bytes(data, 64), bytes(data, 64), bytes(data, 64)),
                             DNSKEY_UNSUPPORTED);
    }
}

TEST(random_bytes_differ)
{
    uint8_t a[16], b[16];

    assert_int_equal(random_bytes(a, sizeof a, NULL), ERR_OK);
    assert_int_equal(random_bytes(b, sizeof b, NULL), ERR_OK);
    assert_memory_not_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_signatures_of_any_length_and_content_verify_nothing),
        cmocka_unit_test(rsa_keys_outside_the_sizes_of_rfc_5702_are_none),
        cmocka_unit_test(algorithms_that_are_not_known_are_not_supported),
        cmocka_unit_test(random_bytes_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
