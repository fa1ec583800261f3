/* SPDX-License-Identifier: MIT */
#include "http/curl_error.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "platform/platform.h"
#include "util/text.h"

static bool is_tls_failure(CURLcode code)
{
    switch (code) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_SHUTDOWN_FAILED:
    case CURLE_USE_SSL_FAILED:
        return true;
    default:
        return false;
    }
}

/* A handshake that was cut off is a network failure: it may well succeed the next time.  Windows numbers its errors
 * otherwise, and libcurl words them otherwise there ("was reset", "was aborted"). */
static bool is_cut_off_handshake(const struct curl_failure *f)
{
    long os_errno = 0;

    (void)curl_easy_getinfo(f->easy, CURLINFO_OS_ERRNO, &os_errno);
    return f->code == CURLE_SSL_CONNECT_ERROR &&
           (os_errno == ECONNRESET || os_errno == EPIPE || strstr(f->text, "SSL_ERROR_SYSCALL") ||
            strstr(f->text, "reset by peer") || strstr(f->text, "unexpected eof") || strstr(f->text, "was reset") ||
            strstr(f->text, "was aborted"));
}

#if LIBCURL_VERSION_NUM >= 0x080600
#define IS_TOO_LARGE(code) ((code) == CURLE_TOO_LARGE) /* headers beyond libcurl's own limit */
#else
#define IS_TOO_LARGE(code) 0
#endif

static bool is_not_http(CURLcode code)
{
    /* UNSUPPORTED_PROTOCOL: HTTP/0.9, which is what any bytes look like; the scheme is checked elsewhere. */
    return code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_UNSUPPORTED_PROTOCOL ||
           code == CURLE_BAD_CONTENT_ENCODING || IS_TOO_LARGE(code);
}

static enum err_code code_of(const struct curl_failure *f)
{
    if (is_tls_failure(f->code))
        return is_cut_off_handshake(f) ? ERR_NETWORK : ERR_TLS;
    if (is_not_http(f->code))
        return ERR_API;
    switch (f->code) {
    case CURLE_OPERATION_TIMEDOUT:
        return ERR_TIMEOUT;
    case CURLE_URL_MALFORMAT:
        return ERR_INPUT;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_INTERFACE_FAILED:
    case CURLE_NO_CONNECTION_AVAILABLE:
        return ERR_NETWORK;
    default:
        return ERR_INTERNAL;
    }
}

static bool proxy_refused(const struct curl_failure *f)
{
    long status = 0;

    (void)curl_easy_getinfo(f->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    return status >= 300;
}

static void add_tls_hint(const struct curl_failure *f, struct err *err)
{
    if (f->ca_file)
        err_hint(err,
                 "Check that ca_file \"%s\" holds the CA certificate of this server and that this machine's clock is "
                 "right.",
                 f->ca_file);
    else
        err_hint(err,
                 "Check that this machine's clock is right and that the system's CA certificates are installed (%s); "
                 "for a private CA or a proxy that inspects TLS, name its certificate with ca_file.",
                 platform_cas_advice());
}

/* libcurl names whom it could not connect to: if that is not the host, it is the proxy.  (CURLINFO_USED_PROXY is of
 * 8.7.) */
static bool is_connection_to_proxy(const struct curl_failure *f)
{
    char *host AUTO_FREE = mem_strndup(f->host, strcspn(f->host, ":"));

    return f->code == CURLE_COULDNT_CONNECT && *f->host != '[' && text_starts_with(f->text, "Failed to connect to ") &&
           !strstr(f->text, host);
}

static bool is_about_proxy(const struct curl_failure *f)
{
    return proxy_refused(f) || f->code == CURLE_COULDNT_RESOLVE_PROXY || f->code == CURLE_PROXY ||
           strstr(f->text, "proxy") || is_connection_to_proxy(f);
}

/* What a server answers to a handshake that it does not take for one. */
static bool speaks_no_tls(const struct curl_failure *f)
{
    return f->code == CURLE_SSL_CONNECT_ERROR &&
           (strstr(f->text, "wrong version number") || strstr(f->text, "packet length too long") ||
            strstr(f->text, "record layer failure"));
}

static void add_hint(const struct curl_failure *f, enum err_code meaning, struct err *err)
{
    if (speaks_no_tls(f))
        err_hint(err, "What answers there speaks no TLS: check the port in the endpoint, and whether a proxy or a "
                      "captive portal stands in between.");
    else if (meaning == ERR_TLS)
        add_tls_hint(f, err);
    else if (is_about_proxy(f))
        err_hint(err, "Check the proxy in the environment variables https_proxy, all_proxy and no_proxy.");
    else if (f->code == CURLE_COULDNT_RESOLVE_HOST)
        err_hint(err, "Check the name servers of this machine (%s) and its connection to the network.",
                 platform_resolvers_place());
    else if (f->code == CURLE_COULDNT_CONNECT || f->code == CURLE_OPERATION_TIMEDOUT)
        err_hint(err, "Check the connection to the network and whether a firewall lets this machine out; if only a "
                      "proxy does, set https_proxy.");
    else if (meaning == ERR_NETWORK)
        err_hint(err, "Try again; if it stays so, check whether a firewall or a proxy on the way cuts connections.");
}

/* What failed, as the format of a message about host and reason. */
static const char *what_failed(const struct curl_failure *f, enum err_code meaning)
{
    switch (meaning) {
    case ERR_TLS:
        return "no secure connection to";
    case ERR_TIMEOUT:
        return "no answer in time from";
    case ERR_API:
        return "not an HTTP answer from";
    case ERR_INPUT:
        return "no usable URL for";
    case ERR_INTERNAL:
        return "libcurl failed for";
    default:
        break;
    }
    if (proxy_refused(f))
        return "the proxy refused a connection to";
    if (f->code == CURLE_COULDNT_RESOLVE_HOST)
        return "could not resolve the host name of";
    if (f->code == CURLE_COULDNT_RESOLVE_PROXY)
        return "could not resolve the name of the proxy to";
    if (is_connection_to_proxy(f))
        return "no connection to the proxy for";
    return f->code == CURLE_COULDNT_CONNECT ? "no connection to" : "the connection broke to";
}

/* libcurl quotes a proxy setting that it can't use, password included: mask what stands before an @. */
static void mask_userinfo(const char *in, char *out, size_t size)
{
    size_t len = 0;

    for (; *in && len + 1 < size; in++) {
        if (*in == '@') {
            while (len > 0 && !strchr(" '\"", out[len - 1]))
                len--;
            for (const char *mask = "***"; *mask && len + 2 < size; mask++)
                out[len++] = *mask;
        }
        out[len++] = *in;
    }
    out[len] = '\0';
}

enum err_code curl_error_translate(const struct curl_failure *f, struct err *err)
{
    enum err_code meaning = code_of(f);
    char reason[CURL_ERROR_SIZE];

    if (tls_error_explain(f, err))
        return ERR_TLS;
    mask_userinfo(*f->text ? f->text : curl_easy_strerror(f->code), reason, sizeof reason);
    (void)err_set(err, meaning, "%s \"%s\": %s", what_failed(f, meaning), f->host, reason);
    add_hint(f, meaning, err);
    return meaning;
}
