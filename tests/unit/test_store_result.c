/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "store_place.h"
#include "store/internal.h"
#include "store/store.h"
#include "test.h"

static struct result call(const char *name, const char *action, enum err_code code, int64_t at_ms)
{
    return (struct result){
        .kind = RESULT_HOOK,
        .name = (char *)(uintptr_t)name,
        .client = (char *)(uintptr_t) "certbot",
        .action = (char *)(uintptr_t)action,
        .code = code,
        .error = (char *)(uintptr_t)(code == ERR_OK ? "" : "could not do \"it\""),
        .hint = (char *)(uintptr_t)(code == ERR_OK ? "" : "Do something else."),
        .at_ms = at_ms,
        .took_ms = at_ms / 10,
    };
}

static void note(struct place *p, const char *name, const char *action, enum err_code code, int64_t at_ms)
{
    struct result result = call(name, action, code, at_ms);

    assert_int_equal(result_note(p->store, &result, NULL), ERR_OK);
}

static struct result_list load(struct place *p, size_t want)
{
    struct result_list list = {NULL, 0};
    struct err err;

    err_init(&err);
    if (result_load(p->store, &list, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    assert_int_equal(list.count, want);
    return list;
}

TEST(a_first_call_is_noted_with_all_that_is_known_of_it)
{
    struct place p;
    struct result_list list;
    const struct result *r;

    place_init(&p);
    list = load(&p, 0);
    result_list_done(&list);
    note(&p, "example.com", "publish", ERR_AUTH, 1000);
    list = load(&p, 1);
    r = &list.items[0];
    assert_int_equal(r->kind, RESULT_HOOK);
    assert_string_equal(r->name, "example.com");
    assert_string_equal(r->client, "certbot");
    assert_string_equal(r->action, "publish");
    assert_int_equal(r->code, ERR_AUTH);
    assert_string_equal(r->error, "could not do \"it\"");
    assert_string_equal(r->hint, "Do something else.");
    assert_int_equal(r->at_ms, 1000);
    assert_int_equal(r->took_ms, 100);
    assert_int_equal(r->success_ms, 0);
    assert_int_equal(r->failure_ms, 1000);
    assert_int_equal(r->failing_ms, 1000);
    assert_int_equal(r->failures, 1);
    result_list_done(&list);
    result_list_done(NULL);
    result_done(NULL);
    place_done(&p);
}

TEST(failures_in_a_row_are_counted_and_a_success_ends_the_row)
{
    static const struct {
        enum err_code code;
        int64_t success_ms, failure_ms, failing_ms, failures;
    } calls[] = {
        {ERR_OK, 1000, 0, 0, 0},         {ERR_AUTH, 1000, 2000, 2000, 1}, {ERR_CANCELLED, 1000, 3000, 2000, 2},
        {ERR_AUTH, 1000, 4000, 2000, 3}, {ERR_OK, 5000, 4000, 0, 0},      {ERR_OK, 6000, 4000, 0, 0},
        {ERR_ZONE, 6000, 7000, 7000, 1},
    };
    struct place p;

    place_init(&p);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        struct result_list list;
        int64_t at_ms = 1000 * ((int64_t)i + 1);

        note(&p, "example.com", "publish", calls[i].code, at_ms);
        list = load(&p, 1);
        assert_int_equal(list.items[0].code, calls[i].code);
        assert_int_equal(list.items[0].at_ms, at_ms);
        assert_int_equal(list.items[0].success_ms, calls[i].success_ms);
        assert_int_equal(list.items[0].failure_ms, calls[i].failure_ms);
        assert_int_equal(list.items[0].failing_ms, calls[i].failing_ms);
        assert_int_equal(list.items[0].failures, calls[i].failures);
        assert_string_equal(list.items[0].error, i == 0 ? "" : "could not do \"it\"");
        assert_string_equal(list.items[0].hint, i == 0 ? "" : "Do something else.");
        result_list_done(&list);
    }
    place_done(&p);
}

TEST(a_clean_up_that_succeeds_does_not_hide_that_publishing_failed)
{
    struct place p;
    struct result_list list;

    place_init(&p);
    note(&p, "example.com", "publish", ERR_AUTH, 1000);
    note(&p, "example.com", "withdraw", ERR_OK, 2000);
    list = load(&p, 2);
    assert_string_equal(list.items[0].action, "publish");
    assert_int_equal(list.items[0].code, ERR_AUTH);
    assert_string_equal(list.items[1].action, "withdraw");
    assert_int_equal(list.items[1].code, ERR_OK);
    result_list_done(&list);
    place_done(&p);
}

TEST(results_come_sorted_by_kind_name_and_action)
{
    static const char *const want[] = {"a.example publish", "a.example withdraw", "b.example publish",
                                       "a.example renew", "c.example issue"};
    struct place p;
    struct result_list list;
    struct result certificate = call("c.example", "issue", ERR_OK, 1);

    place_init(&p);
    certificate.kind = RESULT_CERTIFICATE;
    assert_int_equal(result_note(p.store, &certificate, NULL), ERR_OK);
    certificate.name = (char *)(uintptr_t) "a.example";
    certificate.action = (char *)(uintptr_t) "renew";
    assert_int_equal(result_note(p.store, &certificate, NULL), ERR_OK);
    note(&p, "b.example", "publish", ERR_OK, 2);
    note(&p, "a.example", "withdraw", ERR_OK, 3);
    note(&p, "a.example", "publish", ERR_OK, 4);
    list = load(&p, ARRAY_LEN(want));
    for (size_t i = 0; i < list.count; i++) {
        char *text = mem_printf("%s %s", list.items[i].name, list.items[i].action);

        assert_string_equal(text, want[i]);
        free(text);
    }
    result_list_done(&list);
    place_done(&p);
}

TEST(several_are_noted_with_one_call_and_forgotten_by_name)
{
    struct place p;
    struct result_list list;
    const struct result calls[] = {call("a.example", "publish", ERR_OK, 1), call("b.example", "publish", ERR_OK, 1)};

    place_init(&p);
    assert_int_equal(result_note_all(p.store, calls, ARRAY_LEN(calls), NULL), ERR_OK);
    note(&p, "a.example", "withdraw", ERR_OK, 2);
    list = load(&p, 3);
    result_list_done(&list);
    assert_int_equal(result_forget(p.store, RESULT_HOOK, "a.example", NULL), ERR_OK);
    assert_int_equal(result_forget(p.store, RESULT_HOOK, "a.example", NULL), ERR_OK);
    assert_int_equal(result_forget(p.store, RESULT_CERTIFICATE, "b.example", NULL), ERR_OK);
    list = load(&p, 1);
    assert_string_equal(list.items[0].name, "b.example");
    result_list_done(&list);
    place_done(&p);
}

TEST(names_of_any_kind_find_back_to_their_own_file_and_lead_nowhere_else)
{
    static const char *const names[] = {"example.com",
                                        "xn--bcher-kva.example",
                                        "*.example.com",
                                        "../../etc/passwd",
                                        "/etc/ssl/certs/a.pem",
                                        "[2001:db8::1]:443",
                                        "A.example",
                                        "a.example",
                                        ".hidden",
                                        ("b\xc3\xbc"
                                         "cher")};
    struct place p;
    struct result_list list;
    char *long_name = mem_calloc(1025, 1);

    memset(long_name, 'x', 1024);
    place_init(&p);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            note(&p, names[i], "publish", ERR_OK, 1);
        note(&p, long_name, "publish", ERR_OK, 1);
        list = load(&p, ARRAY_LEN(names) + 1);
        result_list_done(&list);
        assert_int_equal(fixture_count(p.results), ARRAY_LEN(names) + 1);
    }
    free(long_name);
    place_done(&p);
}

TEST(what_could_not_be_read_back_is_not_noted)
{
    struct place p;
    struct result good = call("example.com", "publish", ERR_AUTH, 1);
    struct result bad;
    char *huge = mem_calloc(2001, 1);

    memset(huge, 'x', 2000);
    place_init(&p);
#define EXPECT_NOT_NOTED(member, text)                                                                                 \
    bad = good;                                                                                                        \
    bad.member = (text);                                                                                               \
    assert_int_equal(result_note(p.store, &bad, NULL), ERR_INTERNAL)
    EXPECT_NOT_NOTED(name, NULL);
    EXPECT_NOT_NOTED(name, (char *)(uintptr_t) "");
    EXPECT_NOT_NOTED(name, (char *)(uintptr_t) "a\nb");
    EXPECT_NOT_NOTED(name, huge);
    EXPECT_NOT_NOTED(action, NULL);
    EXPECT_NOT_NOTED(action, (char *)(uintptr_t) "dance");
    EXPECT_NOT_NOTED(kind, (enum result_kind)2);
    EXPECT_NOT_NOTED(code, ERR_COUNT);
    EXPECT_NOT_NOTED(error, huge);
    EXPECT_NOT_NOTED(hint, (char *)(uintptr_t) "\xff");
    EXPECT_NOT_NOTED(at_ms, -1);
    assert_int_equal(fixture_count(p.results), 0);
    assert_int_equal(result_forget(p.store, (enum result_kind)2, "example.com", NULL), ERR_INTERNAL);
    assert_int_equal(result_forget(p.store, RESULT_HOOK, NULL, NULL), ERR_INTERNAL);
    free(huge);
    place_done(&p);
}

TEST(files_are_private_and_what_is_not_ours_is_left_alone)
{
    static const char *const foreign[] = {"README", "notes.json", ".example.com-0123456789abcdef.json",
                                          "example.com-0123456789abcdeg.json"};
    struct place p;
    struct result_list list;
    char *path;

    place_init(&p);
    note(&p, "example.com", "publish", ERR_OK, 1);
    fixture_expect_mode(p.results, 0700);
    for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
        path = fixture_path(p.results, foreign[i]);
        fixture_write(path, "something else");
        free(path);
    }
    list = load(&p, 1);
    result_list_done(&list);
    assert_int_equal(fixture_count(p.results), 1 + ARRAY_LEN(foreign));
    assert_string_equal(place_logged(&p), "");
    place_done(&p);
}

TEST(a_results_directory_that_others_can_write_to_is_not_used)
{
    struct place p;
    struct result result = call("example.com", "publish", ERR_OK, 1);
    struct err err;

    place_init(&p);
    fixture_mkdir(p.results, 0700);
    fixture_chmod(p.results, 0777);
    assert_int_equal(result_note(p.store, &result, &err), ERR_IO);
    assert_non_null(strstr(err.hint, fixture_here("chmod go-w", "icacls")));
    assert_int_equal(fixture_count(p.results), 0);
    place_done(&p);
}

static int note_on_full_disk(void *context)
{
    const char *dir = context;
    struct result_list list = {NULL, 0};
    struct store *store;
    struct err err;
    size_t count = 0;
    enum err_code rc = ERR_OK;

    if (!fixture_mount(dir, "size=64k,mode=700"))
        return CHILD_CANNOT;
    CHILD_CHECK(store_open(dir, platform_clock(), NULL, &store, &err) == ERR_OK);
    while (rc == ERR_OK) {
        char *name = mem_printf("n%zu.example", count);
        struct result result = call(name, "publish", ERR_OK, 1);

        rc = result_note(store, &result, &err);
        count += rc == ERR_OK;
        free(name);
        CHILD_CHECK(count < 1000);
    }
    CHILD_CHECK(rc == ERR_IO && strstr(err.msg, "No space left"));
    CHILD_CHECK(count > 0 && result_load(store, &list, &err) == ERR_OK && list.count == count);
    result_list_done(&list);
    CHILD_CHECK(fixture_remount_read_only(dir));
    CHILD_CHECK(result_load(store, &list, &err) == ERR_OK && list.count == count);
    result_list_done(&list);
    store_free(store);
    return CHILD_OK;
}

TEST(a_full_disk_is_an_error_and_loses_no_other_result)
{
    char *dir;

    fixture_needs(FIXTURE_FAULTS);
    dir = fixture_dir_new();
    fixture_in_child(note_on_full_disk, dir);
    fixture_dir_free(dir);
}

#define PROCESSES 8
#define ROUNDS 25

static int note_often(const char *dir)
{
    struct store *store;

    CHILD_CHECK(store_open(dir, platform_clock(), NULL, &store, NULL) == ERR_OK);
    for (int i = 1; i <= ROUNDS; i++) {
        struct result result = call("example.com", "publish", i % 2 ? ERR_AUTH : ERR_OK, i);

        CHILD_CHECK(result_note(store, &result, NULL) == ERR_OK);
    }
    store_free(store);
    return CHILD_OK;
}

TEST(eight_processes_note_the_same_name_and_one_whole_result_remains)
{
    struct place p;
    struct result_list list;

    place_init(&p);
    fixture_in_processes(PROCESSES, note_often, p.dir);
    list = load(&p, 1);
    assert_int_equal(fixture_count(p.results), 1);
    assert_string_equal(place_logged(&p), "");
    result_list_done(&list);
    place_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_call_is_noted_with_all_that_is_known_of_it),
        cmocka_unit_test(failures_in_a_row_are_counted_and_a_success_ends_the_row),
        cmocka_unit_test(a_clean_up_that_succeeds_does_not_hide_that_publishing_failed),
        cmocka_unit_test(results_come_sorted_by_kind_name_and_action),
        cmocka_unit_test(several_are_noted_with_one_call_and_forgotten_by_name),
        cmocka_unit_test(names_of_any_kind_find_back_to_their_own_file_and_lead_nowhere_else),
        cmocka_unit_test(what_could_not_be_read_back_is_not_noted),
        cmocka_unit_test(files_are_private_and_what_is_not_ours_is_left_alone),
        cmocka_unit_test(a_results_directory_that_others_can_write_to_is_not_used),
        cmocka_unit_test(a_full_disk_is_an_error_and_loses_no_other_result),
        cmocka_unit_test(eight_processes_note_the_same_name_and_one_whole_result_remains),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
