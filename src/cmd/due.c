/* SPDX-License-Identifier: MIT */
#include "cmd/due.h"

#include <string.h>

#include "cmd/keep.h"

/* Plans that are held at once; as many questions for renewal information go out together. */
#define BLOCK 500

/* ------------------------------------------------------------------ one certificate */

const char *due_why(const struct workspace *space, const struct opts *opts, const struct plan *plan)
{
    const struct renewal_rule rule = plan_rule(plan, space->app.config);
    int64_t now_ms = clock_wall_ms(space->app.clock);
    enum renewal_reason reason = renewal_decide(&plan->record, &rule, now_ms);

    if (opts->force || opts->dry_run)
        return "it was asked for";
    if (now_ms < plan->record.retry_after_ms)
        return NULL;
    if (reason != RENEWAL_NOT_DUE)
        return renewal_reason_text(reason);
    if (!strlist_is_same_set(&plan->domains, &plan->record.domains))
        return "its names changed";
    return strcmp(plan->directory, plan->record.directory) != 0 ? "the CA changed" : NULL;
}

/* One that can't be planned (its CSR is gone, say) is a failure of its own; one whose record was damaged has been set
 * aside with a warning, and is none any more. */
static void add_plan(struct workspace *space, const struct opts *opts, const char *name, struct issuance_list *block)
{
    AUTO(plan_done) struct plan plan = {.managed = SIZE_MAX};
    struct err err;
    enum err_code code = plan_make_named(&space->app, opts, name, &plan, &err);

    if (code == ERR_NOT_FOUND)
        return;
    if (code != ERR_OK) {
        plan_done(&plan);
        plan.name = mem_strdup(name);
        plan.directory = mem_strdup("");
    }
    issuance_add(block, &plan);
    if (code != ERR_OK)
        issuance_fail(&block->items[block->count - 1], &err);
}

static void sort_out(const struct workspace *space, const struct opts *opts, struct issuance *issuance,
                     struct issuance_list *list)
{
    struct plan *plan = &issuance->plan;

    if (issuance->outcome != ISSUANCE_FAILED) {
        plan->why = due_why(space, opts, plan);
        if (!plan->why && !plan->record.deploy_pending) {
            issuance_pass(list, &space->app, opts, plan);
            return;
        }
        issuance->outcome = ISSUANCE_DUE;
    }
    issuance_move(list, issuance);
}

/* ------------------------------------------------------------------ renewal information */

static void save_changed(struct workspace *space, struct certificate_record *const *records, const bool *changed,
                         size_t count)
{
    AUTO_FREE struct certificate_record **list = mem_calloc(count, sizeof *list);
    size_t n = 0;

    for (size_t i = 0; i < count && !space->trial; i++)
        if (changed[i])
            list[n++] = records[i];
    keep_records(&space->app, list, n);
}

/* Ask the CAs, all certificates of one side by side.  What can't be had leaves the certificate to its lifetime. */
static enum err_code look(struct workspace *space, struct issuance_list *block, const char *directory, struct err *err)
{
    AUTO_FREE struct certificate_record **records = mem_calloc(block->count, sizeof *records);
    AUTO_FREE bool *changed = mem_calloc(block->count, sizeof *changed);
    struct client *client;
    struct err why;
    size_t count = 0;
    enum err_code code = workspace_client(space, directory, &client, err);

    if (code != ERR_OK || client->has_no_news)
        return code;
    for (size_t i = 0; i < block->count; i++)
        if (block->items[i].outcome != ISSUANCE_FAILED && block->items[i].plan.has_record &&
            strcmp(block->items[i].plan.record.directory, directory) == 0)
            records[count++] = &block->items[i].plan.record;
    code = renewal_look(client->acme, records, count, clock_wall_ms(space->app.clock), changed, space->app.log, &why);
    if (code == ERR_CANCELLED) {
        *err = why;
        return code;
    }
    client->has_no_news = code != ERR_OK;
    if (code != ERR_OK)
        log_line(space->app.log, LOG_INFO, "no renewal information: %s", why.msg);
    save_changed(space, records, changed, count);
    return ERR_OK;
}

static enum err_code look_all(struct workspace *space, struct issuance_list *block, struct err *err)
{
    struct strlist AUTO_STRLIST directories = {NULL, 0};
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < block->count && space->app.config->acme.ari; i++) {
        const struct plan *plan = &block->items[i].plan;

        if (plan->has_record && plan->record.generation && *plan->record.directory)
            strlist_add_once(&directories, plan->record.directory);
    }
    for (size_t i = 0; code == ERR_OK && i < directories.count; i++)
        code = look(space, block, directories.items[i], err);
    return code;
}

/* ------------------------------------------------------------------ all */

static enum err_code find_in_block(struct workspace *space, const struct opts *opts, char *const *names, size_t count,
                                   struct issuance_list *list, struct err *err)
{
    AUTO(issuance_list_done) struct issuance_list block = {.count = 0};
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < count; i++)
        add_plan(space, opts, names[i], &block);
    if (!opts->force && !opts->dry_run)
        code = look_all(space, &block, err);
    for (size_t i = 0; code == ERR_OK && i < block.count; i++)
        sort_out(space, opts, &block.items[i], list);
    return code;
}

enum err_code due_find(struct workspace *space, const struct opts *opts, const struct strlist *names,
                       struct issuance_list *list, struct err *err)
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; code == ERR_OK && i < names->count; i += BLOCK) {
        size_t left = names->count - i;

        code = find_in_block(space, opts, names->items + i, left < BLOCK ? left : BLOCK, list, err);
        if (code == ERR_OK && clock_is_cancelled(space->app.clock))
            code = err_set(err, ERR_CANCELLED, "interrupted");
    }
    return code;
}
