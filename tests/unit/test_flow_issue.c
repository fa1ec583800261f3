/* SPDX-License-Identifier: MIT
 *
 * Whole issuances: what they cost, how orders of one wave fare, what is taken up again, and what is left when the CA,
 * the API or the disk fails at any point:
 *
 *   - success means a certificate that fits its names and its key, and no record left;
 *   - after a failure each record of ours is gone or journalled, no foreign one was touched;
 *   - the next run succeeds, without another order where one was stored that can still lead somewhere, and a sweep a
 *     day later leaves nothing;
 *   - a process that is killed leaves things no worse.
 *
 * One of the two zones is slow, so that the certificates are through in different rounds.
 */
#include <stdio.h>
#include <string.h>

#include "fake_disk.h"
#include "fixture.h"
#include "issue_world.h"
#include "test.h"

#define PEACE "in peace"
#define SLOW_MS 12000 /* of example.net, beyond what the others have patience for */

static void add_names(struct issue_world *iw, const char *name, size_t count)
{
    struct buf text = BUF_INIT(65536);

    for (size_t i = 0; i < count; i++)
        buf_printf(&text, "%sh%zu.example.com", i ? "," : "", i);
    (void)issue_world_add(iw, name, buf_cstr(&text));
    buf_done(&text);
}

/* ------------------------------------------------------------------ in peace */

TEST(many_names_take_one_batch_of_records)
{
    static const char *const steps[] = {"ordering", "publishing", "validating", "issuing"};
    struct issue_world *iw = issue_world_new();
    size_t before = iw->ca->request_count;

    add_names(iw, "www", 20);
    assert_int_equal(issue_world_run(iw), ERR_OK);
    assert_true(issue_world_is_good(iw, &iw->jobs[0], PEACE));
    assert_in_range(iw->ca->request_count - before, 46, 48); /* for each name two, for all the directory, a nonce, the
                                                                order, looks at it, finalize and the certificate */
    assert_in_range(iw->w->api->request_count, 3, 4);
    assert_int_equal(fake_api_count_ours(iw->w->api), 0);
    assert_int_equal(world_journal_count(iw->w), 0);
    assert_int_equal(iw->unseen, 0);
    assert_true(iw->steps.count >= ARRAY_LEN(steps) - 1);
    issue_world_free(iw);
}

TEST(apex_and_wildcard_are_one_name_with_two_values)
{
    struct issue_world *iw = issue_world_new();

    (void)issue_world_add(iw, "www", "example.com,*.example.com,*.sub.example.com,example.net");
    assert_int_equal(issue_world_run(iw), ERR_OK);
    assert_true(issue_world_is_good(iw, &iw->jobs[0], PEACE));
    assert_int_equal(iw->unseen, 0);
    assert_int_equal(fake_api_count_ours(iw->w->api), 0);
    issue_world_free(iw);
}

TEST(orders_of_a_wave_share_one_wait)
{
    struct issue_world *iw = issue_world_new();
    int64_t alone_ms, together_ms;

    (void)issue_world_add(iw, "one", "a.example.com");
    alone_ms = iw->w->clock.mono_ms;
    assert_int_equal(issue_world_run(iw), ERR_OK);
    alone_ms = iw->w->clock.mono_ms - alone_ms;
    (void)issue_world_add(iw, "two", "b.example.com,*.example.com");
    (void)issue_world_add(iw, "three", "c.example.net");
    together_ms = iw->w->clock.mono_ms;
    assert_int_equal(issue_world_run(iw), ERR_OK);
    together_ms = iw->w->clock.mono_ms - together_ms;
    for (size_t i = 0; i < iw->job_count; i++)
        assert_true(issue_world_is_good(iw, &iw->jobs[i], PEACE));
    assert_true(together_ms <= 2 * alone_ms);
    issue_world_free(iw);
}

TEST(authorizations_that_are_valid_take_no_records)
{
    struct issue_world *iw = issue_world_new();

    iw->ca->manner.reuses_authorizations = true;
    (void)issue_world_add(iw, "www", "a.example.com,b.example.com");
    assert_int_equal(issue_world_run(iw), ERR_OK);
    assert_true(issue_world_is_good(iw, &iw->jobs[0], PEACE));
    assert_int_equal(iw->w->api->request_count, 0);
    issue_world_free(iw);
}

TEST(the_operators_key_and_csr_are_used)
{
    struct issue_world *iw = issue_world_new();
    struct key *key = NULL;
    struct issue_job *job = issue_world_add(iw, "www", "a.example.com");

    assert_int_equal(key_new(KEY_RSA_2048, &key, &iw->err), ERR_OK);
    job->key = key;
    assert_int_equal(issue_world_run(iw), ERR_OK);
    assert_true(!job->own_key || key_is_same(job->own_key, key));
    assert_true(issue_world_is_good(iw, job, PEACE));
    key_free(key);
    issue_world_free(iw);
}

TEST(a_record_that_is_to_persist_stays_and_is_named)
{
    struct issue_world *iw = issue_world_new();
    struct issue_job *job = issue_world_add(iw, "www", "a.example.com");

    job->challenge = ACME_DNS_PERSIST_01;
    if (issue_world_run(iw) != ERR_OK || job->err.code != ERR_OK)
        fail_msg("%s", job->err.msg);
    assert_int_equal(job->to_keep.count, 1);
    assert_non_null(strstr(job->to_keep.items[0], "_validation-persist.a.example.com "));
    assert_int_equal(fake_api_count_ours(iw->w->api), 1);
    issue_world_free(iw);
}

/* ------------------------------------------------------------------ what fails alone */

TEST(a_name_that_is_not_validated_fails_its_own_order_only)
{
    struct issue_world *iw = issue_world_new();

    (void)issue_world_add(iw, "good", "a.example.com");
    (void)issue_world_add(iw, "bad", "b.example.com,broken.example.com");
    (void)issue_world_add(iw, "fine", "c.example.net");
    iw->never_valid = "broken.example.com";
    assert_int_equal(issue_world_run(iw), ERR_OK);
    assert_true(issue_world_is_good(iw, &iw->jobs[0], PEACE));
    assert_true(issue_world_is_good(iw, &iw->jobs[2], PEACE));
    assert_int_equal(iw->jobs[1].err.code, ERR_CHALLENGE);
    assert_non_null(strstr(iw->jobs[1].err.msg, "broken.example.com"));
    assert_null(iw->jobs[1].chain);
    assert_int_equal(fake_api_count_ours(iw->w->api), 0);
    assert_int_equal(world_journal_count(iw->w), 0);
    issue_world_free(iw);
}

TEST(a_zone_that_is_not_ours_fails_its_own_order_only)
{
    struct issue_world *iw = issue_world_new();

    (void)issue_world_add(iw, "good", "a.example.com");
    (void)issue_world_add(iw, "foreign", "a.example.com,www.foreign.test");
    assert_int_equal(issue_world_run(iw), ERR_OK);
    assert_true(issue_world_is_good(iw, &iw->jobs[0], PEACE));
    assert_int_equal(iw->jobs[1].err.code, ERR_ZONE);
    assert_non_null(strstr(iw->jobs[1].err.msg, "foreign.test"));
    assert_int_equal(fake_api_count_ours(iw->w->api), 0);
    issue_world_free(iw);
}

TEST(a_certificate_of_other_names_is_refused)
{
    struct issue_world *iw = issue_world_new();

    (void)issue_world_add(iw, "www", "a.example.com");
    iw->ca->manner.ignores_names = true;
    assert_int_not_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_OK);
    assert_null(iw->jobs[0].chain);
    assert_int_equal(fake_api_count_ours(iw->w->api), 0);
    issue_world_free(iw);
}

/* Whoever has the CA's ear could have names proven to somebody else in this way. */
TEST(nothing_is_published_for_a_name_that_was_not_ordered)
{
    struct issue_world *iw = issue_world_new();

    (void)issue_world_add(iw, "www", "a.example.com");
    iw->ca->manner.authorizes_instead = "victim.example.net";
    assert_int_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_ACME);
    assert_non_null(strstr(iw->jobs[0].err.msg, "victim.example.net"));
    assert_int_equal(fake_api_count_method(iw->w->api, "POST"), 0);
    issue_world_free(iw);
}

/* ------------------------------------------------------------------ taken up again */

TEST(an_order_whose_certificate_did_not_come_is_taken_up)
{
    struct issue_world *iw = issue_world_new();
    struct order_record order;
    size_t requests;

    (void)issue_world_add(iw, "www", "a.example.com,b.example.com");
    assert_int_equal(issue_world_run(iw), ERR_OK);
    requests = iw->ca->request_count; /* of the account and of one issuance */
    assert_int_equal(order_remove(iw->w->store ? iw->w->store : (world_engine(iw->w), iw->w->store), "www", &iw->err),
                     ERR_OK);
    world_leave(iw->w);
    fake_ca_fail(iw->ca, FAKE_CA_NO_CONNECTION, requests + (requests - 3) - 1, FAKE_CA_FOREVER); /* the last one */
    assert_int_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_NETWORK);
    assert_int_equal(issue_world_finalized(iw), 2);
    (void)world_engine(iw->w);
    assert_int_equal(order_load(iw->w->store, "www", &order, &iw->err), ERR_OK);
    assert_non_null(order.key_pem);
    order_record_done(&order);

    fake_ca_fail(iw->ca, FAKE_CA_OK, 0, 0);
    assert_int_equal(issue_world_run(iw), ERR_OK);
    assert_true(issue_world_is_good(iw, &iw->jobs[0], "the second run"));
    assert_int_equal(issue_world_finalized(iw), 2);
    assert_int_equal(iw->ca->order_count, 2);
    issue_world_free(iw);
}

/* ------------------------------------------------------------------ with everything going wrong */

enum where { AT_CA, AT_API, AT_DISK };

struct fault {
    enum where where;
    int kind;
    const char *name;
    size_t first, count;
};

static struct issue_world *begin(void)
{
    struct issue_world *iw = issue_world_new();

    fake_disk_heal();
    (void)issue_world_add(iw, "one", "a.example.com,*.a.example.com");
    (void)issue_world_add(iw, "two", "b.example.net");
    (void)issue_world_add(iw, "three", "c.example.com");
    iw->w->dns->servers[2].lag_ms = SLOW_MS;
    return iw;
}

static size_t count_in_peace(enum where where)
{
    struct issue_world *iw = begin();
    size_t account = iw->ca->request_count;
    size_t count;

    assert_int_equal(issue_world_outcome(iw, issue_world_run(iw)), ERR_OK);
    assert_true(iw->told_ms[0] < iw->told_ms[1]);
    count = where == AT_CA    ? iw->ca->request_count - account
            : where == AT_API ? iw->w->api->request_count
                              : fake_disk_changes();
    issue_world_free(iw);
    return count;
}

static void arm(struct issue_world *iw, const struct fault *fault)
{
    if (fault->where == AT_CA)
        fake_ca_fail(iw->ca, (enum fake_ca_fault)fault->kind, iw->ca->request_count + fault->first, fault->count);
    else if (fault->where == AT_API)
        fake_api_fail(iw->w->api, (enum fake_api_fault)fault->kind, fault->first, fault->count);
    else
        fake_disk_fail((enum fake_disk_fault)fault->kind, "/", fault->first, fault->count);
}

static void heal(struct issue_world *iw)
{
    fake_ca_fail(iw->ca, FAKE_CA_OK, 0, 0);
    fake_api_heal(iw->w->api);
    fake_disk_heal();
    iw->w->clock.cancelled = false;
    fake_clock_advance(&iw->w->clock, 3 * 3600 * 1000); /* what a CA asked for is over, too */
}

/* Both certificates are there, or those that are not have an error. */
static bool is_consistent(const struct issue_world *iw, const char *when)
{
    bool good = true;

    for (size_t i = 0; i < iw->job_count; i++) {
        const struct issue_job *job = &iw->jobs[i];

        if (job->err.code == ERR_OK)
            good = issue_world_is_good(iw, job, when) && good;
        else if (job->err.msg[0] == '\0' || job->err.code == ERR_INTERNAL) {
            (void)fprintf(stderr, "%s: \"%s\" failed with %s: %s\n", when, job->name, err_name(job->err.code),
                          job->err.msg);
            good = false;
        }
    }
    return good;
}

static bool succeeds_next_time(struct issue_world *iw, const char *when)
{
    bool good = true;

    heal(iw);
    if (issue_world_outcome(iw, issue_world_run(iw)) != ERR_OK) {
        for (size_t i = 0; i < iw->job_count; i++)
            (void)fprintf(stderr, "%s: the next run: \"%s\": %s\n", when, iw->jobs[i].name, iw->jobs[i].err.msg);
        return false;
    }
    for (size_t i = 0; i < iw->job_count; i++)
        good = issue_world_is_good(iw, &iw->jobs[i], when) && good;
    return good;
}

/* Stored orders that the CA would go on with: the next run has no reason to place others in their place. */
static size_t count_orders_to_go_on(struct issue_world *iw)
{
    size_t count = 0;

    (void)world_engine(iw->w);
    for (size_t i = 0; i < iw->job_count; i++) {
        AUTO(order_record_done) struct order_record order = {.name = NULL};
        const char *slash;

        if (order_load(iw->w->store, iw->jobs[i].name, &order, &iw->err) != ERR_OK)
            continue;
        slash = strrchr(order.url, '/');
        for (size_t k = 0; k < iw->ca->order_count; k++) {
            AUTO_FREE char *number = mem_printf("/%zu", k);

            count += strcmp(slash, number) == 0 && issue_world_can_go_on(iw, k);
        }
    }
    world_leave(iw->w);
    return count;
}

static bool goes_on_next_time(struct issue_world *iw, const char *when)
{
    size_t needed = iw->job_count - count_orders_to_go_on(iw);
    size_t before = iw->ca->order_count;
    bool good = succeeds_next_time(iw, when);

    if (iw->ca->order_count - before > needed) {
        (void)fprintf(stderr, "%s: the next run placed %zu orders in place of %zu\n", when,
                      iw->ca->order_count - before, needed);
        good = false;
    }
    return good;
}

static bool survives(const struct fault *fault)
{
    struct issue_world *iw = begin();
    char *when AUTO_FREE = mem_printf("%s at %zu%s", fault->name, fault->first, fault->count == 1 ? "" : " and after");
    enum err_code code;
    bool good;

    arm(iw, fault);
    code = issue_world_outcome(iw, issue_world_run(iw));
    fake_disk_heal();
    good = is_consistent(iw, when);
    good = world_is_safe(iw->w, when) && good;
    if (code == ERR_OK && fault->where == AT_CA && fake_api_count_ours(iw->w->api)) {
        (void)fprintf(stderr, "%s: success with records left\n", when);
        good = false;
    }
    good = goes_on_next_time(iw, when) && good;
    good = world_sweeps_clean(iw->w, when) && good;
    issue_world_free(iw);
    return good;
}

static size_t count_broken(enum where where, int kind, const char *name)
{
    static const size_t spans[] = {1, SIZE_MAX};
    size_t total = count_in_peace(where);
    size_t broken = 0;

    assert_true(total > 3);
    for (size_t s = 0; s < ARRAY_LEN(spans); s++)
        for (size_t n = 0; n < total; n += fixture_step())
            broken += !survives(&(struct fault){where, kind, name, n, spans[s]});
    return broken;
}

/* ------------------------------------------------------------------ kill -9, first: forking gets dearer with time */

struct victim {
    struct issue_world *iw;
    const struct fault *fault;
};

static int run_to_death(void *context)
{
    struct victim *victim = context;

    arm(victim->iw, victim->fault);
    (void)issue_world_run(victim->iw);
    return CHILD_OK;
}

/* The CA knows nothing of what a child did: so the next run finds its orders unknown, and others are placed. */
static bool survives_kill(const struct fault *fault)
{
    struct issue_world *iw = begin();
    struct victim victim = {iw, fault};
    AUTO_FREE char *when = mem_printf("%s %zu", fault->name, fault->first);
    int status = fixture_child(run_to_death, &victim);
    bool good = status == 1000 + 9;

    if (!good)
        (void)fprintf(stderr, "%s: was not killed: %d\n", when, status);
    good = world_is_safe(iw->w, when) && good;
    good = succeeds_next_time(iw, when) && good;
    good = world_sweeps_clean(iw->w, when) && good;
    issue_world_free(iw);
    return good;
}

TEST(a_process_that_is_killed_at_any_point_leaves_nothing_that_is_not_known)
{
    static const struct fault kinds[] = {{.where = AT_API, .kind = FAKE_API_KILL, .name = "killed at request"},
                                         {.where = AT_DISK, .kind = FAKE_DISK_KILL, .name = "killed at write"}};
    size_t broken = 0;

    fixture_needs(FIXTURE_FORK);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        size_t total = count_in_peace(kinds[i].where);

        for (size_t n = 0; n < total; n += fixture_step())
            broken += !survives_kill(&(struct fault){kinds[i].where, kinds[i].kind, kinds[i].name, n, 1});
    }
    assert_int_equal(broken, 0);
}

TEST(a_ca_that_fails_at_any_point_costs_nothing_but_this_run)
{
    size_t broken = 0;

    for (int kind = FAKE_CA_OK + 1; kind < FAKE_CA_FAULT_COUNT; kind++)
        broken += count_broken(AT_CA, kind, fake_ca_fault_name((enum fake_ca_fault)kind));
    assert_int_equal(broken, 0);
}

TEST(an_api_that_fails_at_any_point_costs_nothing_but_this_run)
{
    static const enum fake_api_fault kinds[] = {FAKE_API_ANSWER_LOST, FAKE_API_TIMEOUT,       FAKE_API_500,
                                                FAKE_API_RATE_LIMIT,  FAKE_API_403,           FAKE_API_GARBAGE,
                                                FAKE_API_TRUNCATED,   FAKE_API_NO_CONNECTION, FAKE_API_CANCEL};
    size_t broken = 0;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        broken += count_broken(AT_API, (int)kinds[i], fake_api_fault_name(kinds[i]));
    assert_int_equal(broken, 0);
}

TEST(a_disk_that_fails_at_any_point_costs_nothing_but_this_run)
{
    size_t broken = count_broken(AT_DISK, FAKE_DISK_FULL, fake_disk_fault_name(FAKE_DISK_FULL));

    broken += count_broken(AT_DISK, FAKE_DISK_UNSYNCED, fake_disk_fault_name(FAKE_DISK_UNSYNCED));
    assert_int_equal(broken, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_that_is_killed_at_any_point_leaves_nothing_that_is_not_known),
        cmocka_unit_test(many_names_take_one_batch_of_records),
        cmocka_unit_test(apex_and_wildcard_are_one_name_with_two_values),
        cmocka_unit_test(orders_of_a_wave_share_one_wait),
        cmocka_unit_test(authorizations_that_are_valid_take_no_records),
        cmocka_unit_test(the_operators_key_and_csr_are_used),
        cmocka_unit_test(a_record_that_is_to_persist_stays_and_is_named),
        cmocka_unit_test(a_name_that_is_not_validated_fails_its_own_order_only),
        cmocka_unit_test(a_zone_that_is_not_ours_fails_its_own_order_only),
        cmocka_unit_test(a_certificate_of_other_names_is_refused),
        cmocka_unit_test(nothing_is_published_for_a_name_that_was_not_ordered),
        cmocka_unit_test(an_order_whose_certificate_did_not_come_is_taken_up),
        cmocka_unit_test(a_ca_that_fails_at_any_point_costs_nothing_but_this_run),
        cmocka_unit_test(an_api_that_fails_at_any_point_costs_nothing_but_this_run),
        cmocka_unit_test(a_disk_that_fails_at_any_point_costs_nothing_but_this_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
