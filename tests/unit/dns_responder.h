/* SPDX-License-Identifier: MIT
 *
 * A real DNS server on loopback (server_fixture.h): UDP and TCP on one port that the system picks.  The
 * first label of the name that is asked for decides what happens:
 *
 *   rd        TXT "rd=<0|1> tcp=<0|1> edns=<0|1>": what the question was like
 *   flags     TXT "rd=<0|1> do=<0|1> cd=<0|1>", and AD is set if DO is
 *   count     TXT "<n>": how many questions came so far
 *   tc        over UDP truncated; over TCP TXT "whole" 20 times
 *   nx, servfail, refused
 *             that response code
 *   silent    nothing
 *   drop      nothing for the first question, then as any other
 *   garbage   a record whose length lies
 *   short     five octets
 *   wrongid   an answer with another id
 *   formerr   FORMERR when the question has EDNS, otherwise as any other
 *   close     over TCP the connection is closed, over UDP truncated
 *   other     TXT "hello"
 *
 * Answers are authoritative.
 */
#ifndef ACME_DME_TESTS_UNIT_DNS_RESPONDER_H
#define ACME_DME_TESTS_UNIT_DNS_RESPONDER_H

#include <stdbool.h>

#include "util/attrs.h"

struct dns_responder {
    struct test_server *server;
    char address[32]; /* "127.0.0.1:port" */
};

void dns_responder_start(struct dns_responder *responder);
void dns_responder_stop(struct dns_responder *responder);

/* "127.0.0.1:port" of a port on which nobody listens. */
void dns_responder_closed_address(char out[32]);
/* Whoever sends a datagram to a closed port is told that nobody took it: everywhere but under wine. */
bool dns_responder_refusals_are_told(void) MUST_USE;

#endif
