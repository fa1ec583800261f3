/* SPDX-License-Identifier: MIT
 *
 * Each account: one request tells whether the API can be reached, how far the clocks are apart, whether the credentials
 * are good and what is left of the budget.
 */
#include <inttypes.h>
#include <string.h>

#include "check/internal.h"
#include "dme/limit.h"

#define CLOCK_AGREES_MS 1500 /* Date has no fractions */
#define CLOCK_WARN_MS 5000
#define CLOCK_REFUSED_MS 25000 /* the API refuses at 30 s, and answers take time */
#define LOW_PART 5             /* less than a fifth of it left is little */

/* ------------------------------------------------------------------ clock */

static const char *consequence(int64_t size_ms)
{
    if (size_ms < CLOCK_WARN_MS)
        return ", which is close enough";
    if (size_ms < CLOCK_REFUSED_MS)
        return "; from 30 s on requests are refused";
    return "; acme-dme corrects for that, other programs with this key are refused";
}

static void report_clock(struct check *check, const struct challenge_account *account)
{
    int64_t offset_ms;
    int64_t size_ms;
    char span[CLOCK_SPAN_MAX];

    if (!dme_clock_offset_ms(account->dme, &offset_ms)) {
        check_add(check->report, CHECK_SKIPPED, "clock", "", "the answer of DNS Made Easy has no usable date");
        return;
    }
    size_ms = offset_ms < 0 ? -offset_ms : offset_ms;
    clock_format_span(span, offset_ms);
    if (size_ms < CLOCK_AGREES_MS)
        check_add(check->report, CHECK_OK, "clock", "", "this machine's clock agrees with DNS Made Easy's");
    else
        check_add(check->report, size_ms < CLOCK_WARN_MS ? CHECK_OK : CHECK_WARN, "clock", "",
                  "this machine's clock is %s %s DNS Made Easy's%s", span, offset_ms < 0 ? "behind" : "ahead of",
                  consequence(size_ms));
    if (size_ms >= CLOCK_WARN_MS)
        check_hint(check->report, "Set this machine's clock and keep it right (%s).", check->opts.clock_advice);
    check_measure(check->report, "offset_ms", offset_ms);
}

/* ------------------------------------------------------------------ credentials */

/* Only an endpoint of DNS Made Easy itself has another one. */
static const char *other_endpoint(const char *endpoint)
{
    static const char *const pair[] = {DME_ENDPOINT_PRODUCTION, DME_ENDPOINT_SANDBOX};

    for (size_t i = 0; i < ARRAY_LEN(pair); i++)
        if (strcmp(endpoint, pair[i]) == 0)
            return pair[1 - i];
    return NULL;
}

static const char *other_advice(const char *other)
{
    return strcmp(other, DME_ENDPOINT_SANDBOX) == 0
               ? "get the key and secret of production from DNS Made Easy's control panel, or set \"dnsmadeeasy: "
                 "{sandbox: true}\" if the sandbox is meant"
               : "take \"sandbox: true\" out, or get the key and secret of the sandbox if that is meant";
}

/* A key that is not known here may be known there.  Errors: ERR_CANCELLED. */
static enum err_code try_other_endpoint(struct check *check, const struct challenge_account *account, struct err *err)
{
    const char *other = other_endpoint(account->endpoint);
    bool is_sandbox = other && strcmp(other, DME_ENDPOINT_SANDBOX) == 0;
    struct dme *dme;
    enum err_code code;

    if (!other || dme_key_verdict(account->dme) != DME_KEY_NOT_FOUND)
        return ERR_OK;
    dme = dme_new_at(account->dme, other);
    code = dme_probe(dme, err);
    if (code == ERR_OK)
        check_hint(check->report, "Key and secret are good at %s (\"%s\"): %s.",
                   is_sandbox ? "the sandbox" : "production", other, other_advice(other));
    else if (code == ERR_AUTH && dme_key_verdict(dme) == DME_KEY_FOUND)
        check_hint(check->report, "The key is known at %s (\"%s\"), with another secret: %s.",
                   is_sandbox ? "the sandbox" : "production", other, other_advice(other));
    dme_free(dme);
    return code == ERR_CANCELLED ? code : ERR_OK;
}

static void report_budget(struct check *check, const struct challenge_account *account)
{
    int remaining = dme_requests_remaining(account->dme);
    int limit = dme_requests_limit(account->dme) > 0 ? dme_requests_limit(account->dme) : DME_LIMIT_USUAL;
    int64_t own = dme_requests_own(account->dme);

    if (remaining < 0) {
        check_add(check->report, CHECK_SKIPPED, "budget", account->name, "DNS Made Easy does not tell");
        return;
    }
    if (remaining >= limit / LOW_PART) {
        check_add(check->report, CHECK_OK, "budget", account->name, "%d of %d requests are left for now", remaining,
                  limit);
    } else {
        check_add(check->report, CHECK_WARN, "budget", account->name,
                  "only %d of %d requests are left for now; of the others this host has made %" PRId64, remaining,
                  limit, own);
        check_hint(check->report,
                   "Find out which other program uses this API key: all of them together get %d requests in 5 minutes.",
                   limit);
    }
    check_measure(check->report, "requests_remaining", remaining);
    check_measure(check->report, "requests_limit", limit);
    check_measure(check->report, "requests_own", own);
}

/* ------------------------------------------------------------------ one account */

static bool is_about_connection(enum err_code code)
{
    return code == ERR_NETWORK || code == ERR_TLS || code == ERR_TIMEOUT;
}

static void report_answering(struct check *check, const struct challenge_account *account)
{
    if (check->has_answered)
        return;
    check->has_answered = true;
    check_add(check->report, CHECK_OK, "api", "", "\"%s\" answers, and its TLS certificate is good", account->endpoint);
    report_clock(check, account);
}

static void report_failure(struct check *check, const struct challenge_account *account, const struct err *why)
{
    bool is_unreachable = is_about_connection(why->code);

    if (why->code == ERR_RATE_LIMIT)
        report_answering(check, account);
    check->is_unreachable |= is_unreachable;
    check_add_error(check->report, CHECK_FAIL, why->code == ERR_RATE_LIMIT ? "budget" : "api",
                    is_unreachable ? "" : account->name, why);
    check_add(check->report, CHECK_SKIPPED, "credentials", account->name,
              is_unreachable ? "can't be tried without a connection" : "could not be tried");
}

/* Errors: ERR_CANCELLED. */
static enum err_code check_account(struct check *check, const struct challenge_account *account, struct err *err)
{
    struct err why;
    enum err_code code;

    check_report_flush(check->report);
    err_init(&why);
    code = dme_probe(account->dme, &why);
    if (code == ERR_CANCELLED)
        return err_set(err, code, "%s", why.msg);
    if (code != ERR_OK && code != ERR_AUTH) {
        report_failure(check, account, &why);
        return ERR_OK;
    }
    report_answering(check, account);
    if (code == ERR_AUTH) {
        check_add_error(check->report, CHECK_FAIL, "credentials", account->name, &why);
        return try_other_endpoint(check, account, err);
    }
    check->accounts_good++;
    check_add(check->report, CHECK_OK, "credentials", account->name, "DNS Made Easy accepts key and secret");
    report_budget(check, account);
    return ERR_OK;
}

enum err_code check_accounts(struct check *check, struct err *err)
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; code == ERR_OK && i < check->opts.account_count; i++) {
        const struct challenge_account *account = &check->opts.accounts[i];

        if (!account->dme)
            check_add(check->report, CHECK_WARN, "credentials", account->name, "can't be used: %s", account->unusable);
        else if (check->is_unreachable)
            check_add(check->report, CHECK_SKIPPED, "credentials", account->name,
                      "can't be tried without a connection");
        else
            code = check_account(check, account, err);
    }
    return code;
}
