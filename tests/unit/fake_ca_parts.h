/* SPDX-License-Identifier: MIT
 *
 * What the files of the CA in memory share; tests do not include it.
 */
#ifndef ACME_DME_TESTS_UNIT_FAKE_CA_PARTS_H
#define ACME_DME_TESTS_UNIT_FAKE_CA_PARTS_H

#include "fake_ca.h"

struct asked {
    const struct fake_seen *seen;
    const char *path; /* behind the root */
    struct fake_ca_jws jws;
    json_t *payload;                 /* NULL: empty */
    struct fake_ca_account *account; /* of "kid"; NULL: the key is in the header */
    char *jwk;                       /* canonical text; of "jwk" */
};

struct reply {
    long status;
    json_t *json;
    char *text; /* instead of JSON */
    struct buf headers;
};

/* ------------------------------------------------------------------ fake_ca_rules.c */

void fake_ca_refuse(struct reply *reply, long status, const char *type, const char *detail);
void fake_ca_complain(struct fake_ca *ca, struct reply *reply, const char *rule);
char *fake_ca_canonical(const json_t *json);
const char *fake_ca_member(const json_t *json, const char *key);
char *fake_ca_url_of(const char *kind, size_t number);
void fake_ca_set_string(char **out, const char *text);
struct fake_ca_account *fake_ca_find_account(struct fake_ca *ca, const char *url, const char *jwk);
/* "<root>/<what>/<number>", and "/<rest>" unless it is NULL. */
json_t *fake_ca_url(const char *what, size_t number, const char *rest);
char *fake_ca_new_nonce(struct fake_ca *ca);
bool fake_ca_check_post(struct fake_ca *ca, struct asked *asked, struct reply *reply);

/* ------------------------------------------------------------------ fake_ca_accounts.c */

void fake_ca_serve_new_account(struct fake_ca *ca, struct asked *asked, struct reply *reply);
void fake_ca_serve_account(struct fake_ca *ca, struct asked *asked, struct reply *reply);
void fake_ca_serve_key_change(struct fake_ca *ca, struct asked *asked, struct reply *reply);
void fake_ca_validate(struct fake_ca *ca, struct fake_ca_authz *authz);
void fake_ca_serve_authz(struct fake_ca *ca, struct asked *asked, size_t number, struct reply *reply);
void fake_ca_serve_challenge(struct fake_ca *ca, struct asked *asked, size_t number, const char *type,
                             struct reply *reply);

/* ------------------------------------------------------------------ fake_ca_orders.c */

void fake_ca_serve_new_order(struct fake_ca *ca, struct asked *asked, struct reply *reply);
void fake_ca_serve_order(struct fake_ca *ca, struct asked *asked, size_t number, struct reply *reply);
void fake_ca_serve_finalize(struct fake_ca *ca, struct asked *asked, size_t number, struct reply *reply);
void fake_ca_serve_certificate(struct fake_ca *ca, struct asked *asked, size_t number, const char *rest,
                               struct reply *reply);
void fake_ca_serve_revoke(struct fake_ca *ca, struct asked *asked, struct reply *reply);
void fake_ca_serve_renewal_info(const char *id, struct reply *reply);
void fake_ca_serve_directory(const struct fake_ca *ca, struct reply *reply);

#endif
