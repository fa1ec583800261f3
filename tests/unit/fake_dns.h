/* SPDX-License-Identifier: MIT
 *
 * A resolver that asks a function of the test instead of the network, on a fake clock: an answer that takes 2
 * s costs no time.  Questions and how many were open at once are counted by server.
 *
 *     static void world(void *ctx, const struct dns_question *question, int64_t now_ms, struct fake_dns_reply
 * *reply)
 *     {
 *         if (now_ms < 5000)
 *             reply->answer.rcode = DNS_NXDOMAIN;
 *         else
 *             fake_dns_put_txt(&reply->answer, question->name, "value");
 *     }
 *     struct fake_dns *dns = fake_dns_new(&clock, world, NULL);
 */
#ifndef ACME_DME_TESTS_UNIT_FAKE_DNS_H
#define ACME_DME_TESTS_UNIT_FAKE_DNS_H

#include "dns/resolver.h"
#include "fake_clock.h"

struct fake_dns_reply {
    int64_t takes_ms;         /* 20 unless changed; the question's time-out is the limit */
    struct dns_answer answer; /* authoritative NOERROR without records unless changed; result other than
                                 ERR_OK is a failure */
};

/* `now_ms` counts from the making of the fake. */
typedef void fake_dns_world(void *ctx, const struct dns_question *question, int64_t now_ms,
                            struct fake_dns_reply *reply);

#define FAKE_DNS_SERVERS 64

struct fake_dns_count {
    char *server; /* "" for the recursive resolvers */
    size_t asked;
    size_t open;
    size_t open_most;
    size_t tcp;
};

struct fake_dns {
    struct resolver base; /* hand out &fake->base */
    struct fake_clock *clock;
    int64_t start_ms;
    fake_dns_world *world;
    void *ctx;
    struct fake_dns_open *open; /* by time of answer */
    size_t open_count;
    size_t asked;
    size_t cancelled; /* calls of cancel() */
    struct fake_dns_count counts[FAKE_DNS_SERVERS];
};

struct fake_dns *fake_dns_new(struct fake_clock *clock, fake_dns_world *world, void *ctx) MUST_USE;
/* Fails the test when questions are still open. */
void fake_dns_done(struct fake_dns *dns);

const struct fake_dns_count *fake_dns_count(struct fake_dns *dns, const char *server);

void fake_dns_put_txt(struct dns_answer *answer, const char *owner, const char *value);
/* NS, CNAME, A, AAAA into the answer section. */
void fake_dns_put(struct dns_answer *answer, const char *owner, enum dns_type type, const char *text);
void fake_dns_put_authority(struct dns_answer *answer, const char *owner, enum dns_type type, const char *text);
void fake_dns_put_additional(struct dns_answer *answer, const char *owner, enum dns_type type, const char *text);
/* A SOA in the authority section whose negative TTL is given. */
void fake_dns_put_soa(struct dns_answer *answer, const char *owner, uint32_t negative_s);
void fake_dns_fail(struct dns_answer *answer, enum err_code code);

#endif
