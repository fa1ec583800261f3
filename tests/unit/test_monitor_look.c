/* SPDX-License-Identifier: MIT
 *
 * Looking at real state directories, files and servers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cert_fixture.h"
#include "fixture.h"
#include "monitor/look.h"
#include "platform/platform.h"
#include "test.h"

struct world {
    char *dir;
    char *state_dir;
    struct strlist certificates;
    char *ca_file;
    struct monitor_report report;
    struct err err;
};

static int setup(void **state)
{
    struct world *w = mem_zalloc(sizeof *w);

    fixture_ignore_sigpipe();
    w->dir = fixture_dir_new();
    w->state_dir = fixture_path(w->dir, "state");
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    monitor_report_done(&w->report);
    strlist_done(&w->certificates);
    fixture_dir_free(w->dir);
    free(w->state_dir);
    free(w->ca_file);
    free(w);
    return 0;
}

static enum err_code look(struct world *w)
{
    struct store *store = NULL;
    struct err why;
    struct monitor_opts opts = {.state_dir = w->state_dir,
                                .state_err = &why,
                                .certificates = &w->certificates,
                                .ca_file = w->ca_file,
                                .timeout_ms = 5000,
                                .rules = {.warn = {1, 4, 0}, .critical = {1, 10, 0}, .failing_for_ms = 1000},
                                .clock = platform_clock()};
    enum err_code rc;

    if (store_open_readonly(w->state_dir, opts.clock, NULL, &store, &why) == ERR_OK)
        opts.store = store;
    monitor_report_done(&w->report);
    rc = monitor_look(&opts, &w->report, &w->err);
    store_free(store);
    return rc;
}

/* As look(), in a child process that is not root. */
static int look_as_user(void *context)
{
    struct world *w = context;
    bool is_unknown;

    if (!fixture_drop_root())
        return CHILD_CANNOT;
    CHILD_CHECK(look(w) == ERR_OK);
    is_unknown = w->report.state.kind == MONITOR_STATE_UNKNOWN;
    monitor_report_done(&w->report);
    return is_unknown ? 2 : CHILD_OK;
}

static void write_cert(struct world *w, const char *name, const struct cert_order *order)
{
    struct made_cert made = cert_make(order);
    char AUTO_FREE *path = fixture_path(w->dir, name);
    char AUTO_FREE *pem = cert_pem(&made);

    fixture_write(path, pem);
    made_cert_done(&made);
}

static void want(struct world *w, const char *name)
{
    strlist_add_take(&w->certificates, fixture_path(w->dir, name));
}

static const struct monitor_certificate *nth(const struct world *w, size_t i, enum monitor_level level,
                                             const char *text)
{
    const struct monitor_certificate *c = &w->report.certificates[i];

    assert_true(i < w->report.certificate_count);
    if (c->verdict.level != level || !strstr(c->verdict.text, text))
        fail_msg("%s: %s: \"%s\"", c->source, monitor_level_name(c->verdict.level), c->verdict.text);
    return c;
}

/* ------------------------------------------------------------------ state directory */

static void note(struct store *store, const char *name, enum err_code code)
{
    const struct result result = {.kind = RESULT_HOOK,
                                  .name = (char *)(uintptr_t)name,
                                  .client = (char *)(uintptr_t) "lego",
                                  .action = (char *)(uintptr_t) "publish",
                                  .code = code,
                                  .error = (char *)(uintptr_t) "broken",
                                  .hint = (char *)(uintptr_t) "Mend it.",
                                  .at_ms = clock_wall_ms(platform_clock()) - 5000};

    assert_int_equal(result_note(store, &result, NULL), ERR_OK);
}

static void fill_state(const struct world *w)
{
    struct store *store = NULL;
    struct journal_entry entry = {.state = JOURNAL_PUBLISHED,
                                  .account = (char *)(uintptr_t) "default",
                                  .endpoint = (char *)(uintptr_t) "https://api.example/",
                                  .zone = (char *)(uintptr_t) "example.com",
                                  .name = (char *)(uintptr_t) "_acme-challenge.example.com",
                                  .asked_name = (char *)(uintptr_t) "_acme-challenge.example.com",
                                  .value = (char *)(uintptr_t) "value",
                                  .run_id = (char *)(uintptr_t) "run",
                                  .created_ms = 1700000000000};
    struct journal_entry *entries[] = {&entry};

    assert_int_equal(store_open(w->state_dir, platform_clock(), NULL, &store, NULL), ERR_OK);
    note(store, "bad.example", ERR_ZONE);
    note(store, "good.example", ERR_OK);
    assert_int_equal(journal_add_all(store, entries, 1, NULL), ERR_OK);
    free(entry.id);
    store_free(store);
}

TEST(results_records_and_damage_are_found_and_nothing_is_changed)
{
    struct world *w = *state;
    char AUTO_FREE *journal = fixture_path(w->state_dir, "journal");
    char AUTO_FREE *broken = fixture_path(journal, "0123456789abcdef0123456789abcdef.json");

    fill_state(w);
    fixture_write(broken, "{");
    assert_int_equal(look(w), ERR_OK);
    assert_int_equal(w->report.state.kind, MONITOR_STATE_KNOWN);
    assert_int_equal(w->report.result_count, 2);
    assert_string_equal(w->report.results[0].result.name, "bad.example");
    assert_int_equal(w->report.results[0].verdict.level, MONITOR_CRITICAL);
    assert_string_equal(w->report.results[0].verdict.hint, "Mend it.");
    assert_int_equal(w->report.results[1].verdict.level, MONITOR_OK);
    assert_int_equal(w->report.state.journal_records, 1);
    assert_true(w->report.state.journal_oldest_ms == 1700000000000);
    assert_int_equal(w->report.state.journal.level, MONITOR_WARNING);
    assert_int_equal(w->report.state.damaged_files, 1);
    assert_true(platform_file_exists(broken));
}

TEST(a_state_directory_that_is_not_there_is_unknown_and_not_made)
{
    struct world *w = *state;

    assert_int_equal(look(w), ERR_OK);
    assert_int_equal(w->report.state.kind, MONITOR_STATE_UNKNOWN);
    assert_int_equal(monitor_report_worst(&w->report), MONITOR_UNKNOWN);
    assert_non_null(strstr(w->report.state.access.text, w->state_dir));
    assert_non_null(strstr(w->report.state.access.hint, "state_dir"));
    assert_false(platform_file_exists(w->state_dir));
}

TEST(without_a_journal_there_is_no_state_to_look_at)
{
    struct world *w = *state;

    free(w->state_dir);
    w->state_dir = mem_strdup("");
    {
        const struct monitor_opts opts = {.certificates = &w->certificates, .clock = platform_clock()};

        assert_int_equal(monitor_look(&opts, &w->report, &w->err), ERR_OK);
    }
    assert_int_equal(w->report.state.kind, MONITOR_STATE_NONE);
    assert_int_equal(monitor_report_worst(&w->report), MONITOR_OK);
}

TEST(another_user_may_look_if_the_files_may_be_read_and_else_it_is_unknown)
{
    static const char *const parts[] = {"", "journal", "results", "zones", "lock"};
    struct world *w = *state;
    char AUTO_FREE *command = NULL;

    fixture_needs(FIXTURE_FAULTS);
    fill_state(w);
    fixture_chmod(w->dir, 0755);
    assert_int_equal(fixture_child(look_as_user, w), fixture_has(FIXTURE_OWNERS) ? 2 : CHILD_OK); /* mode 0700 */
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        char AUTO_FREE *path = fixture_path(w->state_dir, parts[i]);

        fixture_chmod(path, 0755);
    }
    /* The files themselves are still 0600: not to see them is not to know that there are none. */
    assert_int_equal(fixture_child(look_as_user, w), fixture_has(FIXTURE_OWNERS) ? 2 : CHILD_OK);
    command = mem_printf("chmod -R a+rX '%s'", w->state_dir);
    assert_int_equal(system(command), 0); /* NOLINT */
    assert_int_equal(fixture_child(look_as_user, w), CHILD_OK);
}

/* ------------------------------------------------------------------ files */

TEST(files_are_judged_one_by_one_whatever_is_wrong_with_others)
{
    struct world *w = *state;
    int64_t now_s = clock_wall_ms(platform_clock()) / 1000;
    char AUTO_FREE *garbage = fixture_path(w->dir, "c.pem");
    char AUTO_FREE *directory = fixture_path(w->dir, "d.pem");
    char AUTO_FREE *dangling = fixture_path(w->dir, "e.pem");
    size_t links;

    write_cert(w, "a.pem", &(struct cert_order){.common_name = "good"});
    write_cert(w, "b.pem",
               &(struct cert_order){
                   .common_name = "old", .not_before_s = now_s - 90 * 86400, .not_after_s = now_s - 86400 * 3});
    write_cert(w, "f.pem",
               &(struct cert_order){.common_name = "soon",
                                    .not_before_s = now_s - 80 * 86400,
                                    .not_after_s = now_s + 86400 * 20 + 3600});
    fixture_write(garbage, "this is no certificate");
    fixture_mkdir(directory, 0700);
    if (fixture_can(FIXTURE_SYMLINKS))
        fixture_symlink("nowhere", dangling);
    want(w, "?.pem");
    want(w, "a.pem"); /* again */
    want(w, "none-*.pem");
    want(w, "none.pem");
    fill_state(w);
    assert_int_equal(look(w), ERR_OK);
    links = fixture_has(FIXTURE_SYMLINKS);
    assert_int_equal(w->report.certificate_count, 7 + links);
    (void)nth(w, 0, MONITOR_OK, "good: 90 days left");
    (void)nth(w, 1, MONITOR_CRITICAL, "old: expired 3 days ago");
    (void)nth(w, 2, MONITOR_CRITICAL, "there is no certificate in");
    (void)nth(w, 3, MONITOR_UNKNOWN, "it is not a regular file");
    if (links)
        (void)nth(w, 4, MONITOR_UNKNOWN, "could not open");
    (void)nth(w, 4 + links, MONITOR_WARNING, "soon: 20 days left");
    (void)nth(w, 5 + links, MONITOR_UNKNOWN, "no file has a name like this");
    (void)nth(w, 6 + links, MONITOR_UNKNOWN, "could not open");
}

TEST(a_file_that_is_too_large_or_never_ends_is_not_read)
{
    struct world *w = *state;
    char AUTO_FREE *huge = fixture_path(w->dir, "huge.pem");
    char AUTO_FREE *fifo = fixture_path(w->dir, "fifo.pem");

    fixture_write(huge, "-----BEGIN CERTIFICATE-----\n");
    fixture_truncate(huge, INT64_C(1) << 32);
    if (fixture_can(FIXTURE_FIFOS))
        fixture_fifo(fifo);
    want(w, "huge.pem");
    want(w, "fifo.pem");
    strlist_add(&w->certificates, "/dev/zero");
    assert_int_equal(look(w), ERR_OK);
    assert_int_equal(w->report.certificate_count, 3);
    (void)nth(w, 0, MONITOR_UNKNOWN, "larger than");
    if (!fixture_has(FIXTURE_FIFOS))
        return;
    (void)nth(w, 1, MONITOR_UNKNOWN, "not a regular file");
    (void)nth(w, 2, MONITOR_UNKNOWN, "not a regular file");
}

TEST(hostile_file_names_are_made_safe_to_print)
{
    struct world *w = *state;

    fixture_needs(FIXTURE_ANY_NAME);
    write_cert(w, "evil\n\033[2Jup 0.pem", &(struct cert_order){.common_name = "x"});
    want(w, "evil*.pem");
    assert_int_equal(look(w), ERR_OK);
    assert_int_equal(w->report.certificate_count, 1);
    assert_non_null(strstr(nth(w, 0, MONITOR_OK, "x: ")->source, "evil\\x0a\\x1b[2Jup 0.pem"));
}

/* ------------------------------------------------------------------ servers */

TEST(servers_are_looked_at_beside_files_and_each_failure_is_its_own)
{
    struct world *w = *state;
    struct made_cert root = cert_make(&(struct cert_order){.common_name = "Root", .is_ca = true});
    struct made_cert leaf = cert_make(
        &(struct cert_order){.common_name = "leaf", .names = "DNS:localhost,IP:127.0.0.1", .issuer = &root});
    struct made_cert self = cert_make(&(struct cert_order){.common_name = "self", .names = "IP:127.0.0.1"});
    struct cert_server good = {.kind = SERVER_TLS, .cert = &leaf};
    struct cert_server bad = {.kind = SERVER_TLS, .cert = &self};
    struct cert_server plain = {.kind = SERVER_GREETING};
    struct cert_server gone = {.kind = SERVER_CLOSING};
    struct cert_server *servers[] = {&good, &bad, &plain, &gone};
    char AUTO_FREE *pem = cert_pem(&root);

    w->ca_file = fixture_path(w->dir, "ca.pem");
    fixture_write(w->ca_file, pem);
    want(w, "ca.pem");
    for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
        assert_true(cert_server_start(servers[i]));
        strlist_add_take(&w->certificates, mem_printf("127.0.0.1:%s", servers[i]->port));
    }
    strlist_add_take(&w->certificates, mem_printf("host.invalid:%s", good.port));
    strlist_add_take(&w->certificates, mem_printf("127.0.0.1:%s", good.port)); /* again */
    assert_true(cert_server_stop(&gone));
    assert_int_equal(look(w), ERR_OK);
    for (size_t i = 0; i < 3; i++)
        assert_true(cert_server_stop(servers[i]));
    assert_int_equal(w->report.certificate_count, 6);
    assert_false(nth(w, 0, MONITOR_OK, "Root: ")->is_server);
    assert_true(nth(w, 1, MONITOR_OK, "leaf: 90 days left")->is_server);
    assert_non_null(strstr(nth(w, 2, MONITOR_CRITICAL, "self: it is self-signed")->verdict.hint, "monitor.ca_file"));
    (void)nth(w, 3, MONITOR_CRITICAL, "does not speak TLS");
    (void)nth(w, 4, MONITOR_UNKNOWN, "Connection refused");
    (void)nth(w, 5, MONITOR_UNKNOWN, "could not find the address of \"host.invalid\"");
    made_cert_done(&root);
    made_cert_done(&leaf);
    made_cert_done(&self);
}

TEST(a_ca_file_that_can_not_be_read_keeps_no_file_from_being_judged)
{
    struct world *w = *state;

    write_cert(w, "a.pem", &(struct cert_order){.common_name = "good"});
    want(w, "a.pem");
    strlist_add(&w->certificates, "127.0.0.1:1");
    w->ca_file = fixture_path(w->dir, "none.pem");
    assert_int_equal(look(w), ERR_OK);
    (void)nth(w, 0, MONITOR_OK, "good");
    (void)nth(w, 1, MONITOR_UNKNOWN, "none.pem");
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(results_records_and_damage_are_found_and_nothing_is_changed),
        WORLD_TEST(a_state_directory_that_is_not_there_is_unknown_and_not_made),
        WORLD_TEST(without_a_journal_there_is_no_state_to_look_at),
        WORLD_TEST(another_user_may_look_if_the_files_may_be_read_and_else_it_is_unknown),
        WORLD_TEST(files_are_judged_one_by_one_whatever_is_wrong_with_others),
        WORLD_TEST(a_file_that_is_too_large_or_never_ends_is_not_read),
        WORLD_TEST(hostile_file_names_are_made_safe_to_print),
        WORLD_TEST(servers_are_looked_at_beside_files_and_each_failure_is_its_own),
        WORLD_TEST(a_ca_file_that_can_not_be_read_keeps_no_file_from_being_judged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
