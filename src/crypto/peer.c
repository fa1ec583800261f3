/* SPDX-License-Identifier: MIT
 *
 * Certificates that servers show (RFC 8446, RFC 5246).
 *
 * For each server: connect to its addresses in turn, without blocking; shake hands, with the name in SNI; note in the
 * verification callback which certificate came and what is wrong with it, and let the handshake go on all the same;
 * close.  All servers are worked on side by side in one loop over poll(), which wakes up now and then to see whether
 * we are asked to stop.
 *
 * A server that wants a certificate of ours refuses us after it has shown its own, which is all that we came for.
 */
#include "crypto/cert.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "crypto/trust.h"
#include "crypto/x509.h"
#include "platform/socket.h"
#include "util/buf.h"
#include "util/text.h"

#define AT_ONCE_MAX 32
#define WAKE_UP_MS 200
#define ATTEMPT_MS_MIN 1000 /* for one address, when there are several */
#define PROBLEM_MAX 500
#define NAMES_SHOWN 3

enum stage { STAGE_CONNECTING, STAGE_SHAKING, STAGE_DONE };

/* One server being looked at. */
struct look {
    struct cert_peer *peer;
    const struct cert_peer_opts *opts;
    SSL_CTX *ctx;
    char *what; /* "host:port", for messages */
    enum stage stage;
    size_t next_address;
    int64_t end_ms;         /* monotonic, of the whole */
    int64_t attempt_end_ms; /* of this address */
    platform_socket fd;
    short events; /* what it waits for */
    SSL *ssl;
    X509 *leaf; /* noted by the verification */
    char *problem;
};

void cert_peer_done(struct cert_peer *peer)
{
    cert_done(&peer->cert);
    free(peer->problem);
    peer->problem = NULL;
}

/* ------------------------------------------------------------------ verification */

/* "a, b, c and 4 more" */
static char *list_names(const struct strlist *names)
{
    struct buf AUTO_BUF text = BUF_INIT(PROBLEM_MAX);

    for (size_t i = 0; i < names->count && i < NAMES_SHOWN; i++)
        buf_printf(&text, "%s%s", i ? ", " : "", names->items[i]);
    if (names->count > NAMES_SHOWN)
        buf_printf(&text, " and %zu more", names->count - NAMES_SHOWN);
    return buf_take(&text);
}

static char *describe_mismatch(const struct look *look, const X509 *x509)
{
    struct cert AUTO_CERT cert = {.subject = NULL};
    char AUTO_FREE *names = NULL;

    if (cert_of_x509(x509, look->what, &cert, NULL) != ERR_OK || cert.names.count == 0)
        return mem_printf("it is not for \"%s\": it names nothing that it is for", look->peer->host);
    names = list_names(&cert.names);
    return mem_printf("it is not for \"%s\" but for %s", look->peer->host, names);
}

static char *describe(const struct look *look, X509_STORE_CTX *store)
{
    int error = X509_STORE_CTX_get_error(store);
    int depth = X509_STORE_CTX_get_error_depth(store);
    const X509 *x509 = X509_STORE_CTX_get_current_cert(store);
    char AUTO_FREE *issuer = x509 ? x509_issuer_text(x509) : mem_strdup("");

    switch (error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return describe_mismatch(look, look->leaf);
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return mem_strdup("it is self-signed");
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return mem_printf("its root \"%s\" is not trusted", issuer);
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        return mem_printf("its issuer \"%s\" is neither trusted nor does the server send its certificate", issuer);
    default:
        return depth > 0 ? mem_printf("the certificate of its issuer: %s", X509_verify_cert_error_string(error))
                         : mem_strdup(X509_verify_cert_error_string(error));
    }
}

/* The dates of the certificate itself are judged by whoever asked for it. */
static bool is_of_dates(X509_STORE_CTX *store)
{
    int error = X509_STORE_CTX_get_error(store);

    return X509_STORE_CTX_get_error_depth(store) == 0 &&
           (error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID);
}

/* OpenSSL calls this for each certificate of the chain and each fault.  The first fault is noted; there is always one
 * call for the leaf. */
static int on_verify(int is_good, X509_STORE_CTX *store)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct look *look = SSL_get_app_data(ssl);
    X509 *leaf = X509_STORE_CTX_get0_cert(store);

    if (!look->leaf && leaf && X509_up_ref(leaf))
        look->leaf = leaf;
    if (!is_good && !look->problem && look->leaf && !is_of_dates(store)) {
        char AUTO_FREE *text = describe(look, store);
        char safe[PROBLEM_MAX];

        text_escape_into(safe, sizeof safe, text, strlen(text));
        look->problem = mem_strdup(safe);
    }
    return 1;
}

static enum err_code trust_in_system(SSL_CTX *ctx, struct err *err)
{
    struct trust AUTO_TRUST *trust = trust_of_system();

    return trust_set(trust, ctx, err);
}

static enum err_code new_context(const char *ca_file, SSL_CTX **out, struct err *err)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    bool is_ready = ctx && SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    enum err_code rc = ERR_OK;
    char reason[120];

    *out = ctx;
    if (!is_ready) {
        x509_last_error(reason, sizeof reason, "no reason given");
        return err_set(err, ERR_INTERNAL, "could not prepare TLS: %s", reason);
    }
    if (!ca_file && trust_is_ours())
        rc = trust_in_system(ctx, err);
    else if (ca_file ? !SSL_CTX_load_verify_file(ctx, ca_file) : !SSL_CTX_set_default_verify_paths(ctx)) {
        x509_last_error(reason, sizeof reason, "no reason given");
        rc = err_set(err, ERR_IO, "could not read the CAs to trust from \"%s\": %s",
                     ca_file ? ca_file : "the system's store", reason);
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, on_verify);
    (void)X509_STORE_set_flags(SSL_CTX_get_cert_store(ctx), X509_V_FLAG_PARTIAL_CHAIN);
    SSL_CTX_set_quiet_shutdown(ctx, 1);
    return rc;
}

/* ------------------------------------------------------------------ ends */

static void hang_up(struct look *look)
{
    SSL_free(look->ssl);
    look->ssl = NULL;
    if (look->fd != PLATFORM_NO_SOCKET)
        platform_socket_close(look->fd);
    look->fd = PLATFORM_NO_SOCKET;
    ERR_clear_error();
}

static void forget_certificate(struct look *look)
{
    X509_free(look->leaf);
    look->leaf = NULL;
    free(look->problem);
    look->problem = NULL;
}

static void look_done(struct look *look)
{
    hang_up(look);
    forget_certificate(look);
    free(look->what);
}

static void take_certificate(struct look *look)
{
    struct cert_peer *peer = look->peer;

    hang_up(look);
    look->stage = STAGE_DONE;
    peer->code = cert_of_x509(look->leaf, look->what, &peer->cert, &peer->err);
    peer->problem = look->problem;
    look->problem = NULL;
}

static void start_next_address(struct look *look);

/* This address is of no use; the error stays if it was the last. */
static void give_up_address(struct look *look, enum err_code code, const char *why)
{
    struct cert_peer *peer = look->peer;

    hang_up(look);
    forget_certificate(look);
    peer->code = err_set(&peer->err, code, "could not get the certificate of \"%s\": %s", look->what, why);
    start_next_address(look);
}

static void give_up_plaintext(struct look *look)
{
    give_up_address(look, ERR_TLS, "the server does not speak TLS");
    if (look->stage == STAGE_DONE && look->peer->code == ERR_TLS)
        err_hint(&look->peer->err, "Only servers that begin with TLS can be looked at, not those that change to it "
                                   "later (STARTTLS).");
}

static void time_out(struct look *look)
{
    char why[120];

    (void)snprintf(why, sizeof why, "%s in %lld s",
                   look->stage == STAGE_CONNECTING ? "no answer" : "the server took the connection and stayed silent",
                   (long long)(look->opts->timeout_ms + 999) / 1000);
    give_up_address(look, ERR_TIMEOUT, why);
}

/* ------------------------------------------------------------------ handshake */

/* Did the server end it, rather than we? */
static bool is_of_server(int ssl_error, int reason)
{
    return ssl_error == SSL_ERROR_SYSCALL || ssl_error == SSL_ERROR_ZERO_RETURN ||
           reason == SSL_R_UNEXPECTED_EOF_WHILE_READING || reason >= SSL_AD_REASON_OFFSET;
}

static void fail_handshake(struct look *look, int ssl_error)
{
    unsigned long code = ERR_peek_error();
    int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
    char text[120];

    if (look->leaf && is_of_server(ssl_error, reason)) {
        take_certificate(look);
    } else if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_PACKET_LENGTH_TOO_LONG) {
        give_up_plaintext(look);
    } else if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING || code == 0) {
        give_up_address(look, ERR_TLS, "the server closed the connection before it had shown one");
    } else {
        char AUTO_FREE *why = NULL;

        x509_last_error(text, sizeof text, "no reason given");
        why = mem_printf("%s: %s", reason >= SSL_AD_REASON_OFFSET ? "the server refused" : "the handshake failed",
                         text);
        give_up_address(look, ERR_TLS, why);
    }
}

static void shake(struct look *look)
{
    int done;

    ERR_clear_error();
    done = SSL_connect(look->ssl);
    switch (done == 1 ? SSL_ERROR_NONE : SSL_get_error(look->ssl, done)) {
    case SSL_ERROR_NONE:
        if (look->leaf)
            take_certificate(look);
        else
            give_up_address(look, ERR_TLS, "the server shows none");
        break;
    case SSL_ERROR_WANT_READ:
        look->events = POLLIN;
        break;
    case SSL_ERROR_WANT_WRITE:
        look->events = POLLOUT;
        break;
    default:
        fail_handshake(look, SSL_get_error(look->ssl, done));
        break;
    }
}

/* The name to ask for and to find in the certificate; an address is not put into SNI (RFC 6066 section 3). */
static bool set_name(SSL *ssl, const char *host)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    size_t len = strlen(host);
    char AUTO_FREE *name = mem_strndup(host, len && host[len - 1] == '.' ? len - 1 : len);

    if (X509_VERIFY_PARAM_set1_ip_asc(param, name))
        return true;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return X509_VERIFY_PARAM_set1_host(param, name, 0) && SSL_set_tlsext_host_name(ssl, name);
}

static void start_handshake(struct look *look)
{
    look->ssl = SSL_new(look->ctx);
    if (!look->ssl || !SSL_set_fd(look->ssl, (int)look->fd) || !set_name(look->ssl, look->peer->host)) {
        give_up_address(look, ERR_INTERNAL, "TLS could not be set up");
        return;
    }
    SSL_set_app_data(look->ssl, look);
    look->stage = STAGE_SHAKING;
    shake(look);
}

/* ------------------------------------------------------------------ connection */

static void free_addrinfo(BIO_ADDRINFO **info)
{
    BIO_ADDRINFO_free(*info);
}

/* True: connected or under way; else *out_errno tells.  OpenSSL keeps sockets in an int, on Windows too: their numbers
 * are small. */
static bool start_connection(struct look *look, const char *address, int *out_errno)
{
    BIO_ADDRINFO AUTO(free_addrinfo) *info = NULL;
    int fd;

    if (!BIO_lookup_ex(address, look->peer->port, BIO_LOOKUP_CLIENT, AF_UNSPEC, SOCK_STREAM, 0, &info)) {
        *out_errno = EADDRNOTAVAIL;
        return false;
    }
    fd = BIO_socket(BIO_ADDRINFO_family(info), BIO_ADDRINFO_socktype(info), BIO_ADDRINFO_protocol(info), 0);
    if (fd < 0) {
        *out_errno = platform_socket_errno();
        return false;
    }
    look->fd = (platform_socket)fd;
    errno = 0;
    if (BIO_connect(fd, BIO_ADDRINFO_address(info), BIO_SOCK_NONBLOCK | BIO_SOCK_NODELAY))
        return true;
    *out_errno = platform_socket_errno();
    return BIO_sock_should_retry(-1);
}

static void start_next_address(struct look *look)
{
    const struct strlist *addresses = look->peer->addresses;
    int64_t now_ms = clock_mono_ms(look->opts->clock);

    while (look->next_address < addresses->count && now_ms < look->end_ms) {
        int64_t share_ms = (look->end_ms - now_ms) / (int64_t)(addresses->count - look->next_address);
        struct cert_peer *peer = look->peer;
        int errnum = 0;

        look->attempt_end_ms = now_ms + (share_ms > ATTEMPT_MS_MIN ? share_ms : ATTEMPT_MS_MIN);
        if (look->attempt_end_ms > look->end_ms)
            look->attempt_end_ms = look->end_ms;
        if (start_connection(look, addresses->items[look->next_address++], &errnum)) {
            look->stage = STAGE_CONNECTING;
            look->events = POLLOUT;
            return;
        }
        peer->code = err_set_errno(&peer->err, ERR_NETWORK, errnum, "could not get the certificate of \"%s\"",
                                   look->what);
        hang_up(look);
    }
    look->stage = STAGE_DONE;
}

static void finish_connection(struct look *look)
{
    int errnum = platform_socket_outcome(look->fd);

    if (errnum == 0)
        start_handshake(look);
    else
        give_up_address(look, ERR_NETWORK, err_errno_text(errnum));
}

/* ------------------------------------------------------------------ all of them */

static void look_start(struct look *look, struct cert_peer *peer, SSL_CTX *ctx, const struct cert_peer_opts *opts)
{
    *look = (struct look){.peer = peer, .opts = opts, .ctx = ctx, .fd = PLATFORM_NO_SOCKET};
    look->what = mem_printf(strchr(peer->host, ':') ? "[%s]:%s" : "%s:%s", peer->host, peer->port);
    look->end_ms = clock_mono_ms(opts->clock) + opts->timeout_ms;
    peer->code = err_set(&peer->err, ERR_NETWORK, "could not get the certificate of \"%s\": it has no address",
                         look->what);
    start_next_address(look);
}

static void advance(struct look *look, const struct pollfd *polled)
{
    if (polled->revents && look->stage == STAGE_CONNECTING)
        finish_connection(look);
    else if (polled->revents)
        shake(look);
    /* A server that sends a byte now and then is always ready. */
    if (look->stage != STAGE_DONE && clock_mono_ms(look->opts->clock) >= look->attempt_end_ms)
        time_out(look);
}

struct crowd {
    struct look *items; /* the first `started` are in use */
    size_t started;
    size_t first; /* none in front of it is under way */
};

static void crowd_done(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->started; i++)
        look_done(&crowd->items[i]);
    free(crowd->items);
}

/* Wait for something to happen to those under way, and let it happen. */
static enum err_code step(struct crowd *crowd, struct err *err)
{
    struct pollfd polled[AT_ONCE_MAX];
    struct look *looks[AT_ONCE_MAX];
    size_t count = 0;

    for (size_t i = crowd->first; i < crowd->started; i++) {
        struct look *look = &crowd->items[i];

        if (look->stage == STAGE_DONE)
            continue;
        polled[count] = (struct pollfd){.fd = look->fd, .events = look->events};
        looks[count++] = look;
    }
    if (platform_socket_poll(polled, count, count ? WAKE_UP_MS : 0) < 0) {
        if (errno != EINTR)
            return err_set_errno(err, ERR_INTERNAL, errno, "could not wait for servers");
        return ERR_OK;
    }
    for (size_t i = 0; i < count; i++)
        advance(looks[i], &polled[i]);
    return ERR_OK;
}

static size_t count_under_way(struct crowd *crowd)
{
    size_t count = 0;

    while (crowd->first < crowd->started && crowd->items[crowd->first].stage == STAGE_DONE)
        crowd->first++;
    for (size_t i = crowd->first; i < crowd->started; i++)
        count += crowd->items[i].stage != STAGE_DONE;
    return count;
}

static void free_context(SSL_CTX **ctx)
{
    SSL_CTX_free(*ctx);
}

enum err_code cert_peers_look(struct cert_peer *peers, size_t count, const struct cert_peer_opts *opts, struct err *err)
{
    SSL_CTX AUTO(free_context) *ctx = NULL;
    struct crowd AUTO(crowd_done) crowd = {.items = mem_calloc(count, sizeof *crowd.items)};
    enum err_code rc = new_context(opts->ca_file, &ctx, err);

    while (rc == ERR_OK) {
        size_t under_way = count_under_way(&crowd);

        for (; under_way < AT_ONCE_MAX && crowd.started < count; under_way++, crowd.started++)
            look_start(&crowd.items[crowd.started], &peers[crowd.started], ctx, opts);
        if (under_way == 0)
            return ERR_OK;
        if (clock_is_cancelled(opts->clock))
            return err_set(err, ERR_CANCELLED, "stopped while waiting for servers");
        rc = step(&crowd, err);
    }
    return rc;
}
