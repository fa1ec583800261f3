/* SPDX-License-Identifier: MIT
 *
 * Inside dns/ only: the books of a propagation wait.  Who was asked for what and said what, what is still
 * missing, and the verdicts that follow from it.  No questions are asked and no time is read here;
 * `elapsed_ms` counts from the start of the wait.
 *
 *   zone    names that share a set of servers
 *   target  one address, whatever zones it serves: limits are kept per target
 *   lane    one zone at one address of one of its servers
 *   pair    one name in one lane
 */
#ifndef ACME_DME_DNS_WATCH_H
#define ACME_DME_DNS_WATCH_H

#include "dns/propagation.h"
#include "dns/sighting.h"

struct watch_target {
    const char *address;
    const char *server_name; /* that of its first lane */
    size_t lane_count;
    size_t missing; /* pairs of its lanes that were not shown yet */
    size_t polled;  /* names in rotation */
    size_t flying;  /* questions on the wire */
    int64_t credit; /* thousandths of questions that may be asked now */
    int64_t credited_ms;
    bool udp_silent, udp_answered; /* at least once */
    bool tcp_silent, tcp_answered;
    bool tcp_next; /* while neither has answered they take turns */
};

struct watch_pair {
    struct sighting seen;
    int64_t due_ms;
    uint32_t lane;
    uint32_t asked;               /* times */
    enum dns_transport transport; /* of the last question */
    bool is_flying;               /* it is on the wire */
};

struct watch_lane {
    size_t zone, server, target; /* indexes */
    const char *server_name, *address;
    struct watch_pair *pairs; /* as many as the zone has names, in the same order */
    uint32_t *queue;          /* ring: indexes of pairs that wait for their turn, by due_ms */
    size_t queue_head, queue_len;
    size_t opened;      /* pairs that take part; the rest is asked once one of these was shown */
    size_t missing;     /* pairs not shown yet */
    bool authoritative; /* has answered as the zone's own server */
    bool refused;       /* has answered with an error */
    bool unreachable;   /* the last question found nobody there */
};

struct watch_zone {
    const char *name;
    const struct dns_servers *servers;
    const struct propagation_item **items;
    size_t count;
    size_t first_lane, lane_count;  /* lanes in the order of servers and addresses */
    enum propagation_state *states; /* of items, when each is waited for by itself */
    size_t waiting, shown;          /* of these */
    int64_t ended_ms;               /* when its last items failed */
    bool is_reported;               /* its lame servers were named */
};

struct watch_place {
    uint32_t zone, place; /* place: among the zone's items */
};

struct watch {
    struct watch_zone *zones;
    size_t zone_count;
    struct watch_lane *lanes;
    size_t lane_count;
    struct watch_target *targets;
    size_t target_count;
    size_t item_count;
    struct watch_place *places; /* of items, by their index */
    size_t lagging_count;       /* lanes that have answered with authority and still miss something */
    int64_t lame_after_ms;
};

/* `items` stay borrowed. */
void watch_init(struct watch *watch, const struct propagation_item *items, size_t count, int64_t lame_after_ms);
void watch_done(struct watch *watch);
#define AUTO_WATCH AUTO(watch_done)

/* Write down the answer to the last question for `pair`. */
void watch_note(struct watch *watch, struct watch_pair *pair, const struct dns_answer *answer);

/* The item that a pair is about. */
const struct propagation_item *watch_item(const struct watch *watch, const struct watch_pair *pair);

/* Is the lane not waited for, as its address stays silent while another one of the same server answers? */
bool watch_lane_is_excused(const struct watch *watch, const struct watch_lane *lane, int64_t elapsed_ms);

enum watch_server { WATCH_COMPLETE, WATCH_LAGGING, WATCH_MUTE /* never answered as a server of the zone */ };
enum watch_server watch_server_state(const struct watch *watch, const struct watch_zone *zone, size_t server,
                                     int64_t elapsed_ms);

/* Does every zone show everything, by the policy in propagation.h? */
bool watch_is_complete(const struct watch *watch, int64_t elapsed_ms);

/* Is the zone's item number `place` shown, by the same policy? */
bool watch_item_is_complete(const struct watch *watch, const struct watch_zone *zone, size_t place, int64_t elapsed_ms);

/* A zone none of whose servers can be talked to, although there was time enough: nobody answers, or what
 * answers is not the zone's server (a resolver in between, say).  NULL: none. */
const struct watch_zone *watch_find_dead_zone(const struct watch *watch, int64_t elapsed_ms);
bool watch_zone_is_dead(const struct watch *watch, const struct watch_zone *zone, int64_t elapsed_ms);

/* ------------------------------------------------------------------ each item by itself, watch_each.c */

/* Look how the items stand that are waited for; returns how many are shown that were not before. */
size_t watch_judge(struct watch *watch, int64_t elapsed_ms);
/* All that are waited for have failed. */
void watch_give_up(struct watch *watch, int64_t elapsed_ms);
size_t watch_waiting(const struct watch *watch);
size_t watch_shown(const struct watch *watch);
/* The zone of item `index` of those that the watch was made with, and its place there. */
const struct watch_zone *watch_find(const struct watch *watch, size_t index, size_t *out_place);

/* ------------------------------------------------------------------ words, watch_report.c */

/* Names that every server shows. */
size_t watch_count_done(const struct watch *watch, int64_t elapsed_ms);
/* Names of servers that lag, ", " between. */
void watch_put_lagging(const struct watch *watch, int64_t elapsed_ms, struct buf *out);
/* ERR_PROPAGATION with what each lagging server still answers; ERR_NETWORK when a zone has no server that
 * ever answered with authority. */
enum err_code watch_timeout(const struct watch *watch, int64_t elapsed_ms, struct err *err) MUST_USE;
/* ERR_NETWORK. */
enum err_code watch_dead(const struct watch *watch, const struct watch_zone *zone, struct err *err) MUST_USE;
/* The same for one item alone, of a zone in which it failed. */
enum err_code watch_explain(const struct watch *watch, const struct watch_zone *zone, size_t place, struct err *err);
/* A line for each zone: which servers are waited for. */
void watch_log_start(const struct watch *watch, struct log *log);
/* A line once an address has shown everything; call it after a pair was shown. */
void watch_log_shown(const struct watch *watch, const struct watch_lane *lane, int64_t elapsed_ms, struct log *log);
/* Warn about servers that were not waited for. */
void watch_log_lame(const struct watch *watch, int64_t elapsed_ms, struct log *log);
/* The same of the zones that are through, each once. */
void watch_log_lame_new(struct watch *watch, int64_t elapsed_ms, struct log *log);

#endif
