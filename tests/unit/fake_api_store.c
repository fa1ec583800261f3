/* SPDX-License-Identifier: MIT
 *
 * What is at the fake API; fake_api.c answers requests.
 */
#include "fake_api.h"

#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "test.h"
#include "util/text.h"

void fake_api_fail(struct fake_api *api, enum fake_api_fault fault, size_t first, size_t count)
{
    api->fault = fault;
    api->fault_first = first;
    api->fault_count = count;
    api->fault_where[0] = '\0';
}

void fake_api_fail_where(struct fake_api *api, enum fake_api_fault fault, const char *where)
{
    fake_api_fail(api, fault, 0, FAKE_API_FOREVER);
    assert_true(strlen(where) < sizeof api->fault_where);
    text_cut_into(api->fault_where, sizeof api->fault_where, where);
}

struct fake_api *fake_api_new(struct fake_clock *clock)
{
    struct fake_api *api = fixture_shared_new(sizeof *api);

    api->clock = clock;
    api->refused_account = -1;
    api->requests_remaining = 100;
    api->next_id = INT64_C(5000000001); /* more than 32 bits */
    return api;
}

void fake_api_free(struct fake_api *api)
{
    fixture_shared_free(api, sizeof *api);
}

/* ------------------------------------------------------------------ zones and records */

static void put_text(char *out, size_t size, const char *text)
{
    assert_true(strlen(text) < size);
    memcpy(out, text, strlen(text) + 1);
}

struct fake_api_zone *fake_api_add_zone(struct fake_api *api, int account, int64_t id, const char *name)
{
    struct fake_api_zone *zone = &api->zones[api->zone_count++];

    assert_true(api->zone_count <= ARRAY_LEN(api->zones));
    *zone = (struct fake_api_zone){.id = id, .account = account};
    put_text(zone->name, sizeof zone->name, name);
    return zone;
}

void fake_api_zone_add_server(struct fake_api_zone *zone, const char *name, const char *address)
{
    assert_true(zone->server_count < ARRAY_LEN(zone->servers));
    put_text(zone->servers[zone->server_count][0], sizeof zone->servers[0][0], name);
    put_text(zone->servers[zone->server_count++][1], sizeof zone->servers[0][1], address);
}

struct fake_api_zone *fake_api_find_zone(struct fake_api *api, const char *name)
{
    for (size_t i = 0; i < api->zone_count; i++)
        if (!api->zones[i].gone && text_casecmp(api->zones[i].name, name) == 0)
            return &api->zones[i];
    return NULL;
}

struct fake_api_record *fake_api_add(struct fake_api *api, int64_t zone_id, const char *type, const char *name,
                                     const char *value, enum fake_api_origin origin)
{
    struct fake_api_record *record = &api->records[api->record_count++];

    assert_true(api->record_count <= ARRAY_LEN(api->records));
    *record = (struct fake_api_record){.id = api->next_id++,
                                       .zone_id = zone_id,
                                       .source = 1,
                                       .origin = origin,
                                       .created_ms = clock_wall_ms(&api->clock->base)};
    put_text(record->type, sizeof record->type, type);
    put_text(record->name, sizeof record->name, name);
    put_text(record->value, sizeof record->value, value);
    return record;
}

int64_t fake_api_add_foreign(struct fake_api *api, int64_t zone_id, const char *type, const char *name,
                             const char *value)
{
    struct fake_api_record *record = fake_api_add(api, zone_id, type, name, value, FAKE_API_FOREIGN);

    record->created_ms = 0; /* every server has it since long */
    return record->id;
}

struct fake_api_record *fake_api_find(struct fake_api *api, int64_t id)
{
    for (size_t i = 0; i < api->record_count; i++)
        if (api->records[i].id == id && !api->records[i].deleted_ms)
            return &api->records[i];
    return NULL;
}

struct fake_api_record *fake_api_find_txt(struct fake_api *api, int64_t zone_id, const char *name, const char *value)
{
    for (size_t i = 0; i < api->record_count; i++) {
        struct fake_api_record *r = &api->records[i];

        if (r->zone_id == zone_id && !r->deleted_ms && strcmp(r->type, "TXT") == 0 &&
            text_casecmp(r->name, name) == 0 && strcmp(r->value, value) == 0)
            return r;
    }
    return NULL;
}

size_t fake_api_count_ours(const struct fake_api *api)
{
    size_t count = 0;

    for (size_t i = 0; i < api->record_count; i++)
        count += !api->records[i].deleted_ms && api->records[i].origin == FAKE_API_OURS;
    return count;
}

size_t fake_api_count_method(const struct fake_api *api, const char *method)
{
    size_t count = 0;

    for (size_t i = 0; i < api->request_count && i < ARRAY_LEN(api->requests); i++)
        count += strcmp(api->requests[i].method, method) == 0;
    return count;
}

void fake_api_delete(struct fake_api *api, struct fake_api_record *record)
{
    record->deleted_ms = clock_wall_ms(&api->clock->base);
    api->foreign_touched += record->origin == FAKE_API_FOREIGN;
}

void fake_api_drop_zone(struct fake_api *api, int64_t id)
{
    for (size_t i = 0; i < api->zone_count; i++)
        api->zones[i].gone |= api->zones[i].id == id;
    for (size_t i = 0; i < api->record_count; i++)
        if (api->records[i].zone_id == id)
            api->records[i].deleted_ms = clock_wall_ms(&api->clock->base);
}
