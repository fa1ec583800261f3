/* SPDX-License-Identifier: MIT
 *
 * Signatures that another program made, and the examples of the RFCs.
 */
#include <stdlib.h>
#include <string.h>

#include "dns/rrset.h"
#include "dnssec_fixture.h"
#include "test.h"

#define ZONE "example.com"

#define KEY_OF_RFC_4034                                                                                                \
    "0100030501039e8a247418e318903b215a848acfd5f37f026bd4062db26c774c690968d5d56df8bfda91e6f36d9a2798"                 \
    "88f41333357c5e6029990d10fdf5663062a512763326980a615ddbf17a05ddfcce7e5fb3abcca05a31b0957452d4521e"                 \
    "83870789063115bf97f6c308ccf57cdc9ce7fe10f6ed1bd0cc0660038c50dcdb0feb963c2f17"

static void take(const struct dnssec_vector *v, unsigned faults, enum dns_type type, struct dns_answer *answer,
                 struct rrset *set)
{
    dnssec_zone_answer(v, faults, type, answer);
    assert_true(rrset_take(answer, ZONE, type, set));
}

/* The key of a vector that has this tag. */
static struct rrset_key key_of(const struct dns_answer *keys, uint16_t tag)
{
    for (size_t i = 0; i < keys->answer_count; i++) {
        struct rrset_key key;

        if (rrset_key_parse(&keys->answers[i], &key) && key.tag == tag)
            return key;
    }
    fail_msg("no key has tag %u", tag);
    return (struct rrset_key){.tag = 0};
}

static enum dnskey_verdict verify_first(const struct dns_answer *keys, const struct rrset *set)
{
    struct rrset_key key;

    assert_int_equal(set->signature_count, 1);
    key = key_of(keys, set->signatures[0].key_tag);
    return rrset_verify(set, &set->signatures[0], &key);
}

TEST(signatures_of_another_program_verify_with_each_algorithm)
{
    for (size_t i = 0; i < DNSSEC_VECTORS; i++) {
        AUTO_DNS_ANSWER struct dns_answer keys = {0};
        AUTO_DNS_ANSWER struct dns_answer soa = {0};
        struct rrset set;

        take(&dnssec_vectors[i], 0, DNS_DNSKEY, &keys, &set);
        assert_int_equal(set.count, DNSSEC_VECTOR_KEYS);
        assert_int_equal(set.signatures[0].algorithm, dnssec_vectors[i].algorithm);
        assert_int_equal(verify_first(&keys, &set), DNSKEY_GOOD);
        take(&dnssec_vectors[i], 0, DNS_SOA, &soa, &set);
        assert_int_equal(set.count, 1);
        assert_int_equal(verify_first(&keys, &set), DNSKEY_GOOD);
    }
}

TEST(order_and_doubles_in_an_answer_change_nothing)
{
    for (size_t i = 0; i < DNSSEC_VECTORS; i++) {
        AUTO_DNS_ANSWER struct dns_answer keys = {0};
        struct rrset set;
        struct rrset_key key;

        take(&dnssec_vectors[i], FAULT_DOUBLED, DNS_DNSKEY, &keys, &set);
        assert_int_equal(keys.answer_count, 2 * DNSSEC_VECTOR_KEYS + 2);
        assert_int_equal(set.count, DNSSEC_VECTOR_KEYS);
        key = key_of(&keys, set.signatures[0].key_tag);
        assert_int_equal(rrset_verify(&set, &set.signatures[0], &key), DNSKEY_GOOD);
    }
}

TEST(a_set_that_is_not_the_one_that_was_signed_does_not_verify)
{
    for (size_t i = 0; i < DNSSEC_VECTORS; i++) {
        AUTO_DNS_ANSWER struct dns_answer keys = {0};
        AUTO_DNS_ANSWER struct dns_answer fewer = {0};
        AUTO_DNS_ANSWER struct dns_answer soa = {0};
        struct rrset set;

        take(&dnssec_vectors[i], 0, DNS_DNSKEY, &keys, &set);
        take(&dnssec_vectors[i], FAULT_KEY_MISSING, DNS_DNSKEY, &fewer, &set);
        assert_int_equal(verify_first(&keys, &set), DNSKEY_BAD);
        take(&dnssec_vectors[i], FAULT_SERIAL_CHANGED, DNS_SOA, &soa, &set);
        assert_int_equal(verify_first(&keys, &set), DNSKEY_BAD);
    }
}

TEST(every_changed_bit_of_what_is_signed_and_of_the_signature_is_noticed)
{
    for (size_t i = 0; i < DNSSEC_VECTORS; i++) {
        AUTO_DNS_ANSWER struct dns_answer keys = {0};
        AUTO_DNS_ANSWER struct dns_answer soa = {0};
        struct rrset set;
        struct dns_rr *rr;
        size_t signer_at = 18;

        take(&dnssec_vectors[i], 0, DNS_DNSKEY, &keys, &set);
        dnssec_zone_answer(&dnssec_vectors[i], 0, DNS_SOA, &soa);
        rr = &soa.answers[1];
        assert_int_equal(rr->type, DNS_RRSIG);
        for (size_t at = 0; at < rr->rdata_len; at++) {
            size_t bit = at % 8;

            rr->rdata[at] ^= (uint8_t)(1 << bit);
            assert_true(rrset_take(&soa, ZONE, DNS_SOA, &set));
            /* in another case the signer's name is the same one */
            if (set.signature_count == 1 && set.signatures[0].key_tag != 0 && (at < 16 || at >= signer_at + 13)) {
                struct rrset_key key = key_of(&keys, set.signatures[0].key_tag);

                assert_int_not_equal(rrset_verify(&set, &set.signatures[0], &key), DNSKEY_GOOD);
            }
            rr->rdata[at] ^= (uint8_t)(1 << bit);
        }
    }
}

TEST(a_signature_that_is_longer_than_it_has_to_be_is_none)
{
    for (size_t i = 0; i < DNSSEC_VECTORS; i++) {
        AUTO_DNS_ANSWER struct dns_answer keys = {0};
        AUTO_DNS_ANSWER struct dns_answer soa = {0};
        struct rrset set;
        struct rrset_key key;
        uint8_t longer[256] = {0};

        take(&dnssec_vectors[i], 0, DNS_DNSKEY, &keys, &set);
        take(&dnssec_vectors[i], 0, DNS_SOA, &soa, &set);
        key = key_of(&keys, set.signatures[0].key_tag);
        memcpy(longer, set.signatures[0].signature.data, set.signatures[0].signature.len);
        set.signatures[0].signature.data = longer;
        assert_int_equal(rrset_verify(&set, &set.signatures[0], &key), DNSKEY_GOOD);
        set.signatures[0].signature.len++;
        assert_int_equal(rrset_verify(&set, &set.signatures[0], &key), DNSKEY_BAD);
    }
}

TEST(records_stand_in_canonical_order)
{
    static const char *const sorted[] = {"0101030f01", "0101030f0102", "0101030f02", "0101030fff"};
    static const size_t orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 0, 3, 2}, {2, 3, 0, 1}};

    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        static struct message m;
        AUTO_DNS_ANSWER struct dns_answer answer = {0};
        struct rrset set;

        message_begin(&m, 0, MESSAGE_RESPONSE);
        for (size_t n = 0; n < 4; n++)
            message_rr_hex(&m, ZONE, DNS_DNSKEY, sorted[orders[i][n]]);
        dnssec_answer(&m, &answer);
        assert_true(rrset_take(&answer, ZONE, DNS_DNSKEY, &set));
        assert_int_equal(set.count, 4);
        for (size_t n = 0; n < 4; n++) {
            uint8_t want[8];

            assert_int_equal(set.rdatas[n].len, dnssec_unhex(sorted[n], want, sizeof want));
            assert_memory_equal(set.rdatas[n].data, want, set.rdatas[n].len);
        }
    }
}

TEST(a_ds_record_names_its_key_with_each_digest)
{
    for (size_t i = 0; i < DNSSEC_VECTORS; i++) {
        const struct dnssec_vector *v = &dnssec_vectors[i];
        const char *const ds[] = {v->ds_sha1, v->ds_sha256, v->ds_sha384};
        AUTO_DNS_ANSWER struct dns_answer keys = {0};
        struct rrset set;

        take(v, 0, DNS_DNSKEY, &keys, &set);
        for (size_t d = 0; d < ARRAY_LEN(ds); d++) {
            uint8_t rdata[64];
            struct dns_rr rr = {.type = DNS_DS, .rdata = rdata, .rdata_len = dnssec_unhex(ds[d], rdata, sizeof rdata)};
            struct rrset_ds parsed;
            size_t named = 0;

            assert_true(rrset_ds_parse(&rr, &parsed));
            assert_true(rrset_digest_is_known(parsed.digest_type));
            for (size_t k = 0; k < keys.answer_count; k++) {
                struct rrset_key key;

                named += rrset_key_parse(&keys.answers[k], &key) && rrset_ds_matches(&parsed, &set.owner, &key);
            }
            assert_int_equal(named, 1);
            for (size_t at = 0; at < rr.rdata_len; at++) {
                struct rrset_key key = key_of(&keys, parsed.key_tag);

                rdata[at] ^= 4;
                assert_true(rrset_ds_parse(&rr, &parsed));
                assert_false(rrset_ds_matches(&parsed, &set.owner, &key));
                rdata[at] ^= 4;
                assert_true(rrset_ds_parse(&rr, &parsed));
            }
            for (int longer = 0; longer < 2; longer++) {
                struct rrset_key key = key_of(&keys, parsed.key_tag);

                rr.rdata_len += longer ? 2 : (size_t)-1;
                assert_true(rrset_ds_parse(&rr, &parsed));
                assert_false(rrset_ds_matches(&parsed, &set.owner, &key));
            }
        }
    }
}

/* RFC 8080 section 6.1, with a record whose RDATA is in canonical form already. */
TEST(the_example_of_rfc_8080_verifies)
{
    static struct message m;
    AUTO_DNS_ANSWER struct dns_answer answer = {0};
    struct rrset set;
    struct rrset_key key;
    struct rrset_ds ds;

    message_begin(&m, 0, MESSAGE_RESPONSE);
    message_rr_hex(&m, ZONE, 15, "000a046d61696c076578616d706c6503636f6d00");
    message_rr_hex(&m, "Example.COM", DNS_RRSIG,
                   "000f0f0200000e1055d4fc6055b94ce00e1d076578616d706c6503636f6d00a0bf64ac9ba7ef17c138859c1878bb99"
                   "a839fe1759aca5b0d798cf1ab1e98d079102f4ddb3368f0fe40bb377f1f00e0cddedb799167d56b6e932783072ba8d02");
    message_rr_hex(&m, ZONE, DNS_DNSKEY, "0101030f974d96a22d224bc01adb915091477d44ccd91c9a41a11430010117d52c59240e");
    message_rr_hex(&m, ZONE, DNS_DS, "0e1d0f023aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b");
    dnssec_answer(&m, &answer);
    assert_true(rrset_take(&answer, ZONE, 15, &set));
    assert_true(rrset_key_parse(&answer.answers[2], &key));
    assert_true(rrset_ds_parse(&answer.answers[3], &ds));
    assert_int_equal(key.tag, 3613);
    assert_int_equal(set.signatures[0].expires, 1440021600);
    assert_int_equal(set.signatures[0].begins, 1438207200);
    assert_true(rrset_ds_matches(&ds, &set.owner, &key));
    assert_int_equal(rrset_verify(&set, &set.signatures[0], &key), DNSKEY_GOOD);
    set.signatures[0].labels = 1;
    assert_int_equal(rrset_verify(&set, &set.signatures[0], &key), DNSKEY_BAD);
}

/* RFC 4034 section 5.4, RFC 4509 section 2.3 */
TEST(the_examples_of_rfc_4034_and_4509_match)
{
    static const char *const ds[] = {
        "ec4505012bb183af5f22588179a53b0a98631fad1a292118",
        "ec450502d4b7d520e7bb5f0f67674a0cceb1e3e0614b93c4f9e99b8383f6a1e4469da50a",
    };
    uint8_t rdata[160];
    struct dns_rr rr = {.type = DNS_DNSKEY, .rdata = rdata};
    struct rrset_name owner;
    struct rrset_key key;

    rr.rdata_len = dnssec_unhex(KEY_OF_RFC_4034, rdata, sizeof rdata);
    assert_true(rrset_key_parse(&rr, &key));
    assert_int_equal(key.tag, 60485);
    assert_true(rrset_name_from_text("DsKey.Example.com", &owner));
    for (size_t i = 0; i < ARRAY_LEN(ds); i++) {
        uint8_t octets[64];
        struct dns_rr ds_rr = {.type = DNS_DS, .rdata = octets};
        struct rrset_ds parsed;

        ds_rr.rdata_len = dnssec_unhex(ds[i], octets, sizeof octets);
        assert_true(rrset_ds_parse(&ds_rr, &parsed));
        assert_true(rrset_ds_matches(&parsed, &owner, &key));
    }
    assert_false(rrset_digest_is_known(0));
    assert_false(rrset_digest_is_known(3));
    assert_false(rrset_digest_is_known(5));
}

/* Memory of exactly this length, so that reading behind it is noticed. */
static uint8_t *cut(const uint8_t *data, size_t len)
{
    uint8_t *copy = mem_calloc(len, 1);

    if (len)
        memcpy(copy, data, len);
    return copy;
}

TEST(records_that_are_cut_anywhere_are_no_records_or_verify_nothing)
{
    for (size_t i = 0; i < DNSSEC_VECTORS; i++) {
        AUTO_DNS_ANSWER struct dns_answer keys = {0};
        AUTO_DNS_ANSWER struct dns_answer soa = {0};
        struct rrset set;
        struct rrset_key good;
        const struct dns_rr *whole;

        take(&dnssec_vectors[i], 0, DNS_DNSKEY, &keys, &set);
        take(&dnssec_vectors[i], 0, DNS_SOA, &soa, &set);
        good = key_of(&keys, set.signatures[0].key_tag);
        whole = &soa.answers[1];
        for (size_t len = 0; len < whole->rdata_len; len++) {
            AUTO_FREE uint8_t *rdata = cut(whole->rdata, len);
            struct dns_rr rr = {.type = DNS_RRSIG, .rdata = rdata, .rdata_len = len};
            struct rrset_signature signature;

            if (rrset_signature_parse(&rr, &signature))
                assert_int_equal(rrset_verify(&set, &signature, &good), DNSKEY_BAD);
            else
                assert_true(len <= 18 + 13);
        }
        for (size_t len = 0; len < good.rdata.len; len++) {
            AUTO_FREE uint8_t *rdata = cut(good.rdata.data, len);
            struct dns_rr rr = {.type = DNS_DNSKEY, .rdata = rdata, .rdata_len = len};
            struct rrset_key key;

            if (!rrset_key_parse(&rr, &key)) {
                assert_true(len <= 4);
                continue;
            }
            key.tag = good.tag;
            assert_int_equal(rrset_verify(&set, &set.signatures[0], &key), DNSKEY_BAD);
        }
    }
}

TEST(an_algorithm_that_nobody_knows_is_told_apart_from_a_bad_signature)
{
    AUTO_DNS_ANSWER struct dns_answer keys = {0};
    struct rrset set;
    struct rrset_key key;

    take(&dnssec_vectors[0], 0, DNS_DNSKEY, &keys, &set);
    key = key_of(&keys, set.signatures[0].key_tag);
    key.algorithm = set.signatures[0].algorithm = 200;
    assert_int_equal(rrset_verify(&set, &set.signatures[0], &key), DNSKEY_UNSUPPORTED);
    assert_false(dnskey_is_known(200));
    assert_false(dnskey_is_known(0));
    assert_false(dnskey_is_known(1));  /* RSA/MD5 */
    assert_false(dnskey_is_known(3));  /* DSA */
    assert_false(dnskey_is_known(12)); /* GOST */
}

TEST(times_in_signatures_are_those_nearest_to_now)
{
    assert_int_equal(rrset_time(1769904000, 1767225600), 1769904000);
    assert_int_equal(rrset_time(10, 5), 10);
    assert_int_equal(rrset_time(0, 4294967295), 4294967296);           /* in 2106 the counter turns over */
    assert_int_equal(rrset_time(4294967295U, 4294967296), 4294967295); /* and back */
    assert_int_equal(rrset_time(1769904000, 6064871295), 6064871296);
}

TEST(names_are_taken_from_octets_and_never_beyond_them)
{
    static const struct {
        const char *hex;
        size_t used; /* 0: no name */
    } cases[] = {
        {"00", 1},     {"0161016200", 5}, {"016101620041", 5}, {"", 0},         {"01", 0}, {"0161", 0},
        {"016102", 0}, {"0261", 0},       {"c000", 0},         {"0161c000", 0}, {"40", 0}, {"ff", 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t octets[16];
        size_t len = dnssec_unhex(cases[i].hex, octets, sizeof octets);
        AUTO_FREE uint8_t *exact = cut(octets, len);
        struct rrset_name name;
        size_t used = 0;

        assert_int_equal(rrset_name_from_wire(exact, len, &name, &used), cases[i].used > 0);
        assert_int_equal(used, cases[i].used);
    }
}

TEST(a_name_of_255_octets_is_one_and_a_longer_one_is_none)
{
    uint8_t octets[300];
    struct rrset_name name;
    size_t used = 0;

    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = i % 2 ? 'a' : 1;
    octets[254] = 0;
    assert_true(rrset_name_from_wire(octets, sizeof octets, &name, &used));
    assert_int_equal(used, 255);
    octets[254] = 1;
    octets[256] = 0;
    assert_false(rrset_name_from_wire(octets, sizeof octets, &name, &used));
}

TEST(names_in_text_with_empty_or_long_labels_are_none)
{
    static const char long_label[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.com"; /* 64 */
    struct rrset_name name, other;

    assert_false(rrset_name_from_text(long_label, &name));
    assert_true(rrset_name_from_text(long_label + 1, &name));
    assert_false(rrset_name_from_text("a..b", &name));
    assert_false(rrset_name_from_text(".a", &name));
    assert_true(rrset_name_from_text("A.b", &name));
    assert_true(rrset_name_from_text("a.B", &other));
    assert_true(rrset_name_equal(&name, &other));
    assert_true(rrset_name_from_text("a.c", &other));
    assert_false(rrset_name_equal(&name, &other));
}

TEST(a_set_takes_what_belongs_to_it_and_no_more_than_anybody_has)
{
    static struct message m;
    AUTO_DNS_ANSWER struct dns_answer other = {0};
    AUTO_DNS_ANSWER struct dns_answer many = {0};
    struct rrset set;

    message_begin(&m, 0, MESSAGE_RESPONSE);
    message_rr_hex(&m, "other.example.com", DNS_DNSKEY, dnssec_vectors[0].keys[0]);
    message_rr_hex(&m, "other.example.com", DNS_RRSIG, dnssec_vectors[0].keys_signature);
    message_rr_hex(&m, ZONE, DNS_RRSIG, dnssec_vectors[0].soa_signature);
    dnssec_answer(&m, &other);
    assert_true(rrset_take(&other, ZONE, DNS_DNSKEY, &set));
    assert_int_equal(set.count, 0);
    assert_int_equal(set.signature_count, 0);
    assert_true(rrset_take(&other, "other.example.com", DNS_DNSKEY, &set));
    assert_int_equal(set.count, 1);
    assert_int_equal(set.signature_count, 0); /* the signer is another zone */
    message_begin(&m, 0, MESSAGE_RESPONSE);
    for (unsigned i = 0; i <= RRSET_RECORDS_MAX; i++) {
        const uint8_t rdata[] = {1, 1, 3, 8, (uint8_t)i};

        message_rr(&m, MESSAGE_ANSWER, ZONE, DNS_DNSKEY, 60, rdata, sizeof rdata);
        message_rr_hex(&m, ZONE, DNS_RRSIG, dnssec_vectors[0].keys_signature);
    }
    dnssec_answer(&m, &many);
    assert_false(rrset_take(&many, ZONE, DNS_DNSKEY, &set));
    many.answer_count -= 2;
    assert_true(rrset_take(&many, ZONE, DNS_DNSKEY, &set));
    assert_int_equal(set.count, RRSET_RECORDS_MAX);
    assert_int_equal(set.signature_count, RRSET_SIGNATURES_MAX);
    many.answer_count += 2;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_of_another_program_verify_with_each_algorithm),
        cmocka_unit_test(order_and_doubles_in_an_answer_change_nothing),
        cmocka_unit_test(a_set_that_is_not_the_one_that_was_signed_does_not_verify),
        cmocka_unit_test(every_changed_bit_of_what_is_signed_and_of_the_signature_is_noticed),
        cmocka_unit_test(a_signature_that_is_longer_than_it_has_to_be_is_none),
        cmocka_unit_test(records_stand_in_canonical_order),
        cmocka_unit_test(a_ds_record_names_its_key_with_each_digest),
        cmocka_unit_test(the_example_of_rfc_8080_verifies),
        cmocka_unit_test(the_examples_of_rfc_4034_and_4509_match),
        cmocka_unit_test(records_that_are_cut_anywhere_are_no_records_or_verify_nothing),
        cmocka_unit_test(an_algorithm_that_nobody_knows_is_told_apart_from_a_bad_signature),
        cmocka_unit_test(times_in_signatures_are_those_nearest_to_now),
        cmocka_unit_test(names_are_taken_from_octets_and_never_beyond_them),
        cmocka_unit_test(a_name_of_255_octets_is_one_and_a_longer_one_is_none),
        cmocka_unit_test(names_in_text_with_empty_or_long_labels_are_none),
        cmocka_unit_test(a_set_takes_what_belongs_to_it_and_no_more_than_anybody_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
