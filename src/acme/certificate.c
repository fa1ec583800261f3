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

static enum err_code fetch_alternates(struct acme *acme, const struct acme_order *order, const struct strlist *urls,
                                      struct strlist *out, struct err *err)
{
    struct acme_calls calls AUTO_ACME_CALLS = acme_calls_new(urls->count);
    enum err_code code;

    for (size_t i = 0; i < urls->count; i++)
        call_for(&calls.items[i], urls->items[i], order, "an alternate chain");
    code = acme_send(acme, calls.items, urls->count, err);
    for (size_t i = 0; code == ERR_OK && i < urls->count; i++) {
        struct acme_call *call = &calls.items[i];

        if (call->result.code == ERR_OK)
            strlist_add_take(out, buf_take(&call->response.body));
        else
            log_line(acme->log, LOG_WARNING, "%s, continuing", call->result.err.msg);
    }
    return code;
}

enum err_code acme_order_certificates(struct acme *acme, const struct acme_order *order, enum acme_chains chains,
                                      struct strlist *out_pems, struct err *err)
{
    struct acme_call call AUTO_ACME_CALL = {.url = NULL};
    struct strlist pems AUTO_STRLIST = {.count = 0};
    struct strlist alternates AUTO_STRLIST = {.count = 0};
    enum err_code code = acme_ready(acme, err);

    if (code == ERR_OK && !order->certificate_url)
        code = err_set(err, ERR_INTERNAL, "the order has no certificate yet");
    if (code != ERR_OK)
        return code;
    call_for(&call, order->certificate_url, order, "the certificate");
    code = acme_send_one(acme, &call, err);
    if (code != ERR_OK)
        return code;
    if (chains == ACME_ALL_CHAINS)
        find_alternates(acme, &call, &alternates);
    strlist_add_take(&pems, buf_take(&call.response.body));
    code = fetch_alternates(acme, order, &alternates, &pems, err);
    if (code != ERR_OK)
        return code;
    log_line(acme->log, LOG_INFO, "certificate %s fetched, with %zu alternate chain%s", order->certificate_url,
             pems.count - 1, pems.count == 2 ? "" : "s");
    for (size_t i = 0; i < pems.count; i++) {
        strlist_add_take(out_pems, pems.items[i]);
        pems.items[i] = NULL;
    }
    return ERR_OK;
}
