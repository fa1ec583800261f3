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

#define LABEL "_acme-dme-check-"
#define NAME_BYTES 6
#define LABEL_LEN (sizeof LABEL + 2 * NAME_BYTES) /* with the dot behind it */
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
    const struct lag *x = a;
    const struct lag *y = b;
    int by_name = strcmp(x->server, y->server);

    if (x->ms != y->ms)
        return x->ms < y->ms ? -1 : 1;
    return by_name ? by_name : strcmp(x->address, y->address);
}

/* ------------------------------------------------------------------ words */

/* The quickest first. */
static void report_servers(struct check *check, struct lags *lags)
{
    char span[CHECK_SPAN_MAX];

    if (lags->count)
        qsort(lags->items, lags->count, sizeof *lags->items, compare);
    for (size_t i = 0; i < lags->count; i++) {
        check_add(check->report, CHECK_OK, "write", lags->items[i].server, "%s showed the record after %s",
                  lags->items[i].address, check_span(span, lags->items[i].ms));
        check_measure(check->report, "lag_ms", lags->items[i].ms);
    }
}

/* A lag that was measured once says little about the next one: twice as much should fit. */
static void report_sum(struct check *check, const char *zone, struct lags *lags)
{
    const struct lag *slowest = &lags->items[lags->count - 1];
    int64_t median_ms = lags->items[lags->count / 2].ms;
    int64_t wanted_s = slowest->ms * 2 / 1000 + 1;
    bool is_tight = slowest->ms * 2 > check->opts.timeout_ms;
    char median[CHECK_SPAN_MAX];
    char most[CHECK_SPAN_MAX];
    char timeout[CHECK_SPAN_MAX];
    char settle[CHECK_SPAN_MAX];

    check_add(
        check->report, is_tight ? CHECK_WARN : CHECK_OK, "write", zone,
        "a TXT record was created, seen and deleted; median lag %s, slowest %s (\"%s\"); propagation.timeout is %s, "
        "propagation.settle %s",
        check_span(median, median_ms), check_span(most, slowest->ms), slowest->server,
        check_span(timeout, check->opts.timeout_ms), check_span(settle, check->opts.settle_ms));
    if (is_tight)
        check_hint(check->report,
                   "Set \"propagation.timeout\" to at least %" PRId64 "s: the slowest name server took "
                   "more than half of what is allowed.",
                   wanted_s);
    check_measure(check->report, "median_ms", median_ms);
    check_measure(check->report, "slowest_ms", slowest->ms);
    check_measure(check->report, "timeout_ms", check->opts.timeout_ms);
    check_measure(check->report, "settle_ms", check->opts.settle_ms);
}

static void report(struct check *check, const char *zone, struct lags *lags)
{
    if (!lags->count) {
        check_add(check->report, CHECK_OK, "write", zone,
                  "a TXT record was created, seen and deleted; through DNS over HTTPS the lag of each server can't be "
                  "seen");
        return;
    }
    report_servers(check, lags);
    report_sum(check, zone, lags);
}

/* ------------------------------------------------------------------ the record */

static void put_hex(const uint8_t *bytes, size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%02x", bytes[i]);
}

/* A name beside the one that challenges are written to, if that is in the zone and there is room. */
static const char *choose_parent(const struct check_zone *zone)
{
    const char *parent = name_parent(zone->record_name);
    bool is_fit = parent && name_is_within(parent, zone->name) && strlen(parent) + LABEL_LEN < DNS_NAME_MAX;

    return is_fit ? parent : zone->name;
}

static enum err_code make_set(const struct check_zone *zone, struct challenge_set *set, struct err *err)
{
    uint8_t bytes[NAME_BYTES + VALUE_BYTES];
    AUTO_BUF struct buf name = BUF_INIT(512);
    AUTO_BUF struct buf value = BUF_INIT(128);
    enum err_code code = platform_random(bytes, sizeof bytes, err);

    if (code != ERR_OK)
        return code;
    buf_puts(&name, LABEL);
    put_hex(bytes, NAME_BYTES, &name);
    buf_printf(&name, ".%s", choose_parent(zone));
    put_hex(bytes + NAME_BYTES, VALUE_BYTES, &value);
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

    if (code != ERR_OK)
        return code;
    code = challenge_withdraw(check->opts.challenge, set, err);
    if (code == ERR_CANCELLED) { /* what was interrupted is the deletion: not before the record is gone */
        clock_accept_cancel(check->opts.clock);
        if (challenge_withdraw(check->opts.challenge, set, NULL) != ERR_OK)
            return err_set(err, code, "interrupted; the record stays in the journal for \"acme-dme sweep\"");
    }
    return code;
}

/* Errors: ERR_CANCELLED. */
static enum err_code write_to(struct check *check, const struct check_zone *zone, struct err *err)
{
    AUTO(lags_done) struct lags lags = {NULL, 0};
    AUTO(challenge_set_done) struct challenge_set set = {NULL, 0};
    struct err why;
    enum err_code code;

    if (!check_may_ask(check, zone->account, "write", zone->name))
        return ERR_OK;
    check_report_flush(check->report);
    err_init(&why);
    code = make_set(zone, &set, &why);
    if (code == ERR_OK)
        code = round_trip(check, &set, &lags, &why);
    if (code == ERR_CANCELLED)
        return err_set(err, code, "%s", why.msg);
    if (code == ERR_OK) {
        report(check, zone->name, &lags);
        return ERR_OK;
    }
    report_servers(check, &lags);
    check_add_error(check->report, CHECK_FAIL, "write", zone->name, &why);
    return ERR_OK;
}

enum err_code check_write(struct check *check, struct err *err)
{
    enum err_code code = ERR_OK;

    if (!check->zone_count)
        check_add(check->report, CHECK_SKIPPED, "write", "", "there is no zone to write to");
    for (size_t i = 0; code == ERR_OK && i < check->zone_count; i++)
        code = write_to(check, &check->zones[i], err);
    return code;
}
