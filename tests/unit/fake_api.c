/* SPDX-License-Identifier: MIT */
#include "fake_api.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "test.h"
#include "util/mem.h"
#include "util/parse.h"
#include "util/text.h"

#define RATE_LIMIT "150"

static const char html_404[] =
    "<html><head><title>Apache Tomcat/7.0.12 - Error report</title></head><body><h1>HTTP Status "
    "404 - Not Found</h1></body></html>";

const char *fake_api_fault_name(enum fake_api_fault fault)
{
    static const char *const names[FAKE_API_FAULT_COUNT] = {
        [FAKE_API_OK] = "ok",
        [FAKE_API_NO_CONNECTION] = "no connection",
        [FAKE_API_REQUEST_LOST] = "request lost",
        [FAKE_API_ANSWER_LOST] = "answer lost",
        [FAKE_API_TIMEOUT] = "time-out",
        [FAKE_API_500] = "status 500",
        [FAKE_API_500_AFTER_ALL] = "status 500, done all the same",
        [FAKE_API_RATE_LIMIT] = "rate limit",
        [FAKE_API_403] = "status 403",
        [FAKE_API_GARBAGE] = "garbage",
        [FAKE_API_TRUNCATED] = "truncated",
        [FAKE_API_404] = "status 404",
        [FAKE_API_CANCEL] = "cancelled",
        [FAKE_API_CANCEL_LATE] = "cancelled, carried out late",
        [FAKE_API_KILL] = "killed after request",
    };

    return names[fault];
}

/* ------------------------------------------------------------------ answers */

/* One request being answered. */
struct call {
    struct fake_api *api;
    const struct fake_seen *seen;
    int account;
    struct fake_exchange *out;
    size_t len; /* of api->answer */
};

static void say(struct call *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void say(struct call *c, const char *fmt, ...)
{
    size_t left = sizeof c->api->answer - c->len;
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(c->api->answer + c->len, left, fmt, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < left);
    c->len += (size_t)n;
}

static void finish(struct call *c, long status, const char *type)
{
    int n = snprintf(c->api->headers, sizeof c->api->headers,
                     "Content-Type: %s\nx-dnsme-requestLimit: " RATE_LIMIT "\nx-dnsme-requestsRemaining: %d\n"
                     "x-dnsme-requestId: 0815",
                     type, c->api->requests_remaining);

    assert_true(n > 0 && (size_t)n < sizeof c->api->headers);
    c->out->status = status;
    c->out->headers = c->api->headers;
    c->out->answer = c->api->answer;
}

static void answer_404(struct call *c)
{
    say(c, "%s", html_404);
    finish(c, 404, "text/html;charset=ISO-8859-1");
}

static void answer_error(struct call *c, long status, const char *text)
{
    say(c, "{\"error\":[\"%s\"]}", text);
    finish(c, status, "application/json");
}

static void say_record(struct call *c, const struct fake_api_record *r)
{
    const char *quote = strcmp(r->type, "TXT") == 0 ? "\\\"" : "";

    say(c,
        "{\"failover\":false,\"monitor\":false,\"sourceId\":%" PRId64 ",\"dynamicDns\":false,\"failed\":false,"
        "\"gtdLocation\":\"DEFAULT\",\"hardLink\":false,\"ttl\":60,\"source\":%d,\"name\":\"%s\",\"value\":"
        "\"%s%s%s\",\"id\":%" PRId64 ",\"type\":\"%s\"}",
        r->zone_id, r->source, r->name, quote, r->value, quote, r->id, r->type);
}

static void say_zone(struct call *c, const struct fake_api_zone *z)
{
    say(c, "{\"created\":1580515200000,\"folderId\":1,\"gtdEnabled\":false,\"nameServers\":[");
    for (size_t i = 0; i < z->server_count; i++)
        say(c, "%s{\"ipv6\":\"\",\"fqdn\":\"%s.\",\"groupId\":1,\"ipv4\":\"%s\",\"id\":%zu}", i ? "," : "",
            z->servers[i][0], z->servers[i][1], i + 1);
    say(c,
        "],\"delegateNameServers\":[],\"pendingActionId\":%d,\"updated\":1580515200001,\"name\":\"%s\",\"id\":%" PRId64
        "}",
        z->pending_action, z->name, z->id);
}

/* ------------------------------------------------------------------ requests */

static void get_zone(struct call *c, const char *name)
{
    for (size_t i = 0; i < c->api->zone_count; i++) {
        const struct fake_api_zone *zone = &c->api->zones[i];

        if (!zone->gone && zone->account == c->account && text_casecmp(zone->name, name) == 0) {
            say_zone(c, zone);
            finish(c, 200, "application/json");
            return;
        }
    }
    answer_404(c);
}

/* "name=value" of a query string, decoded as far as tests need it: names have no characters to be encoded. */
static bool query_get(const char *query, const char *name, char *out, size_t size)
{
    size_t len = strlen(name);

    for (const char *at = query; at && *at; at = strchr(at, '&') ? strchr(at, '&') + 1 : NULL) {
        if (strncmp(at, name, len) == 0 && at[len] == '=') {
            size_t value_len = strcspn(at + len + 1, "&");

            assert_true(value_len < size);
            memcpy(out, at + len + 1, value_len);
            out[value_len] = '\0';
            return true;
        }
    }
    return false;
}

static bool is_listed(const struct fake_api *api, const struct fake_api_record *r, const char *name, const char *type)
{
    if (type && strcmp(r->type, type) != 0)
        return false;
    if (!name)
        return true;
    return api->filters_loosely ? strstr(r->name, name) != NULL : text_casecmp(r->name, name) == 0;
}

static void get_records(struct call *c, int64_t zone_id, const char *query)
{
    char name[256], type[16];
    bool has_name = query_get(query, "recordName", name, sizeof name);
    bool has_type = query_get(query, "type", type, sizeof type);
    size_t count = 0;

    say(c, "{\"totalPages\":1,\"data\":[");
    for (size_t i = 0; i < c->api->record_count; i++) {
        const struct fake_api_record *r = &c->api->records[i];

        if (r->zone_id != zone_id || r->deleted_ms ||
            !is_listed(c->api, r, has_name ? name : NULL, has_type ? type : NULL))
            continue;
        say(c, "%s", count++ ? "," : "");
        say_record(c, r);
    }
    say(c, "],\"totalRecords\":%zu,\"page\":0}", count);
    finish(c, 200, "application/json");
}

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));

    assert_non_null(text);
    return text;
}

static bool is_duplicate(struct fake_api *api, int64_t zone_id, const json_t *item)
{
    assert_string_equal(text_of(item, "type"), "TXT");
    assert_null(strchr(text_of(item, "value"), '"'));
    assert_null(json_object_get(item, "gtdLocation"));
    assert_true(json_integer_value(json_object_get(item, "ttl")) > 0);
    return fake_api_find_txt(api, zone_id, text_of(item, "name"), text_of(item, "value")) != NULL;
}

static void create(struct call *c, int64_t zone_id, const json_t *item)
{
    say_record(c, fake_api_add(c->api, zone_id, "TXT", text_of(item, "name"), text_of(item, "value"), FAKE_API_OURS));
}

static bool is_liked(const struct call *c, const json_t *item)
{
    return !*c->api->refused_value || strcmp(text_of(item, "value"), c->api->refused_value) != 0;
}

static void post_one(struct call *c, int64_t zone_id, const json_t *item)
{
    if (is_duplicate(c->api, zone_id, item)) {
        say(c, "{\"error\":[\"Record with this type (TXT), name (%s), and value (\\\"%s\\\") already exists.\"]}",
            text_of(item, "name"), text_of(item, "value"));
        finish(c, 400, "application/json");
        return;
    }
    if (!is_liked(c, item)) {
        answer_error(c, 400, "Record value is not valid.");
        return;
    }
    create(c, zone_id, item);
    finish(c, 201, "application/json");
}

/* All or none. */
static void post_many(struct call *c, int64_t zone_id, const json_t *list)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        if (is_duplicate(c->api, zone_id, item)) {
            say(c,
                "{\"error\":[\"Duplicate name and value match detected for record \\\"%s %s\\\" with domain "
                "\\\"x\\\".\"]}",
                text_of(item, "name"), text_of(item, "value"));
            finish(c, 400, "application/json");
            return;
        }
        if (!is_liked(c, item)) {
            answer_error(c, 400, "Record value is not valid.");
            return;
        }
    }
    say(c, "[");
    json_array_foreach(list, i, item)
    {
        say(c, "%s", i ? "," : "");
        create(c, zone_id, item);
    }
    say(c, "]");
    if (c->api->multi_is_nothing) {
        c->len = 0;
        c->api->answer[0] = '\0';
    }
    finish(c, 201, "application/json");
}

static void post_records(struct call *c, int64_t zone_id, const char *rest)
{
    json_t *json = json_loads(c->seen->body ? c->seen->body : "", 0, NULL);

    assert_non_null(json);
    if (strcmp(rest, "/createMulti") == 0)
        post_many(c, zone_id, json);
    else
        post_one(c, zone_id, json);
    json_decref(json);
}

static void delete_one(struct call *c, int64_t zone_id, const char *text)
{
    uint64_t id;
    struct fake_api_record *record = parse_uint(text, 1, INT64_MAX, &id) ? fake_api_find(c->api, (int64_t)id) : NULL;

    if (!record || record->zone_id != zone_id) {
        answer_404(c);
        return;
    }
    fake_api_delete(c->api, record);
    finish(c, 200, "application/json");
}

/* Ids that are not there are passed over.  No ids: all of the zone. */
static void delete_many(struct call *c, int64_t zone_id, const char *query)
{
    size_t wanted = 0;

    for (const char *at = query; at && *at; at = strchr(at, '&') ? strchr(at, '&') + 1 : NULL) {
        int64_t id = strncmp(at, "ids=", 4) == 0 ? strtoll(at + 4, NULL, 10) : 0;
        struct fake_api_record *record = fake_api_find(c->api, id);

        wanted += id != 0;
        if (record && record->zone_id == zone_id)
            fake_api_delete(c->api, record);
    }
    if (!wanted) {
        c->api->wiped = true;
        for (size_t i = 0; i < c->api->record_count; i++)
            if (c->api->records[i].zone_id == zone_id && !c->api->records[i].deleted_ms)
                fake_api_delete(c->api, &c->api->records[i]);
    }
    finish(c, 200, "application/json");
}

static bool has_zone(const struct call *c, int64_t id)
{
    for (size_t i = 0; i < c->api->zone_count; i++)
        if (c->api->zones[i].id == id && !c->api->zones[i].gone && c->api->zones[i].account == c->account)
            return true;
    return false;
}

/* "<zone id>/records..." */
static void route_records(struct call *c, const char *at)
{
    char *rest = NULL;
    int64_t zone_id = strtoll(at, &rest, 10);
    const char *query = strchr(at, '?');
    const char *method = c->seen->method;

    assert_memory_equal(rest, "/records", strlen("/records"));
    rest += strlen("/records");
    if (!has_zone(c, zone_id) || zone_id == c->api->denied_zone)
        answer_404(c);
    else if (strcmp(method, "GET") == 0)
        get_records(c, zone_id, query ? query + 1 : NULL);
    else if (strcmp(method, "POST") == 0)
        post_records(c, zone_id, rest);
    else if (strcmp(method, "DELETE") == 0 && rest[0] == '/' && rest[1])
        delete_one(c, zone_id, rest + 1);
    else if (strcmp(method, "DELETE") == 0)
        delete_many(c, zone_id, query ? query + 1 : NULL);
    else
        fail_msg("the fake API knows no %s %s", method, at);
}

/* The first page of one: all that the program looks at is that it is there. */
static void list_zones(struct call *c)
{
    say(c, "{\"totalPages\":1,\"totalRecords\":0,\"data\":[],\"page\":0}");
    finish(c, 200, "application/json");
}

static void route(struct call *c)
{
    static const char by_name[] = "/name?domainname=";
    static const char managed[] = FAKE_API_ROOT "/dns/managed";
    const char *at = c->seen->url + strlen(managed);

    assert_memory_equal(c->seen->url, managed, strlen(managed));
    if (text_starts_with(at, by_name))
        get_zone(c, at + strlen(by_name));
    else if (text_starts_with(at, "/?"))
        list_zones(c);
    else
        route_records(c, at + 1);
}

static void serve(struct call *c)
{
    const char *key = fake_seen_header(c->seen, "x-dnsme-apiKey");

    assert_non_null(fake_seen_header(c->seen, "x-dnsme-hmac"));
    assert_non_null(fake_seen_header(c->seen, "x-dnsme-requestDate"));
    c->len = 0;
    c->api->answer[0] = '\0';
    if (!key || !text_starts_with(key, "key-") || key[4] < '0' || key[4] >= '0' + FAKE_API_ACCOUNTS) {
        answer_error(c, 403, "API key not found");
        return;
    }
    c->account = key[4] - '0';
    if (c->account == c->api->refused_account)
        answer_error(c, 403, "Unable to verify HMAC");
    else
        route(c);
}

/* ------------------------------------------------------------------ what goes wrong */

static void lose(struct call *c, enum err_code code, bool may_have_acted)
{
    *c->out = (struct fake_exchange){.fail = code, .may_have_acted = may_have_acted};
}

static void spoil(struct call *c, enum fake_api_fault fault)
{
    *c->out = (struct fake_exchange){.status = 0};
    c->len = 0;
    switch (fault) {
    case FAKE_API_500:
    case FAKE_API_500_AFTER_ALL:
        say(c, "<html><title>Internal Server Error</title></html>");
        finish(c, 500, "text/html");
        break;
    case FAKE_API_RATE_LIMIT:
        say(c, "{\"error\": [\"Rate limit exceeded\"]}");
        finish(c, 400, "application/json");
        break;
    case FAKE_API_403:
        answer_error(c, 403, "Unable to verify HMAC");
        break;
    case FAKE_API_404:
        answer_404(c);
        break;
    default:
        say(c, "<html><title>Please log in to the wireless network</title></html>");
        finish(c, 200, "text/html");
        break;
    }
}

static void cut_in_half(struct call *c)
{
    if (c->len > 1)
        c->api->answer[c->len / 2] = '\0';
}

static bool is_carried_out(enum fake_api_fault fault)
{
    return fault == FAKE_API_OK || fault == FAKE_API_ANSWER_LOST || fault == FAKE_API_TIMEOUT ||
           fault == FAKE_API_500_AFTER_ALL || fault == FAKE_API_GARBAGE || fault == FAKE_API_TRUNCATED ||
           fault == FAKE_API_CANCEL || fault == FAKE_API_KILL;
}

/* The first POST only: what is tried again after it finds it done or not, as it happens. */
static void postpone(struct call *c)
{
    struct fake_api *api = c->api;

    if (strcmp(c->seen->method, "POST") != 0 || *api->late_url)
        return;
    assert_true(strlen(c->seen->url) < sizeof api->late_url && strlen(c->seen->body) < sizeof api->late_body);
    text_cut_into(api->late_url, sizeof api->late_url, c->seen->url);
    text_cut_into(api->late_body, sizeof api->late_body, c->seen->body);
}

static void go_wrong(struct call *c, enum fake_api_fault fault)
{
    switch (fault) {
    case FAKE_API_OK:
        break;
    case FAKE_API_NO_CONNECTION:
        lose(c, ERR_NETWORK, false);
        break;
    case FAKE_API_REQUEST_LOST:
    case FAKE_API_ANSWER_LOST:
        lose(c, ERR_NETWORK, true);
        break;
    case FAKE_API_TIMEOUT:
        lose(c, ERR_TIMEOUT, true);
        c->out->takes_ms = 10000;
        break;
    case FAKE_API_TRUNCATED:
        cut_in_half(c);
        break;
    case FAKE_API_CANCEL_LATE:
        postpone(c);
        c->api->clock->cancelled = true;
        lose(c, ERR_CANCELLED, true);
        break;
    case FAKE_API_CANCEL:
        c->api->clock->cancelled = true;
        lose(c, ERR_CANCELLED, true);
        break;
    case FAKE_API_KILL:
        fixture_die();
    default:
        spoil(c, fault);
        break;
    }
}

static void note(struct fake_api *api, const struct fake_seen *seen)
{
    size_t root_len = strlen(FAKE_API_ROOT);
    size_t n = api->request_count++;

    assert_memory_equal(seen->url, FAKE_API_ROOT, root_len);
    if (n >= ARRAY_LEN(api->requests))
        return;
    text_cut_into(api->requests[n].method, sizeof api->requests[n].method, seen->method);
    text_cut_into(api->requests[n].target, sizeof api->requests[n].target, seen->url + root_len);
}

static bool is_due(const struct fake_api *api, const struct fake_seen *seen)
{
    size_t n = api->request_count;
    AUTO_FREE char *start = mem_printf("%s %s", seen->method, seen->url + strlen(FAKE_API_ROOT));

    return n >= api->fault_first && n - api->fault_first < api->fault_count &&
           text_starts_with(start, api->fault_where);
}

static void handle(void *context, const struct fake_seen *seen, UNUSED size_t index, struct fake_exchange *answer)
{
    struct fake_api *api = context;
    struct call c = {.api = api, .seen = seen, .out = answer};
    enum fake_api_fault fault = is_due(api, seen) ? api->fault : FAKE_API_OK;

    note(api, seen);
    if (is_carried_out(fault))
        serve(&c);
    go_wrong(&c, fault);
}

void fake_api_heal(struct fake_api *api)
{
    char post[] = "POST";
    struct fake_seen seen = {.method = post, .url = api->late_url, .body = api->late_body};
    struct fake_exchange unread = {.status = 0};
    struct call c = {.api = api, .seen = &seen, .out = &unread};

    fake_api_fail(api, FAKE_API_OK, 0, 0);
    if (*api->late_url)
        route(&c);
    api->late_url[0] = '\0';
}

void fake_api_attach(struct fake_api *api, struct fake_http *http)
{
    http->handler = handle;
    http->handler_context = api;
}
