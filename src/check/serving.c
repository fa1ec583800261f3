/* SPDX-License-Identifier: MIT
 *
 * Do all name servers of a zone answer, over UDP and TCP, and do they have the same version of it?
 */
#include <string.h>

#include "check/internal.h"
#include "dns/delegation.h"

#define TIMEOUT_MS 2000
#define SERIAL_HALF UINT32_C(0x80000000)

struct tally {
    size_t good, bad, unreachable;
    bool has_ipv4, has_ipv6;
    const struct serving *newest;
    const struct serving *oldest;
};

/* RFC 1982 */
static bool is_older(uint32_t a, uint32_t b)
{
    return a != b && (uint32_t)(b - a) < SERIAL_HALF;
}

static void count_one(const struct serving *s, struct tally *tally)
{
    if (s->result == SERVING_UNREACHABLE) {
        tally->unreachable++;
        return;
    }
    if (s->result != SERVING_OK) {
        tally->bad++;
        return;
    }
    tally->good++;
    tally->has_ipv4 |= s->family == SERVING_IPV4;
    tally->has_ipv6 |= s->family == SERVING_IPV6;
    if (!tally->newest || is_older(tally->newest->serial, s->serial))
        tally->newest = s;
    if (!tally->oldest || is_older(s->serial, tally->oldest->serial))
        tally->oldest = s;
}

static void report_bad(struct check *check, const struct serving *s, const struct tally *tally)
{
    const char *protocol = s->transport == SERVING_TCP ? "TCP" : "UDP";

    if (s->address)
        check_add(check->report, tally->good ? CHECK_WARN : CHECK_FAIL, "servers", s->server, "%s (%s) %s", s->address,
                  protocol, s->why);
    else if (s->transport == SERVING_UDP)
        check_add(check->report, tally->good ? CHECK_WARN : CHECK_FAIL, "servers", s->server, "%s", s->why);
    else
        return;
    check_code(check->report, ERR_DNS);
    if (s->result == SERVING_LAME)
        check_hint(check->report,
                   "A CA that asks this server fails: see that it serves the zone, or take it out of the "
                   "delegation.");
    else if (s->transport == SERVING_TCP && tally->good)
        check_hint(check->report, "Large answers need TCP: look for a firewall that drops port 53/tcp.");
}

/* Nobody answers at all: that is more likely this machine's network than all servers at once. */
static void report_silence(struct check *check, struct check_zone *zone)
{
    zone->is_silent = true;
    check_add(check->report, check->opts.has_doh_fallback ? CHECK_WARN : CHECK_FAIL, "servers", zone->name,
              "no name server of the zone answers this machine on port 53");
    check_code(check->report, ERR_DNS);
    check_hint(check->report,
               check->opts.has_doh_fallback
                   ? "If a firewall closes port 53 that is all right: acme-dme then asks DNS over HTTPS; "
                     "it is quicker with port 53 open (UDP and TCP)."
                   : "Open port 53 (UDP and TCP) to the outside, or set \"propagation: {doh: auto}\".");
}

static void report_good(struct check *check, const struct check_zone *zone, const struct tally *tally)
{
    const char *families = tally->has_ipv4 && tally->has_ipv6 ? "IPv4 and IPv6" : tally->has_ipv6 ? "IPv6" : "IPv4";

    check_add(check->report, CHECK_OK, "servers", zone->name, "all answer over UDP and TCP (%s)%s", families,
              tally->unreachable ? "; the other addresses can't be reached from here" : "");
}

static void report_serials(struct check *check, const struct check_zone *zone, const struct tally *tally)
{
    const struct serving *old = tally->oldest;
    const struct serving *new = tally->newest;

    if (old->serial == new->serial) {
        check_add(check->report, CHECK_OK, "serials", zone->name, "all servers have serial %u", new->serial);
    } else {
        check_add(check->report, CHECK_WARN, "serials", zone->name, "%s (%s) has serial %u, %s has %u already",
                  old->server, old->address, old->serial, new->server, new->serial);
        check_hint(check->report, "Shortly after a change that is normal; if it stays so, that server does not fetch "
                                  "changes.");
    }
    check_measure(check->report, "behind", (int64_t)(new->serial - old->serial));
}

static void report(struct check *check, const struct serving_list *list, struct check_zone *zone)
{
    struct tally tally = {0};
    bool is_all_silent = true;

    for (size_t i = 0; i < list->count; i++) {
        count_one(&list->items[i], &tally);
        is_all_silent &= list->items[i].result == SERVING_SILENT || list->items[i].result == SERVING_UNREACHABLE;
    }
    if (is_all_silent) {
        report_silence(check, zone);
        return;
    }
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].result == SERVING_LAME || list->items[i].result == SERVING_SILENT)
            report_bad(check, &list->items[i], &tally);
    if (!tally.bad)
        report_good(check, zone, &tally);
    if (tally.good)
        report_serials(check, zone, &tally);
}

enum err_code check_serving(struct check *check, const struct dns_servers *servers, struct check_zone *zone,
                            struct err *err)
{
    AUTO(serving_list_done) struct serving_list list = {NULL, 0};
    enum err_code code = serving_examine(check->opts.direct, zone->name, servers, TIMEOUT_MS, &list, err);

    if (code == ERR_OK)
        report(check, &list, zone);
    else if (code != ERR_CANCELLED && err)
        check_add_error(check->report, CHECK_WARN, "servers", zone->name, err);
    return code == ERR_CANCELLED ? code : ERR_OK;
}
