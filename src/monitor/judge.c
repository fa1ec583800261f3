/* SPDX-License-Identifier: MIT */
#include "monitor/judge.h"

#include <stdio.h>
#include <string.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define CLOCK_SLACK_MS (5 * MINUTE_MS)

void monitor_format_age(char out[MONITOR_AGE_MAX], int64_t ms)
{
    long long days = (long long)(ms / DAY_MS);

    if (ms < 2 * HOUR_MS)
        (void)snprintf(out, MONITOR_AGE_MAX, "%lld min", (long long)(ms > MINUTE_MS ? ms / MINUTE_MS : 1));
    else if (days < 2)
        (void)snprintf(out, MONITOR_AGE_MAX, "%lld h", (long long)(ms / HOUR_MS));
    else
        (void)snprintf(out, MONITOR_AGE_MAX, "%lld days", days);
}

/* Time since an instant; one in the future (the clock was set back) is just now. */
static int64_t age_of(int64_t then_ms, int64_t now_ms)
{
    return then_ms < now_ms ? now_ms - then_ms : 0;
}

/* ------------------------------------------------------------------ results */

static const char *done_word(const char *action)
{
    static const char *const words[][2] = {
        {"publish", "published"}, {"withdraw", "withdrawn"}, {"issue", "issued"}, {"renew", "renewed"}};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(action, words[i][0]) == 0)
            return words[i][1];
    return "done";
}

/* " (certbot)", or nothing. */
static char *format_client(const struct result *result)
{
    return *result->client ? mem_printf(" (%s)", result->client) : mem_strdup("");
}

static void judge_failure(struct monitor_result *r, const struct monitor_rules *rules, int64_t now_ms)
{
    const struct result *result = &r->result;
    int64_t failing_ms = age_of(result->failing_ms ? result->failing_ms : result->at_ms, now_ms);
    bool is_withdrawal = strcmp(result->action, "withdraw") == 0;
    enum monitor_level level = !is_withdrawal && failing_ms >= rules->failing_for_ms ? MONITOR_CRITICAL
                                                                                     : MONITOR_WARNING;
    char AUTO_FREE *client = format_client(result);
    char last[MONITOR_AGE_MAX];
    char since[MONITOR_AGE_MAX];

    monitor_format_age(last, age_of(result->at_ms, now_ms));
    monitor_format_age(since, failing_ms);
    if (result->failures > 1)
        monitor_verdict_set(&r->verdict, level, "%s failed %s ago, %lld times in %s%s: %s", result->action, last,
                            (long long)result->failures, since, client, result->error);
    else
        monitor_verdict_set(&r->verdict, level, "%s failed %s ago%s: %s", result->action, last, client, result->error);
    if (*result->hint)
        monitor_verdict_hint(&r->verdict, "%s", result->hint);
    else if (is_withdrawal)
        monitor_verdict_hint(&r->verdict, "The record is in the journal; run: acme-dme sweep");
}

void monitor_judge_result(struct monitor_result *r, const struct monitor_rules *rules, int64_t now_ms)
{
    const struct result *result = &r->result;
    int64_t age_ms = age_of(result->at_ms, now_ms);
    char AUTO_FREE *client = format_client(result);
    char ago[MONITOR_AGE_MAX];

    monitor_format_age(ago, age_ms);
    if (age_ms > MONITOR_FORGOTTEN_MS)
        monitor_verdict_set(&r->verdict, MONITOR_OK, "nothing was heard of it for %s: no longer judged", ago);
    else if (result->code != ERR_OK)
        judge_failure(r, rules, now_ms);
    else if (result->at_ms > now_ms + CLOCK_SLACK_MS)
        monitor_verdict_set(&r->verdict, MONITOR_OK, "%s in the future, says this machine's clock",
                            done_word(result->action));
    else
        monitor_verdict_set(&r->verdict, MONITOR_OK, "%s %s ago%s", done_word(result->action), ago, client);
}

/* ------------------------------------------------------------------ certificates */

int64_t monitor_share_of(const struct monitor_share *share, int64_t lifetime_ms)
{
    if (!share->denominator)
        return share->ms;
    /* Certificates may say that they live for 10,000 years: 4e14 ms, times 1000 at most. */
    return lifetime_ms > 0 ? lifetime_ms * share->numerator / share->denominator : 0;
}

static const char *name_of(const struct monitor_certificate *c)
{
    return *c->cert.subject ? c->cert.subject : c->cert.serial;
}

static void judge_dates(struct monitor_certificate *c, int64_t now_s)
{
    int64_t left_s = c->cert.not_after_s - now_s;
    enum monitor_level level = now_s > c->critical_s ? MONITOR_CRITICAL
                               : now_s > c->warn_s   ? MONITOR_WARNING
                                                     : MONITOR_OK;
    char date[CLOCK_HTTP_DATE_MAX];
    char age[MONITOR_AGE_MAX];

    clock_format_iso(date, c->cert.not_after_s);
    monitor_format_age(age, (left_s < 0 ? -left_s : left_s) * 1000);
    if (c->cert.not_before_s > now_s) {
        clock_format_iso(date, c->cert.not_before_s);
        monitor_verdict_set(&c->verdict, MONITOR_CRITICAL, "%s: not valid before %s", name_of(c), date);
        monitor_verdict_hint(&c->verdict, "If the certificate is in use already, this machine's clock may be wrong.");
    } else if (left_s < 0) {
        monitor_verdict_set(&c->verdict, MONITOR_CRITICAL, "%s: expired %s ago, at %s", name_of(c), age, date);
    } else {
        monitor_verdict_set(&c->verdict, level, "%s: %s left, until %s", name_of(c), age, date);
    }
    if (left_s < 0 || level != MONITOR_OK)
        monitor_verdict_hint(&c->verdict, "%s",
                             c->is_server ? "See that it was renewed, and that the server was told to load the new one."
                                          : "Run the ACME client by hand and see why it does not renew.");
}

void monitor_judge_certificate(struct monitor_certificate *c, const struct monitor_rules *rules, int64_t now_ms)
{
    int64_t lifetime_ms = (c->cert.not_after_s - c->cert.not_before_s) * 1000;
    int64_t now_s = now_ms / 1000;

    c->warn_s = c->cert.not_after_s - monitor_share_of(&rules->warn, lifetime_ms) / 1000;
    c->critical_s = c->cert.not_after_s - monitor_share_of(&rules->critical, lifetime_ms) / 1000;
    judge_dates(c, now_s);
    if (c->problem && c->verdict.level != MONITOR_CRITICAL) {
        monitor_verdict_set(&c->verdict, MONITOR_CRITICAL, "%s: %s", name_of(c), c->problem);
        monitor_verdict_hint(&c->verdict,
                             "Clients refuse this certificate.  A server has to send the whole chain (fullchain.pem); "
                             "if the certificate is of a CA of your own, name that in \"monitor.ca_file\".");
    }
}

/* ------------------------------------------------------------------ state directory */

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

void monitor_judge_state(struct monitor_state *state, const struct monitor_rules *rules, int64_t now_ms)
{
    int64_t age_ms = age_of(state->journal_oldest_ms, now_ms);
    char age[MONITOR_AGE_MAX];

    monitor_format_age(age, age_ms);
    if (state->journal_records == 0) {
        monitor_verdict_set(&state->journal, MONITOR_OK, "no record left behind");
    } else {
        bool is_leftover = age_ms > rules->sweep_after_ms;

        monitor_verdict_set(&state->journal, is_leftover ? MONITOR_WARNING : MONITOR_OK,
                            "%zu record%s published, the oldest %s ago", state->journal_records,
                            plural(state->journal_records), age);
        if (is_leftover)
            monitor_verdict_hint(&state->journal, "Run: acme-dme sweep");
    }
    monitor_verdict_set(&state->damaged, state->damaged_files ? MONITOR_WARNING : MONITOR_OK, "%zu damaged file%s",
                        state->damaged_files, plural(state->damaged_files));
    if (state->damaged_files)
        monitor_verdict_hint(&state->damaged, "Look at what is in \"%s/damaged\", and delete it.", state->dir);
}
