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
#define OF_CERTIFICATE(name) offsetof(struct config_certificate, name)
#define NO_FIELD SIZE_MAX

static const char *const doh_choices[] = {"auto", "always", "never", NULL};
static const char *const journal_choices[] = {"required", "none", NULL};

static const char *const challenges[] = {"dns-01", "dns-account-01", "dns-persist-01", NULL};
static const char *const hmacs[] = {"hs256", "hs384", "hs512", NULL};

static const char *const log_formats[] = {"text", "json", NULL};
static const char *const log_levels[] = {"error", "warning", "info", "debug", NULL};

/* Who takes the options of certificates, and of the CA and the account. */
#define FOR_CERTIFICATES .commands = "issue renew"
#define FOR_ACME .commands = "issue renew revoke account list show"

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
    {"dnsmadeeasy.request_limit", CONFIG_TYPE_UINT, .fallback = "0", .min = 0, .max = 1000, .option = "--request-limit",
     .offset = FIELD(request_limit), .help = "requests to the API in a window; 0: as many as it says that it allows"},
    {"dnsmadeeasy.request_window", CONFIG_TYPE_DURATION, .fallback = "5m", .min = SECOND, .max = HOUR,
     .option = "--request-window", .offset = FIELD(request_window_ms),
     .help = "length of the window in which the API counts requests"},
    {"dnsmadeeasy.budget_wait", CONFIG_TYPE_DURATION, .fallback = "15m", .min = 0, .max = DAY,
     .option = "--budget-wait", .offset = FIELD(budget_wait_ms),
     .help = "time that requests wait until the API's limit allows them"},

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

    {"acme.directory", CONFIG_TYPE_CA, .fallback = "letsencrypt", .variable = "ACME_DME_DIRECTORY",
     .option = "--directory", FOR_ACME, .offset = FIELD(acme.directory),
     .help = "CA that certificates come from: a short name, or the URL of its directory"},
    {"acme.email", CONFIG_TYPE_EMAILS, .option = "--email", FOR_ACME, .offset = FIELD(acme.emails),
     .help = "e-mail address for the CA"},
    {"acme.ca_file", CONFIG_TYPE_PATH, .option = "--acme-ca-file", FOR_ACME, .offset = FIELD(acme.ca_file),
     .help = "certificates to trust for the CA's server instead of the system's"},
    {"acme.agree_tos", CONFIG_TYPE_BOOL, .fallback = "false", .option = "--agree-tos", FOR_ACME,
     .offset = FIELD(acme.agree_tos), .help = "agree to the CA's terms of service"},
    {"acme.account_key_type", CONFIG_TYPE_KEY_TYPE, .fallback = "ecdsa-p256", .option = "--account-key-type", FOR_ACME,
     .offset = FIELD(acme.account_key_type), .help = "type of the key of a new ACME account"},
    {"acme.eab.kid", CONFIG_TYPE_STRING, .variable = "ACME_DME_EAB_KID", .option = "--eab-kid", FOR_ACME,
     .offset = FIELD(acme.eab_kid), .help = "key identifier of external account binding"},
    {"acme.eab.hmac_key", CONFIG_TYPE_SECRET, .variable = "ACME_DME_EAB_HMAC_KEY", .offset = FIELD(acme.eab_hmac_key),
     .help = "key of external account binding"},
    {"acme.eab.hmac_key_file", CONFIG_TYPE_PATH, .variable = "ACME_DME_EAB_HMAC_KEY_FILE",
     .option = "--eab-hmac-key-file", FOR_ACME, .offset = FIELD(acme.eab_hmac_key_file),
     .help = "file that holds the key of external account binding"},
    {"acme.eab.alg", CONFIG_TYPE_ENUM, .fallback = "hs256", .choices = hmacs, .option = "--eab-alg", FOR_ACME,
     .offset = FIELD(acme.eab_alg), .help = "algorithm of external account binding"},
    {"acme.timeout", CONFIG_TYPE_DURATION, .fallback = "30s", .min = SECOND, .max = 10 * MINUTE,
     .option = "--acme-timeout", FOR_ACME, .offset = FIELD(acme.request_timeout_ms),
     .help = "time for one request to the CA"},
    {"acme.give_up_after", CONFIG_TYPE_DURATION, .fallback = "90s", .min = SECOND, .max = HOUR,
     .option = "--acme-give-up-after", FOR_ACME, .offset = FIELD(acme.give_up_after_ms),
     .help = "time in which a failing request to the CA is tried again"},
    {"acme.poll_timeout", CONFIG_TYPE_DURATION, .fallback = "300s", .min = SECOND, .max = DAY,
     .option = "--poll-timeout", FOR_ACME, .offset = FIELD(acme.poll_timeout_ms),
     .help = "time for the CA to validate and to issue"},
    {"acme.ari", CONFIG_TYPE_BOOL, .fallback = "true", .option = "--ari", FOR_ACME, .offset = FIELD(acme.ari),
     .help = "ask the CA when to renew"},
    {"acme.program_timeout", CONFIG_TYPE_DURATION, .fallback = "5m", .min = SECOND, .max = DAY,
     .option = "--program-timeout", FOR_ACME, .offset = FIELD(acme.program_timeout_ms),
     .help = "time for a program that a certificate is given to"},
    {"acme.keep", CONFIG_TYPE_UINT, .fallback = "5", .min = 1, .max = 1000, .option = "--keep", FOR_ACME,
     .offset = FIELD(acme.keep), .help = "generations of a certificate that are kept"},
    {"acme.new_orders_per_3h", CONFIG_TYPE_UINT, .fallback = "0", .max = 1000000, .option = "--new-orders-per-3h",
     FOR_ACME, .offset = FIELD(acme.new_orders_per_3h),
     .help = "new orders in 3 hours beyond which renew waits; 0: what is known of the CA"},
    {"acme.key_type", CONFIG_TYPE_KEY_TYPE, .fallback = "ecdsa-p256", .option = "--key-type", FOR_CERTIFICATES,
     .offset = FIELD(certificate_defaults.key_type), .help = "type of new keys"},
    {"acme.reuse_key", CONFIG_TYPE_BOOL, .fallback = "false", .option = "--reuse-key", FOR_CERTIFICATES,
     .offset = FIELD(certificate_defaults.reuse_key), .help = "keep the key when a certificate is renewed"},
    {"acme.profile", CONFIG_TYPE_STRING, .option = "--profile", FOR_CERTIFICATES,
     .offset = FIELD(certificate_defaults.profile), .help = "profile to ask the CA for"},
    {"acme.preferred_chain", CONFIG_TYPE_STRING, .option = "--preferred-chain", FOR_CERTIFICATES,
     .offset = FIELD(certificate_defaults.preferred_chain), .help = "name of the root whose chain is preferred"},
    {"acme.challenge", CONFIG_TYPE_ENUM, .fallback = "dns-01", .choices = challenges, .option = "--challenge",
     FOR_CERTIFICATES, .offset = FIELD(certificate_defaults.challenge), .help = "how control of names is proved"},
    {"acme.renew_before", CONFIG_TYPE_SHARE, .fallback = "1/3", .min = SECOND, .max = 366 * DAY,
     .option = "--renew-before", FOR_CERTIFICATES, .offset = FIELD(certificate_defaults.renew_before),
     .help = "part of the lifetime, or time, that is left when it is renewed"},
    {"acme.owner", CONFIG_TYPE_STRING, .option = "--owner", FOR_CERTIFICATES,
     .offset = FIELD(certificate_defaults.owner), .help = "user that owns the files"},
    {"acme.group", CONFIG_TYPE_STRING, .option = "--group", FOR_CERTIFICATES,
     .offset = FIELD(certificate_defaults.group), .help = "group of the files"},
    {"acme.key_mode", CONFIG_TYPE_MODE, .option = "--key-mode", FOR_CERTIFICATES,
     .offset = FIELD(certificate_defaults.key_mode), .help = "mode of files with a private key"},
    {"acme.combined", CONFIG_TYPE_BOOL, .fallback = "false", .option = "--combined", FOR_CERTIFICATES,
     .offset = FIELD(certificate_defaults.combined), .help = "write chain and key into one file, too"},
    {"acme.der", CONFIG_TYPE_BOOL, .fallback = "false", .option = "--der", FOR_CERTIFICATES,
     .offset = FIELD(certificate_defaults.der), .help = "write certificate and key in DER, too"},
    {"acme.pfx", CONFIG_TYPE_BOOL, .fallback = "false", .option = "--pfx", FOR_CERTIFICATES,
     .offset = FIELD(certificate_defaults.pfx), .help = "write a PKCS #12 file, too"},
    {"acme.pfx_legacy", CONFIG_TYPE_BOOL, .fallback = "false", .option = "--pfx-legacy", FOR_CERTIFICATES,
     .offset = FIELD(certificate_defaults.pfx_legacy), .help = "encrypt it as old systems understand it"},
    {"acme.pfx_password_file", CONFIG_TYPE_PATH, .option = "--pfx-password-file", FOR_CERTIFICATES,
     .offset = FIELD(certificate_defaults.pfx_password_file), .help = "file that holds its password"},
    {"acme.pre", CONFIG_TYPE_COMMANDS, .option = "--pre", FOR_CERTIFICATES, .offset = FIELD(certificate_defaults.pre),
     .help = "program to run before an order"},
    {"acme.deploy", CONFIG_TYPE_COMMANDS, .option = "--deploy", FOR_CERTIFICATES,
     .offset = FIELD(certificate_defaults.deploy), .help = "program to run with a new certificate"},
    {"acme.deploy_once", CONFIG_TYPE_BOOL, .fallback = "false", .option = "--deploy-once", FOR_CERTIFICATES,
     .offset = FIELD(certificate_defaults.deploy_once), .help = "run each deploy program once, after all certificates"},
    {"acme.post", CONFIG_TYPE_COMMANDS, .option = "--post", FOR_CERTIFICATES,
     .offset = FIELD(certificate_defaults.post), .help = "program to run after an order"},
    {"acme.failed", CONFIG_TYPE_COMMANDS, .option = "--failed", FOR_CERTIFICATES,
     .offset = FIELD(certificate_defaults.failed), .help = "program to run when an order has failed"},

    {"certificates[].name", CONFIG_TYPE_ITEM_NAME, .offset = OF_CERTIFICATE(name), .help = "name of the certificate"},
    {"certificates[].domains", CONFIG_TYPE_DOMAINS, .offset = OF_CERTIFICATE(domains), .help = "names that it is for"},
    {"certificates[].directory", CONFIG_TYPE_CA, .offset = OF_CERTIFICATE(directory), .help = "CA that it comes from"},
    {"certificates[].key_type", CONFIG_TYPE_KEY_TYPE, .offset = OF_CERTIFICATE(settings.key_type),
     .help = "type of its keys"},
    {"certificates[].reuse_key", CONFIG_TYPE_BOOL, .offset = OF_CERTIFICATE(settings.reuse_key),
     .help = "keep its key when it is renewed"},
    {"certificates[].profile", CONFIG_TYPE_STRING, .offset = OF_CERTIFICATE(settings.profile),
     .help = "profile to ask the CA for"},
    {"certificates[].preferred_chain", CONFIG_TYPE_STRING, .offset = OF_CERTIFICATE(settings.preferred_chain),
     .help = "name of the root whose chain is preferred"},
    {"certificates[].challenge", CONFIG_TYPE_ENUM, .choices = challenges, .offset = OF_CERTIFICATE(settings.challenge),
     .help = "how control of its names is proved"},
    {"certificates[].renew_before", CONFIG_TYPE_SHARE, .min = SECOND, .max = 366 * DAY,
     .offset = OF_CERTIFICATE(settings.renew_before),
     .help = "part of its lifetime, or time, that is left when it is renewed"},
    {"certificates[].csr", CONFIG_TYPE_PATH, .option = "--csr", FOR_CERTIFICATES,
     .offset = OF_CERTIFICATE(settings.csr_file), .help = "certificate signing request to use instead of a new key"},
    {"certificates[].key", CONFIG_TYPE_PATH, .option = "--key", .commands = "issue renew revoke",
     .offset = OF_CERTIFICATE(settings.key_file), .help = "private key to use instead of a new one"},
    {"certificates[].owner", CONFIG_TYPE_STRING, .offset = OF_CERTIFICATE(settings.owner),
     .help = "user that owns its files"},
    {"certificates[].group", CONFIG_TYPE_STRING, .offset = OF_CERTIFICATE(settings.group),
     .help = "group of its files"},
    {"certificates[].key_mode", CONFIG_TYPE_MODE, .offset = OF_CERTIFICATE(settings.key_mode),
     .help = "mode of files with its private key"},
    {"certificates[].combined", CONFIG_TYPE_BOOL, .offset = OF_CERTIFICATE(settings.combined),
     .help = "write chain and key into one file, too"},
    {"certificates[].der", CONFIG_TYPE_BOOL, .offset = OF_CERTIFICATE(settings.der),
     .help = "write certificate and key in DER, too"},
    {"certificates[].pfx", CONFIG_TYPE_BOOL, .offset = OF_CERTIFICATE(settings.pfx),
     .help = "write a PKCS #12 file, too"},
    {"certificates[].pfx_legacy", CONFIG_TYPE_BOOL, .offset = OF_CERTIFICATE(settings.pfx_legacy),
     .help = "encrypt it as old systems understand it"},
    {"certificates[].pfx_password_file", CONFIG_TYPE_PATH, .offset = OF_CERTIFICATE(settings.pfx_password_file),
     .help = "file that holds its password"},
    {"certificates[].pre", CONFIG_TYPE_COMMANDS, .offset = OF_CERTIFICATE(settings.pre),
     .help = "program to run before an order"},
    {"certificates[].deploy", CONFIG_TYPE_COMMANDS, .offset = OF_CERTIFICATE(settings.deploy),
     .help = "program to run with a new certificate"},
    {"certificates[].deploy_once", CONFIG_TYPE_BOOL, .offset = OF_CERTIFICATE(settings.deploy_once),
     .help = "run its deploy programs once, with those of all certificates"},
    {"certificates[].post", CONFIG_TYPE_COMMANDS, .offset = OF_CERTIFICATE(settings.post),
     .help = "program to run after an order"},
    {"certificates[].failed", CONFIG_TYPE_COMMANDS, .offset = OF_CERTIFICATE(settings.failed),
     .help = "program to run when an order has failed"},
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

size_t config_key_offset(const struct config_key *key)
{
    if (!strchr(key->path, '['))
        return key->offset;
    if (!key->option)
        return SIZE_MAX;
    return key->offset - offsetof(struct config_certificate, settings) + offsetof(struct config, certificate_defaults);
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
    case CONFIG_TYPE_EMAILS:
        return mem_strdup("address");
    case CONFIG_TYPE_DOMAINS:
        return mem_strdup("domain");
    case CONFIG_TYPE_CA:
        return mem_strdup("ca|url");
    case CONFIG_TYPE_KEY_TYPE:
        return mem_strdup("key-type");
    case CONFIG_TYPE_ITEM_NAME:
        return mem_strdup("name");
    case CONFIG_TYPE_MODE:
        return mem_strdup("mode");
    case CONFIG_TYPE_COMMANDS:
        return mem_strdup("program");
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
           key->type == CONFIG_TYPE_SOURCES || key->type == CONFIG_TYPE_EMAILS || key->type == CONFIG_TYPE_DOMAINS ||
           key->type == CONFIG_TYPE_COMMANDS;
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
