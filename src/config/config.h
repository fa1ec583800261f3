/* SPDX-License-Identifier: MIT
 *
 * The configuration: found, read, checked and merged, command line over environment over file over default.
 * The file and its keys are documented in acme-dme.yaml.5; schema.h has the table of keys that drives all of
 * it.
 *
 * Every mistake is reported, not only the first; none makes a value fall back to its default.  No message and
 * no warning ever holds a secret.
 */
#ifndef ACME_DME_CONFIG_CONFIG_H
#define ACME_DME_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/secret.h"

/* Where a value came from, weakest first. */
enum config_source_kind { CONFIG_DEFAULT, CONFIG_FILE, CONFIG_ENVIRONMENT, CONFIG_COMMAND_LINE };

/* propagation.doh: use DNS over HTTPS when port 53 is blocked, always, or never. */
enum config_doh { CONFIG_DOH_AUTO, CONFIG_DOH_ALWAYS, CONFIG_DOH_NEVER };

/* journal: must every record be journalled before it is created, or may it be left out (read-only state
 * directory)? */
enum config_journal { CONFIG_JOURNAL_REQUIRED, CONFIG_JOURNAL_NONE };

struct config_log {
    char *file; /* NULL: none */
    enum log_format format;
    enum log_level level; /* of the file */
};

/* monitor.warn, monitor.critical: what must remain of a certificate's lifetime, as a part of it or as a time. */
struct config_share {
    uint32_t numerator;
    uint32_t denominator; /* 0: `ms` counts */
    int64_t ms;
};

struct config_account {
    char *name;             /* as in the file; "default" for `credentials`, "environment" for those of variables */
    bool is_default;        /* the first to be asked for names that no account's zones cover; at most one */
    struct strlist zones;   /* lower case, no trailing dot */
    struct secret *api_key; /* NULL when unusable, or when there are no credentials and none were needed */
    struct secret *api_secret;
    char *key_origin; /* where it was read: "FILE:LINE:COLUMN", "environment variable X"; NULL without api_key */
    char *secret_origin;
    char *hidden_origin; /* where different ones stand that the environment's hide; NULL: nowhere */
    char *unusable;      /* why this account can't be used, e.g. its values are encrypted; NULL: it can */
};

/* `acme`: the CA and the account, and what certificates get that do not say otherwise. */
enum config_hmac { CONFIG_HS256, CONFIG_HS384, CONFIG_HS512 };
enum config_challenge { CONFIG_DNS_01, CONFIG_DNS_ACCOUNT_01, CONFIG_DNS_PERSIST_01 };

struct config_acme {
    char *directory;       /* a URL, after short names ("letsencrypt-staging") were looked up; never NULL */
    struct strlist emails; /* `acme.email`: addresses, without "mailto:" */
    char *ca_file;         /* NULL: the system's CAs */
    bool agree_tos;
    char *account_key_type;      /* "ecdsa-p256"; checked */
    char *eab_kid;               /* NULL: no external account binding */
    struct secret *eab_hmac_key; /* base64url text; NULL without eab_kid, and while it is in a file that was not read */
    char *eab_hmac_key_file;     /* NULL: none; see config_read_eab() */
    enum config_hmac eab_alg;
    int64_t request_timeout_ms;
    int64_t give_up_after_ms;   /* a failing CA is tried again for so long */
    int64_t poll_timeout_ms;    /* how long an order may be pending or processing */
    bool ari;                   /* ask for renewal information (RFC 9773) */
    int64_t program_timeout_ms; /* of deploy programs and the like */
    uint32_t keep;              /* generations of a certificate that are kept */
    uint32_t new_orders_per_3h; /* that the CA takes of an account; 0: what config/ca.h knows */
};

/* One command of the operator's: a program and its arguments. */
struct config_command {
    struct strlist argv;
};
struct config_commands {
    struct config_command *items;
    size_t count;
};

/* What can be said of a certificate: for all of them under `acme`, for one in `certificates`, on the command line.
 * NULL, 0 and empty: not said (see `given`). */
struct config_certificate_settings {
    char *key_type; /* "ecdsa-p256" ... */
    bool reuse_key;
    char *profile;
    char *preferred_chain;
    enum config_challenge challenge;
    struct config_share renew_before; /* what must remain of the lifetime */
    char *csr_file;
    char *key_file; /* a private key that the operator brings */
    char *owner;
    char *group;
    uint32_t key_mode; /* 0: 0600, or 0640 with a group */
    bool combined;     /* combined.pem: chain and key in one file, for haproxy */
    bool der;          /* cert.der, privkey.der */
    bool pfx;
    bool pfx_legacy;
    char *pfx_password_file; /* NULL: an empty password */
    struct config_commands pre, deploy, post, failed;
    bool deploy_once; /* each deploy command is run once, after all, for all that have it */
};

struct config_certificate {
    char *name;             /* never NULL: the first domain without "*." when not given */
    struct strlist domains; /* as written; checked by who uses them; empty only with a csr_file */
    char *directory;        /* a URL; NULL: that of `acme`, also when the environment or an option gives that one */
    /* What holds for this one: its own settings, and `certificate_defaults` where it has none and where they come from
     * the command line. */
    struct config_certificate_settings settings;
};

struct config_origins; /* what config_explain() tells */

struct config {
    char *file; /* the file that was read; NULL: none */
    struct config_account *accounts;
    size_t account_count; /* 0 only with CONFIG_WITHOUT_CREDENTIALS */

    char *endpoint; /* never NULL, ends in "/": production, sandbox, or the one given */
    bool sandbox;
    char *ca_file; /* NULL: the system's */
    uint32_t ttl_s;
    int64_t request_timeout_ms;
    int64_t give_up_after_ms;
    uint32_t request_limit; /* in a window; 0: what the API says */
    int64_t request_window_ms;
    int64_t budget_wait_ms; /* how long requests wait for the window */

    int64_t propagation_timeout_ms;
    int64_t settle_ms;
    int64_t lame_after_ms;
    struct strlist resolvers;   /* "addr", "addr:port", "[v6]:port"; empty: the system's */
    struct strlist nameservers; /* the same; empty: those of the zone */
    enum config_doh doh;
    struct strlist doh_urls; /* never empty */

    bool follow_cname;
    char *state_dir; /* NULL: platform_default_state_dir() */
    enum config_journal journal;
    int64_t sweep_after_ms;
    bool allow_readable_secrets;
    struct config_log log;
    char *check_ca;          /* never NULL: a short name, or a domain as in CAA records */
    char *check_account_uri; /* NULL: not known */

    struct strlist certificates; /* paths, patterns of paths, "host:port" */
    struct config_share warn;
    struct config_share critical;
    int64_t failing_for_ms;
    char *certificate_ca_file; /* NULL: the system's */
    int64_t certificate_timeout_ms;

    struct config_acme acme;
    struct config_certificate_settings certificate_defaults; /* `acme.profile` and the like, and options */
    struct config_certificate *managed;                      /* `certificates` */
    size_t managed_count;
    size_t *managed_by_name;      /* their indices, for config_certificate_find() */
    bool has_certificate_options; /* some setting of certificates is on the command line */

    struct config_origins *origins;
};

/* One value from the command line: a key of schema.h and its text, e.g. {"propagation.timeout", "30s"}.  The
 * last one of a key wins; for lists all of a key together replace what the file says, each holding one or
 * more items with "," between.  A switch that is given without a value is "true". */
struct config_override {
    const char *key;
    const char *value;
};

/* Commands that never talk to the API load CONFIG_WITHOUT_CREDENTIALS: none need be there, and those that are
 * there are not read from their files. */
enum config_need { CONFIG_WITH_CREDENTIALS, CONFIG_WITHOUT_CREDENTIALS };

struct config_request {
    const char *file;    /* --config; NULL: look in the usual places */
    const char *account; /* --account: use this one for everything; NULL: all */
    const struct config_override *overrides;
    size_t override_count;
    enum config_need need;
    const char *(*env)(void *ctx, const char *name); /* NULL answer: unset; "" counts as unset too */
    void *env_ctx;
    const char *home;            /* the user's home directory; NULL: none */
    const char *sysconfdir;      /* platform_config_dir() */
    const char *user_config_dir; /* platform_user_config_dir(); NULL: by XDG's rules */
};

/* Load.  `warnings` gets lines to print whether it succeeds or not.  When there is more than one mistake,
 * `problems` gets a line for each ("file:line:column: ...") and `err` sums them up; when there is one, `err`
 * is that one and `problems` stays empty.  So print all problems, then the error. Errors: ERR_CONFIG;
 * ERR_UNSAFE (a file with secrets that others can read, if nothing else is wrong); ERR_IO (a file that is
 * there and can't be read). */
enum err_code config_load(const struct config_request *req, struct config **out, struct strlist *problems,
                          struct strlist *warnings, struct err *err) MUST_USE;

/* What the command line and the environment say about logs, for errors that come before or from config_load().  What
 * they say wrongly is left at its default: config_load() reports it. */
void config_load_log(const struct config_request *req, struct config_log *out);
void config_log_done(struct config_log *log);
#define AUTO_CONFIG_LOG AUTO(config_log_done)

void config_free(struct config *config); /* NULL is fine */
void config_free_auto(struct config **config);

enum config_explained { CONFIG_EXPLAIN_GIVEN, CONFIG_EXPLAIN_DEFAULTS };

/* Add one line for every value that was given, or for every other one: "<key>: <value> (<where it came from>)", e.g.
 * "dnsmadeeasy.ttl: 5 (/etc/acme-dme/acme-dme.yaml:12:8)", "dnsmadeeasy.sandbox: true (environment variable
 * DNSMADEEASY_SANDBOX)", "propagation.settle: 10s (default)".  Of secrets their length and fingerprint, and of what
 * looks like one in the wrong place that it is not shown. */
void config_explain(const struct config *config, enum config_explained what, struct strlist *lines);

/* Where the value of a key came from; CONFIG_DEFAULT for keys that were not given.  Of items of lists as
 * "certificates[0].profile". */
enum config_source_kind config_source(const struct config *config, const char *key);
/* The place of a value, for messages: "FILE:LINE:COLUMN", "option --x"; "default" when it was not given.  Borrowed. */
const char *config_where(const struct config *config, const char *key);

/* ------------------------------------------------------------------ settings of certificates */

/* The index in `managed` of the certificate of that name, SIZE_MAX if there is none. */
size_t config_certificate_find(const struct config *config, const char *name);

/* Was a setting ("profile") of a certificate given, and where?  `managed_index` is that of `managed`; SIZE_MAX: what
 * `certificate_defaults` has.  The place is the one of the value that holds.  *out_where is borrowed. */
bool config_certificate_setting(const struct config *config, size_t managed_index, const char *setting,
                                enum config_source_kind *out_kind, const char **out_where);

/* The settings that struct config_certificate_settings has, by their names in the file; static. */
const char *const *config_certificate_setting_names(size_t *count);

/* Set one from text, with the checks of the configuration.  Paths are taken as they are.  `what` says in errors where
 * the text stands.  Errors: ERR_CONFIG (also for a setting that there is not), ERR_INTERNAL. */
enum err_code config_certificate_apply(struct config_certificate_settings *settings, const char *setting,
                                       const char *value, const char *what, struct err *err) MUST_USE;

/* The text that config_certificate_apply() makes the same setting of; NULL: it is not said.  Yours. */
char *config_certificate_format(const struct config_certificate_settings *settings, const char *setting) MUST_USE;

/* `to` is empty or zero before. */
void config_certificate_settings_copy(struct config_certificate_settings *to,
                                      const struct config_certificate_settings *from);
void config_certificate_settings_done(struct config_certificate_settings *settings);
#define AUTO_CONFIG_CERTIFICATE_SETTINGS AUTO(config_certificate_settings_done)

/* Read acme.eab.hmac_key_file, which CONFIG_WITHOUT_CREDENTIALS leaves alone, into acme.eab_hmac_key; nothing when
 * there is none or it was read.  Errors: as of config_load(). */
enum err_code config_read_eab(struct config *config, struct strlist *warnings, struct err *err) MUST_USE;

#endif
