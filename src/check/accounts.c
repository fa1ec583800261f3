/* SPDX-License-Identifier: MIT
 *
 * Each account: one request tells whether the API can be reached, how far the clocks are apart, whether the credentials
 * are good and what is left of the budget.
 */
#include <inttypes.h>
#include <string.h>

#include "check/internal.h"

#define CLOCK_WARN_MS 5000
#define CLOCK_REFUSED_MS 25000 /* the API refuses at 30 s; its Date has no fractions, and answers take time */

/* ------------------------------------------------------------------ clock */

static const char *direction(int64_t offset_ms)
{
    return offset_ms < 0 ? "behind" : "ahead of";
}

static void report_clock(struct check *check, const struct challenge_account *account)
{
    int64_t offset_ms;
    int64_t size_ms;
    char span[CHECK_SPAN_MAX];

    if (!dme_clock_offset_ms(account->dme, &offset_ms)) {
        check_add(check->report, CHECK_SKIPPED, "clock", "", "the answer of DNS Made Easy has no usable date");
        return;
    }
    size_ms = offset_ms < 0 ? -offset_ms : offset_ms;
    (void)check_span(span, offset_ms);
    if (size_ms < CLOCK_WARN_MS) {
        check_add(check->report, CHECK_OK, "clock", "", "this machine's clock is within %d s of DNS Made Easy's",
                  CLOCK_WARN_MS / 1000);
    } else {
        check_add(check->report, CHECK_WARN, "clock", "",
                  "this machine's clock is %" PRId64 " s (%s) %s DNS Made Easy's%s", (size_ms + 500) / 1000, span,
                  direction(offset_ms),
                  size_ms < CLOCK_REFUSED_MS ? "" : "; acme-dme corrects for it, other programs are refused");
        check_hint(check->report, "Set this machine's clock and keep it right (%s).", check->opts.clock_advice);
    }
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

/* A key that is refused here may belong there. */
static void try_other_endpoint(struct check *check, const struct challenge_account *account)
{
    const char *other = other_endpoint(account->endpoint);
    struct dme *dme;
    enum err_code code;

    if (!other)
        return;
    dme = dme_new_at(account->dme, other);
    code = dme_probe(dme, NULL);
    dme_free(dme);
    if (code != ERR_OK)
        return;
    check_hint(check->report, "The credentials are good at \"%s\": %s.", other,
               strcmp(other, DME_ENDPOINT_SANDBOX) == 0
                   ? "they are the sandbox's, so get those of production, or set \"dnsmadeeasy: {sandbox: true}\""
                   : "they are production's, so set \"dnsmadeeasy: {sandbox: false}\", or get those of the sandbox");
}

static void report_refusal(struct check *check, const struct challenge_account *account, const struct err *why)
{
    check_add_error(check->report, CHECK_FAIL, "credentials", account->name, why);
    try_other_endpoint(check, account);
}

static void report_budget(struct check *check, const struct challenge_account *account)
{
    int remaining = dme_requests_remaining(account->dme);
    int limit = dme_requests_limit(account->dme);

    if (remaining < 0) {
        check_add(check->report, CHECK_SKIPPED, "budget", account->name, "DNS Made Easy does not tell");
        return;
    }
    if (limit <= 0)
        limit = 150;
    if (remaining >= limit / 5) {
        check_add(check->report, CHECK_OK, "budget", account->name, "%d of %d requests are left for now", remaining,
                  limit);
    } else {
        check_add(check->report, CHECK_WARN, "budget", account->name, "only %d of %d requests are left for now",
                  remaining, limit);
        check_hint(check->report,
                   "Find out which other program uses this API key; all of them together get %d requests "
                   "in 5 minutes.",
                   limit);
    }
    check_measure(check->report, "requests_remaining", remaining);
    check_measure(check->report, "requests_limit", limit);
}

/* ------------------------------------------------------------------ one account */

static bool is_about_connection(enum err_code code)
{
    return code == ERR_NETWORK || code == ERR_TLS || code == ERR_TIMEOUT;
}

static void skip_rest(struct check *check, const struct challenge_account *account)
{
    check_add(check->report, CHECK_SKIPPED, "credentials", account->name, "DNS Made Easy could not be asked");
}

static void report_account(struct check *check, const struct challenge_account *account, enum err_code code,
                           const struct err *why)
{
    if (code != ERR_OK && code != ERR_AUTH) {
        check_add_error(check->report, CHECK_FAIL, code == ERR_RATE_LIMIT ? "budget" : "api",
                        is_about_connection(code) ? "" : account->name, why);
        skip_rest(check, account);
        return;
    }
    if (!check->was_accounts_asked) {
        check_add(check->report, CHECK_OK, "api", "", "\"%s\" answers, its TLS certificate is good", account->endpoint);
        report_clock(check, account);
    }
    check->was_accounts_asked = true;
    if (code == ERR_AUTH) {
        report_refusal(check, account, why);
        return;
    }
    check->accounts_good++;
    check_add(check->report, CHECK_OK, "credentials", account->name, "DNS Made Easy accepts them");
    report_budget(check, account);
}

enum err_code check_accounts(struct check *check, struct err *err)
{
    for (size_t i = 0; i < check->opts.account_count; i++) {
        const struct challenge_account *account = &check->opts.accounts[i];
        struct err why;
        enum err_code code;

        if (!account->dme) {
            check_add(check->report, CHECK_WARN, "credentials", account->name, "can't be used: %s", account->unusable);
            continue;
        }
        err_init(&why);
        code = dme_probe(account->dme, &why);
        if (code == ERR_CANCELLED)
            return err_set(err, code, "%s", why.msg);
        report_account(check, account, code, &why);
    }
    return ERR_OK;
}
