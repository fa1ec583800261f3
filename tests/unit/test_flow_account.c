/* SPDX-License-Identifier: MIT
 *
 * The account: one a CA, whatever goes wrong, and its key is never lost.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_ca.h"
#include "fake_disk.h"
#include "fixture.h"
#include "flow/account.h"
#include "test.h"

struct desk {
    struct fake_clock clock;
    struct fake_http *http;
    struct fake_ca *ca;
    char *dir;
    struct store *store;
    struct log log;
    struct fixture_stream said;
    struct strlist contacts;
    struct account_opts opts;
    struct acme *acme;
    struct account account; /* of the last call */
    struct err err;
};

static void restart(struct desk *d)
{
    account_done(&d->account);
    acme_free(d->acme);
    store_free(d->store);
    d->store = NULL;
    if (store_open(d->dir, &d->clock.base, &d->log, &d->store, &d->err) != ERR_OK)
        fail_msg("%s", d->err.msg);
    d->opts.store = d->store;
    d->acme = acme_new(&(struct acme_opts){
        .directory = FAKE_CA_DIRECTORY,
        .http = fake_http_base(d->http),
        .clock = &d->clock.base,
        .log = &d->log,
        .request_timeout_ms = 10000,
        .give_up_after_ms = 60000,
    });
}

static void desk_init(struct desk *d)
{
    *d = (struct desk){.dir = fixture_dir_new()};
    fake_clock_init(&d->clock);
    d->http = fake_http_new(&d->clock, FAKE_CA_ROOT);
    d->ca = fake_ca_new(&d->clock);
    fake_ca_attach(d->ca, d->http);
    fixture_stream_open(&d->said);
    d->log = (struct log){.level = LOG_INFO, .out = d->said.out};
    strlist_add(&d->contacts, "mailto:a@example.com");
    d->opts = (struct account_opts){.clock = &d->clock.base,
                                    .log = &d->log,
                                    .contacts = &d->contacts,
                                    .key_type = KEY_ECDSA_P256,
                                    .terms_agreed = true};
    fake_disk_heal();
    restart(d);
}

static void desk_done(struct desk *d)
{
    account_done(&d->account);
    acme_free(d->acme);
    store_free(d->store);
    strlist_done(&d->contacts);
    fixture_stream_done(&d->said);
    fixture_dir_free(d->dir);
    fake_http_done(d->http);
    fake_ca_done(d->ca);
}

/* Each in a process of its own. */
static enum err_code want(struct desk *d)
{
    restart(d);
    return account_want(d->acme, &d->opts, &d->account, &d->err);
}

static void want_it(struct desk *d)
{
    if (want(d) != ERR_OK)
        fail_msg("%s", d->err.msg);
}

/* Is the key that the CA has that of the account in our hands? */
static bool is_key_of(const struct desk *d, const struct key *key)
{
    struct buf jwk AUTO_BUF = BUF_INIT(4096);

    return key && key_jwk(key, &jwk, NULL) == ERR_OK && d->ca->account_count == 1 &&
           strcmp(buf_cstr(&jwk), d->ca->accounts[0].jwk) == 0;
}

/* ------------------------------------------------------------------ registering */

TEST(an_account_is_registered_once_and_found_by_every_process_after)
{
    struct desk d;
    size_t requests;

    desk_init(&d);
    want_it(&d);
    assert_true(d.account.is_new);
    assert_string_equal(d.account.record.url, d.ca->accounts[0].url);
    assert_string_equal(json_string_value(json_array_get(d.ca->accounts[0].contact, 0)), "mailto:a@example.com");
    requests = d.ca->request_count;
    want_it(&d);
    assert_false(d.account.is_new);
    assert_true(is_key_of(&d, d.account.key));
    assert_int_equal(d.ca->request_count, requests);
    desk_done(&d);
}

TEST(terms_that_nobody_agreed_to_are_shown_and_nothing_is_registered)
{
    struct desk d;

    desk_init(&d);
    d.opts.terms_agreed = false;
    assert_int_equal(want(&d), ERR_USAGE);
    assert_non_null(strstr(d.err.msg, FAKE_CA_TERMS));
    assert_non_null(strstr(d.err.hint, "--agree-tos"));
    assert_int_equal(d.ca->account_count, 0);
    assert_int_equal(account_find(d.acme, &d.opts, &d.account, &d.err), ERR_NOT_FOUND);
    desk_done(&d);
}

static bool answer(void *ctx, const char *terms_of_service)
{
    assert_string_equal(terms_of_service, FAKE_CA_TERMS);
    return *(const bool *)ctx;
}

TEST(the_user_may_be_asked_whether_he_agrees)
{
    bool agrees = false;
    struct desk d;

    desk_init(&d);
    d.opts.terms_agreed = false;
    d.opts.agree = answer;
    d.opts.ctx = &agrees;
    assert_int_equal(want(&d), ERR_USAGE);
    assert_int_equal(d.ca->account_count, 0);
    agrees = true;
    want_it(&d);
    assert_int_equal(d.ca->account_count, 1);
    desk_done(&d);
}

TEST(a_binding_that_the_ca_wants_is_asked_for_and_then_made)
{
    AUTO_SECRET struct secret *hmac_key = secret_new(FAKE_CA_EAB_KEY, strlen(FAKE_CA_EAB_KEY));
    const struct acme_eab eab = {.kid = FAKE_CA_EAB_KID, .hmac_key = hmac_key, .hmac = DIGEST_HMAC_SHA256};
    struct desk d;

    desk_init(&d);
    d.ca->manner.needs_eab = true;
    assert_int_equal(want(&d), ERR_USAGE);
    assert_non_null(strstr(d.err.hint, "acme.eab.kid"));
    assert_int_equal(d.ca->account_count, 0);
    d.opts.eab = &eab;
    want_it(&d);
    assert_true(d.ca->accounts[0].has_eab);
    desk_done(&d);
}

TEST(finding_never_registers)
{
    struct desk d;

    desk_init(&d);
    assert_int_equal(account_find(d.acme, &d.opts, &d.account, &d.err), ERR_NOT_FOUND);
    assert_non_null(strstr(d.err.msg, FAKE_CA_DIRECTORY));
    assert_non_null(strstr(d.err.hint, "account register"));
    assert_int_equal(d.ca->request_count, 0);
    want_it(&d);
    restart(&d);
    assert_int_equal(account_find(d.acme, &d.opts, &d.account, &d.err), ERR_OK);
    assert_true(is_key_of(&d, d.account.key));
    desk_done(&d);
}

TEST(a_deactivated_account_is_not_used)
{
    struct desk d;

    desk_init(&d);
    fake_ca_fail(d.ca, FAKE_CA_ANSWER_LOST, 2, FAKE_CA_FOREVER); /* registered, and the URL is not known */
    assert_int_equal(want(&d), ERR_NETWORK);
    fake_ca_fail(d.ca, FAKE_CA_OK, 0, 0);
    assert_int_equal(d.ca->account_count, 1);
    mem_free_auto(&d.ca->accounts[0].status);
    d.ca->accounts[0].status = mem_strdup("deactivated");
    assert_int_equal(want(&d), ERR_ACME);
    assert_non_null(strstr(d.err.msg, "deactivated"));
    desk_done(&d);
}

/* ------------------------------------------------------------------ adopting */

TEST(a_key_of_another_client_is_taken_over_and_no_second_one)
{
    struct desk d;
    AUTO_KEY struct key *key = NULL;
    AUTO_KEY struct key *other = NULL;

    desk_init(&d);
    assert_int_equal(key_new(KEY_ECDSA_P256, &key, &d.err), ERR_OK);
    assert_int_equal(key_new(KEY_ECDSA_P256, &other, &d.err), ERR_OK);
    assert_int_equal(account_adopt(d.acme, &d.opts, key, &d.account, &d.err), ERR_NOT_FOUND);
    assert_int_equal(d.ca->account_count, 0);
    { /* the other client */
        struct acme_account account = {.url = NULL};
        bool is_new;

        assert_int_equal(acme_account_register(d.acme, &(struct acme_registration){.key = key, .terms_agreed = true},
                                               &account, &is_new, &d.err),
                         ERR_OK);
        acme_account_done(&account);
    }
    restart(&d);
    assert_int_equal(account_adopt(d.acme, &d.opts, key, &d.account, &d.err), ERR_OK);
    want_it(&d);
    assert_true(key_is_same(d.account.key, key));
    restart(&d);
    assert_int_equal(account_adopt(d.acme, &d.opts, other, &d.account, &d.err), ERR_EXISTS);
    assert_int_equal(account_adopt(d.acme, &d.opts, key, &d.account, &d.err), ERR_OK);
    desk_done(&d);
}

/* ------------------------------------------------------------------ changes of keys */

TEST(a_key_is_changed_and_the_next_process_has_the_new_one)
{
    struct desk d;
    AUTO_KEY struct key *old = NULL;

    desk_init(&d);
    want_it(&d);
    old = key_dup(d.account.key);
    d.opts.key_type = KEY_ECDSA_P384;
    assert_int_equal(account_rollover(d.acme, &d.opts, &d.account, &d.err), ERR_OK);
    assert_int_equal(key_type_of(d.account.key), KEY_ECDSA_P384);
    assert_true(is_key_of(&d, d.account.key));
    want_it(&d);
    assert_true(is_key_of(&d, d.account.key));
    assert_null(d.account.record.next_key_pem);
    assert_false(key_is_same(d.account.key, old));
    desk_done(&d);
}

/* ------------------------------------------------------------------ with everything going wrong */

enum where { AT_CA, AT_DISK };

struct fault {
    enum where where;
    int kind;
    const char *name;
    size_t first, count;
};

enum task { REGISTER, ROLL_OVER };

static void begin(struct desk *d, enum task task)
{
    desk_init(d);
    d->ca->manner.has_other_keys = true; /* a process that does not know that the key was changed breaks no rule */
    if (task == ROLL_OVER)
        want_it(d);
    restart(d);
    fake_disk_heal();
}

static enum err_code perform(struct desk *d, enum task task)
{
    enum err_code code = account_want(d->acme, &d->opts, &d->account, &d->err);

    if (code == ERR_OK && task == ROLL_OVER)
        code = account_rollover(d->acme, &d->opts, &d->account, &d->err);
    return code;
}

static size_t count_in_peace(enum task task, enum where where)
{
    struct desk d;
    size_t before, count;

    begin(&d, task);
    before = d.ca->request_count;
    assert_int_equal(perform(&d, task), ERR_OK);
    count = where == AT_CA ? d.ca->request_count - before : fake_disk_changes();
    desk_done(&d);
    return count;
}

static bool survives(enum task task, const struct fault *fault)
{
    struct desk d;
    enum err_code code;
    bool good;

    begin(&d, task);
    if (fault->where == AT_CA)
        fake_ca_fail(d.ca, (enum fake_ca_fault)fault->kind, d.ca->request_count + fault->first, fault->count);
    else
        fake_disk_fail((enum fake_disk_fault)fault->kind, "/", fault->first, fault->count);
    code = perform(&d, task);
    good = code != ERR_OK || is_key_of(&d, d.account.key);
    fake_ca_fail(d.ca, FAKE_CA_OK, 0, 0);
    fake_disk_heal();
    d.clock.cancelled = false;
    fake_clock_advance(&d.clock, INT64_C(3) * 3600 * 1000);
    code = want(&d);
    good = good && code == ERR_OK && is_key_of(&d, d.account.key) && !d.account.record.next_key_pem;
    good = good && strcmp(d.account.record.url, d.ca->accounts[0].url) == 0;
    if (!good)
        (void)fprintf(stderr, "%s, %s at %zu%s: %zu accounts, %s\n", task == REGISTER ? "register" : "roll over",
                      fault->name, fault->first, fault->count == 1 ? "" : " and after", d.ca->account_count,
                      code == ERR_OK ? "another key" : d.err.msg);
    desk_done(&d);
    return good;
}

static size_t count_broken(enum task task, enum where where, int kind, const char *name)
{
    size_t total = count_in_peace(task, where);
    size_t broken = 0;

    assert_true(total >= 3);
    for (size_t n = 0; n < total; n += fixture_step()) {
        broken += !survives(task, &(struct fault){where, kind, name, n, 1});
        broken += !survives(task, &(struct fault){where, kind, name, n, SIZE_MAX});
    }
    return broken;
}

TEST(whatever_goes_wrong_there_is_one_account_and_its_key_is_ours)
{
    size_t broken = 0;

    for (enum task task = REGISTER; task <= ROLL_OVER; task++) {
        for (int kind = FAKE_CA_OK + 1; kind < FAKE_CA_FAULT_COUNT; kind++)
            broken += count_broken(task, AT_CA, kind, fake_ca_fault_name((enum fake_ca_fault)kind));
        for (int kind = FAKE_DISK_FULL; kind <= FAKE_DISK_UNSYNCED; kind++)
            broken += count_broken(task, AT_DISK, kind, fake_disk_fault_name((enum fake_disk_fault)kind));
    }
    assert_int_equal(broken, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_is_registered_once_and_found_by_every_process_after),
        cmocka_unit_test(terms_that_nobody_agreed_to_are_shown_and_nothing_is_registered),
        cmocka_unit_test(the_user_may_be_asked_whether_he_agrees),
        cmocka_unit_test(a_binding_that_the_ca_wants_is_asked_for_and_then_made),
        cmocka_unit_test(finding_never_registers),
        cmocka_unit_test(a_deactivated_account_is_not_used),
        cmocka_unit_test(a_key_of_another_client_is_taken_over_and_no_second_one),
        cmocka_unit_test(a_key_is_changed_and_the_next_process_has_the_new_one),
        cmocka_unit_test(whatever_goes_wrong_there_is_one_account_and_its_key_is_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
