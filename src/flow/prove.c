/* SPDX-License-Identifier: MIT
 *
 * The phases that prove control to the CA: authorizations are fetched, and once their records are shown the CA is told.
 */
#include <string.h>

#include "flow/wave.h"

#define AUTHZS_MAX 128

/* ------------------------------------------------------------------ authorizations */

static const struct acme_authz *authz_of(const struct wave *wave, const struct run *run, size_t i)
{
    return &wave->authzs[run->first_authz + i];
}

static bool is_open(const struct acme_authz *authz)
{
    return authz->status == ACME_AUTHZ_PENDING;
}

/* The types on offer, for a message. */
static char *list_offered(const struct acme_authz *authz)
{
    struct buf AUTO_BUF text = BUF_INIT(300);

    for (size_t i = 0; i < authz->offered.count; i++)
        buf_printf(&text, "%s\"%s\"", i ? ", " : "", authz->offered.items[i]);
    return text.len && buf_ok(&text) ? buf_take(&text) : mem_strdup("nothing");
}

/* A record for any other name would let the CA's word decide what of our zones is proven, and to whom. */
static enum err_code check_domain(const struct run *run, const struct acme_authz *authz, struct err *err)
{
    AUTO_FREE char *wildcard = mem_printf("*.%s", authz->domain);

    if (strlist_has(run->job->domains, wildcard) ||
        (!authz->is_wildcard && strlist_has(run->job->domains, authz->domain)))
        return ERR_OK;
    return err_set(err, ERR_ACME, "the CA wants \"%s\" to be proven, which was not ordered",
                   authz->is_wildcard ? wildcard : authz->domain);
}

static enum err_code check_authz(const struct run *run, const struct acme_authz *authz, struct err *err)
{
    AUTO_FREE char *offered = NULL;
    enum err_code code;

    if (authz->result.code != ERR_OK) {
        *err = authz->result.err;
        return err->code;
    }
    code = check_domain(run, authz, err);
    if (code != ERR_OK)
        return code;
    if (authz->status == ACME_AUTHZ_VALID || (is_open(authz) && authz->has_challenge))
        return ERR_OK;
    if (!is_open(authz))
        return err_set(err, ERR_ACME, "the CA's authorization for \"%s\" can't be used any more", authz->domain);
    offered = list_offered(authz);
    (void)err_set(err, ERR_ACME, "the CA does not offer \"%s\" for \"%s\", but %s",
                  acme_challenge_type_name(run->job->challenge), authz->domain, offered);
    err_hint(err, "Set \"challenge\" to one that the CA offers; dns-01 is what all of them have.");
    return ERR_ACME;
}

/* The record that proves one authorization; of a persistent one perhaps it stands already. */
static enum err_code add_record(const struct wave *wave, struct run *run, const struct acme_authz *authz,
                                struct err *err)
{
    AUTO_FREE char *name = NULL;
    AUTO_FREE char *value = NULL;
    AUTO_FREE char *pair = NULL;
    enum err_code code = acme_challenge_record(wave->engine->acme, authz, run->job->challenge, &name, &value, err);

    if (code != ERR_OK || run->job->challenge != ACME_DNS_PERSIST_01)
        return code == ERR_OK ? challenge_set_add_record(&run->records, name, value, err) : code;
    pair = mem_printf("%s %s", name, value);
    if (strlist_has(&run->job->to_keep, pair))
        return ERR_OK;
    strlist_add(&run->job->to_keep, pair);
    return challenge_set_add_record(&run->records, name, value, err);
}

static void take_authzs(const struct wave *wave, struct run *run)
{
    size_t open = 0;

    for (size_t i = 0; i < run->authz_count && run_is_live(run); i++) {
        const struct acme_authz *authz = authz_of(wave, run, i);
        struct err err;
        enum err_code code = check_authz(run, authz, &err);

        if (code == ERR_OK && is_open(authz)) {
            code = add_record(wave, run, authz, &err);
            open++;
        }
        if (code != ERR_OK)
            run_fail(run, &err);
    }
    if (run_is_live(run))
        log_line(wave->engine->log, LOG_INFO, "%s: %zu of %zu names are to be validated", run->job->name, open,
                 run->authz_count);
}

/* Some at a time, so that not all of the answers are in memory at once. */
static enum err_code fetch_urls(struct wave *wave, const struct strlist *urls, enum acme_challenge_type type,
                                struct err *err)
{
    enum err_code code = ERR_OK;

    for (size_t done = 0; code == ERR_OK && done < urls->count; done += AUTHZS_MAX) {
        size_t count = urls->count - done < AUTHZS_MAX ? urls->count - done : AUTHZS_MAX;
        const struct strlist some = {urls->items + done, count};

        wave_tell(wave, "fetching authorizations", done, urls->count);
        code = acme_authzs_fetch(wave->engine->acme, &some, type, wave->authzs + wave->authz_count, err);
        wave->authz_count += count;
    }
    return code;
}

/* Authorizations of one type are fetched together; runs of one wave seldom have more than one. */
static enum err_code fetch_type(struct wave *wave, enum acme_challenge_type type, struct err *err)
{
    struct strlist AUTO_STRLIST urls = {NULL, 0};
    size_t first = wave->authz_count;

    for (size_t i = 0; i < wave->count; i++) {
        struct run *run = &wave->runs[i];

        if (!run_is_live(run) || run->order.status != ACME_ORDER_PENDING || run->job->challenge != type)
            continue;
        run->first_authz = first + urls.count;
        run->authz_count = run->order.authorizations.count;
        for (size_t k = 0; k < run->authz_count; k++)
            strlist_add(&urls, run->order.authorizations.items[k]);
    }
    if (!urls.count)
        return ERR_OK;
    wave->authzs = mem_resize(wave->authzs, first + urls.count, sizeof *wave->authzs);
    memset(wave->authzs + first, 0, urls.count * sizeof *wave->authzs);
    return fetch_urls(wave, &urls, type, err);
}

enum err_code wave_authorize(struct wave *wave, struct err *err)
{
    static const enum acme_challenge_type types[] = {ACME_DNS_01, ACME_DNS_ACCOUNT_01, ACME_DNS_PERSIST_01};
    enum err_code code = ERR_OK;

    for (size_t i = 0; code == ERR_OK && i < ARRAY_LEN(types); i++)
        code = fetch_type(wave, types[i], err);
    for (size_t i = 0; code == ERR_OK && i < wave->count; i++)
        if (run_is_live(&wave->runs[i]) && wave->runs[i].authz_count)
            take_authzs(wave, &wave->runs[i]);
    return code;
}

/* ------------------------------------------------------------------ answers */

static bool is_to_answer(const struct run *run)
{
    return run_is_live(run) && run->order.status == ACME_ORDER_PENDING && run->is_shown && !run->is_answered;
}

/* Challenges that the CA waits for; of a resumed order some may be under way. */
static size_t open_challenges(struct wave *wave, struct acme_authz **out)
{
    size_t count = 0;

    for (size_t i = 0; i < wave->count; i++) {
        const struct run *run = &wave->runs[i];

        for (size_t k = 0; is_to_answer(run) && k < run->authz_count; k++) {
            struct acme_authz *authz = &wave->authzs[run->first_authz + k];

            if (is_open(authz) && authz->challenge.status == ACME_CHALLENGE_PENDING)
                out[count++] = authz;
        }
    }
    return count;
}

static void note_answered(const struct wave *wave)
{
    for (size_t i = 0; i < wave->count; i++) {
        struct run *run = &wave->runs[i];

        if (!is_to_answer(run))
            continue;
        run->is_answered = true;
        for (size_t k = 0; k < run->authz_count; k++)
            if (authz_of(wave, run, k)->result.code != ERR_OK)
                run_fail(run, &authz_of(wave, run, k)->result.err);
    }
}

struct settling {
    const struct wave *wave;
    const char *step;
};

static void tell_settled(void *ctx, size_t done, size_t total)
{
    const struct settling *settling = ctx;

    wave_tell(settling->wave, settling->step, done, total);
}

/* The orders in that state, as far as it is the CA's turn; the list has room for all. */
static size_t orders_in(const struct wave *wave, enum acme_order_status status, struct acme_order **out)
{
    size_t count = 0;

    for (size_t i = 0; i < wave->count; i++) {
        struct run *run = &wave->runs[i];

        if (run_is_polled(run) && run->order.status == status)
            out[count++] = &run->order;
    }
    return count;
}

enum err_code wave_settle(struct wave *wave, enum acme_order_status status, const char *step, struct err *err)
{
    AUTO_FREE struct acme_order **orders = mem_calloc(wave->count, sizeof(struct acme_order *));
    size_t count = orders_in(wave, status, orders);
    struct settling settling = {wave, step};
    enum err_code code;

    if (!count)
        return ERR_OK;
    wave_tell(wave, step, 0, count);
    code = acme_orders_settle(wave->engine->acme, orders, count,
                              &(struct acme_settle){.while_status = status,
                                                    .timeout_ms = wave->engine->poll_timeout_ms,
                                                    .patience_ms = WAVE_PATIENCE_MS,
                                                    .progress = tell_settled,
                                                    .ctx = &settling},
                              err);
    for (size_t i = 0; code == ERR_OK && i < wave->count; i++)
        run_check_order(&wave->runs[i]);
    return code;
}

enum err_code wave_answer(struct wave *wave, struct err *err)
{
    AUTO_FREE struct acme_authz **authzs = mem_calloc(wave->authz_count, sizeof(struct acme_authz *));
    size_t count = open_challenges(wave, authzs);
    enum err_code code = ERR_OK;

    if (count) {
        wave_tell(wave, "asking the CA to validate", 0, count);
        code = acme_challenges_answer(wave->engine->acme, authzs, count, err);
    }
    if (code != ERR_OK)
        return code;
    note_answered(wave);
    return wave_settle(wave, ACME_ORDER_PENDING, "validating", err);
}
