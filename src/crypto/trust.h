/* SPDX-License-Identifier: MIT
 *
 * The CAs that this machine trusts, where OpenSSL can't find them by itself, as on Windows: those of a bundle that came
 * with the program and those that the system vouches for, without those that the system distrusts.
 */
#ifndef ACME_DME_CRYPTO_TRUST_H
#define ACME_DME_CRYPTO_TRUST_H

#include <stdbool.h>
#include <stddef.h>

#include "util/attrs.h"
#include "util/err.h"

struct trust;

/* None trusted yet. */
struct trust *trust_new(void) MUST_USE;
void trust_free(struct trust *trust); /* NULL is fine */
void trust_free_auto(struct trust **trust);
#define AUTO_TRUST AUTO(trust_free_auto)

/* Never trust this certificate (DER); to be said before it is added. */
void trust_refuse(struct trust *trust, const void *der, size_t len);
/* Trust a CA (DER), or those of a PEM text; what is no certificate is passed over.  Returns how many are trusted. */
size_t trust_add(struct trust *trust, const void *der, size_t len);
size_t trust_add_pem(struct trust *trust, const char *text, size_t len);

/* Is it for us to find out whom the system trusts?  False: OpenSSL knows. */
bool trust_is_ours(void);
/* Find out: NULL where it is not for us.  None may be trusted then. */
struct trust *trust_of_system(void) MUST_USE;
/* E.g. "142 CAs of "C:/acme-dme/ca-bundle.crt" and 7 more of the system's certificate stores"; yours. */
char *trust_describe(const struct trust *trust) MUST_USE;
size_t trust_count(const struct trust *trust);

/* Let an SSL_CTX of our library trust these and no others, whatever else is set there now or later.  Errors:
 * ERR_INTERNAL. */
enum err_code trust_set(const struct trust *trust, void *ssl_ctx, struct err *err) MUST_USE;

#endif
