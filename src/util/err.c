/* SPDX-License-Identifier: MIT */
#include "util/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/text.h"

static const char *const code_names[ERR_COUNT] = {
    [ERR_OK] = "ok",
    [ERR_USAGE] = "usage",
    [ERR_CONFIG] = "config",
    [ERR_UNSAFE] = "unsafe",
    [ERR_INPUT] = "input",
    [ERR_IO] = "io",
    [ERR_LOCK] = "lock",
    [ERR_NETWORK] = "network",
    [ERR_TLS] = "tls",
    [ERR_TIMEOUT] = "timeout",
    [ERR_AUTH] = "auth",
    [ERR_RATE_LIMIT] = "rate-limit",
    [ERR_API] = "api",
    [ERR_SERVER] = "server",
    [ERR_NOT_FOUND] = "not-found",
    [ERR_EXISTS] = "exists",
    [ERR_ZONE] = "zone",
    [ERR_DNS] = "dns",
    [ERR_PROPAGATION] = "propagation",
    [ERR_ACME] = "acme",
    [ERR_ACME_LIMIT] = "acme-limit",
    [ERR_CHALLENGE] = "challenge",
    [ERR_PROGRAM] = "program",
    [ERR_CANCELLED] = "cancelled",
    [ERR_DECLINED] = "declined",
    [ERR_INTERNAL] = "internal",
};

void err_init(struct err *err)
{
    if (err)
        *err = (struct err){.code = ERR_OK};
}

static PRINTF_LIKE(3, 0) void set_text(char *out, size_t size, const char *fmt, va_list args)
{
    char raw[ERR_MSG_MAX * 2];
    int len = vsnprintf(raw, sizeof raw, fmt, args);

    text_escape_into(out, size, raw, len < 0 ? 0 : strlen(raw));
}

enum err_code err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
    if (err) {
        va_list args;

        va_start(args, fmt);
        set_text(err->msg, sizeof err->msg, fmt, args); /* first: the arguments may point into *err */
        va_end(args);
        err->code = code;
        err->retry_after_s = 0;
        err->hint[0] = '\0';
    }
    return code;
}

void err_hint(struct err *err, const char *fmt, ...)
{
    va_list args;

    if (!err)
        return;
    va_start(args, fmt);
    set_text(err->hint, sizeof err->hint, fmt, args);
    va_end(args);
}

enum err_code err_prefix(struct err *err, enum err_code code, const char *fmt, ...)
{
    if (err) {
        char prefix[ERR_MSG_MAX];
        char whole[ERR_MSG_MAX * 2 + 4];
        va_list args;

        va_start(args, fmt);
        set_text(prefix, sizeof prefix, fmt, args);
        va_end(args);
        (void)snprintf(whole, sizeof whole, "%s: %s", prefix, err->msg);
        text_cut_into(err->msg, sizeof err->msg, whole);
    }
    return code;
}

/* Those of networks, which strerror() does not know everywhere (Windows), and calls by other names elsewhere (musl). */
static const struct {
    int errnum;
    const char *text;
} network_texts[] = {
    {EADDRINUSE, "Address already in use"},
    {EADDRNOTAVAIL, "Cannot assign requested address"},
    {EAFNOSUPPORT, "Address family not supported by protocol"},
    {ECONNABORTED, "Software caused connection abort"},
    {ECONNREFUSED, "Connection refused"},
    {ECONNRESET, "Connection reset by peer"},
    {EHOSTUNREACH, "No route to host"},
    {EINPROGRESS, "Operation now in progress"},
    {EMSGSIZE, "Message too long"},
    {ENETDOWN, "Network is down"},
    {ENETRESET, "Network dropped connection on reset"},
    {ENETUNREACH, "Network is unreachable"},
    {ENOBUFS, "No buffer space available"},
    {ENOTCONN, "Transport endpoint is not connected"},
    {ETIMEDOUT, "Connection timed out"},
};

const char *err_errno_text(int errnum)
{
    for (size_t i = 0; i < ARRAY_LEN(network_texts); i++)
        if (network_texts[i].errnum == errnum)
            return network_texts[i].text;
    return strerror(errnum);
}

enum err_code err_set_errno(struct err *err, enum err_code code, int errnum, const char *fmt, ...)
{
    if (err) {
        char what[ERR_MSG_MAX];
        va_list args;

        va_start(args, fmt);
        set_text(what, sizeof what, fmt, args);
        va_end(args);
        return err_set(err, code, "%s: %s", what, err_errno_text(errnum));
    }
    return code;
}

void err_settle(struct err *err, enum err_code code)
{
    if (code == ERR_OK)
        err_init(err);
}

const char *err_name(enum err_code code)
{
    return code >= ERR_OK && code < ERR_COUNT ? code_names[code] : "unknown";
}
