/* SPDX-License-Identifier: MIT
 *
 * A real round trip: a TXT record under a name that nobody uses, seen at every server, and deleted again.  The journal
 * knows it like any other record.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check/internal.h"
#include "dns/name.h"
#include "platform/platform.h"
#include "util/text.h"

#define PREFIX "_acme-challenge."
#define VALUE_BYTES 16

struct lag {
    char *server;
    char *address;
    int64_t ms;
};

struct lags {
    struct lag *items;
    size_t count;
};

static void lags_done(struct lags *lags)
{
    for (size_t i = 0; i < lags->count; i++) {
        free(lags->items[i].server);
        free(lags->items[i].address);
    }
    free(lags->items);
}

static void on_sighted(void *ctx, const struct propagation_sighting *sighting)
{
    struct lags *lags = ctx;

    lags->items = mem_grow(lags->items, lags->count, sizeof *lags->items);
    lags->items[lags->count++] = (struct lag){
        .server = mem_strdup(sighting->server),
        .address = mem_strdup(sighting->address),
        .ms = sighting->elapsed_ms,
    };
}

static int compare(const void *a, const void *b)
{
    int64_t x = ((const struct lag *)a)->ms;
    int64_t y = ((const struct lag *)b)->ms;

    return (x > y) - (x < y);
}

/* ------------------------------------------------------------------ words */

static void report_server(struct check *check, const struct lag *lag)
{
    char span[CHECK_SPAN_MAX];

    check_add(check->report, CHECK_OK, "write", lag->server, "%s showed the record after %s", lag->address,
              check_span(span, lag->ms));
    check_measure(check->report, "lag_ms", lag->ms);
}

/* Lag that was measured once says little about the next time: twice as much should fit. */
static void report_sum(struct check *check, const char *name, struct lags *lags)
{
    const struct lag *slowest = &lags->items[lags->count - 1];
    int64_t median_ms = lags->items[lags->count / 2].ms;
    bool is_tight = slowest->ms * 2 > check->opts.timeout_ms;
    char median[CHECK_SPAN_MAX];
    char most[CHECK_SPAN_MAX];
    char timeout[CHECK_SPAN_MAX];

    check_add(check->report, is_tight ? CHECK_WARN : CHECK_OK, "write", name,
              "created, seen and deleted; median lag %s, slowest %s (%s); propagation.timeout is %s",
              check_span(median, median_ms), check_span(most, slowest->ms), slowest->server,
              check_span(timeout, check->opts.timeout_ms));
    if (is_tight)
        check_hint(check->report, "Set \"propagation: {timeout: %" PRId64 "s}\" or more.", slowest->ms * 3 / 1000 + 1);
    check_measure(check->report, "median_ms", median_ms);
    check_measure(check->report, "slowest_ms", slowest->ms);
    check_measure(check->report, "timeout_ms", check->opts.timeout_ms);
    check_measure(check->report, "settle_ms", check->opts.settle_ms);
}

static void report(struct check *check, const char *name, struct lags *lags)
{
    if (!lags->count) {
        check_add(check->report, CHECK_OK, "write", name,
                  "created, seen and deleted; with DNS over HTTPS the servers can't be told apart");
        return;
    }
    qsort(lags->items, lags->count, sizeof *lags->items, compare);
    for (size_t i = 0; i < lags->count; i++)
        report_server(check, &lags->items[i]);
    report_sum(check, name, lags);
}

/* ------------------------------------------------------------------ the record */

static void put_hex(const uint8_t *bytes, size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%02x", bytes[i]);
}

/* A name beside the one that challenges are written to, so that it is in the same zone at the same servers. */
static enum err_code make_set(const char *record_name, struct challenge_set *set, struct err *err)
{
    uint8_t bytes[2 * VALUE_BYTES];
    AUTO_BUF struct buf name = BUF_INIT(512);
    AUTO_BUF struct buf value = BUF_INIT(128);
    const char *parent = name_parent(record_name);
    enum err_code code = platform_random(bytes, sizeof bytes, err);

    if (code != ERR_OK)
        return code;
    buf_puts(&name, "_acme-dme-check-");
    put_hex(bytes, 6, &name);
    buf_printf(&name, ".%s", parent ? parent : record_name);
    put_hex(bytes + VALUE_BYTES, VALUE_BYTES, &value);
    return challenge_set_add_record(set, buf_cstr(&name), buf_cstr(&value), err);
}

static enum err_code round_trip(struct check *check, const struct challenge_set *set, struct lags *lags,
                                struct err *err)
{
    const int64_t no_settling = 0;
    const struct challenge_publish_opts opts = {
        .wait = CHALLENGE_WAIT,
        .on_timeout = CHALLENGE_TIMEOUT_ROLL_BACK,
        .settle_ms = &no_settling,
        .sighted = on_sighted,
        .sighted_ctx = lags,
    };
    enum err_code code = challenge_publish(check->opts.challenge, set, &opts, err);

    return code == ERR_OK ? challenge_withdraw(check->opts.challenge, set, err) : code;
}

enum err_code check_write(struct check *check, const char *domain, struct err *err)
{
    AUTO(lags_done) struct lags lags = {NULL, 0};
    AUTO(challenge_set_done) struct challenge_set set = {NULL, 0};
    AUTO(challenge_place_done) struct challenge_place place = {.zone_id = 0};
    AUTO_FREE char *record = mem_printf(PREFIX "%s", text_starts_with(domain, "*.") ? domain + 2 : domain);
    struct err why;
    enum err_code code;

    if (!check->accounts_good) {
        check_add(check->report, CHECK_SKIPPED, "write", domain, "no account could be asked");
        return ERR_OK;
    }
    err_init(&why);
    code = challenge_locate(check->opts.challenge, record, &place, &why);
    if (code == ERR_OK)
        code = make_set(place.record_name, &set, &why);
    if (code == ERR_OK)
        code = round_trip(check, &set, &lags, &why);
    if (code == ERR_CANCELLED)
        return err_set(err, code, "%s", why.msg);
    if (code == ERR_OK)
        report(check, domain, &lags);
    else
        check_add_error(check->report, CHECK_FAIL, "write", domain, &why);
    return ERR_OK;
}
