/* SPDX-License-Identifier: MIT
 *
 * Where a record would go, for those who only want to know.
 */
#include <stdlib.h>

#include "flow/engine.h"

enum err_code challenge_locate(struct challenge *c, const char *name, struct challenge_place *out, struct err *err)
{
    struct challenge_place place = {.zone_id = 0};
    struct zone *zone = NULL;
    enum err_code code = locate(c, name, &place.record_name, &zone, err);

    if (code != ERR_OK)
        return code;
    place.zone = mem_strdup(zone->name);
    place.zone_id = zone->id;
    place.account = zone->account;
    err_init(&place.servers_err);
    code = servers_of_zone(c, zone, &place.servers, &place.servers_err);
    if (code == ERR_CANCELLED) {
        (void)err_set(err, code, "%s", place.servers_err.msg);
        challenge_place_done(&place);
        return code;
    }
    if (code != ERR_OK)
        place.servers = NULL;
    *out = place;
    return ERR_OK;
}

void challenge_place_done(struct challenge_place *place)
{
    free(place->record_name);
    free(place->zone);
    *place = (struct challenge_place){.zone_id = 0};
}
