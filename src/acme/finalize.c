/* SPDX-License-Identifier: MIT
 *
 * Finalizing, RFC 8555 section 7.4: the CSR of an order that is ready.
 */
#include <string.h>

#include "acme/internal.h"
#include "crypto/b64url.h"

#define CSR_MAX (1024u * 1024)

/* NULL: too large. */
static char *finalize_payload(const struct acme_csr *csr)
{
    struct buf text AUTO_BUF = BUF_INIT(CSR_MAX);

    buf_puts(&text, "{\"csr\":\"");
    b64url_put(&text, csr->der, csr->len);
    buf_puts(&text, "\"}");
    return buf_ok(&text) ? buf_take(&text) : NULL;
}

/* An order that is not ready may have been finalized by an attempt whose answer was lost. */
static enum err_code look_at_unready(struct acme *acme, struct acme_order *order, struct err *err)
{
    struct acme_result refusal = order->result;
    enum err_code code = acme_orders_fetch(acme, &order, 1, err);

    if (code != ERR_OK)
        return code;
    if (order->result.code == ERR_OK && (order->status == ACME_ORDER_PENDING || order->status == ACME_ORDER_READY)) {
        order->result = refusal;
        (void)err_prefix(&order->result.err, refusal.code, "the order is %s",
                         order->status == ACME_ORDER_PENDING ? "pending" : "ready");
    }
    return ERR_OK;
}

enum err_code acme_orders_finalize(struct acme *acme, struct acme_order *const *orders, const struct acme_csr *csrs,
                                   size_t count, struct err *err)
{
    struct acme_calls calls AUTO_ACME_CALLS = acme_calls_new(count);
    struct err why;
    enum err_code code = acme_ready(acme, &why);

    if (code != ERR_OK)
        return acme_orders_fail(orders, count, code, &why, err);
    for (size_t i = 0; i < count; i++) {
        acme_call_fetch(&calls.items[i], orders[i]->finalize_url, acme_order_describe("finalize", orders[i]));
        calls.items[i].payload = finalize_payload(&csrs[i]);
        if (!calls.items[i].payload)
            acme_call_refuse(&calls.items[i], "its CSR is too large");
    }
    code = acme_send(acme, calls.items, count, err);
    for (size_t i = 0; i < count; i++) {
        acme_order_take(acme, &calls.items[i], orders[i]);
        if (code == ERR_OK && calls.items[i].result.problem == ACME_PROBLEM_ORDER_NOT_READY)
            code = look_at_unready(acme, orders[i], err);
    }
    return code == ERR_OK ? acme_orders_explain(acme, orders, count, err) : code;
}
