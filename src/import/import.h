/* SPDX-License-Identifier: MIT
 *
 * Moving in from other ACME clients: certbot, lego, acme.sh, dehydrated and uacme.  Their files are read and never
 * changed, and believed no more than anybody's: sizes are bounded, a mistake is one error that names file and line, no
 * shell looks at what was written for one, and no message shows a key or the text of a command.
 *
 * A path may have the client's name and ":" in front, as in "certbot:/etc/letsencrypt".  Without it the client is
 * recognised by the files that are there.
 */
#ifndef ACME_DME_IMPORT_IMPORT_H
#define ACME_DME_IMPORT_IMPORT_H

#include <stdbool.h>

#include "crypto/key.h"
#include "util/attrs.h"
#include "util/err.h"
#include "util/mem.h"

/* ------------------------------------------------------------------ accounts */

struct import_account {
    char *directory;         /* URL of the CA's directory; NULL: the files do not say */
    char *url;               /* the account's; NULL: the files do not say, the CA finds it by the key */
    struct strlist contacts; /* URLs: "mailto:admin@example.com"; none: the files do not say */
    struct key *key;
    char *from; /* "certbot:<the account's directory>", for messages; may be imported again */
};

void import_account_done(struct import_account *account);
#define AUTO_IMPORT_ACCOUNT AUTO(import_account_done)

/* The account at `path`: a client's own directory (/etc/letsencrypt, ~/.lego, ~/.acme.sh) if there is one account below
 * it, the directory of one account, or a file in it.  ACMEv1 accounts that Let's Encrypt's own migration left behind do
 * not count where there are others.
 * Errors: ERR_NOT_FOUND (says what was looked for), ERR_USAGE (several accounts, which are listed, or several clients;
 * the prefix names no client), ERR_UNSAFE (others can read the key), ERR_INPUT, ERR_IO. */
enum err_code import_account(const char *path, struct import_account *out, struct err *err) MUST_USE;

/* ------------------------------------------------------------------ certificates */

struct import_certificate {
    char *name;             /* what the client calls it; perhaps no name for ours */
    struct strlist domains; /* at least one, as the client has them, in its order */
    char *key_type;         /* as key_type_name() has it; NULL: not told, or one that is not made here */
    char *directory;        /* URL of the CA's directory; NULL: the files do not say */
    char *profile;          /* NULL: none */
    char *preferred_chain;  /* NULL: none */
    bool reuse_key;
    char *key_file; /* PEM, its current key, which can be used; NULL: there is none, or a warning says why not */
    char *certificate_file;  /* PEM, its current certificate; NULL: there is none yet */
    char *from;              /* "certbot:<file>", for messages; may be imported again */
    struct strlist warnings; /* what does not carry over, each as a message of an error is written */
};

void import_certificate_done(struct import_certificate *certificate);
#define AUTO_IMPORT_CERTIFICATE AUTO(import_certificate_done)

/* The settings of the certificate at `path`:
 *   certbot      renewal/<name>.conf, or live/<name>
 *   lego         certificates/<name>.json, or one of its other files
 *   acme.sh      <name>/<name>.conf, <name>_ecc/<name>.conf, or their directory
 *   dehydrated   certs/<name>
 *   uacme        <name>, with private/<name>/key.pem beside it
 * Errors: as import_account()'s; of several clients that it might be the first is taken; a key that others can read is
 * a warning, as it is not copied. */
enum err_code import_certificate(const char *path, struct import_certificate *out, struct err *err) MUST_USE;

#endif
