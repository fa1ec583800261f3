/* SPDX-License-Identifier: MIT */
#include "store_place.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "platform/platform.h"
#include "test.h"

void place_init(struct place *p)
{
    *p = (struct place){.dir = fixture_dir_new()};
    p->journal = fixture_path(p->dir, "journal");
    p->results = fixture_path(p->dir, "results");
    p->damaged = fixture_path(p->dir, "damaged");
    p->log = (struct log){.level = LOG_WARNING, .out = open_memstream(&p->logged, &p->logged_len)};
    assert_int_equal(store_open(p->dir, platform_clock(), &p->log, &p->store, NULL), ERR_OK);
}

void place_done(struct place *p)
{
    store_free(p->store);
    (void)fclose(p->log.out);
    free(p->logged);
    free(p->journal);
    free(p->results);
    free(p->damaged);
    fixture_dir_free(p->dir);
}

const char *place_logged(struct place *p)
{
    (void)fflush(p->log.out);
    return p->logged ? p->logged : "";
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

void place_kill_at_work(const struct place *p, bool (*work)(struct store *store, int number), int first,
                        unsigned after_us)
{
    pid_t pid;
    int status;

    (void)fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (int i = first; work(p->store, i);)
            i++;
        _exit(CHILD_FAILED);
    }
    (void)usleep(after_us);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}
