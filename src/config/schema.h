/* SPDX-License-Identifier: MIT
 *
 * The one table of configuration keys.  It drives parsing, defaults, type errors, the environment, the option
 * list of
 * --help, config_explain(), and a check that compares it with acme-dme.yaml.5.
 */
#ifndef ACME_DME_CONFIG_SCHEMA_H
#define ACME_DME_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/attrs.h"

enum config_type {
    CONFIG_TYPE_STRING,    /* char * */
    CONFIG_TYPE_PATH,      /* char *; in a file: relative to the file, "~/" is the home directory */
    CONFIG_TYPE_URL,       /* char *; https, or http to this machine; ends in "/" */
    CONFIG_TYPE_UINT,      /* uint32_t, min to max */
    CONFIG_TYPE_DURATION,  /* int64_t milliseconds, min to max */
    CONFIG_TYPE_BOOL,      /* bool */
    CONFIG_TYPE_ENUM,      /* an enum, the index in choices */
    CONFIG_TYPE_NAMES,     /* struct strlist of DNS names, lower case, no trailing dot */
    CONFIG_TYPE_ADDRESSES, /* struct strlist of IP addresses with or without port */
    CONFIG_TYPE_URLS,      /* struct strlist of https URLs */
    CONFIG_TYPE_SOURCES,   /* struct strlist of "host:port", of paths as above, and of such with "*", "?" and "[...]" */
    CONFIG_TYPE_SHARE,     /* struct config_share: "1/3", or a duration from min to max */
    CONFIG_TYPE_EMAILS,    /* struct strlist of e-mail addresses, without "mailto:"; a single one needs no list */
    CONFIG_TYPE_DOMAINS,   /* struct strlist of names as they are written */
    CONFIG_TYPE_CA,        /* char *; a short name of ca.h, stored as its URL, or a URL as above, kept as it is */
    CONFIG_TYPE_KEY_TYPE,  /* char *; "ecdsa-p256" */
    CONFIG_TYPE_ITEM_NAME, /* char *; letters, digits, "-", "_", "." and "@": fit for the name of a file */
    CONFIG_TYPE_MODE,      /* uint32_t; mode of a file that nobody else may read or change */
    CONFIG_TYPE_COMMANDS,  /* struct config_commands; an option gives one without arguments */
    CONFIG_TYPE_SECRET,    /* struct secret *; never on the command line, never quoted in a message */
    CONFIG_TYPE_IGNORED,   /* known from other programs; recognised, not used */
};

struct config_key {
    const char *path; /* "propagation.timeout"; "accounts[].name" inside each item of a list */
    enum config_type type;
    const char *fallback; /* default as text, items of lists with "," between; NULL: none */
    int64_t min;          /* CONFIG_TYPE_UINT, CONFIG_TYPE_DURATION (ms) */
    int64_t max;
    const char *const *choices; /* CONFIG_TYPE_ENUM: NULL-terminated, in the order of the enum */
    const char *variable;       /* environment variable; NULL: none */
    const char *option;         /* long option with "--"; NULL: none */
    const char *help;           /* one line for --help */
    const char *commands;       /* those that take the option, " " between; NULL: everything does */
    size_t offset;              /* of the field in struct config, or in an item of the list; SIZE_MAX: not a field */
};

/* The table, in the order of the man page. */
const struct config_key *config_keys(size_t *out_count);

/* The row of a path, NULL if there is none. */
const struct config_key *config_key_find(const char *path);

/* The row that a command line option ("--ttl") sets, NULL if there is none.  Options of type CONFIG_TYPE_BOOL
 * may stand without a value, which means "true". */
const struct config_key *config_key_find_option(const char *option);

/* Where in struct config the value of a key is that is no part of a list; of one that is, what its option says for all
 * items: certificates[].csr in certificate_defaults.  SIZE_MAX: nowhere. */
size_t config_key_offset(const struct config_key *key);

/* What a value of the key is called in --help and the man page, e.g. "duration"; "auto|always|never" for an
 * enum. */
char *config_key_argument(const struct config_key *key) MUST_USE;

/* The values that are allowed, "1 to 86400", "1s to 1d"; NULL when the type has no range. */
char *config_key_range(const struct config_key *key) MUST_USE;

/* Is the value a list (and may the option be repeated)? */
bool config_key_is_list(const struct config_key *key);

#endif
