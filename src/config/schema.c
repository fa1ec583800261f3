/* SPDX-License-Identifier: MIT */
#include "config/schema.h"

#include <string.h>

#include "config/config.h"
#include "config/loading.h"
#include "util/buf.h"
#include "util/mem.h"

#define SECOND 1000LL
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

#define FIELD(name) offsetof(struct config, name)
#define OF_ACCOUNT(name) offsetof(struct config_draft, name)
#define NO_FIELD SIZE_MAX

static const char *const doh_choices[] = {"auto", "always", "never", NULL};
static const char *const journal_choices[] = {"required", "none", NULL};

static const char *const log_formats[] = {"text", "json", NULL};
static const char *const log_levels[] = {"error", "warning", "info", "debug", NULL};

static const struct config_key keys[] = {
    {"credentials.api_key", CONFIG_TYPE_SECRET, .variable = "DNSMADEEASY_API_KEY", .offset = NO_FIELD,
     .help = "API key of DNS Made Easy"},
    {"credentials.api_secret", CONFIG_TYPE_SECRET, .variable = "DNSMADEEASY_API_SECRET", .offset = NO_FIELD,
     .help = "secret key that belongs to the API key"},
    {"credentials.api_key_file", CONFIG_TYPE_PATH, .variable = "DNSMADEEASY_API_KEY_FILE", .offset = NO_FIELD,
     .help = "file that holds the API key"},
    {"credentials.api_secret_file", CONFIG_TYPE_PATH, .variable = "DNSMADEEASY_API_SECRET_FILE", .offset = NO_FIELD,
     .help = "file that holds the secret key"},
    {"credentials.encryption_key", CONFIG_TYPE_IGNORED, .offset = NO_FIELD,
     .help = "marks values that are encrypted, which is not supported"},

    {"accounts[].name", CONFIG_TYPE_STRING, .offset = OF_ACCOUNT(name), .help = "name of the account"},
    {"accounts[].default_account", CONFIG_TYPE_BOOL, .fallback = "false", .offset = OF_ACCOUNT(is_default),
     .help = "use this account for names that no account's zones cover"},
    {"accounts[].zones", CONFIG_TYPE_NAMES, .offset = OF_ACCOUNT(zones), .help = "zones that this account holds"},
    {"accounts[].credentials.api_key", CONFIG_TYPE_SECRET, .offset = NO_FIELD, .help = "API key of the account"},
    {"accounts[].credentials.api_secret", CONFIG_TYPE_SECRET, .offset = NO_FIELD, .help = "its secret key"},
    {"accounts[].credentials.api_key_file", CONFIG_TYPE_PATH, .offset = NO_FIELD, .help = "file with the API key"},
    {"accounts[].credentials.api_secret_file", CONFIG_TYPE_PATH, .offset = NO_FIELD,
     .help = "file with the secret key"},
    {"accounts[].credentials.encryption_key", CONFIG_TYPE_IGNORED, .offset = NO_FIELD,
     .help = "marks values that are encrypted, which is not supported"},

    {"dnsmadeeasy.endpoint", CONFIG_TYPE_URL, .option = "--endpoint", .offset = FIELD(endpoint),
     .help = "base URL of the API"},
    {"dnsmadeeasy.sandbox", CONFIG_TYPE_BOOL, .fallback = "false", .variable = "DNSMADEEASY_SANDBOX",
     .option = "--sandbox", .offset = FIELD(sandbox), .help = "use the API's sandbox"},
    {"dnsmadeeasy.ca_file", CONFIG_TYPE_PATH, .option = "--ca-file", .offset = FIELD(ca_file),
     .help = "certificates to trust for the API instead of the system's"},
    /* No longer than the settling time: a client that proves base and wildcard one after the other puts a second value
     * on a name of which the CA's resolver may still hold the first. */
    {"dnsmadeeasy.ttl", CONFIG_TYPE_UINT, .fallback = "10", .min = 1, .max = 86400, .option = "--ttl",
     .offset = FIELD(ttl_s), .help = "time to live of the records, in seconds"},
    {"dnsmadeeasy.timeout", CONFIG_TYPE_DURATION, .fallback = "30s", .min = SECOND, .max = 10 * MINUTE,
     .option = "--request-timeout", .offset = FIELD(request_timeout_ms), .help = "time for one request to the API"},
    {"dnsmadeeasy.give_up_after", CONFIG_TYPE_DURATION, .fallback = "90s", .min = SECOND, .max = HOUR,
     .option = "--give-up-after", .offset = FIELD(give_up_after_ms),
     .help = "time in which a failing request to the API is tried again"},

    {"propagation.timeout", CONFIG_TYPE_DURATION, .fallback = "100s", .min = SECOND, .max = DAY, .option = "--timeout",
     .offset = FIELD(propagation_timeout_ms), .help = "time for all name servers to show the records"},
    {"propagation.settle", CONFIG_TYPE_DURATION, .fallback = "10s", .min = 0, .max = HOUR, .option = "--settle",
     .offset = FIELD(settle_ms), .help = "pause after all name servers have shown the records"},
    {"propagation.lame_after", CONFIG_TYPE_DURATION, .fallback = "10s", .min = 0, .max = HOUR, .option = "--lame-after",
     .offset = FIELD(lame_after_ms), .help = "time after which a silent name server is no longer waited for"},
    {"propagation.resolvers", CONFIG_TYPE_ADDRESSES, .option = "--resolver", .offset = FIELD(resolvers),
     .help = "resolver to ask instead of the system's"},
    {"propagation.nameservers", CONFIG_TYPE_ADDRESSES, .option = "--nameserver", .offset = FIELD(nameservers),
     .help = "name server to check instead of those that the zone names"},
    {"propagation.doh", CONFIG_TYPE_ENUM, .fallback = "auto", .choices = doh_choices, .option = "--doh",
     .offset = FIELD(doh), .help = "use DNS over HTTPS: when port 53 is blocked, always, or never"},
    {"propagation.doh_urls", CONFIG_TYPE_URLS,
     .fallback = "https://cloudflare-dns.com/dns-query,https://dns.google/dns-query", .option = "--doh-url",
     .offset = FIELD(doh_urls), .help = "DNS over HTTPS server"},

    {"follow_cname", CONFIG_TYPE_BOOL, .fallback = "true", .option = "--follow-cname", .offset = FIELD(follow_cname),
     .help = "follow a CNAME at the record's name to the zone that holds the record"},
    {"state_dir", CONFIG_TYPE_PATH, .variable = "ACME_DME_STATE_DIR", .option = "--state-dir",
     .offset = FIELD(state_dir), .help = "directory of the journal and of what is remembered"},
    {"journal", CONFIG_TYPE_ENUM, .fallback = "required", .choices = journal_choices, .option = "--journal",
     .offset = FIELD(journal), .help = "none: create records even if they can't be journalled"},
    {"sweep_after", CONFIG_TYPE_DURATION, .fallback = "24h", .min = 0, .max = 366 * DAY, .option = "--sweep-after",
     .offset = FIELD(sweep_after_ms), .help = "age at which sweep takes a record for a leftover"},
    {"allow_readable_secrets", CONFIG_TYPE_BOOL, .fallback = "false", .option = "--allow-readable-secrets",
     .offset = FIELD(allow_readable_secrets), .help = "only warn of files with secrets that others can read"},

    {"log.file", CONFIG_TYPE_PATH, .variable = "ACME_DME_LOG_FILE", .option = "--log-file", .offset = FIELD(log.file),
     .help = "file that log lines are appended to"},
    {"log.format", CONFIG_TYPE_ENUM, .fallback = "text", .choices = log_formats, .variable = "ACME_DME_LOG_FORMAT",
     .option = "--log-format", .offset = FIELD(log.format),
     .help = "how lines look, in the file and on standard error"},
    {"log.level", CONFIG_TYPE_ENUM, .fallback = "info", .choices = log_levels, .variable = "ACME_DME_LOG_LEVEL",
     .option = "--log-level", .offset = FIELD(log.level), .help = "what goes to the file; -v and -vv raise it"},
    {"check.ca", CONFIG_TYPE_STRING, .fallback = "letsencrypt", .option = "--ca", .offset = FIELD(check_ca),
     .help = "CA that CAA records must permit: a known name, or its domain"},
    {"check.account_uri", CONFIG_TYPE_STRING, .option = "--account-uri", .offset = FIELD(check_account_uri),
     .help = "URI of the ACME account, for CAA records that name one"},
    {"monitor.certificates", CONFIG_TYPE_SOURCES, .option = "--certificate", .offset = FIELD(certificates),
     .help = "certificate that status looks at: file, pattern of files, or host:port"},
    /* ACME clients renew when a third is left (certbot, lego, acme.sh): a warning at that moment would come before each
     * renewal. */
    {"monitor.warn", CONFIG_TYPE_SHARE, .fallback = "1/4", .min = 0, .max = 366 * DAY, .option = "--warn",
     .offset = FIELD(warn), .help = "part of a certificate's lifetime, or time, whose rest is a warning"},
    {"monitor.critical", CONFIG_TYPE_SHARE, .fallback = "1/10", .min = 0, .max = 366 * DAY, .option = "--critical",
     .offset = FIELD(critical), .help = "part of a certificate's lifetime, or time, whose rest is critical"},
    {"monitor.failing_for", CONFIG_TYPE_DURATION, .fallback = "3d", .min = 0, .max = 366 * DAY,
     .option = "--failing-for", .offset = FIELD(failing_for_ms),
     .help = "time after which a name that keeps failing is critical"},
    {"monitor.ca_file", CONFIG_TYPE_PATH, .option = "--certificate-ca-file", .offset = FIELD(certificate_ca_file),
     .help = "certificates to trust for host:port instead of the system's"},
    {"monitor.timeout", CONFIG_TYPE_DURATION, .fallback = "10s", .min = SECOND, .max = 10 * MINUTE,
     .option = "--certificate-timeout", .offset = FIELD(certificate_timeout_ms),
     .help = "time for host:port to show its certificate"},
};

const struct config_key *config_keys(size_t *out_count)
{
    *out_count = ARRAY_LEN(keys);
    return keys;
}

const struct config_key *config_key_find(const char *path)
{
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (strcmp(keys[i].path, path) == 0)
            return &keys[i];
    }
    return NULL;
}

const struct config_key *config_key_find_option(const char *option)
{
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (keys[i].option && strcmp(keys[i].option, option) == 0)
            return &keys[i];
    }
    return NULL;
}

static char *join_choices(const struct config_key *key)
{
    struct buf AUTO_BUF b = BUF_INIT(200);

    for (size_t i = 0; key->choices[i]; i++)
        buf_printf(&b, "%s%s", i ? "|" : "", key->choices[i]);
    return buf_take(&b);
}

char *config_key_argument(const struct config_key *key)
{
    switch (key->type) {
    case CONFIG_TYPE_STRING:
        return mem_strdup("text");
    case CONFIG_TYPE_PATH:
        return mem_strdup("path");
    case CONFIG_TYPE_URL:
        return mem_strdup("url");
    case CONFIG_TYPE_UINT:
        return mem_strdup("number");
    case CONFIG_TYPE_DURATION:
        return mem_strdup("duration");
    case CONFIG_TYPE_BOOL:
        return mem_strdup("true|false");
    case CONFIG_TYPE_ENUM:
        return join_choices(key);
    case CONFIG_TYPE_NAMES:
        return mem_strdup("zone");
    case CONFIG_TYPE_ADDRESSES:
        return mem_strdup("address");
    case CONFIG_TYPE_URLS:
        return mem_strdup("url");
    case CONFIG_TYPE_SOURCES:
        return mem_strdup("path|host:port");
    case CONFIG_TYPE_SHARE:
        return mem_strdup("part|duration");
    case CONFIG_TYPE_SECRET:
        return mem_strdup("secret");
    case CONFIG_TYPE_IGNORED:
        break;
    }
    return mem_strdup("text");
}

bool config_key_is_list(const struct config_key *key)
{
    return key->type == CONFIG_TYPE_NAMES || key->type == CONFIG_TYPE_ADDRESSES || key->type == CONFIG_TYPE_URLS ||
           key->type == CONFIG_TYPE_SOURCES;
}

char *config_key_range(const struct config_key *key)
{
    char AUTO_FREE *min = NULL;
    char AUTO_FREE *max = NULL;

    if (key->type == CONFIG_TYPE_UINT)
        return mem_printf("%lld to %lld", (long long)key->min, (long long)key->max);
    if (key->type != CONFIG_TYPE_DURATION && key->type != CONFIG_TYPE_SHARE)
        return NULL;
    min = config_duration_format(key->min);
    max = config_duration_format(key->max);
    return mem_printf("%s to %s", min, max);
}
