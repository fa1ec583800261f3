/* SPDX-License-Identifier: MIT
 *
 * Several processes, one budget: real time, real files, and a server in shared memory.
 */
#include "flow/budget.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "platform/platform.h"
#include "store_place.h"
#include "test.h"

#define ENDPOINT "https://api.example.net/V2.0/"
#define WINDOW_MS 1500
#define MADE_MAX 4000

/* What the server has seen: it serves whatever comes, and its limit is looked at afterwards. */
struct server {
    struct http base;
    _Atomic size_t made;
    int64_t made_ms[MADE_MAX]; /* monotonic */
    int64_t latency_ms;
};

struct scene {
    struct place p;
    struct server *server;
    struct secret *key;
    struct secret *secret;
    int64_t limit;
    size_t each; /* requests of a process */
};

static enum err_code serve(struct http *self, UNUSED const struct http_request *requests, size_t count,
                           struct http_response *out, UNUSED struct err *err)
{
    struct server *server = (struct server *)self;

    for (size_t i = 0; i < count; i++) {
        size_t n = server->made++;

        out[i] = (struct http_response){.result = ERR_OK, .status = 200, .body = BUF_INIT(256)};
        if (n < MADE_MAX)
            server->made_ms[n] = clock_mono_ms(platform_clock());
        buf_puts(&out[i].body, "{\"totalPages\":1,\"data\":[],\"page\":0}");
    }
    (void)!clock_sleep_ms(platform_clock(), server->latency_ms);
    return ERR_OK;
}

static void scene_init(struct scene *s, int64_t limit, size_t each)
{
    *s = (struct scene){.limit = limit, .each = each};
    place_init(&s->p);
    s->key = secret_new("key", 3);
    s->secret = secret_new("secret", 6);
    s->server = mmap(NULL, sizeof *s->server, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(s->server != MAP_FAILED);
    s->server->base.perform_many = serve;
    s->server->latency_ms = 5;
}

static void scene_done(struct scene *s)
{
    secret_free(s->key);
    secret_free(s->secret);
    (void)munmap(s->server, sizeof *s->server);
    place_done(&s->p);
}

static struct budget *budget_of(const struct scene *s)
{
    struct budget *budget = NULL;

    if (budget_new(&(struct budget_opts){.store = s->p.store,
                                         .endpoint = ENDPOINT,
                                         .key_id = "1a2b3c4d",
                                         .window_ms = WINDOW_MS,
                                         .allowed = s->limit,
                                         .log = (struct log *)(uintptr_t)&s->p.log},
                   &budget, NULL) != ERR_OK)
        abort();
    return budget;
}

static struct dme *dme_of(const struct scene *s, struct budget *budget)
{
    return dme_new(&(struct dme_opts){.endpoint = ENDPOINT,
                                      .api_key = s->key,
                                      .api_secret = s->secret,
                                      .http = &s->server->base,
                                      .clock = platform_clock(),
                                      .request_timeout_ms = 10000,
                                      .give_up_after_ms = 10000,
                                      .budget = budget_base(budget),
                                      .budget_wait_ms = 60000});
}

static int ask_some(void *context)
{
    const struct scene *s = context;
    struct budget *budget = budget_of(s);
    struct dme *dme = dme_of(s, budget);
    struct dme_record record = {.name = "a", .value = "v"};

    for (size_t i = 0; i < s->each; i++)
        CHILD_CHECK(dme_records_find(dme, 42, &record, 1, NULL) == ERR_OK);
    dme_free(dme);
    budget_free(budget);
    return CHILD_OK;
}

static int by_number(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;

    return *x < *y ? -1 : *x > *y;
}

static void assert_limit_was_kept(struct scene *s, size_t made)
{
    assert_int_equal(s->server->made, made);
    qsort(s->server->made_ms, made, sizeof(int64_t), by_number);
    for (size_t i = (size_t)s->limit; i < made; i++)
        assert_in_range(s->server->made_ms[i] - s->server->made_ms[i - (size_t)s->limit], WINDOW_MS, 1000000);
}

TEST(processes_side_by_side_never_make_more_than_the_limit_together)
{
    static const struct {
        int64_t limit;
        size_t processes, each;
    } rows[] = {{5, 6, 2}, {20, 12, 4}, {150, 8, 30}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct scene s;

        scene_init(&s, rows[i].limit, rows[i].each);
        fixture_in_children(rows[i].processes, ask_some, &s);
        assert_limit_was_kept(&s, rows[i].processes * rows[i].each);
        scene_done(&s);
    }
}

/* Two are served, the third waits; it is killed, and the fourth gets what was its turn, or the next. */
TEST(whoever_is_killed_while_waiting_keeps_nobody_waiting_for_long)
{
    struct scene s;
    int64_t start_ms = clock_mono_ms(platform_clock());
    pid_t waiter;

    scene_init(&s, 2, 2);
    assert_int_equal(ask_some(&s), CHILD_OK);
    s.each = 1;
    waiter = fork();
    if (waiter == 0)
        _exit(ask_some(&s));
    (void)!clock_sleep_ms(platform_clock(), 300);
    assert_int_equal(kill(waiter, SIGKILL), 0);
    assert_int_equal(waitpid(waiter, NULL, 0), waiter);
    s.each = 2;
    fixture_in_children(1, ask_some, &s);
    assert_limit_was_kept(&s, 4);
    assert_true(clock_mono_ms(platform_clock()) - start_ms < 12000);
    scene_done(&s);
}

TEST(what_a_run_holds_is_free_again_when_it_ends)
{
    struct scene s;
    struct budget *budget;
    struct dme *dme;
    int64_t start_ms = clock_mono_ms(platform_clock());

    scene_init(&s, 5, 5);
    budget = budget_of(&s);
    dme = dme_of(&s, budget);
    assert_int_equal(dme_admit(dme, 5, NULL), ERR_OK);
    dme_free(dme);
    budget_free(budget);
    assert_int_equal(ask_some(&s), CHILD_OK);
    assert_true(clock_mono_ms(platform_clock()) - start_ms < WINDOW_MS);
    scene_done(&s);
}

TEST(where_the_state_directory_fails_a_process_counts_alone_and_says_so_once)
{
    struct scene s;
    char AUTO_FREE *path = NULL;
    struct budget *budget;
    struct dme *dme;
    struct dme_record record = {.name = "a", .value = "v"};
    const char *said;

    scene_init(&s, 3, 0);
    path = fixture_path(s.p.dir, "budget");
    fixture_write(path, "something in the way");
    s.p.log.level = LOG_INFO;
    budget = budget_of(&s);
    dme = dme_of(&s, budget);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(dme_records_find(dme, 42, &record, 1, NULL), ERR_OK);
    assert_limit_was_kept(&s, 4);
    said = strstr(place_logged(&s.p), "can't be counted together with those of other processes: ");
    assert_non_null(said);
    assert_null(strstr(said + 1, "can't be counted"));
    dme_free(dme);
    budget_free(budget);
    scene_done(&s);
}

/* A hook call does this twice for each request.  Time of the processor: the machine may have other things to do. */
TEST(it_costs_little)
{
    struct scene s;
    struct budget *budget;
    struct dme_budget *base;
    clock_t start;
    long us;

    scene_init(&s, 150, 140);
    assert_int_equal(ask_some(&s), CHILD_OK); /* a file with nearly all there can be */
    budget = budget_of(&s);
    base = budget_base(budget);
    start = clock();
    for (size_t i = 0; i < 100; i++) {
        (void)base->open(base);
        base->close(base);
    }
    us = (long)((double)(clock() - start) * 1e6 / CLOCKS_PER_SEC / 100);
    budget_free(budget);
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
