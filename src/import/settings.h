/* SPDX-License-Identifier: MIT
 *
 * Text files of settings: certbot's renewal configurations (the part of ConfigObj's format that certbot writes), and
 * the shell assignments that acme.sh keeps, which are parsed and never run.
 */
#ifndef ACME_DME_IMPORT_SETTINGS_H
#define ACME_DME_IMPORT_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/attrs.h"
#include "util/err.h"

struct import_setting {
    char *section; /* "" before the first; "renewalparams"; "[webroot_map]" for a nested one */
    char *key;
    char *value; /* NULL: it takes a shell to tell */
    size_t line;
};

struct import_settings {
    char *file; /* for messages */
    struct import_setting *items;
    size_t count;
};

void import_settings_done(struct import_settings *settings);
#define AUTO_IMPORT_SETTINGS AUTO(import_settings_done)

/* Sections, "key = value", comments; a value may be quoted, and is what ConfigObj reads as one string: lists are left
 * as they are written.  Errors: ERR_INPUT, with file and line: also for a key that comes twice. */
enum err_code import_settings_parse_ini(const char *text, size_t len, const char *file, struct import_settings *out,
                                        struct err *err) MUST_USE;

/* "KEY='value'" a line, also in double quotes or in none, and comments.  Errors: ERR_INPUT, with file and line. */
enum err_code import_settings_parse_shell(const char *text, size_t len, const char *file, struct import_settings *out,
                                          struct err *err) MUST_USE;

/* The last one of that name; NULL when there is none. */
const struct import_setting *import_settings_find(const struct import_settings *settings, const char *section,
                                                  const char *key);

/* Its value, *out NULL when it is absent, empty or "None"; borrowed.  Errors: ERR_INPUT (it takes a shell to tell). */
enum err_code import_settings_text(const struct import_settings *settings, const char *section, const char *key,
                                   const char **out, struct err *err) MUST_USE;

/* Is it there, and neither empty nor "None", as certbot writes what is not set? */
bool import_settings_has(const struct import_settings *settings, const char *section, const char *key);

/* Is it there and true in the way of ConfigObj? */
bool import_settings_is_true(const struct import_settings *settings, const char *section, const char *key);

#endif
