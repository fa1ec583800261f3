/* SPDX-License-Identifier: MIT
 *
 * What the tests of config/ share: a directory of their own with a home, an environment, and what a load
 * said.  In all that was said the directory is written "@".
 */
#ifndef ACME_DME_TESTS_UNIT_CONFIG_FIXTURE_H
#define ACME_DME_TESTS_UNIT_CONFIG_FIXTURE_H

#include "config/config.h"

/* Credentials that nothing complains about. */
#define GOOD_KEY "12345678-a8f8-4466-ffff-2324aaaa9098"
#define GOOD_SECRET "43009899-abcc-ffcc-eeee-09f809808098"
#define GOOD_KEY_FINGERPRINT "f8f06d6b" /* printf %s KEY | sha256sum */
#define GOOD_SECRET_FINGERPRINT "c90c7279"
#define GOOD_CREDENTIALS "credentials: {api_key: " GOOD_KEY ", api_secret: " GOOD_SECRET "}\n"
/* A CA certificate, of which nobody has the key. */
#define GOOD_CA                                                                                                        \
    "-----BEGIN CERTIFICATE-----\n"                                                                                    \
    "MIIBezCCASGgAwIBAgIUPpcm51JevV+4LC1n7UZIXbp3F5kwCgYIKoZIzj0EAwIw\n"                                               \
    "EjEQMA4GA1UEAwwHVGVzdCBDQTAgFw0yNjExMjMyMTU3MTZaGA8yMTI2MTAzMDIx\n"                                               \
    "NTcxNlowEjEQMA4GA1UEAwwHVGVzdCBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEH\n"                                               \
    "A0IABFgxk7ROj4SZ6xyhA8UfPK8rbNyfwD2NUWpIt3WGIZhpuGU8uwUSM4ov+wYw\n"                                               \
    "5OA/t0PTzx1BlGiSkL6EdFu3eGqjUzBRMB0GA1UdDgQWBBRwIACf83zdNV2xB5Hi\n"                                               \
    "QlTj7Y9YvTAfBgNVHSMEGDAWgBRwIACf83zdNV2xB5HiQlTj7Y9YvTAPBgNVHRMB\n"                                               \
    "Af8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIDgsgFyFYM3QscKlTsmQ7DF0B8/D\n"                                               \
    "WNS+njAWUCf2byazAiEA0nm6vUvMr9JqZi2nVuugEG9rS2PCQzFdDa2NRa+pX1I=\n"                                               \
    "-----END CERTIFICATE-----\n"

struct config_fixture {
    char *dir;
    char *home; /* "@/home" */
    char *etc;  /* "@/etc" */
    struct config_request req;
    char *named_file; /* req.file, owned */
    struct config_override overrides[16];
    struct strlist env; /* name, value, name, value ... */
    enum err_code code;
    struct config *config; /* NULL after a failure */
    struct strlist problems;
    struct strlist warnings;
    struct err err;
    char *said; /* everything, a line each */
};

/* cmocka's setup and teardown: *state is the fixture. */
int config_fixture_setup(void **state);
int config_fixture_teardown(void **state);
#define CONFIG_TEST(name) cmocka_unit_test_setup_teardown(name, config_fixture_setup, config_fixture_teardown)

/* Write a file below the directory; directories on the way are made. */
void given_write(struct config_fixture *f, const char *path, const char *text);
void given_write_bytes(struct config_fixture *f, const char *path, const char *bytes, size_t len);
void given_chmod(struct config_fixture *f, const char *path, unsigned mode);

void given_env(struct config_fixture *f, const char *name, const char *value);
/* The same with the directory in front of the value. */
void given_env_path(struct config_fixture *f, const char *name, const char *path);
void given_override(struct config_fixture *f, const char *key, const char *value);

/* Load, with what is set up. */
void load_config(struct config_fixture *f);
/* The same as another user than root, who could read everything: a root that runs the tests becomes nobody.
 */
void load_config_as_user(struct config_fixture *f);
/* Write the text as "@/c.yaml" and load that. */
void load_config_text(struct config_fixture *f, const char *text);
void load_config_bytes(struct config_fixture *f, const char *bytes, size_t len);

/* The load worked and gave no warning. */
void expect_silence(const struct config_fixture *f);
/* The load worked, with exactly this warning. */
void expect_warning(const struct config_fixture *f, const char *warning);
/* It failed with exactly this one mistake. */
void expect_error(const struct config_fixture *f, enum err_code code, const char *message);
/* The hint that came with it. */
void expect_hint(const struct config_fixture *f, const char *hint);
/* The same of a hint that is a command of POSIX; elsewhere it is another. */
void expect_remedy(const struct config_fixture *f, const char *posix_hint);
/* It failed with exactly these, in this order, with "\n" between. */
void expect_problems(const struct config_fixture *f, const char *lines);
/* Nothing that was said holds this text. */
void expect_unsaid(const struct config_fixture *f, const char *text);

#endif
