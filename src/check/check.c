/* SPDX-License-Identifier: MIT */
#include "check/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/internal.h"

/* Left to the hooks that may run meanwhile. */
#define BUDGET_RESERVE 20

struct check *check_new(const struct check_opts *opts, struct check_report *report)
{
    struct check *check = mem_zalloc(sizeof *check);

    check->opts = *opts;
    check->report = report;
    return check;
}

void check_free(struct check *check)
{
    if (!check)
        return;
    for (size_t i = 0; i < check->zone_count; i++) {
        free(check->zones[i].name);
        free(check->zones[i].record_name);
        dns_servers_done(&check->zones[i].api_servers);
        dns_servers_done(&check->zones[i].answering);
    }
    free(check->zones);
    strlist_done(&check->names);
    strlist_done(&check->records);
    free(check);
}

void check_free_auto(struct check **check)
{
    check_free(*check);
}

bool check_is_known(struct strlist *names, const char *name)
{
    if (strlist_has(names, name))
        return true;
    strlist_add(names, name);
    return false;
}

static int least_remaining(const struct check *check)
{
    int least = -1;

    for (size_t i = 0; i < check->opts.account_count; i++) {
        int remaining = check->opts.accounts[i].dme ? dme_requests_remaining(check->opts.accounts[i].dme) : -1;

        if (remaining >= 0 && (least < 0 || remaining < least))
            least = remaining;
    }
    return least;
}

bool check_may_ask(struct check *check, const struct challenge_account *account, const char *step, const char *subject)
{
    int remaining = account ? dme_requests_remaining(account->dme) : least_remaining(check);

    if (remaining < 0 || remaining >= BUDGET_RESERVE)
        return true;
    check_add(check->report, CHECK_SKIPPED, step, subject,
              "only %d requests are left of the API key's budget, and they are left to the hooks", remaining);
    check_hint(check->report, "Run the check again in 5 minutes.");
    return false;
}

const char *check_span(char out[CHECK_SPAN_MAX], int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{INT64_C(86400000), "days"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}};

    if (ms < 0)
        ms = -ms;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (ms < 2 * units[i].ms && units[i].ms > 1000)
            continue;
        if (units[i].ms == 1000 && ms < 10000)
            (void)snprintf(out, CHECK_SPAN_MAX, "%" PRId64 ".%" PRId64 " s", ms / 1000, ms % 1000 / 100);
        else
            (void)snprintf(out, CHECK_SPAN_MAX, "%" PRId64 " %s", ms / units[i].ms, units[i].unit);
        return out;
    }
    return out;
}
