/* SPDX-License-Identifier: MIT
 *
 * Waiting for the CA: orders are polled, not their authorizations, so that a certificate of a hundred names costs one
 * request a look.  Only when an order turns out to be invalid its authorizations are asked for the reason.
 */
#include <inttypes.h>

#include "acme/internal.h"

#define OTHERS_SHOWN 3

/* A quick CA is done by the first; any other is asked once more than it need be. */
static const int64_t pauses_ms[] = {300, 1000, 2000, 3000, 5000};

/* ------------------------------------------------------------------ why an order is invalid */

/* One authorization of an order that failed. */
static void add_failure(const struct acme_call *call, enum acme_scheme scheme, struct acme_order *order,
                        struct strlist *others)
{
    struct acme_authz authz AUTO(acme_authz_done) = {.url = NULL};
    const json_t *error = NULL;
    char *name AUTO_FREE = NULL;
    char *doing AUTO_FREE = NULL;
    struct err err;

    if (call->result.code != ERR_OK ||
        acme_authz_read(call->json, scheme, ACME_DNS_01, &authz, &error, &err) != ERR_OK ||
        authz.status == ACME_AUTHZ_PENDING || authz.status == ACME_AUTHZ_VALID)
        return;
    name = mem_printf("%s%s", authz.is_wildcard ? "*." : "", authz.domain);
    if (order->result.code != ERR_OK) {
        strlist_add(others, name);
        return;
    }
    doing = mem_printf("the CA could not validate \"%s\"", name);
    acme_result_take_problem(&order->result, error, doing);
}

/* "...; the same or another reason kept it from "b.example", "c.example" and 5 more" */
static void put_others(const struct strlist *others, struct acme_result *result)
{
    struct buf text AUTO_BUF = BUF_INIT(8192);
    char *hint AUTO_FREE = mem_strdup(result->err.hint);

    if (others->count == 0)
        return;
    for (size_t i = 0; i < others->count && i < OTHERS_SHOWN; i++)
        buf_printf(&text, "%s\"%s\"", i ? ", " : "", others->items[i]);
    if (others->count > OTHERS_SHOWN)
        buf_printf(&text, " and %zu more", others->count - OTHERS_SHOWN);
    (void)err_set(&result->err, result->code, "%.500s; nor could it validate %s", result->err.msg, buf_cstr(&text));
    err_hint(&result->err, "%s", hint);
}

static void explain(const struct acme *acme, struct acme_order *order, const struct acme_call *calls)
{
    struct strlist others AUTO_STRLIST = {.count = 0};
    char *names AUTO_FREE = acme_names_describe(&order->names);
    struct err err;

    for (size_t i = 0; i < order->authorizations.count; i++)
        add_failure(&calls[i], acme->scheme, order, &others);
    put_others(&others, &order->result);
    if (order->result.code != ERR_OK)
        return;
    (void)err_set(&err, ERR_CHALLENGE, "the order for %s is invalid, and the CA does not say why", names);
    err_hint(&err, "Try again; if it happens again, ask the CA about the order %s.", order->url);
    acme_result_set(&order->result, ERR_CHALLENGE, &err);
}

static bool is_unexplained(const struct acme_order *order)
{
    return order->status == ACME_ORDER_INVALID && order->result.code == ERR_OK;
}

enum err_code acme_orders_explain(struct acme *acme, struct acme_order *const *orders, size_t count, struct err *err)
{
    struct acme_calls calls AUTO_ACME_CALLS = {NULL, 0};
    enum err_code code;
    size_t total = 0;
    size_t at = 0;

    for (size_t i = 0; i < count; i++)
        total += is_unexplained(orders[i]) ? orders[i]->authorizations.count : 0;
    calls = acme_calls_new(total);
    for (size_t i = 0; i < count; i++) {
        const struct strlist *urls = &orders[i]->authorizations;

        for (size_t j = 0; is_unexplained(orders[i]) && j < urls->count; j++)
            acme_call_fetch(&calls.items[at++], urls->items[j],
                            mem_printf("look at the authorization %s", urls->items[j]));
    }
    code = acme_send(acme, calls.items, total, err);
    at = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_unexplained(orders[i]))
            continue;
        explain(acme, orders[i], calls.items + at);
        at += orders[i]->authorizations.count;
    }
    return code;
}

/* ------------------------------------------------------------------ polling */

struct settling {
    struct acme *acme;
    const struct acme_settle *opts;
    struct acme_order **waited; /* those that are not done come first */
    size_t left;
    size_t total;
    int64_t start_ms;
    int64_t back_ms; /* when patience ends */
};

static bool is_done(const struct settling *s, const struct acme_order *order)
{
    return order->result.code != ERR_OK || order->status != s->opts->while_status;
}

static int64_t deadline_ms(const struct settling *s, const struct acme_order *order)
{
    return order->settle.since_ms + s->opts->timeout_ms;
}

/* When to look next: what the CA says, or else a little later each time; the last look is at the end of the time. */
static void plan(const struct settling *s, struct acme_order *order)
{
    size_t looks = order->settle.looks;
    size_t step = looks < ARRAY_LEN(pauses_ms) ? looks : ARRAY_LEN(pauses_ms) - 1;
    int64_t at_ms = clock_mono_ms(s->acme->clock) + pauses_ms[step];
    int64_t asked_ms = order->retry_after_ms;

    if (looks == 0 && s->opts->while_status == ACME_ORDER_PENDING && s->acme->look_at_ms > asked_ms)
        asked_ms = s->acme->look_at_ms;
    if (asked_ms > at_ms)
        at_ms = asked_ms;
    order->settle.look_at_ms = at_ms < deadline_ms(s, order) ? at_ms : deadline_ms(s, order);
}

/* An order is waited for from now on, or goes on to be. */
static void begin(struct settling *s, struct acme_order *order)
{
    s->waited[s->left++] = order;
    if (order->settle.since_ms != 0 && order->settle.status == s->opts->while_status)
        return;
    order->settle.status = s->opts->while_status;
    order->settle.since_ms = s->start_ms;
    order->settle.looks = 0;
    plan(s, order);
}

static void be_patient_anew(struct settling *s)
{
    s->back_ms = s->opts->patience_ms ? clock_mono_ms(s->acme->clock) + s->opts->patience_ms : INT64_MAX;
}

static void drop_done(struct settling *s)
{
    size_t left = 0;

    for (size_t i = 0; i < s->left; i++)
        if (!is_done(s, s->waited[i]))
            s->waited[left++] = s->waited[i];
    if (left < s->left)
        be_patient_anew(s);
    s->left = left;
    if (s->opts->progress)
        s->opts->progress(s->opts->ctx, s->total - left, s->total);
}

static const char *status_word(enum acme_order_status status)
{
    return status == ACME_ORDER_PENDING ? "pending" : "in the state that was to end";
}

static void time_out(const struct settling *s, struct acme_order *order)
{
    char *names AUTO_FREE = acme_names_describe(&order->names);
    struct err err;

    if (order->status == ACME_ORDER_PROCESSING)
        (void)err_set(&err, ERR_TIMEOUT, "the CA has not issued the certificate for %s within %" PRId64 " s", names,
                      s->opts->timeout_ms / 1000);
    else
        (void)err_set(&err, ERR_TIMEOUT, "the order for %s is %s still after %" PRId64 " s", names,
                      status_word(order->status), s->opts->timeout_ms / 1000);
    err_hint(&err, "The CA takes its time; try again later: the order is taken up where it is.  \"acme.poll_timeout\" "
                   "gives it more time.");
    acme_result_set(&order->result, ERR_TIMEOUT, &err);
}

static enum err_code sleep_until_next(const struct settling *s, struct err *err)
{
    int64_t next_ms = s->back_ms;
    int64_t pause_ms;

    for (size_t i = 0; i < s->left; i++)
        next_ms = s->waited[i]->settle.look_at_ms < next_ms ? s->waited[i]->settle.look_at_ms : next_ms;
    pause_ms = next_ms - clock_mono_ms(s->acme->clock);
    if (clock_is_cancelled(s->acme->clock) || (pause_ms > 0 && !clock_sleep_ms(s->acme->clock, pause_ms)))
        return err_set(err, ERR_CANCELLED, "interrupted while waiting for the CA");
    return ERR_OK;
}

/* Look at those whose time has come. */
static enum err_code look(struct settling *s, struct err *err)
{
    struct acme_order **due AUTO_FREE = mem_calloc(s->left, sizeof(struct acme_order *));
    int64_t now_ms = clock_mono_ms(s->acme->clock);
    size_t count = 0;
    enum err_code code;

    for (size_t i = 0; i < s->left; i++)
        if (s->waited[i]->settle.look_at_ms <= now_ms)
            due[count++] = s->waited[i];
    code = count > 0 ? acme_orders_fetch(s->acme, due, count, err) : ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        if (is_done(s, due[i]))
            continue;
        due[i]->settle.looks++;
        if (clock_mono_ms(s->acme->clock) >= deadline_ms(s, due[i]))
            time_out(s, due[i]);
        else
            plan(s, due[i]);
    }
    return code;
}

static void log_settled(const struct settling *s, struct acme_order *const *orders, size_t count)
{
    int64_t took_ms = clock_mono_ms(s->acme->clock) - s->start_ms;
    size_t good = 0;

    for (size_t i = 0; i < count; i++)
        good += orders[i]->result.code == ERR_OK && is_done(s, orders[i]) ? 1 : 0;
    log_line(s->acme->log, LOG_INFO, "%zu of %zu order%s %s after %" PRId64 ".%" PRId64 " s", good, count,
             count == 1 ? "" : "s", s->opts->while_status == ACME_ORDER_PENDING ? "validated" : "finished",
             took_ms / 1000, took_ms / 100 % 10);
}

static enum err_code fail_left(const struct settling *s, enum err_code code, const struct err *why, struct err *err)
{
    for (size_t i = 0; i < s->left; i++)
        if (!is_done(s, s->waited[i]))
            acme_result_set(&s->waited[i]->result, code, why);
    if (err)
        *err = *why;
    return code;
}

enum err_code acme_orders_settle(struct acme *acme, struct acme_order *const *orders, size_t count,
                                 const struct acme_settle *settle, struct err *err)
{
    struct acme_order **waited AUTO_FREE = mem_calloc(count, sizeof(struct acme_order *));
    struct settling s = {.acme = acme, .opts = settle, .waited = waited, .start_ms = clock_mono_ms(acme->clock)};
    struct err why;

    for (size_t i = 0; i < count; i++)
        if (!is_done(&s, orders[i]))
            begin(&s, orders[i]);
    s.total = s.left;
    if (s.total == 0)
        return ERR_OK;
    be_patient_anew(&s);
    for (drop_done(&s); s.left > 0 && clock_mono_ms(acme->clock) < s.back_ms; drop_done(&s)) {
        enum err_code code = sleep_until_next(&s, &why);

        if (code == ERR_OK)
            code = look(&s, &why);
        if (code != ERR_OK)
            return fail_left(&s, code, &why, err);
    }
    if (s.left < s.total)
        log_settled(&s, orders, count);
    return ERR_OK;
}
