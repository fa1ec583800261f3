/* SPDX-License-Identifier: MIT
 *
 * Finding the zone of a name with as few requests as can be.
 *
 * DNS Made Easy has no "which zone holds this name": one asks for a zone by its exact name.  Listing the account would
 * cost more with every zone in it.  So names are proposed, most likely first, and the API decides: what the operator
 * wrote under `zones:`, the cut that DNS shows (an SOA query for the name's PARENT: asking for the record's own name
 * would leave "no such name" in the resolver's cache), then every suffix, longest first.
 */
#include "flow/engine.h"

#include <stdlib.h>
#include <string.h>

#include "dns/name.h"

void zone_search_done(struct zone_search *search)
{
    free(search->name);
    free(search->cut);
    strlist_done(&search->tried);
}

/* Ask for a zone, unless it was asked for before or is a top-level domain. */
static enum err_code try_zone(struct challenge *c, struct zone_search *search, const char *zone_name, struct zone **out,
                              struct err *err)
{
    if (!name_parent(zone_name) || strlist_has(&search->tried, zone_name))
        return ERR_NOT_FOUND;
    strlist_add(&search->tried, zone_name);
    return zones_want(c, zone_name, out, err);
}

/* The longest of all `zones:` that holds the name; NULL: none. */
static const char *configured_zone(const struct challenge *c, const char *name)
{
    const char *best = NULL;

    for (size_t i = 0; i < c->opts.account_count; i++) {
        const struct strlist *zones = c->opts.accounts[i].zones;
        for (size_t j = 0; j < zones->count; j++)
            if (name_is_within(name, zones->items[j]) && (!best || strlen(zones->items[j]) > strlen(best)))
                best = zones->items[j];
    }
    return best;
}

/* ------------------------------------------------------------------ the cut that DNS shows */

static struct resolver *recursive_resolver(const struct challenge *c)
{
    return c->opts.doh_mode == CHALLENGE_DOH_ALWAYS && c->opts.doh_count ? c->opts.doh[0] : c->opts.direct;
}

/* The cut as the configured name servers show it: no resolver is needed, and none can mislead. */
static enum err_code cut_from_override(const struct challenge *c, const char *name, char **out, struct err *err)
{
    AUTO_DNS_SERVERS struct dns_servers servers = {0};
    AUTO_AUTHORITY_VIEW struct authority_view view = {.kind = AUTHORITY_HERE};
    enum err_code code;

    servers_from_override(c->opts.nameservers, &servers);
    code = authority_look(c->opts.direct, &servers, NULL, name, &view, err);
    if (code == ERR_OK && !view.zone)
        return err_set(err, ERR_DNS, "the name servers do not tell the zone of \"%s\"", name);
    if (code == ERR_OK)
        *out = mem_strdup(view.zone);
    return code;
}

static enum err_code find_cut(const struct challenge *c, const char *name, char **out, struct err *err)
{
    const char *parent = name_parent(name);

    if (c->opts.nameservers->count && c->opts.doh_mode != CHALLENGE_DOH_ALWAYS)
        return cut_from_override(c, name, out, err);
    if (!parent || !name_parent(parent))
        return err_set(err, ERR_NOT_FOUND, "the parent of \"%s\" is no zone of ours", name);
    return authority_find_zone(recursive_resolver(c), parent, out, err);
}

/* ------------------------------------------------------------------ the search */

enum err_code zone_search_likely(struct challenge *c, struct zone_search *search, struct zone **out, struct err *err)
{
    const char *configured = configured_zone(c, search->name);
    struct err why;
    enum err_code code = ERR_NOT_FOUND;

    if (search->is_begun)
        return code;
    search->is_begun = true;
    if (configured) {
        log_line(c->opts.log, LOG_INFO, "the configuration says that \"%s\" is in zone \"%s\"", search->name,
                 configured);
        code = try_zone(c, search, configured, out, err);
    }
    if (code != ERR_NOT_FOUND)
        return code;
    code = find_cut(c, search->name, &search->cut, &why);
    if (code == ERR_CANCELLED)
        return err_set(err, code, "interrupted while looking for the zone of \"%s\"", search->name);
    if (code != ERR_OK) {
        log_line(c->opts.log, LOG_INFO, "no zone cut for \"%s\" from DNS: %s", search->name, why.msg);
        return ERR_NOT_FOUND;
    }
    log_line(c->opts.log, LOG_INFO, "DNS shows that \"%s\" is in zone \"%s\"", search->name, search->cut);
    return try_zone(c, search, search->cut, out, err);
}

static enum err_code refuse_name(const struct challenge *c, const struct zone_search *search, struct err *err)
{
    AUTO_BUF struct buf list = BUF_INIT(ERR_MSG_MAX);
    enum err_code code = zones_refusal(c, search->name, err);

    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < search->tried.count; i++)
        buf_printf(&list, "%s\"%s\"", i ? ", " : "", search->tried.items[i]);
    code = err_set(err, ERR_ZONE, "no zone of the account holds \"%s\": tried %s", search->name, buf_cstr(&list));
    err_hint(err, "Is the zone in another DNS Made Easy account, or the key one of the sandbox?  Several accounts go "
                  "under \"accounts:\" in the configuration, see acme-dme.yaml(5).");
    return code;
}

enum err_code zone_search_suffixes(struct challenge *c, struct zone_search *search, struct zone **out, struct err *err)
{
    log_line(c->opts.log, LOG_INFO, "trying each part of \"%s\" as a zone", search->name);
    for (const char *suffix = search->name; suffix; suffix = name_parent(suffix)) {
        enum err_code code = try_zone(c, search, suffix, out, err);
        if (code != ERR_NOT_FOUND)
            return code;
    }
    return refuse_name(c, search, err);
}
