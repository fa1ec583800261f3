/* SPDX-License-Identifier: MIT
 *
 * Order objects, RFC 8555 section 7.1.3: read and fetched.
 */
#include <stdlib.h>

#include "acme/internal.h"

#define WHAT "the CA's order object"

static const char *const status_names[] = {
    [ACME_ORDER_PENDING] = "pending", [ACME_ORDER_READY] = "ready",     [ACME_ORDER_PROCESSING] = "processing",
    [ACME_ORDER_VALID] = "valid",     [ACME_ORDER_INVALID] = "invalid",
};

const char *acme_order_status_name(enum acme_order_status status)
{
    return status_names[status];
}

/* All but its URL and result. */
static void members_done(struct acme_order *order)
{
    strlist_done(&order->names);
    strlist_done(&order->authorizations);
    free(order->finalize_url);
    free(order->certificate_url);
    free(order->profile);
    free(order->replaces);
}

void acme_order_done(struct acme_order *order)
{
    free(order->url);
    members_done(order);
    *order = (struct acme_order){.url = NULL};
}

/* ------------------------------------------------------------------ reading */

static enum err_code read_names(const json_t *json, struct strlist *out, struct err *err)
{
    const json_t *array, *item;
    size_t i;
    enum err_code code = json_want_array(json, "identifiers", WHAT, &array, err);

    if (code != ERR_OK)
        return code;
    if (json_array_size(array) == 0 || json_array_size(array) > ACME_IDENTIFIERS_MAX)
        return err_set(err, ERR_INPUT, "%s has %zu identifiers", WHAT, json_array_size(array));
    json_array_foreach(array, i, item)
    {
        char *name;

        code = acme_member_identifier(item, ACME_STAR_ALLOWED, "an identifier in " WHAT, &name, err);
        if (code != ERR_OK)
            return code;
        strlist_add_take(out, name);
    }
    return ERR_OK;
}

static enum err_code read_authorizations(const json_t *json, enum acme_scheme scheme, struct strlist *out,
                                         struct err *err)
{
    const json_t *present;
    enum err_code code = json_want_array(json, "authorizations", WHAT, &present, err);

    if (code == ERR_OK)
        code = acme_member_find_strings(json, "authorizations", ACME_IDENTIFIERS_MAX, WHAT, out, err);
    for (size_t i = 0; code == ERR_OK && i < out->count; i++)
        if (!acme_url_is_valid(out->items[i], scheme))
            code = err_set(err, ERR_INPUT, "%s has \"%.200s\" among its \"authorizations\", which is no %s URL", WHAT,
                           out->items[i], scheme == ACME_HTTPS_ONLY ? "https" : "https or http");
    return code;
}

static enum err_code read_members(const json_t *json, enum acme_scheme scheme, struct acme_order *out, struct err *err)
{
    size_t status = 0;
    enum err_code code = acme_member_want_status(json, status_names, ARRAY_LEN(status_names), WHAT, &status, err);

    if (code == ERR_OK)
        code = read_names(json, &out->names, err);
    if (code == ERR_OK)
        code = read_authorizations(json, scheme, &out->authorizations, err);
    if (code == ERR_OK)
        code = acme_member_want_url(json, "finalize", scheme, WHAT, &out->finalize_url, err);
    if (code == ERR_OK)
        code = acme_member_find_url(json, "certificate", scheme, WHAT, &out->certificate_url, err);
    if (code == ERR_OK)
        code = acme_member_find_text(json, "profile", WHAT, &out->profile, err);
    if (code == ERR_OK)
        code = acme_member_find_text(json, "replaces", WHAT, &out->replaces, err);
    if (code == ERR_OK)
        code = acme_member_find_time(json, "expires", WHAT, &out->expires_s, err);
    out->status = (enum acme_order_status)status;
    if (code == ERR_OK && out->status == ACME_ORDER_VALID && !out->certificate_url)
        code = err_set(err, ERR_INPUT, "%s is valid and has no \"certificate\"", WHAT);
    return code;
}

enum err_code acme_order_read(const json_t *json, enum acme_scheme scheme, struct acme_order *out,
                              const json_t **out_error, struct err *err)
{
    struct acme_order order AUTO(acme_order_done) = {.url = NULL};
    const json_t *error = json_object_get(json, "error");
    enum err_code code = json_want_object(json, WHAT, err);

    if (code == ERR_OK)
        code = read_members(json, scheme, &order, err);
    if (code != ERR_OK)
        return acme_member_error(code, err);
    members_done(out);
    order.url = out->url;
    order.settle = out->settle;
    order.result = out->result;
    *out = order;
    order = (struct acme_order){.url = NULL};
    *out_error = json_is_object(error) ? error : NULL;
    return ERR_OK;
}

void acme_order_take(struct acme *acme, const struct acme_call *call, struct acme_order *order)
{
    const json_t *error = NULL;
    int64_t pause_ms = acme_retry_after_ms(&call->response, clock_wall_ms(acme->clock));
    struct err err;
    enum err_code code = call->result.code;

    order->result = call->result;
    if (code != ERR_OK)
        return;
    code = acme_order_read(call->json, acme->scheme, order, &error, &err);
    if (code != ERR_OK)
        (void)err_prefix(&err, code, "could not %s", call->what);
    acme_result_set(&order->result, code, &err);
    if (code != ERR_OK)
        return;
    order->retry_after_ms = pause_ms > 0 ? clock_mono_ms(acme->clock) + pause_ms : 0;
    if (order->status == ACME_ORDER_INVALID && error) {
        char *names AUTO_FREE = acme_names_describe(&order->names);
        char *doing AUTO_FREE = mem_printf("the order for %s failed", names);

        acme_result_take_problem(&order->result, error, doing);
    }
}

/* ------------------------------------------------------------------ fetching */

void acme_call_fetch(struct acme_call *call, const char *url, char *what_take)
{
    call->kind = ACME_POST;
    call->expect = ACME_EXPECT_OBJECT;
    call->url = url;
    call->what = what_take;
}

char *acme_order_describe(const char *verb, const struct acme_order *order)
{
    char *names AUTO_FREE = acme_names_describe(&order->names);

    return order->names.count ? mem_printf("%s the order for %s", verb, names)
                              : mem_printf("%s the order %s", verb, order->url);
}

enum err_code acme_orders_fail(struct acme_order *const *orders, size_t count, enum err_code code,
                               const struct err *why, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        acme_result_set(&orders[i]->result, code, why);
    if (err)
        *err = *why;
    return code;
}

enum err_code acme_orders_fetch(struct acme *acme, struct acme_order *const *orders, size_t count, struct err *err)
{
    struct acme_calls calls AUTO_ACME_CALLS = acme_calls_new(count);
    struct err why;
    enum err_code code = acme_ready(acme, &why);

    if (code != ERR_OK)
        return acme_orders_fail(orders, count, code, &why, err);
    for (size_t i = 0; i < count; i++)
        acme_call_fetch(&calls.items[i], orders[i]->url, acme_order_describe("look at", orders[i]));
    code = acme_send(acme, calls.items, count, err);
    for (size_t i = 0; i < count; i++)
        acme_order_take(acme, &calls.items[i], orders[i]);
    return code == ERR_OK ? acme_orders_explain(acme, orders, count, err) : code;
}
