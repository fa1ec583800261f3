/* SPDX-License-Identifier: MIT */
#include "dme/dme.h"

#include <stdlib.h>
#include <string.h>

#include "dme/answer.h"
#include "dme/client.h"
#include "util/text.h"

#define NAME_MAX_BYTES 255
#define PENDING_DELETION 3

static enum err_code check_zone(const struct dme_zone *zone, const char *name, struct err *err)
{
    if (text_casecmp(zone->name, name) != 0)
        return err_set(err, ERR_API, "could not look up zone \"%s\": DNS Made Easy answered with zone \"%s\"", name,
                       zone->name);
    if (zone->pending_action == PENDING_DELETION) {
        enum err_code code = err_set(err, ERR_ZONE, "zone \"%s\" is being deleted at DNS Made Easy", name);
        err_hint(err, "Wait until the deletion is finished, or create the zone again in the control panel of "
                      "DNS Made Easy.");
        return code;
    }
    return ERR_OK;
}

enum err_code dme_zone_find(struct dme *dme, const char *name, struct dme_zone *out, struct err *err)
{
    struct buf path AUTO_BUF = BUF_INIT(1024);
    struct dme_zone zone AUTO(dme_zone_done) = {.id = 0};
    json_t *json AUTO_JSON = NULL;
    size_t len = strlen(name);
    char *plain AUTO_FREE = mem_strndup(name, len > 0 && name[len - 1] == '.' ? len - 1 : len);
    char *what AUTO_FREE = mem_printf("look up zone \"%s\"", plain);
    enum err_code code;

    if (!*plain || len > NAME_MAX_BYTES)
        return err_set(err, ERR_INPUT, "could not %s: not the name of a zone", what);
    dme_begin(dme);
    buf_puts(&path, "/dns/managed/name?domainname=");
    buf_put_urlencoded(&path, plain);
    code = dme_call_perform(dme, &(struct dme_call){.method = "GET", .path = buf_cstr(&path), .what = what}, &json,
                            err);
    if (code == ERR_NOT_FOUND) {
        code = dme_doubt_endpoint(dme, err);
        if (code != ERR_OK)
            return code;
        return err_set(err, ERR_NOT_FOUND, "this DNS Made Easy account has no zone \"%s\"", plain);
    }
    if (code != ERR_OK)
        return code;
    code = dme_answer_zone(json, &zone, err);
    if (code != ERR_OK)
        return err_prefix(err, code, "could not %s", what);
    code = check_zone(&zone, plain, err);
    if (code != ERR_OK)
        return code;
    *out = zone;
    zone = (struct dme_zone){.id = 0};
    return ERR_OK;
}
