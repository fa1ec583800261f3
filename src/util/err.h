/* SPDX-License-Identifier: MIT
 *
 * The error type.  A function that can fail returns an enum err_code and takes a `struct err *` last.
 *
 *   - On success nobody reads *err, and it may be left as it was.
 *   - On failure the code is returned and *err holds the same code, one message and perhaps one hint; the
 *     function's outputs are untouched.
 *   - `err` may be NULL where the caller wants the code only.
 *   - Callers branch on the code, never on the text.  Only cmd/ prints.
 *
 * Wording: the message is lower case, has no full stop, says what could not be done and why, and quotes every
 * name.  The hint is a full sentence that tells the operator what to do next.
 */
#ifndef ACME_DME_UTIL_ERR_H
#define ACME_DME_UTIL_ERR_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "util/attrs.h"

enum err_code {
    ERR_OK = 0,
    ERR_USAGE,       /* the command line or a client's arguments or environment */
    ERR_CONFIG,      /* the configuration: syntax, keys, values, missing credentials */
    ERR_UNSAFE,      /* a secret that others can read */
    ERR_INPUT,       /* data from outside that breaks its format: names, files, server text */
    ERR_IO,          /* a file or directory of ours */
    ERR_LOCK,        /* a lock could not be had */
    ERR_NETWORK,     /* no connection, or it broke */
    ERR_TLS,         /* the server's certificate or the handshake */
    ERR_TIMEOUT,     /* a server did not answer in time */
    ERR_AUTH,        /* DNS Made Easy refused the credentials or the signature */
    ERR_RATE_LIMIT,  /* DNS Made Easy's request limit is used up */
    ERR_API,         /* DNS Made Easy refused the request, or answered something unexpected */
    ERR_SERVER,      /* DNS Made Easy failed (5xx) */
    ERR_NOT_FOUND,   /* what was looked for does not exist */
    ERR_EXISTS,      /* what was to be made exists */
    ERR_ZONE,        /* no zone of the account holds the name, or the zone can't be used */
    ERR_DNS,         /* DNS answers are missing or contradict each other */
    ERR_PROPAGATION, /* not every authoritative server shows the records in time */
    ERR_ACME,        /* the CA refused the request, or answered something unexpected */
    ERR_ACME_LIMIT,  /* the CA's rate limit */
    ERR_CHALLENGE,   /* the CA could not validate that we control a name */
    ERR_PROGRAM,     /* a program of the operator's (deploy and the like) failed */
    ERR_CANCELLED,   /* SIGINT, SIGTERM and the like */
    ERR_DECLINED,    /* an event that is not for us; nothing is printed */
    ERR_INTERNAL,    /* a bug or a library that refuses to work */
    ERR_COUNT
};

#define ERR_MSG_MAX 768
#define ERR_HINT_MAX 512

struct err {
    enum err_code code;
    int32_t retry_after_s; /* 0: no advice */
    char msg[ERR_MSG_MAX];
    char hint[ERR_HINT_MAX];
};

/* Clear *err. */
void err_init(struct err *err);

/* Set code and message, drop an earlier hint, and return the code.  Control characters and invalid UTF-8 in the
 * result are escaped, since text from servers may be among the arguments; an overlong text is cut with "...".  The
 * arguments may be parts of *err itself. */
enum err_code err_set(struct err *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Add a hint to an error that was set before. */
void err_hint(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Put "<text>: " in front of the message and keep code and hint; returns the code. */
enum err_code err_prefix(struct err *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* What an errno means, in English; static, or valid until the next call. */
const char *err_errno_text(int errnum);

/* Set code with "<text>: <err_errno_text(errnum)>" as message. */
enum err_code err_set_errno(struct err *err, enum err_code code, int errnum, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Of a call that returned `code` and was given *err: ERR_OK there, too, if it succeeded.  For errors that are kept as
 * outcomes: what a call that succeeds leaves in its *err is nobody's. */
void err_settle(struct err *err, enum err_code code);

/* Short stable name of a code, e.g. "rate-limit": for logs and machine output. */
const char *err_name(enum err_code code);

#endif
