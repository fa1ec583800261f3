/* SPDX-License-Identifier: MIT
 *
 * A signed zone at two name servers, its parent, a resolver that validates or does not, and what may be wrong with
 * them.
 */
#include <stdlib.h>
#include <string.h>

#include "dns/dnssec.h"
#include "dnssec_fixture.h"
#include "fake_dns.h"
#include "test.h"

#define ZONE "example.com"
#define NS1 "192.0.2.1"
#define NS2 "192.0.2.2"
#define NOW_S (DNSSEC_VECTORS_BEGIN + 14 * 86400)

enum { ED25519 = 6, ECDSA_P256 = 4 }; /* places in dnssec_vectors */

struct name_server {
    const struct dnssec_vector *vector; /* NULL: the zone is not signed */
    unsigned faults;
    int rcode;
    enum err_code fails;
};

/* What a resolver shows. */
struct recursive {
    const char *ds[4]; /* ends with NULL */
    int ds_rcode;
    enum err_code fails;
    bool knows_no_ds; /* no DS record of any zone, as some forwarders */
    bool proves;      /* signatures come with the answer that there is no DS record */
    enum { NO_VALIDATOR, AGREES, DENIES, REFUSES, ALWAYS_SERVFAIL } validates;
};

struct world {
    struct name_server servers[2];
    struct recursive resolver, doh;
    const char *zone_above; /* a zone that exists above; NULL: none is seen */
    bool above_has_ds;
    bool above_fails;     /* asked for DS of it */
    size_t asked_servers; /* questions to name servers */
    size_t plain;         /* questions that lack a flag they must have */
};

struct bench {
    struct fake_clock clock;
    struct world world;
    struct fake_dns *direct;
    struct fake_dns *doh;
    struct dns_servers servers;
};

static void parse_reply(struct message *m, struct fake_dns_reply *reply)
{
    dnssec_answer(m, &reply->answer);
}

static void answer_server(const struct name_server *server, const struct dns_question *q, struct fake_dns_reply *reply)
{
    static struct message m;

    if (server->fails) {
        fake_dns_fail(&reply->answer, server->fails);
    } else if (server->vector && !server->rcode) {
        dnssec_zone_answer(server->vector, server->faults, q->type, &reply->answer);
    } else {
        message_begin(&m, 0, MESSAGE_RESPONSE | MESSAGE_AUTHORITATIVE | (unsigned)server->rcode);
        if (q->type == DNS_SOA && !server->rcode)
            message_rr_soa(&m, MESSAGE_ANSWER, ZONE, 60, 60);
        parse_reply(&m, reply);
    }
}

static void answer_resolver(const struct world *w, const struct recursive *r, const struct dns_question *q,
                            struct fake_dns_reply *reply)
{
    static struct message m;
    bool checks = !(q->flags & DNS_NO_VALIDATION);
    bool is_above = w->zone_above && strcmp(q->name, w->zone_above) == 0;
    unsigned flags = MESSAGE_RESPONSE;

    if (r->fails) {
        fake_dns_fail(&reply->answer, r->fails);
        return;
    }
    if (strcmp(q->name, ZONE) == 0 && q->type == DNS_SOA) {
        if (r->validates == ALWAYS_SERVFAIL || (checks && r->validates == REFUSES))
            flags |= DNS_SERVFAIL;
        else if (checks && r->validates == AGREES)
            flags |= MESSAGE_AUTHENTICATED;
        else if (checks && r->validates == DENIES)
            flags |= MESSAGE_AUTHENTICATED | DNS_NXDOMAIN;
    }
    if (strcmp(q->name, ZONE) == 0 && q->type == DNS_DS)
        flags |= (unsigned)r->ds_rcode;
    if (is_above && q->type == DNS_DS && w->above_fails)
        flags |= DNS_SERVFAIL;
    message_begin(&m, 0, flags);
    if (q->type == DNS_SOA && (is_above || strcmp(q->name, ZONE) == 0) && !(flags & 15))
        message_rr_soa(&m, MESSAGE_ANSWER, q->name, 60, 60);
    for (size_t i = 0; r->ds[i] && q->type == DNS_DS && strcmp(q->name, ZONE) == 0 && !(flags & 15); i++)
        message_rr_hex(&m, ZONE, DNS_DS, r->ds[i]);
    if (q->type == DNS_DS && r->proves && !(flags & 15))
        message_rr(&m, MESSAGE_AUTHORITY, "com", DNS_RRSIG, 60, "\0", 1);
    if (q->type == DNS_DS && is_above && w->above_has_ds && !r->knows_no_ds)
        message_rr_hex(&m, q->name, DNS_DS, dnssec_vectors[0].ds_sha256);
    parse_reply(&m, reply);
}

static void answer_direct(void *ctx, const struct dns_question *q, UNUSED int64_t now_ms, struct fake_dns_reply *reply)
{
    struct world *w = ctx;

    dns_answer_done(&reply->answer);
    w->plain += !(q->flags & DNS_WANT_DNSSEC);
    if (!q->server) {
        w->plain += q->type == DNS_DS && !(q->flags & DNS_NO_VALIDATION);
        answer_resolver(w, &w->resolver, q, reply);
        return;
    }
    w->asked_servers++;
    answer_server(&w->servers[strcmp(q->server, NS1) != 0], q, reply);
}

static void answer_doh(void *ctx, const struct dns_question *q, UNUSED int64_t now_ms, struct fake_dns_reply *reply)
{
    struct world *w = ctx;

    assert_null(q->server);
    dns_answer_done(&reply->answer);
    w->plain += !(q->flags & DNS_WANT_DNSSEC);
    answer_resolver(w, &w->doh, q, reply);
}

static int setup(void **state)
{
    struct bench *b = mem_zalloc(sizeof *b);
    const struct dnssec_vector *v = &dnssec_vectors[ED25519];

    fake_clock_init(&b->clock);
    b->world = (struct world){
        .servers = {{.vector = v}, {.vector = v}},
        .resolver = {.ds = {v->ds_sha256}, .validates = AGREES},
        .doh = {.ds = {v->ds_sha256}, .validates = AGREES},
        .zone_above = "com",
        .above_has_ds = true,
    };
    b->direct = fake_dns_new(&b->clock, answer_direct, &b->world);
    b->doh = fake_dns_new(&b->clock, answer_doh, &b->world);
    dns_servers_add(&b->servers, "ns1.example.net", NS1);
    dns_servers_add(&b->servers, "ns2.example.net", NS2);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    fake_dns_done(b->direct);
    fake_dns_done(b->doh);
    dns_servers_done(&b->servers);
    free(b);
    return 0;
}

static struct dnssec_view examine_at(struct bench *b, int64_t now_s, size_t doh_count)
{
    struct resolver *doh[] = {&b->doh->base};
    const struct dnssec_request request = {.zone = ZONE,
                                           .servers = &b->servers,
                                           .direct = &b->direct->base,
                                           .doh = doh,
                                           .doh_count = doh_count,
                                           .now_s = now_s};
    struct dnssec_view view = {.state = DNSSEC_UNKNOWN};
    struct err err;

    if (dnssec_examine(&request, &view, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    assert_int_equal(b->world.plain, 0);
    return view;
}

/* Without DNS over HTTPS; `why` NULL: nothing is said. */
static void expect_at(struct bench *b, int64_t now_s, enum dnssec_state state, const char *why)
{
    AUTO(dnssec_view_done) struct dnssec_view view = examine_at(b, now_s, 0);

    if (view.state != state || (why == NULL) != (view.why == NULL) || (why && strcmp(view.why, why) != 0))
        fail_msg("state %d: \"%s\"", (int)view.state, view.why ? view.why : "(nothing)");
}

static void expect(struct bench *b, enum dnssec_state state, const char *why)
{
    expect_at(b, NOW_S, state, why);
}

/* As expect(), but `why` is only a part of what is said. */
static void expect_part(struct bench *b, enum dnssec_state wanted, const char *why)
{
    AUTO(dnssec_view_done) struct dnssec_view view = examine_at(b, NOW_S, 0);

    assert_int_equal(view.state, wanted);
    assert_non_null(view.why);
    assert_non_null(strstr(view.why, why));
}

static void break_both(struct bench *b, unsigned faults)
{
    b->world.servers[0].faults = b->world.servers[1].faults = faults;
    b->world.resolver.validates = REFUSES;
}

/* ------------------------------------------------------------------ sound ones */

TEST(a_sound_zone_is_secure_with_each_algorithm_and_digest)
{
    struct bench *b = *state;

    for (size_t i = 0; i < DNSSEC_VECTORS; i++) {
        const struct dnssec_vector *v = &dnssec_vectors[i];
        const char *const ds[] = {v->ds_sha1, v->ds_sha256, v->ds_sha384};

        b->world.servers[0].vector = b->world.servers[1].vector = v;
        for (size_t d = 0; d < ARRAY_LEN(ds); d++) {
            b->world.resolver.ds[0] = ds[d];
            expect(b, DNSSEC_SECURE, NULL);
        }
    }
}

TEST(the_view_tells_when_signatures_expire_and_whether_a_validator_agreed)
{
    struct bench *b = *state;
    struct dnssec_view view = examine_at(b, NOW_S, 0);

    assert_int_equal(view.expires_s, DNSSEC_VECTORS_END);
    assert_true(view.was_validated);
    dnssec_view_done(&view);
    b->world.resolver.validates = NO_VALIDATOR;
    view = examine_at(b, NOW_S, 0);
    assert_int_equal(view.state, DNSSEC_SECURE);
    assert_false(view.was_validated);
    dnssec_view_done(&view);
    b->world.resolver.validates = DENIES; /* something else is authenticated */
    view = examine_at(b, NOW_S, 0);
    assert_false(view.was_validated);
    dnssec_view_done(&view);
    view = examine_at(b, NOW_S, 1); /* DNS over HTTPS does */
    assert_true(view.was_validated);
    dnssec_view_done(&view);
}

TEST(a_zone_without_ds_is_unsigned_and_its_servers_are_left_alone)
{
    struct bench *b = *state;

    b->world.resolver = (struct recursive){.validates = NO_VALIDATOR};
    expect(b, DNSSEC_UNSIGNED, NULL);
    b->world.servers[0].vector = b->world.servers[1].vector = NULL;
    expect(b, DNSSEC_UNSIGNED, NULL);
    assert_int_equal(b->world.asked_servers, 0);
}

TEST(ds_of_algorithms_or_digests_that_nobody_knows_leave_the_zone_unsigned)
{
    struct bench *b = *state;

    b->world.resolver.ds[0] = "15bcc80200000000000000000000000000000000000000000000000000000000000000";
    b->world.resolver.ds[1] = "15bc0f0500000000000000000000000000000000000000000000000000000000000000";
    b->world.resolver.ds[2] = "15bc"; /* malformed */
    expect(b, DNSSEC_UNSIGNED, "the parent's DS records are all of algorithms that validators do not know");
}

TEST(a_stale_ds_beside_a_good_one_does_no_harm)
{
    struct bench *b = *state;

    b->world.resolver.ds[0] = dnssec_vectors[ECDSA_P256].ds_sha256;
    b->world.resolver.ds[1] = dnssec_vectors[ED25519].ds_sha256;
    expect(b, DNSSEC_SECURE, NULL);
}

TEST(below_a_zone_that_is_not_signed_nobody_checks)
{
    struct bench *b = *state;

    b->world.above_has_ds = false;
    break_both(b, FAULT_KEYS_NOT_SIGNED);
    b->world.resolver.validates = NO_VALIDATOR;
    expect(b, DNSSEC_UNSIGNED, "the parent has a DS record, but zone \"com\" above it has none, so nobody checks");
    b->world.zone_above = NULL; /* com is no zone, so that it has no DS means nothing */
    expect(b, DNSSEC_BROKEN, "the zone's keys are not signed");
}

TEST(a_zone_above_of_which_nothing_is_known_is_taken_to_be_signed)
{
    struct bench *b = *state;

    b->world.above_has_ds = false;
    b->world.above_fails = true;
    break_both(b, FAULT_KEYS_NOT_SIGNED);
    expect(b, DNSSEC_BROKEN, "the zone's keys are not signed");
}

TEST(order_and_doubles_of_records_do_no_harm)
{
    struct bench *b = *state;

    b->world.servers[0].faults = b->world.servers[1].faults = FAULT_DOUBLED;
    expect(b, DNSSEC_SECURE, NULL);
}

/* ------------------------------------------------------------------ broken ones */

TEST(a_ds_without_keys_is_broken)
{
    struct bench *b = *state;

    break_both(b, FAULT_NO_KEYS);
    expect(b, DNSSEC_BROKEN, "the parent has a DS record, and the zone is not signed");
    b->world.servers[0].vector = b->world.servers[1].vector = NULL;
    expect(b, DNSSEC_BROKEN, "the parent has a DS record, and the zone is not signed");
}

TEST(a_ds_that_names_no_key_is_broken_and_its_tag_is_told)
{
    struct bench *b = *state;
    unsigned tag = 0;
    AUTO_FREE char *why = NULL;
    uint8_t rdata[64];

    (void)dnssec_unhex(dnssec_vectors[ECDSA_P256].ds_sha256, rdata, sizeof rdata);
    tag = (unsigned)(rdata[0] << 8 | rdata[1]);
    b->world.resolver.ds[0] = dnssec_vectors[ECDSA_P256].ds_sha256;
    why = mem_printf("no DNSKEY of the zone matches the parent's DS (key tag %u)", tag);
    expect(b, DNSSEC_BROKEN, why);
    b->world.resolver.ds[1] = dnssec_vectors[ECDSA_P256].ds_sha384; /* the same key */
    expect(b, DNSSEC_BROKEN, why);
    b->world.resolver.ds[2] = "00070f0200000000000000000000000000000000000000000000000000000000000000";
    free(why);
    why = mem_printf("no DNSKEY of the zone matches the parent's DS (key tags %u, 7)", tag);
    expect(b, DNSSEC_BROKEN, why);
}

TEST(a_sha1_ds_does_not_count_beside_a_better_one)
{
    struct bench *b = *state;
    AUTO_FREE char *wrong = mem_strdup(dnssec_vectors[ED25519].ds_sha256);

    wrong[20] = wrong[20] == '0' ? '1' : '0';
    b->world.resolver.ds[0] = dnssec_vectors[ED25519].ds_sha1;
    expect(b, DNSSEC_SECURE, NULL);
    b->world.resolver.ds[1] = wrong;
    expect_part(b, DNSSEC_BROKEN, "no DNSKEY of the zone matches the parent's DS (key tag ");
}

TEST(signatures_outside_their_dates_are_broken_and_the_date_is_told)
{
    struct bench *b = *state;

    expect_at(b, DNSSEC_VECTORS_END, DNSSEC_SECURE, NULL);
    expect_at(b, DNSSEC_VECTORS_END + 1, DNSSEC_BROKEN,
              "the signature over the zone's keys expired on 2026-02-01T00:00:00Z");
    expect_at(b, DNSSEC_VECTORS_BEGIN, DNSSEC_SECURE, NULL);
    expect_at(b, DNSSEC_VECTORS_BEGIN - 1, DNSSEC_BROKEN,
              "the signature over the zone's keys is not valid before 2026-01-01T00:00:00Z");
}

TEST(keys_without_or_with_a_wrong_signature_are_broken)
{
    struct bench *b = *state;

    break_both(b, FAULT_KEYS_NOT_SIGNED);
    expect(b, DNSSEC_BROKEN, "the zone's keys are not signed");
    break_both(b, FAULT_KEY_MISSING);
    expect(b, DNSSEC_BROKEN, "the signature over the zone's keys does not verify");
}

TEST(an_soa_without_or_with_a_wrong_signature_is_broken)
{
    struct bench *b = *state;

    break_both(b, FAULT_SOA_NOT_SIGNED);
    expect(b, DNSSEC_BROKEN, "the zone's SOA record is not signed");
    for (size_t i = 0; i < DNSSEC_VECTORS; i++) {
        b->world.servers[0].vector = b->world.servers[1].vector = &dnssec_vectors[i];
        b->world.resolver.ds[0] = dnssec_vectors[i].ds_sha384;
        break_both(b, FAULT_SERIAL_CHANGED);
        expect(b, DNSSEC_BROKEN, "the signature over the zone's SOA record does not verify");
    }
}

TEST(signatures_by_keys_that_the_parent_does_not_name_or_the_zone_does_not_have_do_not_count)
{
    struct bench *b = *state;
    struct dnssec_vector by_other = dnssec_vectors[ED25519];
    struct dnssec_vector other_ksk = dnssec_vectors[ED25519];

    b->world.resolver.validates = REFUSES;
    other_ksk.keys_signature = dnssec_vectors[ECDSA_P256].keys_signature;
    b->world.servers[0].vector = b->world.servers[1].vector = &other_ksk;
    expect(b, DNSSEC_BROKEN, "the zone's keys are not signed by a key that the parent's DS names");
    by_other.soa_signature = dnssec_vectors[ECDSA_P256].soa_signature;
    b->world.servers[0].vector = b->world.servers[1].vector = &by_other;
    expect(b, DNSSEC_BROKEN, "the zone's SOA record is not signed by any of the zone's keys");
}

TEST(many_signatures_of_one_key_tag_cost_no_more_than_validators_allow)
{
    struct bench *b = *state;

    break_both(b, FAULT_COLLISIONS);
    expect(b, DNSSEC_BROKEN, "the signature over the zone's keys does not verify");
}

/* ------------------------------------------------------------------ servers that differ */

TEST(one_server_that_is_broken_is_named)
{
    struct bench *b = *state;

    b->world.servers[1].faults = FAULT_NO_KEYS;
    expect(b, DNSSEC_BROKEN,
           "the parent has a DS record, and name server \"ns2.example.net\" (192.0.2.2) does not sign the zone");
    b->world.servers[1].faults = FAULT_SOA_NOT_SIGNED;
    expect(b, DNSSEC_BROKEN, "the zone's SOA record is not signed at name server \"ns2.example.net\" (192.0.2.2)");
    b->world.servers[0].faults = FAULT_KEYS_NOT_SIGNED;
    expect(b, DNSSEC_BROKEN, "the zone's keys are not signed at name server \"ns1.example.net\" (192.0.2.1)");
}

TEST(a_server_that_is_silent_or_lame_says_nothing)
{
    struct bench *b = *state;

    b->world.servers[1].fails = ERR_TIMEOUT;
    expect(b, DNSSEC_SECURE, NULL);
    b->world.servers[1] = (struct name_server){.rcode = DNS_REFUSED};
    expect(b, DNSSEC_SECURE, NULL);
    b->world.servers[1] = b->world.servers[0];
    b->world.servers[1].faults = FAULT_NOT_AUTHORITATIVE | FAULT_NO_KEYS;
    expect(b, DNSSEC_SECURE, NULL);
    b->world.servers[1].faults = FAULT_NO_SOA;
    expect(b, DNSSEC_SECURE, NULL);
    b->world.servers[0].faults = FAULT_NO_KEYS; /* all that answer are broken */
    b->world.servers[1] = (struct name_server){.fails = ERR_NETWORK};
    expect(b, DNSSEC_BROKEN, "the parent has a DS record, and the zone is not signed");
}

TEST(servers_that_are_all_silent_leave_it_unknown)
{
    struct bench *b = *state;

    b->world.servers[0].fails = b->world.servers[1].fails = ERR_TIMEOUT;
    expect(b, DNSSEC_UNKNOWN, "no name server of the zone could be asked for its keys");
    b->world.resolver.validates = REFUSES;
    expect(b, DNSSEC_BROKEN, "validating resolvers refuse the zone");
}

TEST(more_addresses_than_anybody_needs_are_not_all_asked)
{
    struct bench *b = *state;

    for (int i = 0; i < 30; i++) {
        AUTO_FREE char *address = mem_printf("198.51.100.%d", i);

        dns_servers_add(&b->servers, "ns3.example.net", address);
    }
    expect(b, DNSSEC_SECURE, NULL);
    assert_int_equal(b->world.asked_servers, 32); /* DNSKEY and SOA at 16 */
}

/* ------------------------------------------------------------------ what resolvers say */

TEST(a_validator_that_refuses_what_seems_sound_is_believed)
{
    struct bench *b = *state;

    b->world.resolver.validates = REFUSES;
    expect(b, DNSSEC_BROKEN, "validating resolvers refuse the zone");
    b->world.resolver.ds[0] = NULL;
    expect(b, DNSSEC_BROKEN, "validating resolvers refuse the zone, although the parent shows no DS record");
}

TEST(a_resolver_that_alone_refuses_a_sound_zone_is_told_of_and_not_believed)
{
    struct bench *b = *state;
    struct dnssec_view view;

    b->world.resolver.validates = REFUSES;
    view = examine_at(b, NOW_S, 1);
    assert_int_equal(view.state, DNSSEC_SECURE);
    assert_string_equal(view.why, "the resolver of this machine refuses it, and another one does not");
    dnssec_view_done(&view);
    b->world.doh.validates = REFUSES;
    view = examine_at(b, NOW_S, 1);
    assert_int_equal(view.state, DNSSEC_BROKEN);
    dnssec_view_done(&view);
    b->world.doh.validates = AGREES;
    break_both(b, FAULT_KEYS_NOT_SIGNED);
    view = examine_at(b, NOW_S, 1);
    assert_int_equal(view.state, DNSSEC_BROKEN);
    dnssec_view_done(&view);
}

TEST(a_resolver_that_fails_with_and_without_checking_is_no_validator)
{
    struct bench *b = *state;

    b->world.resolver.validates = ALWAYS_SERVFAIL;
    expect(b, DNSSEC_SECURE, NULL);
}

TEST(what_is_broken_stays_so_where_a_resolver_remembers_better_times)
{
    struct bench *b = *state;
    struct dnssec_view view;

    break_both(b, FAULT_NO_KEYS);
    b->world.resolver.validates = AGREES;
    view = examine_at(b, NOW_S, 0);
    assert_int_equal(view.state, DNSSEC_BROKEN);
    assert_true(view.was_validated);
    dnssec_view_done(&view);
}

TEST(dns_over_https_is_asked_only_where_the_resolver_leaves_something_open)
{
    struct bench *b = *state;
    struct dnssec_view view = examine_at(b, NOW_S, 1); /* it validates */

    assert_int_equal(b->doh->asked, 0);
    dnssec_view_done(&view);
    b->world.resolver = (struct recursive){.proves = true};
    view = examine_at(b, NOW_S, 1);
    assert_int_equal(view.state, DNSSEC_UNSIGNED);
    assert_int_equal(b->doh->asked, 0);
    dnssec_view_done(&view);
    b->world.resolver.proves = false;
    view = examine_at(b, NOW_S, 1);
    assert_int_equal(b->doh->asked, 4); /* of the zone above, too */
    dnssec_view_done(&view);
}

TEST(a_forwarder_that_knows_no_ds_is_corrected_by_dns_over_https)
{
    struct bench *b = *state;
    struct dnssec_view view;

    b->world.resolver = (struct recursive){.validates = NO_VALIDATOR, .knows_no_ds = true};
    b->world.doh.validates = NO_VALIDATOR;
    break_both(b, FAULT_NO_KEYS);
    b->world.resolver.validates = NO_VALIDATOR;
    expect(b, DNSSEC_UNSIGNED, NULL);
    view = examine_at(b, NOW_S, 1); /* which knows the zone above to be signed, too */
    assert_int_equal(view.state, DNSSEC_BROKEN);
    dnssec_view_done(&view);
    b->world.resolver.fails = ERR_TIMEOUT;
    view = examine_at(b, NOW_S, 1);
    assert_int_equal(view.state, DNSSEC_BROKEN);
    dnssec_view_done(&view);
}

TEST(without_an_answer_about_ds_it_is_unknown_and_why_is_told)
{
    struct bench *b = *state;

    b->world.resolver.fails = ERR_TIMEOUT;
    expect(b, DNSSEC_UNKNOWN, "scripted failure");
    b->world.resolver = (struct recursive){.ds_rcode = DNS_REFUSED};
    expect(b, DNSSEC_UNKNOWN, "asked for DS, the resolver says REFUSED");
    b->world.resolver.ds_rcode = DNS_NXDOMAIN;
    expect(b, DNSSEC_UNKNOWN, "asked for DS, the resolver says NXDOMAIN");
}

TEST(an_interrupt_ends_it)
{
    struct bench *b = *state;
    const struct dnssec_request request = {
        .zone = ZONE, .servers = &b->servers, .direct = &b->direct->base, .now_s = NOW_S};
    struct dnssec_view view = {.state = DNSSEC_UNKNOWN};
    struct err err;

    b->clock.cancelled = true;
    assert_int_equal(dnssec_examine(&request, &view, &err), ERR_CANCELLED);
    assert_null(view.why);
}

#define TEST_AT_BENCH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_AT_BENCH(a_sound_zone_is_secure_with_each_algorithm_and_digest),
        TEST_AT_BENCH(the_view_tells_when_signatures_expire_and_whether_a_validator_agreed),
        TEST_AT_BENCH(a_zone_without_ds_is_unsigned_and_its_servers_are_left_alone),
        TEST_AT_BENCH(ds_of_algorithms_or_digests_that_nobody_knows_leave_the_zone_unsigned),
        TEST_AT_BENCH(a_stale_ds_beside_a_good_one_does_no_harm),
        TEST_AT_BENCH(below_a_zone_that_is_not_signed_nobody_checks),
        TEST_AT_BENCH(a_zone_above_of_which_nothing_is_known_is_taken_to_be_signed),
        TEST_AT_BENCH(order_and_doubles_of_records_do_no_harm),
        TEST_AT_BENCH(a_ds_without_keys_is_broken),
        TEST_AT_BENCH(a_ds_that_names_no_key_is_broken_and_its_tag_is_told),
        TEST_AT_BENCH(a_sha1_ds_does_not_count_beside_a_better_one),
        TEST_AT_BENCH(signatures_outside_their_dates_are_broken_and_the_date_is_told),
        TEST_AT_BENCH(keys_without_or_with_a_wrong_signature_are_broken),
        TEST_AT_BENCH(an_soa_without_or_with_a_wrong_signature_is_broken),
        TEST_AT_BENCH(signatures_by_keys_that_the_parent_does_not_name_or_the_zone_does_not_have_do_not_count),
        TEST_AT_BENCH(many_signatures_of_one_key_tag_cost_no_more_than_validators_allow),
        TEST_AT_BENCH(one_server_that_is_broken_is_named),
        TEST_AT_BENCH(a_server_that_is_silent_or_lame_says_nothing),
        TEST_AT_BENCH(servers_that_are_all_silent_leave_it_unknown),
        TEST_AT_BENCH(more_addresses_than_anybody_needs_are_not_all_asked),
        TEST_AT_BENCH(a_validator_that_refuses_what_seems_sound_is_believed),
        TEST_AT_BENCH(a_resolver_that_alone_refuses_a_sound_zone_is_told_of_and_not_believed),
        TEST_AT_BENCH(a_resolver_that_fails_with_and_without_checking_is_no_validator),
        TEST_AT_BENCH(what_is_broken_stays_so_where_a_resolver_remembers_better_times),
        TEST_AT_BENCH(dns_over_https_is_asked_only_where_the_resolver_leaves_something_open),
        TEST_AT_BENCH(a_forwarder_that_knows_no_ds_is_corrected_by_dns_over_https),
        TEST_AT_BENCH(without_an_answer_about_ds_it_is_unknown_and_why_is_told),
        TEST_AT_BENCH(an_interrupt_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
