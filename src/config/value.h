/* SPDX-License-Identifier: MIT
 *
 * What the types of values share, and those types that only certificates need.
 */
#ifndef ACME_DME_CONFIG_VALUE_H
#define ACME_DME_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/loading.h"

#define CONFIG_STRING_MAX 4096

/* A value that is being set; all borrowed. */
struct config_value {
    struct config_loading *load;
    const struct config_key *key;
    const char *path;
    const struct config_text *texts;
    size_t count;
    void *field;
};

/* value.c: report what a text must be. */
void config_value_must_be(const struct config_value *v, const struct config_text *text, const char *what);
/* Not empty, not too long, and without control characters? */
bool config_value_is_plain(const char *text);
bool config_value_is_absolute(const char *path);
/* Report what is wrong with a URL; false then. */
bool config_value_check_url(const struct config_value *v, const struct config_text *text) MUST_USE;
/* Put a string where an older one may be. */
void config_value_store_take(void *field, char *take);
/* Lower case, without a dot at the end; yours. */
char *config_name_normalize(const char *name) MUST_USE;
/* An address without "mailto:"; a part of the text. */
const char *config_email_address(const char *text);

/* value_certificate.c, command.c: store a value, or report what is wrong with it; false then.  The checks are of one
 * item of a list. */
bool config_value_set_ca(const struct config_value *v) MUST_USE;
bool config_value_set_key_type(const struct config_value *v) MUST_USE;
bool config_value_set_item_name(const struct config_value *v) MUST_USE;
bool config_value_set_mode(const struct config_value *v) MUST_USE;
bool config_value_set_commands(const struct config_value *v) MUST_USE;
bool config_value_check_email(const struct config_value *v, const struct config_text *text) MUST_USE;
bool config_value_check_domain(const struct config_value *v, const struct config_text *text) MUST_USE;

/* May this be the name of a certificate? */
bool config_is_item_name(const char *text);

#endif
