/* SPDX-License-Identifier: MIT
 *
 * Orders, RFC 8555 section 7.4: made, fetched, finalized.
 */
#include <stdlib.h>
#include <string.h>

#include "acme/internal.h"
#include "crypto/b64url.h"

#define WHAT "the CA's order object"
#define CSR_MAX (1024u * 1024)

static const char *const status_names[] = {
    [ACME_ORDER_PENDING] = "pending", [ACME_ORDER_READY] = "ready",     [ACME_ORDER_PROCESSING] = "processing",
    [ACME_ORDER_VALID] = "valid",     [ACME_ORDER_INVALID] = "invalid",
};

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

        code = acme_problem_set(&err, error, 0, ACME_PROBLEM_OF_VALIDATION, doing);
        acme_result_set(&order->result, code, &err);
        order->result.problem = acme_problem_type_of(error);
    }
}

/* ------------------------------------------------------------------ newOrder */

static bool has_profile(const struct acme_meta *meta, const char *name)
{
    for (size_t i = 0; i < meta->profile_count; i++)
        if (strcmp(meta->profiles[i].name, name) == 0)
            return true;
    return false;
}

static void refuse_profile(const struct acme *acme, const char *profile, struct acme_result *result)
{
    const struct acme_meta *meta = &acme->directory.meta;
    struct buf names AUTO_BUF = BUF_INIT(ERR_HINT_MAX / 2);
    struct err err;

    (void)err_set(&err, ERR_ACME, "the CA at \"%s\" has no profile \"%s\"", acme->directory_url, profile);
    for (size_t i = 0; i < meta->profile_count; i++)
        buf_printf(&names, "%s\"%s\"", i ? ", " : "", meta->profiles[i].name);
    if (meta->profile_count)
        err_hint(&err, "Choose one of those that it has: %s.", buf_cstr(&names));
    else
        err_hint(&err, "It has no profiles at all; take the setting out.");
    acme_result_set(result, ERR_ACME, &err);
    result->problem = ACME_PROBLEM_INVALID_PROFILE;
}

static char *new_order_payload(const struct acme_order_request *request, const char *replaces)
{
    json_t *payload AUTO_JSON = json_object();
    json_t *identifiers = json_array();

    for (size_t i = 0; i < request->names->count; i++) {
        json_t *identifier = json_object();

        (void)json_object_set_new(identifier, "type", json_string("dns"));
        (void)json_object_set_new(identifier, "value", json_string(request->names->items[i]));
        (void)json_array_append_new(identifiers, identifier);
    }
    (void)json_object_set_new(payload, "identifiers", identifiers);
    if (request->profile)
        (void)json_object_set_new(payload, "profile", json_string(request->profile));
    if (replaces)
        (void)json_object_set_new(payload, "replaces", json_string(replaces));
    return acme_json_text(payload);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, each once; free() it, the names are those of the list. */
static const char **sorted_names(const struct strlist *names, size_t *out_count)
{
    const char **sorted = mem_calloc(names->count ? names->count : 1, sizeof *sorted);
    size_t count = 0;

    for (size_t i = 0; i < names->count; i++)
        sorted[i] = names->items[i];
    qsort(sorted, names->count, sizeof *sorted, compare_names);
    for (size_t i = 0; i < names->count; i++)
        if (count == 0 || strcmp(sorted[count - 1], sorted[i]) != 0)
            sorted[count++] = sorted[i];
    *out_count = count;
    return sorted;
}

/* The certificate would be for other names than was asked for. */
static void check_names(const struct strlist *asked, struct acme_order *order)
{
    size_t asked_count, got_count, i;
    const char **want AUTO_FREE = sorted_names(asked, &asked_count);
    const char **got AUTO_FREE = sorted_names(&order->names, &got_count);
    char *names AUTO_FREE = acme_names_describe(asked);
    struct err err;

    for (i = 0; i < asked_count && i < got_count && strcmp(want[i], got[i]) == 0;)
        i++;
    if (i == asked_count && i == got_count)
        return;
    (void)err_set(&err, ERR_ACME, "could not create the order for %s: the CA made one for other names: %s \"%s\"",
                  names, i < asked_count ? "it lacks" : "it has", i < asked_count ? want[i] : got[i]);
    acme_result_set(&order->result, ERR_ACME, &err);
}

static void take_new_order(struct acme *acme, const struct acme_call *call, const struct strlist *asked,
                           struct acme_order *order)
{
    const char *url = http_response_header(&call->response, "Location");
    struct err err;

    acme_order_take(acme, call, order);
    if (call->result.code != ERR_OK || (order->result.code != ERR_OK && order->names.count == 0))
        return;
    if (!url || !acme_url_is_valid(url, acme->scheme)) {
        (void)err_set(&err, ERR_INPUT, "could not %s: the CA's answer has %s as Location, which is the order's URL",
                      call->what, url ? "something else than a URL" : "nothing");
        acme_result_set(&order->result, acme_member_error(ERR_INPUT, &err), &err);
        return;
    }
    free(order->url);
    order->url = mem_strdup(url);
    if (order->result.code == ERR_OK)
        check_names(asked, order);
}

static bool is_about_replaces(const struct acme_call *call)
{
    enum acme_problem_type type = call->result.problem;
    long status = call->response.status;

    return call->result.code == ERR_ACME && call->response.result == ERR_OK &&
           (type == ACME_PROBLEM_ALREADY_REPLACED || type == ACME_PROBLEM_MALFORMED ||
            type == ACME_PROBLEM_UNAUTHORIZED || status == 404 || status == 409);
}

/* The orders of one newOrder round: which request each call is of. */
struct new_orders {
    struct acme_calls calls;
    size_t *requests;
};

static void new_orders_done(struct new_orders *round)
{
    acme_calls_done(&round->calls);
    free(round->requests);
}

static void add_new_order(const struct acme *acme, struct new_orders *round, const struct acme_order_request *requests,
                          size_t index, const char *replaces)
{
    char *names AUTO_FREE = acme_names_describe(requests[index].names);
    struct acme_call *call = &round->calls.items[round->calls.count];

    round->requests[round->calls.count++] = index;
    call->kind = ACME_POST;
    call->expect = ACME_EXPECT_OBJECT;
    call->url = acme->directory.urls[ACME_NEW_ORDER];
    call->what = mem_printf("create the order for %s", names);
    call->payload = new_order_payload(&requests[index], replaces);
}

static struct new_orders new_orders_make(size_t count)
{
    struct new_orders round = {acme_calls_new(count), mem_calloc(count ? count : 1, sizeof(size_t))};

    round.calls.count = 0;
    return round;
}

static enum err_code send_new_orders(struct acme *acme, struct new_orders *round,
                                     const struct acme_order_request *requests, struct acme_order *orders,
                                     struct err *err)
{
    enum err_code code = acme_send(acme, round->calls.items, round->calls.count, err);

    for (size_t i = 0; i < round->calls.count; i++)
        take_new_order(acme, &round->calls.items[i], requests[round->requests[i]].names, &orders[round->requests[i]]);
    return code;
}

/* Once more without `replaces`, where it may be to blame. */
static enum err_code send_without_replaces(struct acme *acme, const struct new_orders *refused,
                                           const struct acme_order_request *requests, struct acme_order *orders,
                                           struct err *err)
{
    struct new_orders round AUTO(new_orders_done) = new_orders_make(refused->calls.count);

    for (size_t i = 0; i < refused->calls.count; i++) {
        size_t index = refused->requests[i];

        if (!requests[index].replaces || !is_about_replaces(&refused->calls.items[i]))
            continue;
        log_line(acme->log, LOG_INFO, "%s; trying again without saying which certificate it replaces",
                 refused->calls.items[i].result.err.msg);
        add_new_order(acme, &round, requests, index, NULL);
    }
    return send_new_orders(acme, &round, requests, orders, err);
}

static void log_orders(const struct acme *acme, const struct acme_order *orders, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *names AUTO_FREE = acme_names_describe(&orders[i].names);

        if (orders[i].result.code == ERR_OK)
            log_line(acme->log, LOG_INFO, "order %s for %s created", orders[i].url, names);
    }
}

enum err_code acme_orders_new(struct acme *acme, const struct acme_order_request *requests, struct acme_order *orders,
                              size_t count, struct err *err)
{
    struct new_orders round AUTO(new_orders_done) = new_orders_make(count);
    struct err why;
    enum err_code code = acme_account_want(acme, &why);

    if (code == ERR_OK)
        code = acme_open(acme, &why);
    for (size_t i = 0; i < count; i++) {
        const char *profile = requests[i].profile;

        orders[i] = (struct acme_order){.url = NULL};
        if (code != ERR_OK)
            acme_result_set(&orders[i].result, code, &why);
        else if (profile && !has_profile(&acme->directory.meta, profile))
            refuse_profile(acme, profile, &orders[i].result);
        else
            add_new_order(acme, &round, requests, i,
                          acme->directory.meta.has_renewal_info ? requests[i].replaces : NULL);
    }
    if (code == ERR_OK)
        code = send_new_orders(acme, &round, requests, orders, &why);
    if (code == ERR_OK && acme->directory.meta.has_renewal_info)
        code = send_without_replaces(acme, &round, requests, orders, &why);
    log_orders(acme, orders, count);
    if (code != ERR_OK && err)
        *err = why;
    return code;
}

/* ------------------------------------------------------------------ fetching */

void acme_call_fetch(struct acme_call *call, const char *url, char *what_take)
{
    call->kind = ACME_POST;
    call->expect = ACME_EXPECT_OBJECT;
    call->url = url;
    call->what = what_take;
}

static char *what_of_order(const char *verb, const struct acme_order *order)
{
    char *names AUTO_FREE = acme_names_describe(&order->names);

    return order->names.count ? mem_printf("%s the order for %s", verb, names)
                              : mem_printf("%s the order %s", verb, order->url);
}

static enum err_code fail_all(struct acme_order *const *orders, size_t count, enum err_code code, const struct err *why,
                              struct err *err)
{
    for (size_t i = 0; i < count; i++)
        acme_result_set(&orders[i]->result, code, why);
    if (err)
        *err = *why;
    return code;
}

static enum err_code ready(struct acme *acme, struct err *err)
{
    enum err_code code = acme_account_want(acme, err);

    return code == ERR_OK ? acme_open(acme, err) : code;
}

enum err_code acme_orders_fetch(struct acme *acme, struct acme_order *const *orders, size_t count, struct err *err)
{
    struct acme_calls calls AUTO_ACME_CALLS = acme_calls_new(count);
    struct err why;
    enum err_code code = ready(acme, &why);

    if (code != ERR_OK)
        return fail_all(orders, count, code, &why, err);
    for (size_t i = 0; i < count; i++)
        acme_call_fetch(&calls.items[i], orders[i]->url, what_of_order("look at", orders[i]));
    code = acme_send(acme, calls.items, count, err);
    for (size_t i = 0; i < count; i++)
        acme_order_take(acme, &calls.items[i], orders[i]);
    return code == ERR_OK ? acme_orders_explain(acme, orders, count, err) : code;
}

/* ------------------------------------------------------------------ finalizing */

static char *finalize_payload(const struct acme_csr *csr)
{
    struct buf text AUTO_BUF = BUF_INIT(CSR_MAX);

    buf_puts(&text, "{\"csr\":\"");
    b64url_put(&text, csr->der, csr->len);
    buf_puts(&text, "\"}");
    return buf_ok(&text) ? buf_take(&text) : mem_strdup("{}");
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
        (void)err_prefix(&order->result.err, refusal.code, "the order is %s", status_names[order->status]);
    }
    return ERR_OK;
}

enum err_code acme_orders_finalize(struct acme *acme, struct acme_order *const *orders, const struct acme_csr *csrs,
                                   size_t count, struct err *err)
{
    struct acme_calls calls AUTO_ACME_CALLS = acme_calls_new(count);
    struct err why;
    enum err_code code = ready(acme, &why);

    if (code != ERR_OK)
        return fail_all(orders, count, code, &why, err);
    for (size_t i = 0; i < count; i++) {
        acme_call_fetch(&calls.items[i], orders[i]->finalize_url, what_of_order("finalize", orders[i]));
        calls.items[i].payload = finalize_payload(&csrs[i]);
    }
    code = acme_send(acme, calls.items, count, err);
    for (size_t i = 0; i < count; i++) {
        acme_order_take(acme, &calls.items[i], orders[i]);
        if (code == ERR_OK && calls.items[i].result.problem == ACME_PROBLEM_ORDER_NOT_READY)
            code = look_at_unready(acme, orders[i], err);
    }
    return code == ERR_OK ? acme_orders_explain(acme, orders, count, err) : code;
}
