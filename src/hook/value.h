/* SPDX-License-Identifier: MIT
 *
 * Values that clients give, checked.  Internal to hook/.
 */
#ifndef ACME_DME_HOOK_VALUE_H
#define ACME_DME_HOOK_VALUE_H

#include "hook/contract.h"

/* Make the TXT value from what the client gave; *out is the caller's.
 * Errors: ERR_USAGE for what can't be a TXT value of an ACME challenge. */
enum err_code hook_value_make(enum hook_value_kind kind, const char *given, char **out, struct err *err) MUST_USE;

/* Append a record to the request; takes `value`. */
void hook_request_add(struct hook_request *request, enum hook_name_kind kind, const char *name, char *value_take);

/* certbot.c: records, wait and run from the environment. */
enum err_code hook_certbot_read(const struct hook_call *call, struct hook_request *out, struct err *err) MUST_USE;

#endif
