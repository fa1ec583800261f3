/* SPDX-License-Identifier: MIT
 *
 * newOrder, RFC 8555 section 7.4, with "profile" (draft-ietf-acme-profiles) and "replaces" (RFC 9773 section 5).
 */
#include <stdlib.h>
#include <string.h>

#include "acme/internal.h"

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

/* The first of `of` that `list` has not; NULL: there is none. */
static const char *find_missing(const struct strlist *list, const struct strlist *of)
{
    for (size_t i = 0; i < of->count; i++)
        if (!strlist_has_nocase(list, of->items[i]))
            return of->items[i];
    return NULL;
}

/* The certificate would be for other names than was asked for. */
static void check_names(const struct strlist *asked, struct acme_order *order)
{
    const char *lacks = find_missing(&order->names, asked);
    const char *extra = lacks ? NULL : find_missing(asked, &order->names);
    char *names AUTO_FREE = acme_names_describe(asked);
    struct err err;

    if (!lacks && !extra)
        return;
    (void)err_set(&err, ERR_ACME, "could not create the order for %s: the CA made one for other names: %s \"%s\"",
                  names, lacks ? "it lacks" : "it has", lacks ? lacks : extra);
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

    if (call->response.result != ERR_OK)
        return false;
    /* Some CAs fail, in place of saying that they do not know the predecessor. */
    if (call->result.code == ERR_SERVER && type == ACME_PROBLEM_SERVER_INTERNAL)
        return true;
    return call->result.code == ERR_ACME && (type == ACME_PROBLEM_ALREADY_REPLACED || type == ACME_PROBLEM_MALFORMED ||
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
    call->has_alternative = replaces != NULL;
    if (!call->payload)
        acme_call_refuse(call, "it has too many names");
}

static struct new_orders new_orders_make(size_t count)
{
    struct new_orders round = {acme_calls_new(count), mem_calloc(count, sizeof(size_t))};

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
    enum err_code code = acme_ready(acme, &why);

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
