/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "dns/caa.h"
#include "dns/caa_value.h"
#include "dns/name.h"
#include "dnssec_fixture.h"
#include "fake_dns.h"
#include "test.h"
#include "util/text.h"

#define WHY_SIZE 300

/* ------------------------------------------------------------------ a world with records */

enum kind { KIND_CAA, KIND_ALIAS, KIND_RCODE, KIND_FAILURE, KIND_STRAY };

struct entry {
    const char *owner;
    enum kind kind;
    unsigned flags_or_code; /* CAA: flags; RCODE: rcode; FAILURE: enum err_code */
    const char *tag;
    const char *value; /* ALIAS: target */
};

struct world {
    const struct entry *entries; /* ends with owner NULL */
    size_t asked;
    size_t most_at_once;
};

static void put_caa(struct message *m, const char *owner, const struct entry *entry)
{
    uint8_t rdata[1024];
    size_t tag_len = strlen(entry->tag);
    size_t value_len = strlen(entry->value);

    assert_true(2 + tag_len + value_len <= sizeof rdata);
    rdata[0] = (uint8_t)entry->flags_or_code;
    rdata[1] = (uint8_t)tag_len;
    memcpy(rdata + 2, entry->tag, tag_len);
    memcpy(rdata + 2 + tag_len, entry->value, value_len);
    message_rr(m, MESSAGE_ANSWER, owner, DNS_CAA, 60, rdata, 2 + tag_len + value_len);
}

static const struct entry *find_entry(const struct entry *entries, const char *owner, enum kind kind)
{
    for (const struct entry *e = entries; e && e->owner; e++)
        if (e->kind == kind && text_casecmp(e->owner, owner) == 0)
            return e;
    return NULL;
}

/* As a recursive resolver: aliases are followed. */
static void put_records(struct message *m, const struct entry *entries, const char *name)
{
    for (int step = 0; step < 20; step++) {
        const struct entry *alias = find_entry(entries, name, KIND_ALIAS);

        if (!alias)
            break;
        message_rr_name(m, MESSAGE_ANSWER, name, DNS_CNAME, alias->value);
        name = alias->value;
    }
    for (const struct entry *e = entries; e && e->owner; e++)
        if (e->kind == KIND_CAA && text_casecmp(e->owner, name) == 0)
            put_caa(m, name, e);
}

static void answer(void *ctx, const struct dns_question *q, UNUSED int64_t now_ms, struct fake_dns_reply *reply)
{
    static struct message m;
    struct world *w = ctx;
    const struct entry *failure = find_entry(w->entries, q->name, KIND_FAILURE);
    const struct entry *refusal = find_entry(w->entries, q->name, KIND_RCODE);

    w->asked++;
    assert_null(q->server);
    assert_int_equal(q->type, DNS_CAA);
    assert_int_equal(q->flags, 0); /* a bogus zone must fail as it does for a CA */
    dns_answer_done(&reply->answer);
    if (failure) {
        fake_dns_fail(&reply->answer, failure->flags_or_code);
        return;
    }
    message_begin(&m, 0, MESSAGE_RESPONSE | (refusal ? refusal->flags_or_code : 0));
    put_records(&m, w->entries, q->name);
    for (const struct entry *e = w->entries; e && e->owner; e++)
        if (e->kind == KIND_STRAY)
            put_caa(&m, e->owner, e);
    dnssec_answer(&m, &reply->answer);
}

static enum err_code find_in(const struct entry *entries, const char *domain, struct caa_set *out, struct err *err)
{
    struct world w = {.entries = entries};
    struct fake_clock clock;
    struct fake_dns *dns;
    enum err_code code;
    size_t levels = 1;

    fake_clock_init(&clock);
    dns = fake_dns_new(&clock, answer, &w);
    code = caa_find(&dns->base, domain, out, err);
    for (const char *up = name_parent(domain); up; up = name_parent(up))
        levels++;
    assert_int_equal(w.asked, levels);
    assert_int_equal(fake_dns_count(dns, "")->open_most, levels); /* side by side */
    fake_dns_done(dns);
    return code;
}

/* ------------------------------------------------------------------ who may issue */

#define LE "letsencrypt.org"
#define OUR_ACCOUNT "https://acme.example/acct/1"

struct row {
    const char *title;
    const char *domain; /* "*." in front: a wildcard */
    const char *account;
    struct entry entries[8];
    enum caa_verdict verdict;
    const char *why;
};

#define ISSUE(value)                                                                                                   \
    {                                                                                                                  \
        "example.com", KIND_CAA, 0, "issue", value                                                                     \
    }
#define WILD(value)                                                                                                    \
    {                                                                                                                  \
        "example.com", KIND_CAA, 0, "issuewild", value                                                                 \
    }
#define PLAIN "www.example.com"
#define MALFORMED(value) CAA_FORBIDDEN, "CAA at \"example.com\" has a malformed value for issue: \"" value "\""
#define ALLOWS CAA_PERMITTED, "CAA at \"example.com\" allows \"letsencrypt.org\" for issue"

static const struct row rows[] = {
    /* climbing */
    {"no records at all", PLAIN, NULL, {{NULL}}, CAA_PERMITTED, ""},
    {"records of the name itself",
     PLAIN,
     NULL,
     {{PLAIN, KIND_CAA, 0, "issue", LE}, ISSUE("digicert.com")},
     CAA_PERMITTED,
     "CAA at \"www.example.com\" allows \"letsencrypt.org\" for issue"},
    {"the nearest above decides",
     "a.b.c.example.com",
     NULL,
     {{"b.c.example.com", KIND_CAA, 0, "issue", "digicert.com"}, ISSUE(LE)},
     CAA_FORBIDDEN,
     "CAA at \"b.c.example.com\" names only \"digicert.com\" for issue"},
    {"up to the top-level domain",
     PLAIN,
     NULL,
     {{"com", KIND_CAA, 0, "issue", "digicert.com"}},
     CAA_FORBIDDEN,
     "CAA at \"com\" names only \"digicert.com\" for issue"},
    {"a name that does not exist is climbed over",
     PLAIN,
     NULL,
     {{PLAIN, KIND_RCODE, DNS_NXDOMAIN, NULL, NULL}, ISSUE(LE)},
     ALLOWS},
    {"any record ends the climb, even one that says nothing",
     PLAIN,
     NULL,
     {{PLAIN, KIND_CAA, 0, "iodef", "mailto:a@example.com"}, ISSUE("digicert.com")},
     CAA_PERMITTED,
     "CAA at \"www.example.com\" limits no CA for this name"},
    {"an alias leads to the target's records",
     PLAIN,
     NULL,
     {{PLAIN, KIND_ALIAS, 0, NULL, "cdn.example.net"},
      {"cdn.example.net", KIND_CAA, 0, "issue", "digicert.com"},
      ISSUE(LE)},
     CAA_FORBIDDEN,
     "CAA at \"cdn.example.net\" names only \"digicert.com\" for issue"},
    {"an alias whose target has none: the climb goes on above the alias, not above its target",
     PLAIN,
     NULL,
     {{PLAIN, KIND_ALIAS, 0, NULL, "cdn.example.net"},
      {"example.net", KIND_CAA, 0, "issue", "digicert.com"},
      ISSUE(LE)},
     ALLOWS},
    {"aliases of aliases",
     PLAIN,
     NULL,
     {{PLAIN, KIND_ALIAS, 0, NULL, "a.example.net"},
      {"a.example.net", KIND_ALIAS, 0, NULL, "b.example.net"},
      {"b.example.net", KIND_CAA, 0, "issue", LE}},
     CAA_PERMITTED,
     "CAA at \"b.example.net\" allows \"letsencrypt.org\" for issue"},
    {"an alias that goes round in a circle has no records",
     PLAIN,
     NULL,
     {{PLAIN, KIND_ALIAS, 0, NULL, "a.example.net"}, {"a.example.net", KIND_ALIAS, 0, NULL, PLAIN}, ISSUE(LE)},
     ALLOWS},
    {"a failure above the records that count does not matter",
     PLAIN,
     NULL,
     {ISSUE(LE), {"com", KIND_FAILURE, ERR_TIMEOUT, NULL, NULL}},
     ALLOWS},
    /* issuers */
    {"the CA is named", PLAIN, NULL, {ISSUE(LE)}, ALLOWS},
    {"in any case", PLAIN, NULL, {{"Example.COM", KIND_CAA, 0, "IsSue", "LetsEncrypt.ORG"}}, ALLOWS},
    {"among others", PLAIN, NULL, {ISSUE("digicert.com"), ISSUE(LE)}, ALLOWS},
    {"only others",
     PLAIN,
     NULL,
     {ISSUE("digicert.com"), ISSUE("sectigo.com")},
     CAA_FORBIDDEN,
     "CAA at \"example.com\" names only \"digicert.com\", \"sectigo.com\" for issue"},
    {"many others, some of them twice",
     PLAIN,
     NULL,
     {ISSUE("a.example"), ISSUE("b.example;x=1"), ISSUE("b.example;x=2"), ISSUE("c.example"), ISSUE("d.example"),
      ISSUE("e.example"), ISSUE("f.example")},
     CAA_FORBIDDEN,
     "CAA at \"example.com\" names only \"a.example\", \"b.example\", \"c.example\", \"d.example\" and 2 more for "
     "issue"},
    {"one that looks like it",
     PLAIN,
     NULL,
     {ISSUE("letsencrypt.org.example")},
     CAA_FORBIDDEN,
     "CAA at \"example.com\" names only \"letsencrypt.org.example\" for issue"},
    {"nobody", PLAIN, NULL, {ISSUE(";")}, CAA_FORBIDDEN, "CAA at \"example.com\" allows no CA at all (issue \";\")"},
    {"nobody, by an empty value",
     PLAIN,
     NULL,
     {ISSUE("")},
     CAA_FORBIDDEN,
     "CAA at \"example.com\" allows no CA at all (issue \";\")"},
    {"nobody, with white space and parameters",
     PLAIN,
     NULL,
     {ISSUE(" \t; a=b ")},
     CAA_FORBIDDEN,
     "CAA at \"example.com\" allows no CA at all (issue \";\")"},
    {"nobody beside the CA", PLAIN, NULL, {ISSUE(";"), ISSUE(LE)}, ALLOWS},
    {"white space around", PLAIN, NULL, {ISSUE(" \t" LE " \t")}, ALLOWS},
    {"a semicolon without parameters", PLAIN, NULL, {ISSUE(LE " ; ")}, ALLOWS},
    {"parameters of the CA's own", PLAIN, NULL, {ISSUE(LE "; account=230123 ;policy = ev")}, ALLOWS},
    /* wildcards */
    {"issue counts for wildcards too", "*.example.com", NULL, {ISSUE(LE)}, ALLOWS},
    {"issuewild comes before it",
     "*.example.com",
     NULL,
     {ISSUE(LE), WILD("digicert.com")},
     CAA_FORBIDDEN,
     "CAA at \"example.com\" names only \"digicert.com\" for issuewild"},
    {"in both directions",
     "*.example.com",
     NULL,
     {ISSUE("digicert.com"), WILD(LE)},
     CAA_PERMITTED,
     "CAA at \"example.com\" allows \"letsencrypt.org\" for issuewild"},
    {"but not for other names", PLAIN, NULL, {ISSUE(LE), WILD(";")}, ALLOWS},
    {"issuewild alone does not limit other names",
     PLAIN,
     NULL,
     {WILD(";")},
     CAA_PERMITTED,
     "CAA at \"example.com\" limits no CA for this name"},
    {"issuewild may forbid wildcards",
     "*.www.example.com",
     NULL,
     {ISSUE(LE), WILD(";")},
     CAA_FORBIDDEN,
     "CAA at \"example.com\" allows no CA at all (issuewild \";\")"},
    {"a malformed issuewild comes before issue as well",
     "*.example.com",
     NULL,
     {ISSUE(LE), WILD("%%")},
     CAA_FORBIDDEN,
     "CAA at \"example.com\" has a malformed value for issuewild: \"%%\""},
    {"neither limits wildcards",
     "*.example.com",
     NULL,
     {{"example.com", KIND_CAA, 0, "iodef", "mailto:a@example.com"}},
     CAA_PERMITTED,
     "CAA at \"example.com\" limits no CA for wildcards"},
    /* RFC 8657 */
    {"our method", PLAIN, NULL, {ISSUE(LE "; validationmethods=dns-01")}, ALLOWS},
    {"our method among others", PLAIN, NULL, {ISSUE(LE "; ValidationMethods=http-01,dns-01")}, ALLOWS},
    {"another method",
     PLAIN,
     NULL,
     {ISSUE(LE ";validationmethods=http-01")},
     CAA_FORBIDDEN,
     "CAA at \"example.com\" allows \"letsencrypt.org\" only with validationmethods=http-01, and not with dns-01"},
    {"a method that begins like ours",
     PLAIN,
     NULL,
     {ISSUE(LE ";validationmethods=dns-01x,xdns-01")},
     CAA_FORBIDDEN,
     "CAA at \"example.com\" allows \"letsencrypt.org\" only with validationmethods=dns-01x,xdns-01, and not with "
     "dns-01"},
    {"a malformed list, with ours in it",
     PLAIN,
     NULL,
     {ISSUE(LE ";validationmethods=dns-01,,http-01")},
     CAA_FORBIDDEN,
     "CAA at \"example.com\" allows \"letsencrypt.org\" only with validationmethods=dns-01,,http-01, and not with "
     "dns-01"},
    {"a list that ends in a comma",
     PLAIN,
     NULL,
     {ISSUE(LE ";validationmethods=dns-01,")},
     CAA_FORBIDDEN,
     "CAA at \"example.com\" allows \"letsencrypt.org\" only with validationmethods=dns-01,, and not with dns-01"},
    {"an empty list",
     PLAIN,
     NULL,
     {ISSUE(LE ";validationmethods=")},
     CAA_FORBIDDEN,
     "CAA at \"example.com\" allows \"letsencrypt.org\" only with validationmethods=, and not with dns-01"},
    {"two lists can't be met",
     PLAIN,
     NULL,
     {ISSUE(LE "; validationmethods=dns-01; validationmethods=dns-01")},
     CAA_FORBIDDEN,
     "CAA at \"example.com\" has several parameters \"validationmethods\" for \"letsencrypt.org\", which nobody can "
     "meet"},
    {"another record may allow what one does not",
     PLAIN,
     NULL,
     {ISSUE(LE ";validationmethods=http-01"), ISSUE(LE ";validationmethods=dns-01")},
     ALLOWS},
    {"our account", PLAIN, OUR_ACCOUNT, {ISSUE(LE "; accounturi=" OUR_ACCOUNT)}, ALLOWS},
    {"another account",
     PLAIN,
     OUR_ACCOUNT,
     {ISSUE(LE "; accounturi=" OUR_ACCOUNT "2")},
     CAA_FORBIDDEN,
     "CAA at \"example.com\" allows \"letsencrypt.org\" only for the account https://acme.example/acct/12"},
    {"accounts are compared octet by octet",
     PLAIN,
     OUR_ACCOUNT,
     {ISSUE(LE "; accounturi=https://acme.example/ACCT/1")},
     CAA_FORBIDDEN,
     "CAA at \"example.com\" allows \"letsencrypt.org\" only for the account https://acme.example/ACCT/1"},
    {"some account, and ours is not known",
     PLAIN,
     NULL,
     {ISSUE(LE "; accounturi=" OUR_ACCOUNT)},
     CAA_PERMITTED_IF_ACCOUNT,
     "CAA at \"example.com\" allows \"letsencrypt.org\" only for the account https://acme.example/acct/1"},
    {"some account, but another method",
     PLAIN,
     NULL,
     {ISSUE(LE "; accounturi=" OUR_ACCOUNT "; validationmethods=http-01")},
     CAA_FORBIDDEN,
     "CAA at \"example.com\" allows \"letsencrypt.org\" only with validationmethods=http-01, and not with dns-01"},
    {"some account, or any", PLAIN, NULL, {ISSUE(LE "; accounturi=" OUR_ACCOUNT), ISSUE(LE)}, ALLOWS},
    {"one account or another",
     PLAIN,
     OUR_ACCOUNT,
     {ISSUE(LE "; accounturi=https://acme.example/acct/7"), ISSUE(LE "; accounturi=" OUR_ACCOUNT)},
     ALLOWS},
    {"two accounts in one record can't be met",
     PLAIN,
     OUR_ACCOUNT,
     {ISSUE(LE "; accounturi=" OUR_ACCOUNT "; accounturi=" OUR_ACCOUNT)},
     CAA_FORBIDDEN,
     "CAA at \"example.com\" has several parameters \"accounturi\" for \"letsencrypt.org\", which nobody can meet"},
    {"another CA's account does not matter",
     PLAIN,
     NULL,
     {ISSUE("digicert.com; accounturi=x")},
     CAA_FORBIDDEN,
     "CAA at \"example.com\" names only \"digicert.com\" for issue"},
    /* other properties */
    {"properties that don't limit us",
     PLAIN,
     NULL,
     {{"example.com", KIND_CAA, 128, "iodef", "mailto:a@example.com"},
      {"example.com", KIND_CAA, 128, "issuemail", ";"},
      {"example.com", KIND_CAA, 128, "contactemail", "a@example.com"},
      {"example.com", KIND_CAA, 128, "contactphone", "+1"},
      ISSUE(LE)},
     ALLOWS},
    {"an unknown one", PLAIN, NULL, {{"example.com", KIND_CAA, 0, "tbs", "x"}, ISSUE(LE)}, ALLOWS},
    {"an unknown one with other bits", PLAIN, NULL, {{"example.com", KIND_CAA, 0x7e, "tbs", "x"}, ISSUE(LE)}, ALLOWS},
    {"an unknown critical one forbids",
     PLAIN,
     NULL,
     {ISSUE(LE), {"example.com", KIND_CAA, 128, "TBS", "x"}},
     CAA_FORBIDDEN,
     "CAA at \"example.com\" has the critical property \"tbs\", which CAs do not know"},
    {"also with the bit that many take for it",
     PLAIN,
     NULL,
     {ISSUE(LE), {"example.com", KIND_CAA, 1, "tbs", "x"}},
     CAA_FORBIDDEN,
     "CAA at \"example.com\" has the critical property \"tbs\", which CAs do not know"},
    {"and forbids wildcards",
     "*.example.com",
     NULL,
     {WILD(LE), {"example.com", KIND_CAA, 128, "tbs", "x"}},
     CAA_FORBIDDEN,
     "CAA at \"example.com\" has the critical property \"tbs\", which CAs do not know"},
    {"a critical known one is as any other", PLAIN, NULL, {{"example.com", KIND_CAA, 128, "issue", LE}}, ALLOWS},
    {"a tag that begins like a known one",
     PLAIN,
     NULL,
     {{"example.com", KIND_CAA, 0, "issues", "digicert.com"}},
     CAA_PERMITTED,
     "CAA at \"example.com\" limits no CA for this name"},
    /* malformed values name nobody */
    {"text", PLAIN, NULL, {ISSUE("%%%%%")}, MALFORMED("%%%%%")},
    {"quotes of a careless operator", PLAIN, NULL, {ISSUE("\"" LE "\"")}, MALFORMED("\"letsencrypt.org\"")},
    {"an address", PLAIN, NULL, {ISSUE("https://letsencrypt.org")}, MALFORMED("https://letsencrypt.org")},
    {"a dot at the end", PLAIN, NULL, {ISSUE(LE ".")}, MALFORMED("letsencrypt.org.")},
    {"two names", PLAIN, NULL, {ISSUE(LE " digicert.com")}, MALFORMED("letsencrypt.org digicert.com")},
    {"names with a comma", PLAIN, NULL, {ISSUE(LE ",digicert.com")}, MALFORMED("letsencrypt.org,digicert.com")},
    {"a hyphen in front", PLAIN, NULL, {ISSUE("-a.org")}, MALFORMED("-a.org")},
    {"a hyphen at the end", PLAIN, NULL, {ISSUE("a-.org")}, MALFORMED("a-.org")},
    {"a parameter without value",
     PLAIN,
     NULL,
     {ISSUE(LE "; validationmethods")},
     MALFORMED("letsencrypt.org; validationmethods")},
    {"parameters without semicolon", PLAIN, NULL, {ISSUE(LE " a=b")}, MALFORMED("letsencrypt.org a=b")},
    {"a semicolon at the end", PLAIN, NULL, {ISSUE(LE "; a=b;")}, MALFORMED("letsencrypt.org; a=b;")},
    {"a value with a space in it", PLAIN, NULL, {ISSUE(LE "; a=b c")}, MALFORMED("letsencrypt.org; a=b c")},
    {"control characters are shown as such", PLAIN, NULL, {ISSUE("a\x01\x1b[31m")}, MALFORMED("a\\x01\\x1b[31m")},
    {"octets that are no text are too", PLAIN, NULL, {ISSUE("\xff\xfe")}, MALFORMED("\\xff\\xfe")},
    {"a malformed one beside a good one", PLAIN, NULL, {ISSUE("%%%%%"), ISSUE(LE)}, ALLOWS},
    {"a malformed one beside another CA's",
     PLAIN,
     NULL,
     {ISSUE("%%%%%"), ISSUE("digicert.com")},
     CAA_FORBIDDEN,
     "CAA at \"example.com\" names only \"digicert.com\" for issue"},
};

static enum caa_verdict judge(const struct caa_set *set, const char *domain, const char *account, char why[WHY_SIZE])
{
    static const char *const issuers[] = {"other.example", LE};
    const struct caa_request request = {.issuers = issuers,
                                        .issuer_count = 2,
                                        .kind = *domain == '*' ? CAA_WILDCARD : CAA_NAME,
                                        .method = "dns-01",
                                        .account_uri = account};

    return caa_judge(set, &request, why, WHY_SIZE);
}

TEST(every_row_is_judged_as_the_documents_say)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *row = &rows[i];
        AUTO_CAA_SET struct caa_set set = {.owner = NULL};
        char why[WHY_SIZE];
        enum caa_verdict verdict;
        struct err err;

        if (find_in(row->entries, row->domain + (*row->domain == '*' ? 2 : 0), &set, &err) != ERR_OK)
            fail_msg("%s: %s", row->title, err.msg);
        verdict = judge(&set, row->domain, row->account, why);
        if (verdict != row->verdict || strcmp(why, row->why) != 0)
            fail_msg("%s: %d, %s", row->title, (int)verdict, why);
    }
}

/* ------------------------------------------------------------------ failures */

TEST(a_failure_on_the_way_to_the_records_is_an_error_that_names_the_level)
{
    static const struct {
        struct entry entries[3];
        enum err_code code;
        const char *msg;
    } cases[] = {
        {{{"example.com", KIND_RCODE, DNS_SERVFAIL, NULL, NULL}},
         ERR_DNS,
         "can't tell which CAs may issue: asked for CAA at \"example.com\", the resolver says SERVFAIL"},
        {{{PLAIN, KIND_RCODE, DNS_REFUSED, NULL, NULL}, ISSUE(LE)},
         ERR_DNS,
         "can't tell which CAs may issue: asked for CAA at \"www.example.com\", the resolver says REFUSED"},
        {{{"com", KIND_RCODE, DNS_NOTIMP, NULL, NULL}},
         ERR_DNS,
         "can't tell which CAs may issue: asked for CAA at \"com\", the resolver says NOTIMP"},
        {{{"example.com", KIND_FAILURE, ERR_TIMEOUT, NULL, NULL}},
         ERR_TIMEOUT,
         "can't tell which CAs may issue: scripted failure"},
        {{{"example.com", KIND_FAILURE, ERR_NETWORK, NULL, NULL}},
         ERR_NETWORK,
         "can't tell which CAs may issue: scripted failure"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct caa_set set = {.owner = NULL};
        struct err err;

        assert_int_equal(find_in(cases[i].entries, PLAIN, &set, &err), cases[i].code);
        assert_string_equal(err.msg, cases[i].msg);
        assert_null(set.items);
    }
}

static void answer_hex(void *ctx, const struct dns_question *q, UNUSED int64_t now_ms, struct fake_dns_reply *reply)
{
    static struct message m;

    dns_answer_done(&reply->answer);
    message_begin(&m, 0, MESSAGE_RESPONSE);
    message_rr_hex(&m, q->name, DNS_CAA, ctx);
    dnssec_answer(&m, &reply->answer);
}

static enum err_code find_hex(const char *hex, struct caa_set *out, struct err *err)
{
    AUTO_FREE char *copy = mem_strdup(hex);
    struct fake_clock clock;
    struct fake_dns *dns;
    enum err_code code;

    fake_clock_init(&clock);
    dns = fake_dns_new(&clock, answer_hex, copy);
    code = caa_find(&dns->base, "com", out, err);
    fake_dns_done(dns);
    return code;
}

TEST(a_malformed_record_is_an_error)
{
    static const char *const cases[] = {
        "", "00", "0001", "0000", "000061", "000261", "00ff69737375653b",
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct caa_set set = {.owner = NULL};
        struct err err;

        assert_int_equal(find_hex(cases[i], &set, &err), ERR_DNS);
        assert_string_equal(err.msg, "can't tell which CAs may issue: a CAA record at \"com\" is malformed");
    }
}

TEST(nul_octets_end_neither_tag_nor_value)
{
    /* tag "issue\0", value ";" */
    AUTO_CAA_SET struct caa_set tag = {.owner = NULL};
    /* issue, "letsencrypt.org\0;x" */
    AUTO_CAA_SET struct caa_set value = {.owner = NULL};
    char why[WHY_SIZE];

    assert_int_equal(find_hex("00066973737565003b", &tag, NULL), ERR_OK);
    assert_int_equal(judge(&tag, "com", NULL, why), CAA_PERMITTED);
    assert_string_equal(why, "CAA at \"com\" limits no CA for this name");
    assert_int_equal(find_hex("00056973737565"
                              "6c657473656e63727970742e6f7267003b78",
                              &value, NULL),
                     ERR_OK);
    assert_int_equal(judge(&value, "com", NULL, why), CAA_FORBIDDEN);
    assert_string_equal(why, "CAA at \"com\" has a malformed value for issue: \"letsencrypt.org\\x01;x\"");
}

TEST(a_tag_and_value_as_long_as_they_can_be_are_judged_and_cut)
{
    AUTO_FREE char *hex = mem_calloc(2 * 4000 + 1, 1);
    AUTO_CAA_SET struct caa_set set = {.owner = NULL};
    char why[40];
    static const char *const issuers[] = {LE};
    const struct caa_request request = {.issuers = issuers, .issuer_count = 1, .kind = CAA_NAME, .method = "dns-01"};

    memset(hex, '6', 8000);
    memcpy(hex, "00056973737565", 14);
    assert_int_equal(find_hex(hex, &set, NULL), ERR_OK);
    assert_int_equal(strlen(set.items[0].value), 4000 - 7);
    assert_int_equal(caa_judge(&set, &request, why, sizeof why), CAA_FORBIDDEN);
    assert_string_equal(why, "CAA at \"com\" names only \"fffffffffff...");
    caa_set_done(&set);
    memcpy(hex, "80ff", 4);
    assert_int_equal(find_hex(hex, &set, NULL), ERR_OK);
    assert_int_equal(strlen(set.items[0].tag), 255);
    assert_int_equal(caa_judge(&set, &request, why, sizeof why), CAA_FORBIDDEN);
}

TEST(records_of_other_owners_in_an_answer_do_not_count)
{
    AUTO_CAA_SET struct caa_set set = {.owner = NULL};
    struct err err;
    /* the alias's target has none, and what comes along unasked belongs to nobody on the way */
    static const struct entry entries[] = {{"www.example.com", KIND_ALIAS, 0, NULL, "cdn.example.net"},
                                           {"other.example.net", KIND_STRAY, 0, "issue", ";"},
                                           {NULL}};

    assert_int_equal(find_in(entries, PLAIN, &set, &err), ERR_OK);
    assert_null(set.owner);
}

TEST(an_interrupt_ends_it)
{
    struct world w = {.entries = NULL};
    struct caa_set set = {.owner = NULL};
    struct fake_clock clock;
    struct fake_dns *dns;

    fake_clock_init(&clock);
    dns = fake_dns_new(&clock, answer, &w);
    clock.cancelled = true;
    assert_int_equal(caa_find(&dns->base, PLAIN, &set, NULL), ERR_CANCELLED);
    fake_dns_done(dns);
}

TEST(the_longest_name_is_asked_at_every_level)
{
    AUTO_CAA_SET struct caa_set set = {.owner = NULL};
    char name[254];

    for (size_t i = 0; i < 253; i++)
        name[i] = i % 2 ? '.' : 'a';
    name[253] = '\0';
    assert_int_equal(find_in(NULL, name, &set, NULL), ERR_OK);
    assert_null(set.owner);
}

/* ------------------------------------------------------------------ who is who */

TEST(every_ca_that_is_listed_has_issuers_and_others_have_none)
{
    size_t count = 0;
    const char *const *names = caa_ca_names(&count);

    assert_int_equal(count, 8);
    for (size_t i = 0; i < count; i++) {
        const char *const *issuers = caa_issuers_of(names[i]);

        assert_non_null(issuers);
        assert_non_null(issuers[0]);
        for (; *issuers; issuers++) {
            AUTO_CAA_VALUE struct caa_value value = {.issuer = NULL};

            assert_true(caa_value_parse(*issuers, &value));
            assert_string_equal(value.issuer, *issuers);
        }
    }
    assert_string_equal(caa_issuers_of("letsencrypt")[0], "letsencrypt.org");
    assert_string_equal(caa_issuers_of("letsencrypt-staging")[0], "letsencrypt.org");
    assert_string_equal(caa_issuers_of("zerossl")[0], "sectigo.com");
    assert_string_equal(caa_issuers_of("google-test")[0], "pki.goog");
    assert_null(caa_issuers_of("LetsEncrypt"));
    assert_null(caa_issuers_of(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_judged_as_the_documents_say),
        cmocka_unit_test(a_failure_on_the_way_to_the_records_is_an_error_that_names_the_level),
        cmocka_unit_test(a_malformed_record_is_an_error),
        cmocka_unit_test(nul_octets_end_neither_tag_nor_value),
        cmocka_unit_test(a_tag_and_value_as_long_as_they_can_be_are_judged_and_cut),
        cmocka_unit_test(records_of_other_owners_in_an_answer_do_not_count),
        cmocka_unit_test(an_interrupt_ends_it),
        cmocka_unit_test(the_longest_name_is_asked_at_every_level),
        cmocka_unit_test(every_ca_that_is_listed_has_issuers_and_others_have_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
