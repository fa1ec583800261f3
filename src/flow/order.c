/* SPDX-License-Identifier: MIT
 *
 * The first phase: an order that an earlier run left is taken up if it is for the same thing and still leads somewhere;
 * else a new one is placed.  Order and key are stored before anything is done with them.
 */
#include <string.h>

#include "flow/wave.h"

#define ORDER_AGE_MAX_MS (INT64_C(7) * 24 * 3600 * 1000)
#define KEY_PEM_MAX 16384

/* ------------------------------------------------------------------ keys */

/* The key that the certificate will have.  The CA would refuse the account's (RFC 8555 section 11.1). */
static enum err_code choose_key(const struct wave *wave, struct run *run, struct err *err)
{
    struct issue_job *job = run->job;

    if (job->csr || job->own_key)
        return ERR_OK;
    if (!job->key)
        return key_new(job->key_type, &job->own_key, err);
    if (key_is_same(job->key, wave->engine->account_key))
        return err_set(err, ERR_INPUT, "the key of certificate \"%s\" is that of the ACME account, which no CA accepts",
                       job->name);
    job->own_key = key_dup(job->key);
    return ERR_OK;
}

/* ------------------------------------------------------------------ resuming */

/* The order's key, if the certificate may have it. */
static bool take_key(struct run *run, const struct order_record *record)
{
    AUTO_KEY struct key *key = NULL;
    struct issue_job *job = run->job;

    if (job->csr)
        return !record->key_pem;
    if (!record->key_pem ||
        key_parse_pem(record->key_pem, strlen(record->key_pem), "the key of the order", &key, NULL) != ERR_OK)
        return false;
    if (job->key ? !key_is_same(job->key, key) : key_type_of(key) != job->key_type)
        return false;
    job->own_key = key;
    key = NULL;
    return true;
}

static bool is_usable(const struct wave *wave, const struct run *run, const struct order_record *record)
{
    const struct issue_job *job = run->job;
    int64_t age_ms = clock_wall_ms(wave->engine->clock) - record->created_ms;

    return *record->url && strcmp(record->directory, acme_directory_url(wave->engine->acme)) == 0 &&
           strlist_is_same(&record->domains, job->domains) &&
           strcmp(record->profile, job->profile ? job->profile : "") == 0 && age_ms < ORDER_AGE_MAX_MS;
}

/* An order of an earlier run: its URL and key are known then, how it stands is not yet. */
static void recall(struct wave *wave, struct run *run)
{
    AUTO(order_record_done) struct order_record record = {0};

    if (!wave->engine->store || order_load(wave->engine->store, run->job->name, &record, NULL) != ERR_OK)
        return;
    if (!is_usable(wave, run, &record) || !take_key(run, &record))
        return;
    run->order.url = record.url;
    record.url = NULL;
    run->is_resumed = true;
}

/* The CA denies the order, or it came to its end: a new one is placed instead. */
static void give_up(struct wave *wave, struct run *run, const char *why)
{
    log_line(wave->engine->log, LOG_INFO, "%s: the order of an earlier run can't be taken up: %s", run->job->name, why);
    acme_order_done(&run->order);
    run->order = (struct acme_order){0};
    key_free(run->job->own_key);
    run->job->own_key = NULL;
    run->is_resumed = false;
}

static void judge_resumed(struct wave *wave, struct run *run)
{
    const struct acme_result *result = &run->order.result;

    if (acme_result_is_temporary(result) || result->code == ERR_ACME_LIMIT)
        run_fail(run, &result->err);
    else if (result->code != ERR_OK)
        give_up(wave, run, result->err.msg);
    else if (run->order.status == ACME_ORDER_INVALID)
        give_up(wave, run, "it is invalid");
    else
        log_line(wave->engine->log, LOG_INFO, "%s: taking up the order of an earlier run, which is %s", run->job->name,
                 acme_order_status_name(run->order.status));
}

static enum err_code resume(struct wave *wave, struct err *err)
{
    AUTO_FREE struct acme_order **orders = mem_calloc(wave->count, sizeof(struct acme_order *));
    size_t count = 0;
    enum err_code code;

    for (size_t i = 0; i < wave->count; i++) {
        recall(wave, &wave->runs[i]);
        if (wave->runs[i].is_resumed)
            orders[count++] = &wave->runs[i].order;
    }
    if (!count)
        return ERR_OK;
    code = acme_orders_fetch(wave->engine->acme, orders, count, err);
    for (size_t i = 0; code == ERR_OK && i < wave->count; i++)
        if (wave->runs[i].is_resumed)
            judge_resumed(wave, &wave->runs[i]);
    return code;
}

/* ------------------------------------------------------------------ new orders */

/* What is to be stored of a run's order; the key's text goes into `pem`. */
static struct order_record record_of(const struct wave *wave, struct run *run, struct buf *pem)
{
    const struct issue_job *job = run->job;
    struct err err;

    *pem = BUF_INIT(KEY_PEM_MAX);
    if (job->own_key && key_format_pem(job->own_key, pem, &err) != ERR_OK)
        run_fail(run, &err);
    return (struct order_record){
        .name = mem_lend(job->name),
        .url = run->order.url,
        .directory = mem_lend(acme_directory_url(wave->engine->acme)),
        .domains = *job->domains,
        .profile = mem_lend(job->profile ? job->profile : ""),
        .key_pem = pem->len ? mem_lend(buf_cstr(pem)) : NULL,
        .created_ms = clock_wall_ms(wave->engine->clock),
    };
}

/* The orders of these runs and their keys, on disk together. */
static void remember(const struct wave *wave, struct run *const *runs, size_t count)
{
    AUTO_FREE struct order_record *records = mem_calloc(count, sizeof *records);
    AUTO_FREE struct buf *pems = mem_calloc(count, sizeof *pems);
    AUTO_FREE struct run **kept = mem_calloc(count, sizeof *kept);
    AUTO_FREE struct err *outcomes = mem_calloc(count, sizeof *outcomes);
    size_t n = 0;

    for (size_t i = 0; wave->engine->store && i < count; i++) {
        if (!run_is_live(runs[i]))
            continue;
        records[n] = record_of(wave, runs[i], &pems[n]);
        kept[n++] = runs[i];
    }
    if (n)
        order_save_all(wave->engine->store, records, n, outcomes);
    for (size_t i = 0; i < n; i++) {
        if (outcomes[i].code != ERR_OK)
            run_fail(kept[i], &outcomes[i]);
        buf_done(&pems[i]);
    }
}

/* Take over what newOrder brought for one run. */
static void accept_order(struct run *run, struct acme_order *order_take)
{
    run->order = *order_take;
    *order_take = (struct acme_order){0};
    run_check_order(run);
}

static enum err_code place_orders(struct wave *wave, struct err *err)
{
    AUTO_FREE struct acme_order_request *requests = mem_calloc(wave->count, sizeof *requests);
    AUTO_FREE struct acme_order *orders = mem_calloc(wave->count, sizeof *orders);
    AUTO_FREE struct run **runs = mem_calloc(wave->count, sizeof *runs);
    size_t count = 0;
    enum err_code code;

    for (size_t i = 0; i < wave->count; i++) {
        struct run *run = &wave->runs[i];
        struct err why;

        if (!run_is_live(run) || run->is_resumed)
            continue;
        if (choose_key(wave, run, &why) != ERR_OK) {
            run_fail(run, &why);
            continue;
        }
        requests[count] = (struct acme_order_request){
            .names = run->job->domains, .profile = run->job->profile, .replaces = run->job->replaces};
        runs[count++] = run;
    }
    if (!count)
        return ERR_OK;
    code = acme_orders_new(wave->engine->acme, requests, orders, count, err);
    for (size_t i = 0; i < count; i++) {
        if (code == ERR_OK)
            accept_order(runs[i], &orders[i]);
        acme_order_done(&orders[i]);
    }
    if (code == ERR_OK)
        remember(wave, runs, count);
    return code;
}

enum err_code wave_order(struct wave *wave, struct err *err)
{
    enum err_code code;

    wave_tell(wave, "ordering", 0, wave->count);
    code = resume(wave, err);
    return code == ERR_OK ? place_orders(wave, err) : code;
}
