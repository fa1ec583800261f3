/* SPDX-License-Identifier: MIT
 *
 * Files as other ACME clients leave them, in a directory of their own.
 */
#ifndef ACME_DME_TESTS_UNIT_IMPORT_PLACE_H
#define ACME_DME_TESTS_UNIT_IMPORT_PLACE_H

#include "crypto/key.h"
#include "util/err.h"

struct import_place {
    char *dir;
    char *key_pem; /* ECDSA P-256 */
    struct key *key;
    char *path; /* what import_place_path() made last */
    struct err err;
};

int import_place_setup(void **state);
int import_place_teardown(void **state);

/* "<prefix><directory>/<name>"; borrowed until the next one. */
const char *import_place_path(struct import_place *p, const char *prefix, const char *name);
/* Write a file below the directory, mode 0600, and the directories on its way, which everybody may enter. */
void import_place_put(struct import_place *p, const char *name, const char *text);
void import_place_mode(struct import_place *p, const char *name, unsigned mode);
/* A certificate for these names, as in openssl.cnf. */
void import_place_put_certificate(struct import_place *p, const char *name, const char *names);

#endif
