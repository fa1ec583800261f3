/* SPDX-License-Identifier: MIT */
#include "store_place.h"

#include <stdlib.h>

#include "fixture.h"
#include "platform/platform.h"
#include "test.h"

void place_init(struct place *p)
{
    *p = (struct place){.dir = fixture_dir_new()};
    p->journal = fixture_path(p->dir, "journal");
    p->results = fixture_path(p->dir, "results");
    p->damaged = fixture_path(p->dir, "damaged");
    fixture_stream_open(&p->said);
    p->log = (struct log){.level = LOG_WARNING, .out = p->said.out};
    assert_int_equal(store_open(p->dir, platform_clock(), &p->log, &p->store, NULL), ERR_OK);
}

void place_done(struct place *p)
{
    store_free(p->store);
    fixture_stream_done(&p->said);
    free(p->journal);
    free(p->results);
    free(p->damaged);
    fixture_dir_free(p->dir);
}

const char *place_logged(struct place *p)
{
    return fixture_stream_text(&p->said);
}

char *place_only_file(const struct place *p, const char *kind)
{
    struct strlist files = {NULL, 0};
    char *dir = fixture_path(p->dir, kind);
    char *path;

    assert_int_equal(platform_dir_list(dir, &files, NULL), ERR_OK);
    assert_int_equal(files.count, 1);
    path = fixture_path(dir, files.items[0]);
    strlist_done(&files);
    free(dir);
    return path;
}

enum err_code place_add(struct store *store, struct journal_entry *entry, struct err *err)
{
    return journal_add_all(store, &entry, 1, err);
}

enum err_code place_update(struct store *store, struct journal_entry *entry, struct err *err)
{
    return journal_update_all(store, &entry, 1, err);
}

enum err_code place_save_order(struct store *store, const struct order_record *order, struct err *err)
{
    struct err outcome;

    order_save_all(store, order, 1, &outcome);
    if (outcome.code != ERR_OK && err)
        *err = outcome;
    return outcome.code;
}

enum err_code place_install(struct store *store, const char *name, const struct certificate_file *files, size_t count,
                            const struct certificate_access *access, int64_t *out_generation, struct err *err)
{
    struct certificate_install install = {.name = name, .files = files, .count = count, .access = access};

    certificate_install_all(store, &install, 1);
    if (install.err.code == ERR_OK)
        *out_generation = install.generation;
    else if (err)
        *err = install.err;
    return install.err.code;
}

/* Made by the process once it works. */
#define WORKING "working"

int place_work(const char *text, bool (*work)(struct store *store, int number))
{
    char *dir;
    int number = (int)strtol(text, &dir, 10);
    char AUTO_FREE *working = fixture_path(++dir, WORKING);
    struct store *store;

    CHILD_CHECK(store_open(dir, platform_clock(), NULL, &store, NULL) == ERR_OK);
    fixture_write(working, "");
    while (work(store, number))
        number++;
    return CHILD_FAILED;
}

void place_kill_at_work(const struct place *p, fixture_process_body *body, int first, int64_t after_us)
{
    char AUTO_FREE *text = mem_printf("%d %s", first, p->dir);
    char AUTO_FREE *working = fixture_path(p->dir, WORKING);
    struct fixture_process *process = fixture_process_start(body, text);

    fixture_await_file(working);
    fixture_sleep_us(after_us);
    fixture_process_kill(process);
    fixture_unlink(working);
}
