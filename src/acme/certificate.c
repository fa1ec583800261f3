/* SPDX-License-Identifier: MIT
 *
 * Certificates are fetched, RFC 8555 section 7.4.2.
 */
#include <stdlib.h>
#include <string.h>

#include "acme/internal.h"

#define ALTERNATES_MAX 16

static void call_for(struct acme_call *call, const char *url, const struct acme_order *order, const char *what)
{
    char *names AUTO_FREE = acme_names_describe(&order->names);

    acme_call_fetch(call, url, mem_printf("fetch %s for %s", what, names));
    call->expect = ACME_EXPECT_PEM;
}

/* The alternates' absolute URLs, without what is none. */
static void find_alternates(const struct acme *acme, const struct acme_call *call, struct strlist *out)
{
    struct strlist links AUTO_STRLIST = {.count = 0};

    acme_links_find(&call->response, "alternate", ALTERNATES_MAX, &links);
    for (size_t i = 0; i < links.count; i++) {
        char *url AUTO_FREE = acme_url_resolve(call->url, links.items[i]);

        if (url && acme_url_is_valid(url, acme->scheme))
            strlist_add(out, url);
        else
            log_line(acme->log, LOG_WARNING, "an alternate chain is at \"%s\", which is no usable URL, continuing",
                     links.items[i]);
    }
}

/* A call for each alternate of all downloads; owners[i] is the download of call i. */
struct alternates {
    struct acme_calls calls;
    struct strlist urls;
    struct acme_download **owners;
};

static void alternates_done(struct alternates *alternates)
{
    acme_calls_done(&alternates->calls);
    strlist_done(&alternates->urls);
    free(alternates->owners);
}

static void note_alternates(const struct acme *acme, const struct acme_call *call, struct acme_download *download,
                            struct alternates *out)
{
    size_t before = out->urls.count;

    find_alternates(acme, call, &out->urls);
    for (size_t i = before; i < out->urls.count; i++) {
        out->owners = mem_grow(out->owners, i, sizeof(struct acme_download *));
        out->owners[i] = download;
    }
}

static enum err_code fetch_alternates(struct acme *acme, struct alternates *alternates, struct err *err)
{
    size_t count = alternates->urls.count;
    enum err_code code;

    alternates->calls = acme_calls_new(count);
    for (size_t i = 0; i < count; i++)
        call_for(&alternates->calls.items[i], alternates->urls.items[i], alternates->owners[i]->order,
                 "an alternate chain");
    code = acme_send(acme, alternates->calls.items, count, err);
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        struct acme_call *call = &alternates->calls.items[i];

        if (call->result.code == ERR_OK)
            strlist_add_take(&alternates->owners[i]->pems, buf_take(&call->response.body));
        else
            log_line(acme->log, LOG_WARNING, "%s, continuing", call->result.err.msg);
    }
    return code;
}

static enum err_code fetch_default(struct acme *acme, struct acme_download *downloads, size_t count,
                                   struct alternates *alternates, struct err *err)
{
    struct acme_calls calls AUTO_ACME_CALLS = acme_calls_new(count);
    enum err_code code;

    for (size_t i = 0; i < count; i++) {
        call_for(&calls.items[i], downloads[i].order->certificate_url, downloads[i].order, "the certificate");
        if (!calls.items[i].url)
            acme_call_refuse(&calls.items[i], "the order has none yet");
    }
    code = acme_send(acme, calls.items, count, err);
    for (size_t i = 0; i < count; i++) {
        downloads[i].result = calls.items[i].result;
        if (code != ERR_OK || downloads[i].result.code != ERR_OK)
            continue;
        if (downloads[i].chains == ACME_ALL_CHAINS)
            note_alternates(acme, &calls.items[i], &downloads[i], alternates);
        strlist_add_take(&downloads[i].pems, buf_take(&calls.items[i].response.body));
    }
    return code;
}

static void log_downloads(const struct acme *acme, const struct acme_download *downloads, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (downloads[i].result.code == ERR_OK)
            log_line(acme->log, LOG_INFO, "certificate %s fetched, with %zu alternate chain%s",
                     downloads[i].order->certificate_url, downloads[i].pems.count - 1,
                     downloads[i].pems.count == 2 ? "" : "s");
}

enum err_code acme_orders_certificates(struct acme *acme, struct acme_download *downloads, size_t count,
                                       struct err *err)
{
    struct alternates alternates AUTO(alternates_done) = {.owners = NULL};
    struct err why;
    enum err_code code = acme_ready(acme, &why);

    if (code == ERR_OK)
        code = fetch_default(acme, downloads, count, &alternates, &why);
    if (code == ERR_OK)
        code = fetch_alternates(acme, &alternates, &why);
    for (size_t i = 0; code != ERR_OK && i < count; i++) {
        strlist_done(&downloads[i].pems);
        acme_result_set(&downloads[i].result, code, &why);
    }
    if (code != ERR_OK) {
        if (err)
            *err = why;
        return code;
    }
    log_downloads(acme, downloads, count);
    return ERR_OK;
}
