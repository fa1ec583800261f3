/* SPDX-License-Identifier: MIT
 *
 * A certificate and the chain behind it, as a CA delivers them: application/pem-certificate-chain, RFC 8555 section
 * 9.1.  Nothing that a CA sends is believed: the form is checked when it is parsed, the content by chain_check().
 */
#ifndef ACME_DME_CRYPTO_CHAIN_H
#define ACME_DME_CRYPTO_CHAIN_H

#include "crypto/cert.h"
#include "util/buf.h"

#define CHAIN_LEN_MAX 20 /* a sanity bound */

struct chain; /* opaque: the end-entity certificate first */

/* The whole text must be PEM certificates, one after the other, with nothing but white space and explanatory lines that
 * do not begin with "-----" between: "any other block" (a private key!) is refused by name, as RFC 8555 section 11.4
 * wants.  1 to CHAIN_LEN_MAX certificates.  `what` names it.  Errors: ERR_INPUT. */
enum err_code chain_parse(const void *data, size_t len, const char *what, struct chain **out, struct err *err) MUST_USE;
void chain_free(struct chain *chain); /* NULL is fine */
void chain_free_auto(struct chain **chain);
#define AUTO_CHAIN AUTO(chain_free_auto)

size_t chain_len(const struct chain *chain);
/* What we want to know of certificate `index`; borrowed, as long as the chain. */
const struct cert *chain_cert(const struct chain *chain, size_t index);

/* Is it what was asked for?  The certificate's public key is `public_der` (SubjectPublicKeyInfo), its DNS names are
 * exactly `names` (in any order and case; the common name must be one of them), it is valid at `now_s` or will be
 * within an hour, and each certificate is issued by the next one (names and signatures).  A last certificate that is
 * not a root is fine: the chain is not verified against trust anchors, as the CA may be anybody's.
 * Errors: ERR_INPUT, saying which of these and with what. */
struct chain_expectation {
    const void *public_der;
    size_t public_der_len;
    const struct strlist *names; /* lower case, A-labels */
    int64_t now_s;
};
enum err_code chain_check(const struct chain *chain, const struct chain_expectation *want, struct err *err) MUST_USE;

/* --preferred-chain: does the chain lead to that issuer?  `preferred` is a common name, compared without case, that the
 * issuer of the last certificate, or the subject or issuer of any other but the first, has; or the SHA-256 fingerprint
 * (64 hex digits, ":" allowed) of any certificate but the first. */
bool chain_is_preferred(const struct chain *chain, const char *preferred);
/* The issuer of the last certificate, for messages: what the chain leads to; borrowed. */
const char *chain_root_name(const struct chain *chain);

/* The certID of RFC 9773 section 4.1: base64url of the authority key identifier, ".", base64url of the serial number's
 * content octets.  Yours; NULL when the certificate has no key identifier. */
char *chain_ari_id(const struct chain *chain) MUST_USE;

/* PEM of certificates from `first` on, `count` at most, appended; lines of 64, nothing else. */
void chain_format_pem(const struct chain *chain, size_t first, size_t count, struct buf *out);
/* DER of one, appended. */
void chain_format_der(const struct chain *chain, size_t index, struct buf *out);
/* SubjectPublicKeyInfo of the first, appended. */
void chain_public_der(const struct chain *chain, struct buf *out);
/* SHA-256 fingerprint of one, lower-case hex. */
#define CHAIN_FINGERPRINT_LEN 64
void chain_fingerprint(const struct chain *chain, size_t index, char out[CHAIN_FINGERPRINT_LEN + 1]);

#endif
