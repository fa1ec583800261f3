/* SPDX-License-Identifier: MIT
 *
 * Inside dme/: the API's many ways of saying no, in one text.
 */
#ifndef ACME_DME_DME_ERROR_H
#define ACME_DME_DME_ERROR_H

#include "dme/client.h"

#define DME_ERROR_TEXT_MAX 65536
#define DME_ERROR_SHOWN_MAX 256 /* what a message has room for; the verdict may stand at the end of a longer text */

/* What the body of a failed request says: the strings of {"error":[...]}, also where the JSON around them is invalid as
 * the gateway's once was; the title of an HTML page; else the start of the text.  Nothing is added when it says
 * nothing.  What looks like a key or a signature is masked, as is `api_key` wherever it occurs.  Not escaped: err_set()
 * does that. */
void dme_error_text(const struct buf *body, const struct secret *api_key, struct buf *out);

bool dme_error_is_rate_limit(long status, const char *text);

/* Is it about a record that exists with the same name, type and value? */
bool dme_error_is_duplicate(const char *text);

/* Set *err for a status other than 2xx, 401, 403 and the rate limit; `where` is the Location header or NULL. */
enum err_code dme_error_from_status(long status, const char *text, const char *where, struct err *err);

enum err_code dme_error_rate_limit(struct err *err);

/* An answer that makes no sense, described in *err already: make it ERR_API with advice, unless it has some. */
enum err_code dme_error_unreadable(struct err *err);

#endif
