/* SPDX-License-Identifier: MIT
 *
 * The request budget of one API key: so many requests in any stretch of time that is as long as the window.  Arithmetic
 * alone: instants come as arguments (wall clock, since processes share them), and nothing is read or written.
 *
 * A *stamp* is a request that counts.  It is made before the request is sent, and when the answer is there it gets the
 * answer's time: the server has counted it before that, so that it surely is out of the server's window when it is out
 * of ours.  What the server counts beyond ours are requests of other hosts.  Whoever has to wait has a *ticket* in a
 * queue, first come first served; one whose owner does not come back is dropped.
 */
#ifndef ACME_DME_DME_LIMIT_H
#define ACME_DME_DME_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/attrs.h"

#define DME_LIMIT_USUAL 150
#define DME_LIMIT_MAX 1000
#define DME_WINDOW_USUAL_MS 300000

enum dme_stamp_kind {
    DME_STAMP_DONE,    /* of this host, answered or given up on */
    DME_STAMP_SENT,    /* of this host, under way: whether the server has counted it is not known */
    DME_STAMP_HELD,    /* promised to a run of this host that has not used it yet */
    DME_STAMP_FOREIGN, /* of another host, made before or at that time */
    DME_STAMP_KINDS
};

struct dme_stamp {
    int64_t at_ms;
    int64_t owner; /* of those that are SENT or HELD; 0 for the others */
    enum dme_stamp_kind kind;
};

struct dme_ticket {
    int64_t owner;
    int64_t count;
    int64_t seen_ms; /* when its owner last asked */
};

struct dme_window {
    int64_t window_ms;
    int64_t allowed;          /* by the operator; 0: what the API says */
    int64_t limit;            /* what the API says; 0: nothing yet, so one request at a time asks */
    int64_t closed_until_ms;  /* after a refusal nothing is sent before; 0: it is open */
    int64_t refusals;         /* in a row */
    int64_t refused_ms;       /* when we learned of the last one; 0: there was none */
    struct dme_stamp *stamps; /* oldest first */
    size_t stamp_count;
    struct dme_ticket *tickets; /* first come first */
    size_t ticket_count;
};

void dme_window_done(struct dme_window *window);

/* For whoever reads one from a file; dme_window_tidy(), with which claim and learn begin, puts a wrong order right. */
void dme_window_add_stamp(struct dme_window *window, struct dme_stamp stamp);
void dme_window_add_ticket(struct dme_window *window, struct dme_ticket ticket);

/* Sort, and forget what is over; times to come, which a clock that was set back leaves, become now. */
void dme_window_tidy(struct dme_window *window, int64_t now_ms);

/* How many requests may be made in a window, how many of them now, and how long until the next one may. */
int64_t dme_window_limit(const struct dme_window *window);
int64_t dme_window_left(const struct dme_window *window, int64_t now_ms);
int64_t dme_window_next_ms(const struct dme_window *window, int64_t now_ms);
/* Requests of this host in the window. */
int64_t dme_window_own(const struct dme_window *window);

struct dme_claim {
    int64_t owner;       /* not 0, unlike those of other processes */
    int64_t least, most; /* so many, more only if nobody waits for them; more than the limit are never had at once */
    enum dme_stamp_kind kind; /* SENT (those held for the owner are used first), or HELD */
};

/* Take from `least` to `most`, *out_got of them, and return 0; or take none, keep a place in the queue for the owner,
 * and return in how many milliseconds its turn will come. */
int64_t dme_window_claim(struct dme_window *window, const struct dme_claim *claim, int64_t now_ms, size_t *out_got);

/* Take regardless. */
void dme_window_force(struct dme_window *window, int64_t owner, size_t count, int64_t now_ms);

/* Is a request under way whose answer the others should wait for: the first of all, or the first after a refusal? */
bool dme_window_is_trying(const struct dme_window *window, int64_t now_ms);

/* How long the owner of a ticket sleeps at most before it asks again. */
int64_t dme_window_poll_ms(const struct dme_window *window);

/* The owner does not wait any more; it does not need what is held for it. */
void dme_window_leave(struct dme_window *window, int64_t owner);
void dme_window_release(struct dme_window *window, int64_t owner);

/* What has become of an owner's requests that were under way together. */
struct dme_news {
    int64_t owner;
    int64_t sent_ms;   /* when they were taken */
    size_t unsent;     /* so many have certainly not arrived */
    size_t refused;    /* by the rate limit */
    size_t answered;   /* otherwise, by the API */
    int64_t asked_ms;  /* refused: the server said how long it wants to be left alone; 0: it did not */
    int64_t limit;     /* as the API says; 0: it does not */
    int64_t remaining; /* the least that an answer says; -1: none does */
};
void dme_window_learn(struct dme_window *window, const struct dme_news *news, int64_t now_ms);

#endif
