/* SPDX-License-Identifier: MIT */
#include "dme/answer.h"

#include <stdlib.h>
#include <string.h>

#include "dme/error.h"
#include "util/text.h"

#define WHAT "DNS Made Easy's answer"
#define NAMESERVERS_MAX 64 /* of one list that are taken */
#define VALUE_MAX (1024u * 1024)

/* json/ says ERR_INPUT; here the input is the API's. */
static enum err_code as_api_error(enum err_code code, struct err *err)
{
    return code == ERR_OK ? ERR_OK : dme_error_unreadable(err);
}

/* Lower case and without the dot at the end: how names are written in this program. */
static char *plain_name(const char *name)
{
    size_t len = strlen(name);
    char *copy;

    if (len > 0 && name[len - 1] == '.')
        len--;
    copy = mem_strndup(name, len);
    text_lower_inplace(copy);
    return copy;
}

/* ------------------------------------------------------------------ zones */

void dme_zone_done(struct dme_zone *zone)
{
    for (size_t i = 0; i < zone->nameserver_count; i++) {
        free(zone->nameservers[i].fqdn);
        free(zone->nameservers[i].ipv4);
        free(zone->nameservers[i].ipv6);
    }
    free(zone->nameservers);
    free(zone->name);
    strlist_done(&zone->delegate_names);
    *zone = (struct dme_zone){.id = 0};
}

static char *address_or_null(const char *text)
{
    return text && *text ? mem_strdup(text) : NULL;
}

/* Name servers only help where DNS does not name them.  What is odd in these lists is left out: a zone can be written
 * to without knowing them. */
static void read_nameservers(const json_t *list, struct dme_zone *zone)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        const char *fqdn = json_string_value(json_object_get(item, "fqdn"));

        if (!fqdn || !*fqdn || zone->nameserver_count >= NAMESERVERS_MAX)
            continue;
        zone->nameservers = mem_grow(zone->nameservers, zone->nameserver_count, sizeof *zone->nameservers);
        zone->nameservers[zone->nameserver_count++] = (struct dme_nameserver){
            plain_name(fqdn), address_or_null(json_string_value(json_object_get(item, "ipv4"))),
            address_or_null(json_string_value(json_object_get(item, "ipv6")))};
    }
}

static void read_delegates(const json_t *list, struct dme_zone *zone)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        const char *name = json_string_value(item);

        if (name && *name && zone->delegate_names.count < NAMESERVERS_MAX)
            strlist_add_take(&zone->delegate_names, plain_name(name));
    }
}

enum err_code dme_answer_zone(const json_t *json, struct dme_zone *out, struct err *err)
{
    struct dme_zone zone AUTO(dme_zone_done) = {.id = 0};
    const char *name;
    enum err_code code = json_want_object(json, WHAT, err);

    if (code == ERR_OK)
        code = json_want_int64(json, "id", 1, INT64_MAX, WHAT, &zone.id, err);
    if (code == ERR_OK)
        code = json_want_string(json, "name", WHAT, &name, err);
    if (code == ERR_OK)
        code = json_find_int64(json, "pendingActionId", 0, INT32_MAX, 0, WHAT, &zone.pending_action, err);
    if (code != ERR_OK)
        return as_api_error(code, err);
    zone.name = plain_name(name);
    read_nameservers(json_object_get(json, "nameServers"), &zone);
    read_delegates(json_object_get(json, "delegateNameServers"), &zone);
    *out = zone;
    zone = (struct dme_zone){.id = 0};
    return ERR_OK;
}

/* ------------------------------------------------------------------ records */

enum err_code dme_answer_page(const json_t *json, struct dme_page *out, struct err *err)
{
    struct dme_page page = {.items = NULL};
    enum err_code code = json_want_object(json, WHAT, err);

    if (code == ERR_OK)
        code = json_find_array(json, "data", WHAT, &page.items, err);
    if (code == ERR_OK)
        code = json_find_int64(json, "page", 0, INT32_MAX, 0, WHAT, &page.page, err);
    if (code == ERR_OK)
        code = json_find_int64(json, "totalPages", 0, INT32_MAX, 1, WHAT, &page.total_pages, err);
    if (code == ERR_OK && json_array_size(page.items) > 0)
        code = json_want_int64(json_array_get(page.items, 0), "id", 0, INT64_MAX, "a record in " WHAT, &page.first_id,
                               err);
    if (code != ERR_OK)
        return as_api_error(code, err);
    *out = page;
    return ERR_OK;
}

void dme_answer_unquote(const char *value, struct buf *out)
{
    size_t len = strlen(value);
    bool in_chunk = true;

    if (len < 2 || value[0] != '"' || value[len - 1] != '"') {
        buf_puts(out, value);
        return;
    }
    /* Values can't hold quotes of their own, so those inside are seams: "chunk1""chunk2". */
    for (size_t i = 1; i < len - 1; i++) {
        if (value[i] == '"')
            in_chunk = !in_chunk;
        else if (in_chunk)
            buf_putc(out, value[i]);
    }
}

struct shown_record {
    int64_t id;
    const char *name;
    const char *value;
};

/* *out_is_ours: a TXT record of the zone itself.  What others look like is not our business. */
static enum err_code read_record(const json_t *item, struct shown_record *out, bool *out_is_ours, struct err *err)
{
    const char *what = "a record in " WHAT;
    const char *type;
    int64_t source;
    enum err_code code = json_want_object(item, what, err);

    if (code == ERR_OK)
        code = json_want_string(item, "type", what, &type, err);
    if (code != ERR_OK)
        return code;
    *out_is_ours = false;
    if (text_casecmp(type, "TXT") != 0)
        return ERR_OK;
    code = json_find_int64(item, "source", 0, INT32_MAX, 1, what, &source, err);
    if (code != ERR_OK || source != 1)
        return code;
    code = json_want_int64(item, "id", 1, INT64_MAX, what, &out->id, err);
    if (code == ERR_OK)
        code = json_find_string(item, "name", what, &out->name, err);
    if (code == ERR_OK)
        code = json_want_string(item, "value", what, &out->value, err);
    if (code == ERR_OK && !out->name)
        out->name = "";
    *out_is_ours = code == ERR_OK;
    return code;
}

static void match_one(const struct shown_record *shown, struct dme_record *const *wanted, size_t count,
                      struct buf *plain)
{
    bool is_plain = false;

    for (size_t i = 0; i < count; i++) {
        if (wanted[i]->id != 0 || text_casecmp(wanted[i]->name, shown->name) != 0)
            continue;
        if (!is_plain) {
            buf_clear(plain);
            dme_answer_unquote(shown->value, plain);
            is_plain = true;
        }
        if (buf_ok(plain) && strcmp(buf_cstr(plain), wanted[i]->value) == 0)
            wanted[i]->id = shown->id;
    }
}

enum err_code dme_answer_match(const json_t *items, struct dme_record *const *wanted, size_t count, struct err *err)
{
    struct buf plain AUTO_BUF = BUF_INIT(VALUE_MAX);
    const json_t *item;
    size_t i;

    json_array_foreach(items, i, item)
    {
        struct shown_record shown = {.id = 0};
        bool is_ours = false;
        enum err_code code = read_record(item, &shown, &is_ours, err);

        if (code != ERR_OK)
            return as_api_error(code, err);
        if (is_ours)
            match_one(&shown, wanted, count, &plain);
    }
    return ERR_OK;
}
