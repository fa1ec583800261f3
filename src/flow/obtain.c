/* SPDX-License-Identifier: MIT
 *
 * The last phases: orders that are ready are finalized, and what the CA then delivers is looked at before it is
 * believed.
 */
#include <string.h>

#include "flow/wave.h"

#define CSR_DER_MAX (1024u * 1024)
#define DOWNLOADS_MAX 64 /* at a time, so that what has come is out of memory, and on disk, before more does */

/* ------------------------------------------------------------------ finalize */

static enum err_code make_csr(const struct run *run, struct buf *out, struct err *err)
{
    const struct issue_job *job = run->job;

    if (!job->csr)
        return csr_new(job->own_key, job->domains, out, err);
    buf_append(out, job->csr->der.data, job->csr->der.len);
    return ERR_OK;
}

/* Orders that are ready, with their CSRs; a run whose CSR can't be made drops out. */
static size_t prepare(const struct wave *wave, struct acme_order **orders, struct buf *texts, struct acme_csr *csrs)
{
    size_t count = 0;

    for (size_t i = 0; i < wave->count; i++) {
        struct run *run = &wave->runs[i];
        struct err err;

        if (!run_is_live(run) || run->order.status != ACME_ORDER_READY || run->is_finalized)
            continue;
        run->is_finalized = true;
        texts[count] = BUF_INIT(CSR_DER_MAX);
        if (make_csr(run, &texts[count], &err) != ERR_OK) {
            run_fail(run, &err);
            buf_done(&texts[count]);
            continue;
        }
        csrs[count] = (struct acme_csr){texts[count].data, texts[count].len};
        orders[count++] = &run->order;
    }
    return count;
}

enum err_code wave_finalize(struct wave *wave, struct err *err)
{
    AUTO_FREE struct acme_order **orders = mem_calloc(wave->count, sizeof(struct acme_order *));
    AUTO_FREE struct acme_csr *csrs = mem_calloc(wave->count, sizeof *csrs);
    AUTO_FREE struct buf *texts = mem_calloc(wave->count, sizeof *texts);
    size_t count = prepare(wave, orders, texts, csrs);
    enum err_code code = ERR_OK;

    if (count) {
        wave_tell(wave, "finalizing", 0, count);
        code = acme_orders_finalize(wave->engine->acme, orders, csrs, count, err);
    }
    for (size_t i = 0; i < count; i++)
        buf_done(&texts[i]);
    for (size_t i = 0; code == ERR_OK && i < wave->count; i++)
        run_check_order(&wave->runs[i]);
    return code == ERR_OK ? wave_settle(wave, ACME_ORDER_PROCESSING, "waiting for the certificate", err) : code;
}

/* ------------------------------------------------------------------ download */

static enum err_code check(const struct wave *wave, const struct run *run, const struct chain *chain, struct err *err)
{
    struct buf AUTO_BUF public_der = BUF_INIT(KEY_PUBLIC_DER_MAX);
    const struct issue_job *job = run->job;
    enum err_code code = ERR_OK;

    if (job->own_key)
        code = key_public_der(job->own_key, &public_der, err);
    else
        buf_append(&public_der, job->csr->public_der.data, job->csr->public_der.len);
    if (code != ERR_OK)
        return code;
    return chain_check(chain,
                       &(struct chain_expectation){.public_der = public_der.data,
                                                   .public_der_len = public_der.len,
                                                   .names = job->domains,
                                                   .now_s = clock_wall_ms(wave->engine->clock) / 1000},
                       err);
}

/* The chain that is wanted; the CA's first when none is, or none leads there. */
static enum err_code choose(const struct wave *wave, const struct run *run, const struct strlist *pems,
                            struct chain **out, struct err *err)
{
    const char *preferred = run->job->preferred_chain;
    AUTO_CHAIN struct chain *first = NULL;

    for (size_t i = 0; i < pems->count; i++) {
        AUTO_CHAIN struct chain *chain = NULL;
        struct err why;
        enum err_code code = chain_parse(pems->items[i], strlen(pems->items[i]), "the CA's certificate", &chain, &why);

        if (code == ERR_OK)
            code = check(wave, run, chain, &why);
        if (code != ERR_OK && i == 0) {
            *err = why;
            return err->code = ERR_ACME;
        }
        if (code != ERR_OK) {
            log_line(wave->engine->log, LOG_WARNING, "%s: an alternate chain can't be used: %s, continuing",
                     run->job->name, why.msg);
            continue;
        }
        if (preferred && chain_is_preferred(chain, preferred)) {
            *out = chain;
            chain = NULL;
            return ERR_OK;
        }
        if (!first) {
            first = chain;
            chain = NULL;
        }
    }
    if (preferred)
        log_line(wave->engine->log, LOG_WARNING,
                 "%s: the CA has no chain that leads to \"%s\", taking the one to \"%s\", continuing", run->job->name,
                 preferred, chain_root_name(first));
    *out = first;
    first = NULL;
    return ERR_OK;
}

/* Has the CA done all that it will do? */
static bool is_through(const struct run *run)
{
    bool is_at_work = run->order.status == ACME_ORDER_PENDING || run->order.status == ACME_ORDER_PROCESSING;

    return run_is_live(run) && !run->job->chain &&
           (run->order.status == ACME_ORDER_VALID || (run->is_finalized && !is_at_work));
}

/* Runs whose certificates can be fetched, DOWNLOADS_MAX at most; others that are through drop out. */
static size_t list_downloads(const struct wave *wave, struct run **runs, struct acme_download *downloads)
{
    size_t count = 0;

    for (size_t i = 0; i < wave->count && count < DOWNLOADS_MAX; i++) {
        struct run *run = &wave->runs[i];
        struct err why;

        if (!is_through(run))
            continue;
        if (run->order.status != ACME_ORDER_VALID || !run->order.certificate_url) {
            (void)err_set(&why, ERR_ACME, "the CA says neither that it issued the certificate nor why not");
            run_fail(run, &why);
            continue;
        }
        downloads[count] = (struct acme_download){
            .order = &run->order, .chains = run->job->preferred_chain ? ACME_ALL_CHAINS : ACME_DEFAULT_CHAIN};
        runs[count++] = run;
    }
    return count;
}

static void take_download(const struct wave *wave, struct run *run, struct acme_download *download)
{
    struct err why = download->result.err;
    enum err_code code = download->result.code;

    if (code == ERR_OK)
        code = choose(wave, run, &download->pems, &run->job->chain, &why);
    if (code != ERR_OK)
        run_fail(run, &why);
    strlist_done(&download->pems);
}

enum err_code wave_download(struct wave *wave, struct err *err)
{
    AUTO_FREE struct run **runs = mem_calloc(DOWNLOADS_MAX, sizeof(struct run *));
    AUTO_FREE struct acme_download *downloads = mem_calloc(DOWNLOADS_MAX, sizeof *downloads);
    size_t count = list_downloads(wave, runs, downloads);
    enum err_code code;

    if (!count)
        return ERR_OK;
    wave_tell(wave, "downloading", wave->count - wave_live(wave), wave->count);
    code = acme_orders_certificates(wave->engine->acme, downloads, count, err);
    for (size_t i = 0; code == ERR_OK && i < count; i++)
        take_download(wave, runs[i], &downloads[i]);
    return code;
}
