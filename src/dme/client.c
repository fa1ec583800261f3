/* SPDX-License-Identifier: MIT */
#include "dme/client.h"

#include <stdlib.h>
#include <string.h>

#include "dme/budget.h"

struct dme *dme_new(const struct dme_opts *opts)
{
    struct dme *dme = mem_zalloc(sizeof *dme);
    size_t len = strlen(opts->endpoint);

    while (len > 0 && opts->endpoint[len - 1] == '/')
        len--;
    dme->base = mem_strndup(opts->endpoint, len);
    dme->api_key = secret_dup(opts->api_key);
    dme->api_secret = secret_dup(opts->api_secret);
    dme->http = opts->http;
    dme->clock = opts->clock;
    dme->log = opts->log;
    dme->request_timeout_ms = opts->request_timeout_ms;
    dme->give_up_after_ms = opts->give_up_after_ms;
    dme->requests_remaining = -1;
    dme->requests_limit = -1;
    dme->key_origin = mem_strdup(opts->key_origin);
    dme->secret_origin = mem_strdup(opts->secret_origin);
    dme->hidden_origin = mem_strdup(opts->hidden_origin);
    dme->clock_advice = mem_strdup(opts->clock_advice);
    dme_budget_init(dme, opts);
    return dme;
}

struct dme *dme_new_at(const struct dme *like, const char *endpoint)
{
    const struct dme_opts opts = {
        .endpoint = endpoint,
        .api_key = like->api_key,
        .api_secret = like->api_secret,
        .key_origin = like->key_origin,
        .secret_origin = like->secret_origin,
        .hidden_origin = like->hidden_origin,
        .clock_advice = like->clock_advice,
        .http = like->http,
        .clock = like->clock,
        .log = like->log,
        .request_timeout_ms = like->request_timeout_ms,
        .give_up_after_ms = like->give_up_after_ms,
        .budget_wait_ms = like->budget_wait_ms, /* another endpoint has a budget of its own */
        .budget_until_ms = like->budget_until_ms,
    };
    struct dme *dme = dme_new(&opts);

    dme->has_server_time = like->has_server_time; /* both keep the same time */
    dme->has_api_time = like->has_api_time;
    dme->server_minus_mono_ms = like->server_minus_mono_ms;
    return dme;
}

void dme_free(struct dme *dme)
{
    if (!dme)
        return;
    dme_budget_done(dme);
    free(dme->base);
    secret_free(dme->api_key);
    secret_free(dme->api_secret);
    free(dme->key_origin);
    free(dme->secret_origin);
    free(dme->hidden_origin);
    free(dme->clock_advice);
    free(dme);
}

int dme_requests_remaining(const struct dme *dme)
{
    return dme->requests_remaining;
}

int dme_requests_limit(const struct dme *dme)
{
    return dme->requests_limit;
}

bool dme_is_at(const struct dme *dme, const char *endpoint)
{
    size_t len = strlen(dme->base);

    return strncmp(dme->base, endpoint, len) == 0 && strcmp(endpoint + len, "/") == 0;
}

void dme_begin(struct dme *dme)
{
    int64_t now_ms = clock_mono_ms(dme->clock);

    dme->deadline_ms = now_ms + dme->give_up_after_ms;
    dme->budget_deadline_ms = now_ms + dme->budget_wait_ms;
    if (dme->budget_until_ms && dme->budget_until_ms < dme->budget_deadline_ms)
        dme->budget_deadline_ms = dme->budget_until_ms;
}
