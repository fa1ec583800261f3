/* SPDX-License-Identifier: MIT
 *
 * A server's keys and signatures in combinations that signing programs do not make.
 */
#include <stdlib.h>
#include <string.h>

#include "dns/dnssec_server.h"
#include "dnssec_fixture.h"
#include "dnssec_signer.h"
#include "test.h"

#define ZONE "example.com"
#define NOW_S 1700000000
#define DAY_S 86400
#define KEYS_MAX 40

struct zone {
    struct signer_rdata ds;
    struct signer_rdata keys[KEYS_MAX]; /* in canonical order, if signatures are to fit */
    size_t key_count;
    struct signer_rdata key_signatures[4];
    size_t key_signature_count;
    struct signer_rdata soa;
    struct signer_rdata soa_signatures[4];
    size_t soa_signature_count;
};

static int compare(const void *a, const void *b)
{
    return memcmp(((const struct signer_rdata *)a)->data, ((const struct signer_rdata *)b)->data, SIGNER_KEY_LEN);
}

static void add_key(struct zone *zone, struct signer_key key)
{
    signer_dnskey(&key, &zone->keys[zone->key_count++]);
    qsort(zone->keys, zone->key_count, sizeof zone->keys[0], compare);
}

static void name_in_ds(struct zone *zone, struct signer_key key)
{
    struct signer_rdata rdata;

    signer_dnskey(&key, &rdata);
    signer_ds(&rdata, &zone->ds);
}

/* Valid from `begins_d` to `expires_d` days from now. */
static void sign_keys(struct zone *zone, struct signer_key key, int begins_d, int expires_d)
{
    signer_sign(&key, DNS_DNSKEY, zone->keys, zone->key_count, (uint32_t)(NOW_S + begins_d * DAY_S),
                (uint32_t)(NOW_S + expires_d * DAY_S), &zone->key_signatures[zone->key_signature_count++]);
}

static void sign_soa(struct zone *zone, struct signer_key key, int begins_d, int expires_d)
{
    signer_sign(&key, DNS_SOA, &zone->soa, 1, (uint32_t)(NOW_S + begins_d * DAY_S),
                (uint32_t)(NOW_S + expires_d * DAY_S), &zone->soa_signatures[zone->soa_signature_count++]);
}

#define KSK SIGNER_KSK(1)
#define ZSK SIGNER_ZSK(2)

/* A zone with two keys, nothing signed yet. */
static struct zone begin(void)
{
    static const uint8_t soa[22] = {0, 0, [21] = 5};
    struct zone zone = {.key_count = 0};

    memcpy(zone.soa.data, soa, sizeof soa);
    zone.soa.len = sizeof soa;
    add_key(&zone, KSK);
    add_key(&zone, ZSK);
    name_in_ds(&zone, KSK);
    return zone;
}

static struct zone sound(void)
{
    struct zone zone = begin();

    sign_keys(&zone, KSK, -1, 10);
    sign_soa(&zone, ZSK, -1, 10);
    return zone;
}

static void put_all(struct message *m, uint16_t type, const struct signer_rdata *rdatas, size_t count)
{
    for (size_t i = 0; i < count; i++)
        message_rr(m, MESSAGE_ANSWER, ZONE, type, 60, rdatas[i].data, rdatas[i].len);
}

static struct dnssec_server judge(const struct zone *zone)
{
    static struct message m;
    AUTO_DNS_ANSWER struct dns_answer ds = {0};
    AUTO_DNS_ANSWER struct dns_answer keys = {0};
    AUTO_DNS_ANSWER struct dns_answer soa = {0};
    struct dnssec_trust trust;
    struct dnssec_server found;

    message_begin(&m, 0, MESSAGE_RESPONSE);
    put_all(&m, DNS_DS, &zone->ds, 1);
    dnssec_answer(&m, &ds);
    dnssec_trust_take(&ds, ZONE, &trust);
    message_begin(&m, 0, MESSAGE_RESPONSE | MESSAGE_AUTHORITATIVE);
    put_all(&m, DNS_DNSKEY, zone->keys, zone->key_count);
    put_all(&m, DNS_RRSIG, zone->key_signatures, zone->key_signature_count);
    dnssec_answer(&m, &keys);
    message_begin(&m, 0, MESSAGE_RESPONSE | MESSAGE_AUTHORITATIVE);
    put_all(&m, DNS_SOA, &zone->soa, 1);
    put_all(&m, DNS_RRSIG, zone->soa_signatures, zone->soa_signature_count);
    dnssec_answer(&m, &soa);
    dnssec_server_judge(ZONE, &trust, &keys, &soa, NOW_S, &found);
    return found;
}

static void expect_good(const struct zone *zone, int expires_d)
{
    AUTO(dnssec_server_done) struct dnssec_server found = judge(zone);

    if (found.finding != DNSSEC_SERVER_GOOD)
        fail_msg("%d: %s", (int)found.finding, found.why);
    assert_int_equal(found.expires_s, NOW_S + expires_d * DAY_S);
}

/* `why` begins so. */
static void expect_bad(const struct zone *zone, const char *why)
{
    AUTO(dnssec_server_done) struct dnssec_server found = judge(zone);

    assert_int_equal(found.finding, DNSSEC_SERVER_BAD);
    if (strncmp(found.why, why, strlen(why)) != 0)
        fail_msg("%s", found.why);
}

TEST(a_sound_zone_is_good)
{
    struct zone zone = sound();

    expect_good(&zone, 10);
}

TEST(one_key_may_do_all)
{
    struct zone zone = begin();

    sign_keys(&zone, KSK, -1, 10);
    sign_soa(&zone, KSK, -1, 10);
    expect_good(&zone, 10);
    name_in_ds(&zone, ZSK); /* the flag that tells them apart is a hint only: RFC 4034 section 2.1.1 */
    zone.key_signature_count = 0;
    sign_keys(&zone, ZSK, -1, 10);
    expect_good(&zone, 10);
}

TEST(keys_that_are_no_zone_keys_revoked_or_of_another_protocol_are_not_trusted)
{
    static const struct signer_key keys[] = {{1, 0x0001, 3}, {1, 0x0181, 3}, {1, 257, 2}};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct zone zone = begin();

        add_key(&zone, keys[i]);
        name_in_ds(&zone, keys[i]);
        sign_keys(&zone, keys[i], -1, 10);
        sign_soa(&zone, ZSK, -1, 10);
        expect_bad(&zone, "no DNSKEY of the zone matches the parent's DS");
        zone = begin();
        add_key(&zone, keys[i]);
        sign_keys(&zone, KSK, -1, 10);
        sign_soa(&zone, keys[i], -1, 10);
        expect_bad(&zone, "the zone's SOA record is not signed by any of the zone's keys");
    }
}

TEST(a_key_that_the_parent_does_not_name_can_not_vouch_for_the_keys)
{
    struct zone zone = begin();

    sign_keys(&zone, ZSK, -1, 10);
    sign_soa(&zone, ZSK, -1, 10);
    expect_bad(&zone, "the zone's keys are not signed by a key that the parent's DS names");
}

TEST(a_key_that_is_not_in_the_zone_signs_nothing)
{
    struct zone zone = begin();

    sign_keys(&zone, KSK, -1, 10);
    sign_soa(&zone, SIGNER_ZSK(3), -1, 10);
    expect_bad(&zone, "the zone's SOA record is not signed by any of the zone's keys");
}

TEST(of_several_signatures_the_one_that_lasts_longest_counts)
{
    for (int order = 0; order < 2; order++) {
        struct zone zone = begin();

        sign_keys(&zone, KSK, -1, order ? 5 : 20);
        sign_keys(&zone, KSK, -1, order ? 20 : 5);
        sign_soa(&zone, ZSK, -1, 30);
        expect_good(&zone, 20);
    }
}

TEST(of_several_sets_the_one_that_ends_first_counts)
{
    for (int order = 0; order < 2; order++) {
        struct zone zone = begin();

        sign_keys(&zone, KSK, -1, order ? 5 : 20);
        sign_soa(&zone, ZSK, -1, order ? 20 : 5);
        expect_good(&zone, 5);
    }
}

TEST(signatures_that_expired_or_do_not_fit_do_no_harm_beside_a_good_one)
{
    for (int order = 0; order < 2; order++) {
        struct zone zone = begin();
        struct signer_rdata good;

        sign_keys(&zone, KSK, -30, -20);
        sign_keys(&zone, KSK, 20, 30);
        sign_keys(&zone, KSK, -2, 10);
        zone.key_signatures[2].data[SIGNER_SIGNATURE_LEN - 1] ^= 1;
        sign_keys(&zone, KSK, -1, 10);
        sign_soa(&zone, ZSK, -1, 10);
        good = zone.key_signatures[3];
        if (order) {
            zone.key_signatures[3] = zone.key_signatures[0];
            zone.key_signatures[0] = good;
        }
        expect_good(&zone, 10);
    }
}

TEST(of_bad_signatures_the_most_telling_is_told)
{
    struct zone zone = begin();

    sign_keys(&zone, KSK, -30, -20);
    sign_keys(&zone, KSK, -30, -10);
    sign_keys(&zone, KSK, -30, -15);
    expect_bad(&zone, "the signature over the zone's keys expired on 2023-11-04T");
    zone.key_signature_count = 0;
    sign_keys(&zone, KSK, 10, 20);
    sign_keys(&zone, KSK, -30, -10);
    expect_bad(&zone, "the signature over the zone's keys expired on 2023-11-04T");
    zone.key_signature_count = 0;
    sign_keys(&zone, KSK, 10, 20);
    sign_keys(&zone, KSK, -1, 20);
    zone.key_signatures[1].data[SIGNER_SIGNATURE_LEN - 1] ^= 1;
    expect_bad(&zone, "the signature over the zone's keys is not valid before 2023-11-24T");
}

/* Exchanging pairs of octets leaves the tag as it is. */
static void add_colliding(struct zone *zone, const struct signer_rdata *good, size_t n)
{
    struct signer_rdata *other = &zone->keys[zone->key_count++];
    size_t at = 6 + 2 * (n % 13);

    *other = *good;
    memcpy(other->data + 4, good->data + at, 2);
    memcpy(other->data + at, good->data + 4, 2);
    if (n >= 13) {
        memcpy(other->data + 34, good->data + 32, 2);
        memcpy(other->data + 32, good->data + 34, 2);
    }
}

TEST(keys_whose_tags_collide_are_tried_only_so_often)
{
    static const size_t collisions[] = {13, 20};

    for (size_t i = 0; i < ARRAY_LEN(collisions); i++) {
        struct zone zone = begin();
        struct zone sorted;
        struct signer_rdata good;

        zone.key_count = 0;
        signer_dnskey(&ZSK, &good);
        add_key(&zone, KSK);
        for (size_t n = 0; n < collisions[i]; n++)
            add_colliding(&zone, &good, n);
        zone.keys[zone.key_count++] = good; /* the last one in the answer */
        sorted = zone;
        qsort(sorted.keys, sorted.key_count, sizeof sorted.keys[0], compare);
        sign_keys(&sorted, KSK, -1, 10);
        zone.key_signatures[zone.key_signature_count++] = sorted.key_signatures[0];
        sign_soa(&zone, ZSK, -1, 10);
        if (collisions[i] < 16)
            expect_good(&zone, 10);
        else
            expect_bad(&zone, "the signature over the zone's SOA record does not verify");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_zone_is_good),
        cmocka_unit_test(one_key_may_do_all),
        cmocka_unit_test(keys_that_are_no_zone_keys_revoked_or_of_another_protocol_are_not_trusted),
        cmocka_unit_test(a_key_that_the_parent_does_not_name_can_not_vouch_for_the_keys),
        cmocka_unit_test(a_key_that_is_not_in_the_zone_signs_nothing),
        cmocka_unit_test(of_several_signatures_the_one_that_lasts_longest_counts),
        cmocka_unit_test(of_several_sets_the_one_that_ends_first_counts),
        cmocka_unit_test(signatures_that_expired_or_do_not_fit_do_no_harm_beside_a_good_one),
        cmocka_unit_test(of_bad_signatures_the_most_telling_is_told),
        cmocka_unit_test(keys_whose_tags_collide_are_tried_only_so_often),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
