/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "dns/delegation.h"
#include "dns_script.h"
#include "test.h"
#include "util/buf.h"
#include "util/text.h"

#define NS1 "198.51.100.1"
#define NS2 "198.51.100.2"
#define ZONE "example.com"
#define NAME "_acme-challenge.www.example.com"
#define BESIDE "_acme-dme-nobody.www.example.com"
#define NOBODY_BESIDE                                                                                                  \
    {                                                                                                                  \
        NULL, BESIDE, DNS_TXT, SAYS_NXDOMAIN, NULL, ZONE                                                               \
    }

struct run {
    struct fake_clock clock;
    struct fake_dns *dns;
    struct dns_script script;
    struct dns_servers servers;
    struct standing found;
    struct err err;
    enum err_code code;
};

static void run_done(struct run *run)
{
    standing_done(&run->found);
    dns_servers_done(&run->servers);
    fake_dns_done(run->dns);
}
#define AUTO_RUN AUTO(run_done) struct run

static void start_world(struct run *run, fake_dns_world *world, void *ctx)
{
    fake_clock_init(&run->clock);
    run->dns = fake_dns_new(&run->clock, world, ctx);
    dns_servers_add(&run->servers, "ns1.dme.test", NS1);
    dns_servers_add(&run->servers, "ns2.dme.test", NS2);
    err_init(&run->err);
}

static void start(struct run *run, const struct dns_line *lines, size_t count)
{
    *run = (struct run){.script = {.lines = lines, .count = count}};
    start_world(run, dns_script_world, &run->script);
}

static void examine(struct run *run, const char *zone, const char *name)
{
    run->code = standing_examine(&run->dns->base, zone, name, &run->servers, &run->found, &run->err);
}

#define EXAMINE(run, ...)                                                                                              \
    const struct dns_line lines[] = {__VA_ARGS__};                                                                     \
    AUTO_RUN run;                                                                                                      \
    start(&run, lines, ARRAY_LEN(lines));                                                                              \
    examine(&run, ZONE, NAME)

static void assert_stands(const struct run *run, const char *cname, const char *values)
{
    AUTO_BUF struct buf is = BUF_INIT(8000);

    if (run->code != ERR_OK)
        fail_msg("%s", run->err.msg);
    for (size_t i = 0; i < run->found.values.count; i++)
        buf_printf(&is, "%s%s", i ? "|" : "", run->found.values.items[i]);
    assert_string_equal(buf_cstr(&is), values);
    if (cname)
        assert_string_equal(run->found.cname, cname);
    else
        assert_null(run->found.cname);
}

static void assert_fails(const struct run *run, enum err_code code, const char *in_msg)
{
    assert_int_equal(run->code, code);
    assert_int_equal(run->err.code, code);
    if (!strstr(run->err.msg, in_msg))
        fail_msg("\"%s\" is not in: %s", in_msg, run->err.msg);
    assert_null(run->found.values.items);
}

/* ------------------------------------------------------------------ what is there */

TEST(a_name_that_is_not_there_has_nothing)
{
    static const enum dns_says denials[] = {SAYS_NXDOMAIN, SAYS_NODATA};

    for (size_t i = 0; i < ARRAY_LEN(denials); i++) {
        EXAMINE(run, {NULL, NAME, DNS_TXT, denials[i], NULL, ZONE});

        assert_stands(&run, NULL, "");
        assert_false(run.found.is_wildcard);
        assert_int_equal(run.dns->asked, 2); /* no question about wildcards */
    }
}

TEST(values_of_all_servers_are_told_once_each)
{
    EXAMINE(run, {NS1, NAME, DNS_TXT, SAYS_DATA, "one|two", NULL},
            {NS2, NAME, DNS_TXT, SAYS_DATA, "two|three|two", NULL}, NOBODY_BESIDE);

    assert_stands(&run, NULL, "one|two|three");
    assert_false(run.found.is_wildcard);
}

TEST(no_resolver_is_asked)
{
    EXAMINE(run, {NULL, NAME, DNS_TXT, SAYS_DATA, "one", NULL}, NOBODY_BESIDE);

    assert_int_equal(fake_dns_count(run.dns, RECURSIVE)->asked, 0);
}

static void alias_world(UNUSED void *ctx, const struct dns_question *q, UNUSED int64_t now_ms,
                        struct fake_dns_reply *reply)
{
    if (strcmp(q->name, NAME) != 0) {
        reply->answer.rcode = DNS_NXDOMAIN;
        return;
    }
    fake_dns_put(&reply->answer, q->name, DNS_CNAME, "acme.other.test");
    fake_dns_put_txt(&reply->answer, "acme.other.test", "the target's");
}

TEST(an_alias_is_told_without_what_its_target_has)
{
    AUTO_RUN run = {.code = ERR_OK};

    start_world(&run, alias_world, NULL);
    examine(&run, ZONE, NAME);
    assert_stands(&run, "acme.other.test", "");
    assert_false(run.found.is_wildcard);
}

/* ------------------------------------------------------------------ hostile values */

static void put_bytes(struct dns_answer *answer, const char *bytes, size_t len)
{
    struct dns_rr *rr;

    fake_dns_put_txt(answer, NAME, "");
    rr = &answer->answers[answer->answer_count - 1];
    free(rr->text);
    rr->text = mem_calloc(len + 1, 1);
    memcpy(rr->text, bytes, len);
    rr->text_len = len;
}

static void hostile_world(UNUSED void *ctx, const struct dns_question *q, UNUSED int64_t now_ms,
                          struct fake_dns_reply *reply)
{
    static const char bytes[] = "a\0b\n\x1b[2J\xff\xe2\x80\xae";

    if (strcmp(q->name, NAME) != 0) {
        reply->answer.rcode = DNS_NXDOMAIN;
        return;
    }
    put_bytes(&reply->answer, bytes, sizeof bytes - 1);
    put_bytes(&reply->answer, "gr\xc3\xbc\xc3\x9f", 6);
    put_bytes(&reply->answer, "", 0);
}

TEST(bytes_that_are_no_text_are_escaped)
{
    AUTO_RUN run = {.code = ERR_OK};

    start_world(&run, hostile_world, NULL);
    examine(&run, ZONE, NAME);
    assert_stands(&run, NULL, "a\\x00b\\x0a\\x1b[2J\\xff\\xe2\\x80\\xae|gr\xc3\xbc\xc3\x9f|");
    assert_int_equal(run.found.values.count, 3);
}

static void huge_world(UNUSED void *ctx, const struct dns_question *q, UNUSED int64_t now_ms,
                       struct fake_dns_reply *reply)
{
    static char bytes[60000];

    if (strcmp(q->name, NAME) != 0) {
        reply->answer.rcode = DNS_NXDOMAIN;
        return;
    }
    memset(bytes, 1, sizeof bytes);
    put_bytes(&reply->answer, bytes, sizeof bytes);
    for (int i = 0; i < 1000; i++) {
        AUTO_FREE char *value = mem_printf("%d", i);
        put_bytes(&reply->answer, value, strlen(value));
    }
}

TEST(values_without_measure_are_cut)
{
    AUTO_RUN run = {.code = ERR_OK};

    start_world(&run, huge_world, NULL);
    examine(&run, ZONE, NAME);
    assert_int_equal(run.code, ERR_OK);
    assert_int_equal(run.found.values.count, 200);
    assert_true(strlen(run.found.values.items[0]) < 1024);
    assert_true(text_ends_with(run.found.values.items[0], "..."));
}

TEST(records_of_other_names_and_types_are_left_out)
{
    EXAMINE(run, {NULL, NAME, DNS_TXT, SAYS_DATA, "stranger", "www.example.com"});

    assert_stands(&run, NULL, "");
}

/* ------------------------------------------------------------------ wildcards */

TEST(what_a_wildcard_shows_is_told_to_be_its)
{
    EXAMINE(run, {NULL, NULL, DNS_TXT, SAYS_DATA, "v=spf1 -all", NULL});

    assert_stands(&run, NULL, "v=spf1 -all");
    assert_true(run.found.is_wildcard);
    assert_int_equal(run.dns->asked, 4);
}

TEST(another_value_beside_is_no_wildcard_of_this)
{
    static const char *const others[] = {"two", "one|two", ""};

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        EXAMINE(run, {NULL, NAME, DNS_TXT, SAYS_DATA, "one", NULL},
                {NULL, BESIDE, DNS_TXT, SAYS_DATA, others[i], NULL});

        assert_stands(&run, NULL, "one");
        assert_false(run.found.is_wildcard);
    }
}

static void wild_alias_world(void *ctx, const struct dns_question *q, UNUSED int64_t now_ms,
                             struct fake_dns_reply *reply)
{
    fake_dns_put(&reply->answer, q->name, DNS_CNAME, strcmp(q->name, NAME) == 0 ? "web.other.test" : ctx);
}

TEST(an_alias_may_be_a_wildcards_too)
{
    char web[] = "web.other.test";
    char cdn[] = "cdn.other.test";
    AUTO_RUN same = {.code = ERR_OK};
    AUTO_RUN other = {.code = ERR_OK};

    start_world(&same, wild_alias_world, web);
    examine(&same, ZONE, NAME);
    assert_stands(&same, "web.other.test", "");
    assert_true(same.found.is_wildcard);
    start_world(&other, wild_alias_world, cdn);
    examine(&other, ZONE, NAME);
    assert_false(other.found.is_wildcard);
}

TEST(servers_that_fall_silent_tell_of_no_wildcard)
{
    EXAMINE(run, {NULL, NAME, DNS_TXT, SAYS_DATA, "one", NULL}, {NULL, BESIDE, DNS_TXT, SAYS_SILENT, NULL, NULL});

    assert_stands(&run, NULL, "one");
    assert_false(run.found.is_wildcard);
}

TEST(beside_the_apex_is_outside_and_not_asked)
{
    static const struct dns_line lines[] = {{NULL, ZONE, DNS_TXT, SAYS_DATA, "one", NULL}};
    AUTO_RUN run;

    start(&run, lines, ARRAY_LEN(lines));
    examine(&run, ZONE, ZONE);
    assert_stands(&run, NULL, "one");
    assert_int_equal(run.dns->asked, 2);
}

TEST(a_name_that_leaves_no_room_for_one_beside_it_is_fine)
{
    AUTO_BUF struct buf name = BUF_INIT(300);
    const struct dns_line lines[] = {{NULL, NULL, DNS_TXT, SAYS_DATA, "one", NULL}};
    AUTO_RUN run;

    buf_puts(&name, "a");
    while (name.len < 240)
        buf_puts(&name, ".b");
    buf_puts(&name, "." ZONE);
    start(&run, lines, ARRAY_LEN(lines));
    examine(&run, ZONE, buf_cstr(&name));
    assert_stands(&run, NULL, "one");
    assert_int_equal(run.dns->asked, 2);
}

/* ------------------------------------------------------------------ servers of no use */

TEST(servers_that_are_of_no_use_are_passed_over)
{
    static const enum dns_says useless[] = {SAYS_REFUSED, SAYS_SILENT, SAYS_CLOSED,  SAYS_NO_ROUTE,
                                            SAYS_GARBAGE, SAYS_CACHED, SAYS_NOTHING, SAYS_REFERRAL};

    for (size_t i = 0; i < ARRAY_LEN(useless); i++) {
        EXAMINE(run, {NS1, NAME, DNS_TXT, useless[i], useless[i] == SAYS_NOTHING ? NULL : "evil", NULL},
                {NS2, NAME, DNS_TXT, SAYS_DATA, "one", NULL}, NOBODY_BESIDE);

        assert_stands(&run, NULL, "one");
    }
}

TEST(every_address_of_a_server_is_asked)
{
    static const struct dns_line lines[] = {{"198.51.100.3", NAME, DNS_TXT, SAYS_DATA, "one", NULL},
                                            {NULL, NAME, DNS_TXT, SAYS_REFUSED, NULL, NULL},
                                            NOBODY_BESIDE};
    AUTO_RUN run;

    start(&run, lines, ARRAY_LEN(lines));
    dns_servers_add(&run.servers, "ns2.dme.test", "198.51.100.3");
    examine(&run, ZONE, NAME);
    assert_stands(&run, NULL, "one");
}

TEST(addresses_without_measure_are_cut_and_no_server_is_left_out)
{
    static const struct dns_line lines[] = {{NULL, NAME, DNS_TXT, SAYS_NXDOMAIN, NULL, ZONE}};
    AUTO_RUN run;

    start(&run, lines, ARRAY_LEN(lines));
    for (int i = 1; i <= 50; i++) {
        AUTO_FREE char *address = mem_printf("10.0.0.%d", i);
        dns_servers_add(&run.servers, "ns1.dme.test", address);
    }
    examine(&run, ZONE, NAME);
    assert_stands(&run, NULL, "");
    assert_int_equal(run.dns->asked, 32);
    assert_int_equal(fake_dns_count(run.dns, NS2)->asked, 1);
}

TEST(when_none_is_of_use_an_example_is_given)
{
    static const struct {
        enum dns_says first, second;
        enum err_code code;
        const char *in_msg;
    } rows[] = {
        {SAYS_REFUSED, SAYS_REFUSED, ERR_DNS, NS1 " answers REFUSED"},
        {SAYS_SILENT, SAYS_REFUSED, ERR_DNS, NS2 " answers REFUSED"},
        {SAYS_SILENT, SAYS_SILENT, ERR_TIMEOUT, NS1 " does not answer"},
        {SAYS_CLOSED, SAYS_CLOSED, ERR_NETWORK, NS1 " can't be reached"},
        {SAYS_NO_ROUTE, SAYS_SILENT, ERR_TIMEOUT, NS2 " does not answer"},
        {SAYS_NO_ROUTE, SAYS_NO_ROUTE, ERR_NETWORK, NS1 " is where this machine has no route to"},
        {SAYS_GARBAGE, SAYS_GARBAGE, ERR_DNS, NS1 " answers with something that is not DNS"},
        {SAYS_CACHED, SAYS_CACHED, ERR_DNS, NS1 " answers, but not as a server of the zone"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        EXAMINE(run, {NS1, NAME, DNS_TXT, rows[i].first, NULL, NULL}, {NS2, NAME, DNS_TXT, rows[i].second, NULL, NULL});

        assert_fails(&run, rows[i].code, rows[i].in_msg);
        assert_fails(&run, rows[i].code, "zone \"" ZONE "\"");
        assert_fails(&run, rows[i].code, "\"" NAME "\"");
    }
}

TEST(an_interrupt_at_any_time_ends_it)
{
    static const struct dns_line lines[] = {{NS2, NULL, DNS_TXT, SAYS_SILENT, NULL, NULL},
                                            {NULL, NULL, DNS_TXT, SAYS_DATA, "one", NULL}};

    for (int64_t at_ms = 5; at_ms < 4000; at_ms += 250) { /* in the first or in the second question */
        AUTO_RUN run;

        start(&run, lines, ARRAY_LEN(lines));
        run.clock.cancel_at_ms = run.clock.mono_ms + at_ms;
        examine(&run, ZONE, NAME);
        assert_fails(&run, ERR_CANCELLED, "interrupted");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_that_is_not_there_has_nothing),
        cmocka_unit_test(values_of_all_servers_are_told_once_each),
        cmocka_unit_test(no_resolver_is_asked),
        cmocka_unit_test(an_alias_is_told_without_what_its_target_has),
        cmocka_unit_test(bytes_that_are_no_text_are_escaped),
        cmocka_unit_test(values_without_measure_are_cut),
        cmocka_unit_test(records_of_other_names_and_types_are_left_out),
        cmocka_unit_test(what_a_wildcard_shows_is_told_to_be_its),
        cmocka_unit_test(another_value_beside_is_no_wildcard_of_this),
        cmocka_unit_test(an_alias_may_be_a_wildcards_too),
        cmocka_unit_test(servers_that_fall_silent_tell_of_no_wildcard),
        cmocka_unit_test(beside_the_apex_is_outside_and_not_asked),
        cmocka_unit_test(a_name_that_leaves_no_room_for_one_beside_it_is_fine),
        cmocka_unit_test(servers_that_are_of_no_use_are_passed_over),
        cmocka_unit_test(every_address_of_a_server_is_asked),
        cmocka_unit_test(addresses_without_measure_are_cut_and_no_server_is_left_out),
        cmocka_unit_test(when_none_is_of_use_an_example_is_given),
        cmocka_unit_test(an_interrupt_at_any_time_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
