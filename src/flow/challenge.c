/* SPDX-License-Identifier: MIT */
#include "flow/challenge.h"

#include <stdlib.h>

#include "flow/engine.h"

struct challenge *challenge_new(const struct challenge_opts *opts)
{
    struct challenge *c = mem_zalloc(sizeof *c);

    c->opts = *opts;
    return c;
}

void challenge_free(struct challenge *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->zone_count; i++) {
        free(c->zones[i]->name);
        dns_servers_done(&c->zones[i]->api_servers);
        dns_servers_done(&c->zones[i]->servers);
        free(c->zones[i]);
    }
    free(c->zones);
    free(c);
}
