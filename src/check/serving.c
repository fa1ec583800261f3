/* SPDX-License-Identifier: MIT
 *
 * Do all name servers of a zone answer, over UDP and TCP, and do they have the same version of it?
 */
#include <inttypes.h>
#include <string.h>

#include "check/internal.h"
#include "dns/delegation.h"

#define TIMEOUT_MS 2000
#define CATCH_UP_MS 3000
#define TEXT_MAX 1500
#define SERIAL_HALF UINT32_C(0x80000000)

struct tally {
    size_t good, lame, silent, unreachable; /* answers */
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
        *(s->result == SERVING_LAME ? &tally->lame : &tally->silent) += 1;
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

static bool is_bad(const struct serving *s)
{
    return s && (s->result == SERVING_LAME || s->result == SERVING_SILENT);
}

/* One address: `tcp` NULL when the list has none for it. */
static void describe_address(const struct serving *udp, const struct serving *tcp, struct buf *out)
{
    const char *gap = out->len ? "; " : "";
    const char *address = udp->address ? udp->address : "";
    const char *space = udp->address ? " " : "";

    if (!udp->address)
        buf_printf(out, "%s%s", gap, udp->why);
    else if (is_bad(udp) && is_bad(tcp) && strcmp(udp->why, tcp->why) == 0)
        buf_printf(out, "%s%s%s%s over UDP and TCP", gap, address, space, udp->why);
    else if (is_bad(udp) && is_bad(tcp))
        buf_printf(out, "%s%s%s%s over UDP and %s over TCP", gap, address, space, udp->why, tcp->why);
    else if (is_bad(udp))
        buf_printf(out, "%s%s%s%s over UDP", gap, address, space, udp->why);
    else if (is_bad(tcp))
        buf_printf(out, "%s%s%s%s over TCP", gap, address, space, tcp->why);
}

struct faults {
    bool is_lame, is_silent, answers;
};

static void note_faults(const struct serving *s, struct faults *faults)
{
    faults->is_lame |= s->result == SERVING_LAME;
    faults->is_silent |= s->result == SERVING_SILENT;
    faults->answers |= s->result == SERVING_OK;
}

static void advise(struct check *check, const struct faults *faults)
{
    if (faults->is_lame)
        check_hint(check->report,
                   "A CA that asks this server fails: see that it serves the zone, or take it out of the "
                   "delegation.");
    else if (faults->answers)
        check_hint(check->report, "CAs may ask in either way; if others reach it, look for a firewall between this "
                                  "machine and port 53.");
    else
        check_hint(check->report, "If it stays so, see whether others reach it; one that is gone for good should be "
                                  "taken out of the delegation.");
}

/* The server whose first address stands at `first`; returns where the next one begins. */
static size_t report_server(struct check *check, const struct serving_list *list, size_t first,
                            const struct tally *tally)
{
    AUTO_BUF struct buf text = BUF_INIT(TEXT_MAX);
    const char *server = list->items[first].server;
    struct faults faults = {0};
    size_t i = first;

    while (i < list->count && strcmp(list->items[i].server, server) == 0) {
        const struct serving *udp = &list->items[i];
        const struct serving *tcp = i + 1 < list->count && list->items[i + 1].address == udp->address &&
                                            list->items[i + 1].transport == SERVING_TCP
                                        ? udp + 1
                                        : NULL;

        note_faults(udp, &faults);
        if (tcp)
            note_faults(tcp, &faults);
        describe_address(udp, tcp, &text);
        i += tcp ? 2 : 1;
    }
    if (faults.is_lame || faults.is_silent) {
        check_add(check->report, tally->good ? CHECK_WARN : CHECK_FAIL, "servers", server, "%s", buf_cstr(&text));
        check_code(check->report, ERR_DNS);
        advise(check, &faults);
    }
    return i;
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
              tally->unreachable ? "; this machine has no way to their other addresses" : "");
}

static void report_serials(struct check *check, const struct check_zone *zone, const struct tally *tally)
{
    const struct serving *old = tally->oldest;
    const struct serving *new = tally->newest;

    if (old->serial == new->serial) {
        check_add(check->report, CHECK_OK, "serials", zone->name, "all servers have serial %" PRIu32, new->serial);
    } else {
        check_add(check->report, CHECK_WARN, "serials", zone->name,
                  "\"%s\" (%s) has serial %" PRIu32 ", \"%s\" has %" PRIu32 " already", old->server, old->address,
                  old->serial, new->server, new->serial);
        check_hint(check->report, "Shortly after a change that is normal; if it stays so, that server does not get the "
                                  "changes: tell whoever runs it.");
    }
    check_measure(check->report, "behind", (int64_t)(new->serial - old->serial));
}

static void report(struct check *check, const struct serving_list *list, struct check_zone *zone)
{
    struct tally tally = {0};

    for (size_t i = 0; i < list->count; i++)
        count_one(&list->items[i], &tally);
    if (!tally.good && !tally.lame) {
        report_silence(check, zone);
        return;
    }
    for (size_t i = 0; i < list->count;)
        i = report_server(check, list, i, &tally);
    if (!tally.lame && !tally.silent)
        report_good(check, zone, &tally);
    if (tally.good)
        report_serials(check, zone, &tally);
}

static bool has_several_serials(const struct serving_list *list)
{
    struct tally tally = {0};

    for (size_t i = 0; i < list->count; i++)
        count_one(&list->items[i], &tally);
    return tally.good && tally.newest->serial != tally.oldest->serial;
}

/* A hook may be at work: servers that differ are given some time and then asked again. */
static enum err_code look(struct check *check, const char *zone, const struct dns_servers *servers,
                          struct serving_list *out, struct err *err)
{
    enum err_code code = serving_examine(check->opts.direct, zone, servers, TIMEOUT_MS, out, err);

    if (code != ERR_OK || !has_several_serials(out))
        return code;
    if (!clock_sleep_ms(check->opts.clock, CATCH_UP_MS))
        return err_set(err, ERR_CANCELLED, "interrupted");
    serving_list_done(out);
    return serving_examine(check->opts.direct, zone, servers, TIMEOUT_MS, out, err);
}

static bool has_address(const struct dns_servers *servers, const char *name, const char *address)
{
    for (size_t s = 0; s < servers->count; s++)
        for (size_t a = 0; strcmp(servers->items[s].name, name) == 0 && a < servers->items[s].addresses.count; a++)
            if (strcmp(servers->items[s].addresses.items[a], address) == 0)
                return true;
    return false;
}

static void note_over(enum serving_transport transport, const struct serving_list *list, const struct dns_servers *ours,
                      struct dns_servers *out)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct serving *s = &list->items[i];

        if (s->transport == transport && s->address && (s->result == SERVING_OK || s->result == SERVING_LAME) &&
            has_address(ours, s->server, s->address))
            dns_servers_add(out, s->server, s->address);
    }
}

/* Questions go over UDP first: addresses that answer over TCP only are left out, unless there are no others. */
static void note_answering(const struct serving_list *list, const struct dns_servers *ours, struct check_zone *zone)
{
    note_over(SERVING_UDP, list, ours, &zone->answering);
    if (!zone->answering.count)
        note_over(SERVING_TCP, list, ours, &zone->answering);
}

enum err_code check_serving(struct check *check, const struct dns_servers *servers, const struct dns_servers *ours,
                            struct check_zone *zone, struct err *err)
{
    AUTO(serving_list_done) struct serving_list list = {NULL, 0};
    struct err why;
    enum err_code code;

    check_report_flush(check->report);
    err_init(&why);
    code = look(check, zone->name, servers, &list, &why);
    if (code == ERR_CANCELLED)
        return err_set(err, code, "%s", why.msg);
    if (code == ERR_OK) {
        report(check, &list, zone);
        note_answering(&list, ours, zone);
    } else {
        check_add_error(check->report, CHECK_WARN, "servers", zone->name, &why);
        dns_servers_copy(&zone->answering, ours);
    }
    return ERR_OK;
}
