/* SPDX-License-Identifier: MIT
 *
 * Several processes, one budget: real time, real files, and servers that write down when they were asked.
 */
#include "flow/budget.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "platform/platform.h"
#include "store_place.h"
#include "test.h"

#define ENDPOINT "https://api.example.net/V2.0/"
#define WINDOW_MS 1500
#define MADE "made"
#define MADE_MAX 4000
#define LATENCY_MS 5

/* It serves whatever comes and notes when in a file (monotonic milliseconds, one a line), which those of all processes
 * share; the limit is looked at afterwards. */
struct server {
    struct http base;
    struct platform_log *made;
};

struct scene {
    struct place p;
    int64_t limit;
    size_t each; /* requests of a process */
};

/* A process that makes requests. */
struct asking {
    struct server server;
    struct secret *key;
    struct secret *secret;
    struct budget *budget;
    struct dme *dme;
};

static enum err_code serve(struct http *self, UNUSED const struct http_request *requests, size_t count,
                           struct http_response *out, UNUSED struct err *err)
{
    struct server *server = (struct server *)self;

    for (size_t i = 0; i < count; i++) {
        char line[32];
        int len = snprintf(line, sizeof line, "%lld\n", (long long)clock_mono_ms(platform_clock()));

        if (platform_log_append(server->made, line, (size_t)len, NULL) != ERR_OK)
            abort();
        out[i] = (struct http_response){.result = ERR_OK, .status = 200, .body = BUF_INIT(256)};
        buf_puts(&out[i].body, "{\"totalPages\":1,\"data\":[],\"page\":0}");
    }
    fixture_sleep_ms(LATENCY_MS);
    return ERR_OK;
}

static void scene_init(struct scene *s, int64_t limit, size_t each)
{
    *s = (struct scene){.limit = limit, .each = each};
    place_init(&s->p);
}

static void scene_done(struct scene *s)
{
    place_done(&s->p);
}

static void asking_init(struct asking *a, struct store *store, struct log *log, int64_t limit)
{
    char AUTO_FREE *made = fixture_path(store_dir(store), MADE);

    *a = (struct asking){
        .server.base.perform_many = serve, .key = secret_new("key", 3), .secret = secret_new("secret", 6)};
    if (platform_log_open(made, &a->server.made, NULL) != ERR_OK ||
        budget_new(&(struct budget_opts){.store = store,
                                         .endpoint = ENDPOINT,
                                         .key_id = "1a2b3c4d",
                                         .window_ms = WINDOW_MS,
                                         .allowed = limit,
                                         .log = log},
                   &a->budget, NULL) != ERR_OK)
        abort();
    a->dme = dme_new(&(struct dme_opts){.endpoint = ENDPOINT,
                                        .api_key = a->key,
                                        .api_secret = a->secret,
                                        .http = &a->server.base,
                                        .clock = platform_clock(),
                                        .request_timeout_ms = 10000,
                                        .give_up_after_ms = 10000,
                                        .budget = budget_base(a->budget),
                                        .budget_wait_ms = 60000});
}

static void asking_done(struct asking *a)
{
    dme_free(a->dme);
    budget_free(a->budget);
    platform_log_free(a->server.made);
    secret_free(a->key);
    secret_free(a->secret);
}

static int ask_some(struct store *store, int64_t limit, int64_t each)
{
    struct log log = {.level = LOG_WARNING, .out = stderr};
    struct dme_record record = {.name = "a", .value = "v"};
    struct asking a;

    asking_init(&a, store, &log, limit);
    for (int64_t i = 0; i < each; i++)
        CHILD_CHECK(dme_records_find(a.dme, 42, &record, 1, NULL) == ERR_OK);
    asking_done(&a);
    return CHILD_OK;
}

/* A process of its own; the text is "<limit> <requests> <directory>". */
static int ask_some_alone(const char *text)
{
    char *rest;
    int64_t limit = strtol(text, &rest, 10);
    int64_t each = strtol(rest, &rest, 10);
    struct store *store;
    int result;

    CHILD_CHECK(store_open(rest + 1, platform_clock(), NULL, &store, NULL) == ERR_OK);
    result = ask_some(store, limit, each);
    store_free(store);
    return result;
}

static char *alone(const struct scene *s)
{
    return mem_printf("%d %d %s", (int)s->limit, (int)s->each, s->p.dir);
}

static int by_number(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;

    return *x < *y ? -1 : *x > *y;
}

static size_t read_made(const struct scene *s, int64_t made_ms[MADE_MAX])
{
    char AUTO_FREE *path = fixture_path(s->p.dir, MADE);
    char AUTO_FREE *text = fixture_read(path);
    char *at = text;
    size_t count = 0;

    assert_non_null(text);
    for (char *end; *at; at = end + 1) {
        assert_true(count < MADE_MAX);
        made_ms[count++] = strtoll(at, &end, 10);
        assert_int_equal(*end, '\n');
    }
    return count;
}

/* What is under way for longer than the window, which is short here, counts no more; under valgrind, with more
 * processes than processors, that happens. */
static void assert_limit_was_kept(const struct scene *s, size_t made)
{
    static int64_t made_ms[MADE_MAX];
    int64_t least_ms = fixture_is_under_valgrind() ? WINDOW_MS / 2 : WINDOW_MS;

    assert_int_equal(read_made(s, made_ms), made);
    qsort(made_ms, made, sizeof(int64_t), by_number);
    for (size_t i = (size_t)s->limit; i < made; i++)
        assert_in_range(made_ms[i] - made_ms[i - (size_t)s->limit], least_ms, 1000000);
}

TEST(processes_side_by_side_never_make_more_than_the_limit_together)
{
    static const struct {
        int64_t limit;
        size_t processes, each;
    } rows[] = {{5, 6, 2}, {20, 12, 4}, {150, 8, 30}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char AUTO_FREE *text = NULL;
        struct scene s;

        scene_init(&s, rows[i].limit, rows[i].each);
        text = alone(&s);
        fixture_in_processes(rows[i].processes, ask_some_alone, text);
        assert_limit_was_kept(&s, rows[i].processes * rows[i].each);
        scene_done(&s);
    }
}

/* Two are served, the third waits; it is killed, and the fourth gets what was its turn, or the next. */
TEST(whoever_is_killed_while_waiting_keeps_nobody_waiting_for_long)
{
    struct scene s;
    int64_t start_ms = clock_mono_ms(platform_clock());
    char AUTO_FREE *one = NULL;
    char AUTO_FREE *two = NULL;
    struct fixture_process *waiter;

    scene_init(&s, 2, 2);
    assert_int_equal(ask_some(s.p.store, 2, 2), CHILD_OK);
    two = alone(&s);
    s.each = 1;
    one = alone(&s);
    waiter = fixture_process_start(ask_some_alone, one);
    fixture_sleep_ms(300);
    fixture_process_kill(waiter);
    fixture_in_processes(1, ask_some_alone, two);
    assert_limit_was_kept(&s, 4);
    assert_true(clock_mono_ms(platform_clock()) - start_ms < 12000);
    scene_done(&s);
}

TEST(what_a_run_holds_is_free_again_when_it_ends)
{
    struct scene s;
    struct asking a;
    int64_t start_ms = clock_mono_ms(platform_clock());

    scene_init(&s, 5, 5);
    asking_init(&a, s.p.store, &s.p.log, 5);
    assert_int_equal(dme_admit(a.dme, 5, NULL), ERR_OK);
    asking_done(&a);
    assert_int_equal(ask_some(s.p.store, 5, 5), CHILD_OK);
    assert_true(clock_mono_ms(platform_clock()) - start_ms < WINDOW_MS);
    scene_done(&s);
}

TEST(where_the_state_directory_fails_a_process_counts_alone_and_says_so_once)
{
    struct scene s;
    char AUTO_FREE *path = NULL;
    struct asking a;
    struct dme_record record = {.name = "a", .value = "v"};
    const char *said;

    scene_init(&s, 3, 0);
    path = fixture_path(s.p.dir, "budget");
    fixture_write(path, "something in the way");
    s.p.log.level = LOG_INFO;
    asking_init(&a, s.p.store, &s.p.log, 3);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(dme_records_find(a.dme, 42, &record, 1, NULL), ERR_OK);
    assert_limit_was_kept(&s, 4);
    said = strstr(place_logged(&s.p), "can't be counted together with those of other processes: ");
    assert_non_null(said);
    assert_null(strstr(said + 1, "can't be counted"));
    asking_done(&a);
    scene_done(&s);
}

/* A hook call does this twice for each request.  Time of the processor: the machine may have other things to do. */
TEST(it_costs_little)
{
    struct scene s;
    struct asking a;
    struct dme_budget *base;
    int64_t start_us;
    long us;

    scene_init(&s, 150, 140);
    assert_int_equal(ask_some(s.p.store, 150, 140), CHILD_OK); /* a file with nearly all there can be */
    asking_init(&a, s.p.store, &s.p.log, 150);
    base = budget_base(a.budget);
    start_us = fixture_processor_us();
    for (size_t i = 0; i < 100; i++) {
        (void)base->open(base);
        base->close(base);
    }
    us = (long)((fixture_processor_us() - start_us) / 100);
    asking_done(&a);
    scene_done(&s);
    print_message("%ld us each\n", us);
    assert_in_range(us, 0, 10000); /* 500 or so; more with sanitizers */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes_side_by_side_never_make_more_than_the_limit_together),
        cmocka_unit_test(whoever_is_killed_while_waiting_keeps_nobody_waiting_for_long),
        cmocka_unit_test(what_a_run_holds_is_free_again_when_it_ends),
        cmocka_unit_test(where_the_state_directory_fails_a_process_counts_alone_and_says_so_once),
        cmocka_unit_test(it_costs_little),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
