/* SPDX-License-Identifier: MIT */
#include "flow/challenge.h"

#include <stdlib.h>

#include "flow/engine.h"

struct challenge *challenge_new(const struct challenge_opts *opts)
{
    struct challenge *c = mem_zalloc(sizeof *c);

    c->opts = *opts;
    c->refused = mem_calloc(opts->account_count, sizeof *c->refused);
    return c;
}

void zone_content_done(struct zone *zone)
{
    free(zone->name);
    free(zone->unseen);
    dns_servers_done(&zone->api_servers);
    dns_servers_done(&zone->servers);
    zone->name = NULL;
}

void challenge_free(struct challenge *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->zone_count; i++) {
        zone_content_done(c->zones[i]);
        free(c->zones[i]);
    }
    free(c->zones);
    free(c->refused);
    free(c->leaving);
    zones_forgive(c);
    strmap_done(&c->absent);
    strmap_done(&c->recalled);
    published_done(&c->published);
    free(c);
}
