/* SPDX-License-Identifier: MIT */
#include "cmd/deploy.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/keep.h"

#define LOCK_WAIT_MS 10000
#define NOTED_TOGETHER 50 /* records that are written, and locks that are held for it */
/* Names that one program is told of: a variable has room for 32,767 characters (Windows), and programs of .NET start no
 * other with more than 65,535 bytes of environment. */
#define NAMES_MAX_BYTES 24000

/* ------------------------------------------------------------------ of one certificate */

static const struct config_commands *commands_of(const struct plan *plan, enum program_event event)
{
    const struct config_commands *const all[] = {&plan->settings.pre, &plan->settings.deploy, &plan->settings.post,
                                                 &plan->settings.failed};

    return all[event];
}

static struct program_runner runner_of(const struct app *app)
{
    return (struct program_runner){
        .clock = app->clock, .log = app->log, .timeout_ms = app->config->acme.program_timeout_ms};
}

enum err_code deploy_run_programs(const struct app *app, const struct issuance *issuance, enum program_event event,
                                  const char *error, struct err *err)
{
    const struct plan *plan = &issuance->plan;
    const struct config_commands *commands = commands_of(plan, event);
    const struct program_runner runner = runner_of(app);
    AUTO_FREE const struct strlist **list = mem_calloc(commands->count, sizeof *list);
    AUTO_FREE char *dir = certificate_dir(app->store, plan->name);

    for (size_t i = 0; i < commands->count; i++)
        list[i] = &commands->items[i].argv;
    return programs_run(&runner, list, commands->count,
                        &(struct program_call){.event = event,
                                               .name = plan->name,
                                               .dir = dir,
                                               .domains = &plan->domains,
                                               .directory = plan->directory,
                                               .not_after_s = plan->record.not_after_s,
                                               .has_combined = plan->settings.combined,
                                               .has_pfx = plan->settings.pfx,
                                               .error = error},
                        err);
}

static void fail(struct issuance *issuance, const struct err *err)
{
    issuance->err = *err;
    err_hint(&issuance->err, "The certificate is in place; \"acme-dme renew\" runs the program again.");
}

void deploy_one(struct app *app, struct issuance *issuance)
{
    struct certificate_record *record = &issuance->plan.record;
    struct err err;

    if (issuance->plan.settings.deploy_once)
        return;
    if (deploy_run_programs(app, issuance, PROGRAM_DEPLOY, NULL, &err) != ERR_OK) {
        fail(issuance, &err);
        return;
    }
    if (!record->deploy_pending)
        return;
    record->deploy_pending = 0;
    keep_records(app, &record, 1);
}

/* ------------------------------------------------------------------ once for all */

/* Those that wait for their deploy commands, and how far each has come. */
struct waiting {
    struct issuance **items;
    size_t *next; /* command of items[i] that is to be run */
    size_t count;
};

static void waiting_done(struct waiting *waiting)
{
    free(waiting->items);
    free(waiting->next);
}

static bool is_waiting(const struct issuance *issuance)
{
    return issuance->plan.settings.deploy_once && issuance->plan.record.deploy_pending &&
           (issuance->outcome == ISSUANCE_DONE || issuance->outcome == ISSUANCE_DUE) && issuance->err.code == ERR_OK;
}

static const struct strlist *next_command(const struct waiting *waiting, size_t i)
{
    const struct config_commands *commands = &waiting->items[i]->plan.settings.deploy;

    return waiting->items[i]->err.code == ERR_OK && waiting->next[i] < commands->count
               ? &commands->items[waiting->next[i]].argv
               : NULL;
}

static bool is_same_command(const struct strlist *a, const struct strlist *b)
{
    return a && b && strlist_is_same(a, b);
}

/* Does a command that is yet to come for this one equal `command`?  Then it is run when all have come as far. */
static bool comes_later(const struct waiting *waiting, size_t i, const struct strlist *command)
{
    const struct config_commands *commands = &waiting->items[i]->plan.settings.deploy;

    for (size_t k = waiting->next[i] + 1; next_command(waiting, i) && k < commands->count; k++)
        if (is_same_command(&commands->items[k].argv, command))
            return true;
    return false;
}

/* The command to run next: one for which nobody has to do another one first, if there is any; NULL: all is done. */
static const struct strlist *choose(const struct waiting *waiting)
{
    const struct strlist *first = NULL;

    for (size_t i = 0; i < waiting->count; i++) {
        const struct strlist *command = next_command(waiting, i);
        bool is_early = false;

        if (!command || (i && is_same_command(command, next_command(waiting, i - 1))))
            continue;
        first = first ? first : command;
        for (size_t k = 0; k < waiting->count && !is_early; k++)
            is_early = comes_later(waiting, k, command);
        if (!is_early)
            return command;
    }
    return first;
}

/* Run it for the certificates from *begin on for which it is the next; *begin is left behind the last that it was told
 * of.  More than a program can be told of at once get another run. */
static void run_for(struct app *app, struct waiting *waiting, const struct strlist *command, size_t *begin)
{
    const struct program_runner runner = runner_of(app);
    AUTO_FREE char *dir = mem_printf("%s/certs", store_dir(app->store));
    struct strlist AUTO_STRLIST names = {NULL, 0};
    AUTO_FREE size_t *index = mem_calloc(waiting->count, sizeof *index);
    size_t bytes = 0;
    struct err err;
    enum err_code code;

    for (; *begin < waiting->count && bytes < NAMES_MAX_BYTES; (*begin)++) {
        if (!is_same_command(next_command(waiting, *begin), command))
            continue;
        index[names.count] = *begin;
        strlist_add(&names, waiting->items[*begin]->plan.name);
        bytes += strlen(waiting->items[*begin]->plan.name) + 1;
    }
    if (!names.count)
        return;
    code = programs_run(&runner, &command, 1,
                        &(struct program_call){.event = PROGRAM_DEPLOY, .names = &names, .dir = dir}, &err);
    for (size_t i = 0; i < names.count; i++) {
        waiting->next[index[i]]++;
        if (code != ERR_OK)
            fail(waiting->items[index[i]], &err);
    }
}

/* A certificate whose record is to say that it is deployed. */
struct noting {
    struct platform_lock *lock;
    struct certificate_record record;
};

/* Is the record what we knew, and not changed by somebody else meanwhile? */
static bool begin_noting(struct app *app, struct noting *noting, struct issuance *issuance)
{
    struct err err;
    enum err_code code = certificate_lock(app->store, issuance->plan.name, LOCK_WAIT_MS, &noting->lock, &err);

    if (code == ERR_OK)
        code = certificate_load(app->store, issuance->plan.name, &noting->record, &err);
    if (code != ERR_OK) {
        log_line(app->log, LOG_WARNING, "%s, continuing", err.msg);
        return false;
    }
    return noting->record.deploy_pending == issuance->plan.record.deploy_pending;
}

static void note_deployed(struct app *app, struct issuance *const *items, size_t count)
{
    struct noting all[NOTED_TOGETHER] = {{.lock = NULL}};
    struct certificate_record *records[NOTED_TOGETHER] = {NULL};
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        if (!begin_noting(app, &all[i], items[i]))
            continue;
        all[i].record.deploy_pending = items[i]->plan.record.deploy_pending = 0;
        records[n++] = &all[i].record;
    }
    keep_records(app, records, n);
    for (size_t i = 0; i < count; i++) {
        platform_lock_free(all[i].lock);
        certificate_record_done(&all[i].record);
    }
}

static void settle(struct app *app, const struct waiting *waiting)
{
    struct issuance *well[NOTED_TOGETHER];
    size_t count = 0;

    for (size_t i = 0; i < waiting->count; i++) {
        struct issuance *issuance = waiting->items[i];

        if (issuance->outcome == ISSUANCE_DUE)
            issuance->outcome = issuance->err.code == ERR_OK ? ISSUANCE_DEPLOYED : ISSUANCE_FAILED;
        if (issuance->err.code == ERR_OK)
            well[count++] = issuance;
        if (count == NOTED_TOGETHER || i + 1 == waiting->count) {
            note_deployed(app, well, count);
            count = 0;
        }
    }
}

void deploy_all_once(struct app *app, struct issuance_list *list)
{
    AUTO(waiting_done)
    struct waiting waiting = {.items = mem_calloc(list->count, sizeof *waiting.items),
                              .next = mem_calloc(list->count, sizeof *waiting.next)};
    const struct strlist *command;

    for (size_t i = 0; i < list->count; i++)
        if (is_waiting(&list->items[i]))
            waiting.items[waiting.count++] = &list->items[i];
    while ((command = choose(&waiting)) != NULL)
        for (size_t begin = 0; begin < waiting.count;)
            run_for(app, &waiting, command, &begin);
    settle(app, &waiting);
}
