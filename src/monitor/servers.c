/* SPDX-License-Identifier: MIT
 *
 * The certificates of servers: find all addresses first, then look at all servers, each step side by side.
 */
#include <stdlib.h>

#include "monitor/look.h"
#include "platform/platform.h"
#include "util/parse.h"

struct server {
    char *host;
    char *port;
    const char *source; /* borrowed */
};

struct servers {
    struct server *items;
    size_t count;
    struct platform_lookup *lookups; /* one each */
    struct cert_peer *peers;         /* one for each that has an address */
    size_t peer_count;
};

static void servers_done(struct servers *s)
{
    for (size_t i = 0; i < s->count; i++) {
        free(s->items[i].host);
        free(s->items[i].port);
        platform_lookup_done(&s->lookups[i]);
    }
    for (size_t i = 0; i < s->peer_count; i++)
        cert_peer_done(&s->peers[i]);
    free(s->items);
    free(s->lookups);
    free(s->peers);
}

static void list_servers(const struct strlist *sources, struct servers *s)
{
    s->items = mem_calloc(sources->count, sizeof *s->items);
    s->lookups = mem_calloc(sources->count, sizeof *s->lookups);
    s->peers = mem_calloc(sources->count, sizeof *s->peers);
    for (size_t i = 0; i < sources->count; i++) {
        struct server *server = &s->items[s->count];

        if (!parse_host_port(sources->items[i], &server->host, &server->port))
            continue;
        server->source = sources->items[i];
        s->lookups[s->count++].host = server->host;
    }
}

static void list_peers(struct servers *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->lookups[i].code == ERR_OK)
            s->peers[s->peer_count++] = (struct cert_peer){
                .host = s->items[i].host, .port = s->items[i].port, .addresses = &s->lookups[i].addresses};
}

/* The certificate changes hands. */
static void take_peer(struct monitor_certificate *certificate, struct cert_peer *peer)
{
    certificate->code = peer->code;
    if (peer->code != ERR_OK) {
        monitor_certificate_fail(certificate, &peer->err);
        return;
    }
    certificate->cert = peer->cert;
    certificate->problem = peer->problem;
    peer->cert = (struct cert){.subject = NULL};
    peer->problem = NULL;
}

/* `fault`: why no server could be looked at; NULL: they were. */
static void report_servers(struct servers *s, const struct err *fault, struct monitor_report *report)
{
    size_t next_peer = 0;

    for (size_t i = 0; i < s->count; i++) {
        struct cert_peer *peer = s->lookups[i].code == ERR_OK ? &s->peers[next_peer++] : NULL;
        struct monitor_certificate *certificate = monitor_report_add_certificate(report, s->items[i].source);

        if (!certificate)
            continue;
        certificate->is_server = true;
        if (!peer)
            monitor_certificate_fail(certificate, &s->lookups[i].err);
        else if (fault)
            monitor_certificate_fail(certificate, fault);
        else
            take_peer(certificate, peer);
    }
}

enum err_code monitor_look_at_servers(const struct monitor_opts *opts, struct monitor_report *report, struct err *err)
{
    struct servers AUTO(servers_done) s = {NULL};
    const struct cert_peer_opts peer_opts = {opts->ca_file, opts->timeout_ms, opts->clock};
    struct err fault;
    enum err_code rc;

    list_servers(opts->certificates, &s);
    if (s.count == 0)
        return ERR_OK;
    rc = platform_lookup(s.lookups, s.count, opts->timeout_ms, opts->clock, err);
    if (rc != ERR_OK)
        return rc;
    list_peers(&s);
    rc = cert_peers_look(s.peers, s.peer_count, &peer_opts, &fault);
    if (rc != ERR_OK && rc != ERR_IO)
        return err_set(err, rc, "%s", fault.msg);
    report_servers(&s, rc == ERR_IO ? &fault : NULL, report);
    return ERR_OK;
}
