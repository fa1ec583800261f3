/* SPDX-License-Identifier: MIT */
#include "issue_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "test.h"
#include "util/clock.h"

#define LIFETIME_S (INT64_C(90) * 24 * 3600)

/* ------------------------------------------------------------------ the CA's side */

static bool is_shown(const struct world *w, const char *name, const char *value)
{
    for (size_t i = 0; i < w->api->record_count; i++) {
        const struct fake_api_record *record = &w->api->records[i];

        if (record->deleted_ms || strcmp(record->type, "TXT") != 0 || strcmp(record->value, value) != 0)
            continue;
        for (size_t z = 0; z < w->api->zone_count; z++) {
            char *full AUTO_FREE = mem_printf("%s.%s", record->name, w->api->zones[z].name);

            if (w->api->zones[z].id == record->zone_id && strcmp(full, name) == 0)
                return true;
        }
    }
    return false;
}

/* draft-ietf-acme-dns-account-label: base32 of the first ten octets of the account URL's digest. */
static char *account_label(const char *account_url)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    char label[17];
    uint64_t bits = 0;

    (void)SHA256((const unsigned char *)account_url, strlen(account_url), digest);
    for (size_t i = 0; i < 16; i++) {
        if (i % 8 == 0)
            for (size_t k = 0; k < 5; k++)
                bits = bits << 8 | digest[i / 8 * 5 + k];
        label[i] = "abcdefghijklmnopqrstuvwxyz234567"[bits >> (35 - 5 * (i % 8)) & 31];
    }
    label[16] = '\0';
    return mem_printf("_%s.", label);
}

static char *record_name(const struct issue_world *iw, const struct fake_ca_validation *validation)
{
    char *label AUTO_FREE = NULL;

    if (strcmp(validation->type, "dns-account-01") != 0)
        return mem_strdup(validation->record_name);
    label = account_label(iw->account_url);
    return mem_printf("%s%s", label, validation->record_name);
}

static json_t *validate(void *context, const struct fake_ca_validation *validation)
{
    struct issue_world *iw = context;
    char *name AUTO_FREE = record_name(iw, validation);

    if (iw->never_valid && strcmp(validation->domain, iw->never_valid) == 0)
        return fake_ca_problem("unauthorized", "Incorrect TXT record");
    if (is_shown(iw->w, name, validation->record_value))
        return NULL;
    iw->unseen++;
    return fake_ca_problem("dns", "NXDOMAIN");
}

static char *san_of(const struct fake_ca_order *order)
{
    char *names AUTO_FREE = strlist_join(&order->names, ",DNS:");

    return mem_printf("DNS:%s", names);
}

static char *sign(void *context, const void *csr_der, size_t csr_len, const struct fake_ca_order *order)
{
    struct issue_world *iw = context;
    const unsigned char *der = csr_der;
    X509_REQ *csr = d2i_X509_REQ(NULL, &der, (long)csr_len);
    int64_t now_s = clock_wall_ms(&iw->w->clock.base) / 1000;
    char *san AUTO_FREE = iw->lie == ISSUE_WORLD_OTHER_NAME ? mem_strdup("DNS:evil.example.com") : san_of(order);
    struct made_cert cert;
    char *leaf AUTO_FREE = NULL;
    char *issuer AUTO_FREE = cert_pem(&iw->issuer);

    if (!csr)
        return NULL;
    cert = cert_make(&(struct cert_order){
        .names = san, .issuer = &iw->issuer, .not_before_s = now_s - 3600, .not_after_s = now_s + LIFETIME_S});
    if (iw->lie != ISSUE_WORLD_OTHER_KEY)
        assert_true(X509_set_pubkey(cert.x509, X509_REQ_get0_pubkey(csr)));
    assert_true(X509_sign(cert.x509, iw->issuer.key, EVP_sha256()) > 0);
    leaf = cert_pem(&cert);
    made_cert_done(&cert);
    X509_REQ_free(csr);
    return mem_printf("%s%s", leaf, issuer);
}

/* ------------------------------------------------------------------ the world */

static struct acme *session(struct issue_world *iw)
{
    return acme_new(&(struct acme_opts){
        .directory = FAKE_CA_DIRECTORY,
        .http = fake_http_base(iw->http),
        .clock = &iw->w->clock.base,
        .log = &iw->w->log,
        .request_timeout_ms = 10000,
        .give_up_after_ms = 60000,
    });
}

/* Another process registered it before. */
static void have_account(struct issue_world *iw)
{
    struct acme *acme = session(iw);
    struct acme_account account = {.url = NULL};
    bool is_new;

    if (acme_account_register(acme, &(struct acme_registration){.key = iw->account_key, .terms_agreed = true}, &account,
                              &is_new, &iw->err) != ERR_OK)
        fail_msg("no account: %s", iw->err.msg);
    iw->account_url = mem_strdup(account.url);
    acme_account_done(&account);
    acme_free(acme);
}

struct issue_world *issue_world_new(void)
{
    struct issue_world *iw = mem_zalloc(sizeof *iw);
    int64_t now_s;

    iw->w = world_new();
    now_s = clock_wall_ms(&iw->w->clock.base) / 1000;
    iw->http = fake_http_new(&iw->w->clock, FAKE_CA_ROOT);
    iw->http->is_side_by_side = true;
    iw->ca = fake_ca_new(&iw->w->clock);
    iw->ca->validate = validate;
    iw->ca->validate_context = iw;
    iw->ca->issue = sign;
    iw->ca->issue_context = iw;
    fake_ca_attach(iw->ca, iw->http);
    iw->issuer = cert_make(&(struct cert_order){.common_name = "a CA in memory",
                                                .is_ca = true,
                                                .not_before_s = now_s - 86400,
                                                .not_after_s = now_s + 10 * LIFETIME_S});
    assert_int_equal(key_new(KEY_ECDSA_P256, &iw->account_key, &iw->err), ERR_OK);
    assert_int_equal(key_new(KEY_ECDSA_P256, &iw->spare_key, &iw->err), ERR_OK);
    have_account(iw);
    return iw;
}

static void forget_results(struct issue_world *iw)
{
    for (size_t i = 0; i < iw->job_count; i++)
        issue_job_done(&iw->jobs[i]);
    strlist_done(&iw->steps);
}

void issue_world_free(struct issue_world *iw)
{
    forget_results(iw);
    for (size_t i = 0; i < iw->job_count; i++)
        strlist_done(&iw->domains[i]);
    made_cert_done(&iw->issuer);
    key_free(iw->account_key);
    key_free(iw->spare_key);
    free(iw->account_url);
    fake_http_done(iw->http);
    fake_ca_done(iw->ca);
    world_free(iw->w);
    free(iw);
}

struct issue_job *issue_world_add(struct issue_world *iw, const char *name, const char *domains)
{
    size_t i = iw->job_count++;

    assert_true(i < ISSUE_JOBS_MAX);
    assert_int_equal(issue_names_add(&iw->domains[i], domains, &iw->err), ERR_OK);
    iw->jobs[i] = (struct issue_job){.name = name, .domains = &iw->domains[i], .key_type = KEY_ECDSA_P256};
    return &iw->jobs[i];
}

static void note_step(void *context, const char *step, UNUSED size_t done, UNUSED size_t total)
{
    struct issue_world *iw = context;

    if (!strlist_has(&iw->steps, step))
        strlist_add(&iw->steps, step);
}

static void note_finished(void *context, struct issue_job *const *jobs, size_t count)
{
    struct issue_world *iw = context;

    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        size_t job = (size_t)(jobs[i] - iw->jobs);

        assert_true(job < iw->job_count);
        assert_true(iw->told_ms[job] == -1);
        assert_true((jobs[i]->err.code == ERR_OK) == (jobs[i]->chain != NULL));
        iw->told_ms[job] = iw->w->clock.mono_ms - iw->start_ms;
        iw->told_as[job] = jobs[i]->err.code;
    }
}

static void expect_all_told(const struct issue_world *iw)
{
    for (size_t i = 0; i < iw->job_count; i++) {
        assert_true(iw->told_ms[i] >= 0);
        assert_int_equal(iw->told_as[i], iw->jobs[i].err.code);
    }
}

enum err_code issue_world_run(struct issue_world *iw)
{
    struct world *w = iw->w;
    struct acme *acme = session(iw);
    struct issue_engine engine;
    enum err_code code;

    forget_results(iw);
    err_init(&iw->err);
    iw->start_ms = w->clock.mono_ms;
    for (size_t i = 0; i < iw->job_count; i++)
        iw->told_ms[i] = -1;
    engine = (struct issue_engine){
        .acme = acme,
        .account_key = iw->account_key,
        .challenge = world_engine(w),
        .clock = &w->clock.base,
        .log = &w->log,
        .poll_timeout_ms = 300000,
        .progress = note_step,
        .progress_ctx = iw,
        .finished = note_finished,
        .finished_ctx = iw,
    };
    engine.store = w->store;
    acme_use_account(acme, iw->account_key, iw->account_url);
    code = issue_certificates(&engine, iw->jobs, iw->job_count, &iw->err);
    expect_all_told(iw);
    world_leave(w);
    acme_free(acme);
    return code;
}

/* ------------------------------------------------------------------ what came of it */

enum err_code issue_world_outcome(const struct issue_world *iw, enum err_code code)
{
    for (size_t i = 0; code == ERR_OK && i < iw->job_count; i++)
        code = iw->jobs[i].err.code;
    return code;
}

size_t issue_world_finalized(const struct issue_world *iw)
{
    size_t count = 0;

    for (size_t i = 0; i < iw->ca->order_count; i++)
        count += iw->ca->orders[i].csr != NULL;
    return count;
}

bool issue_world_can_go_on(const struct issue_world *iw, size_t order)
{
    const struct fake_ca_order *o = &iw->ca->orders[order];

    for (size_t i = 0; i < o->names.count; i++)
        if (strncmp(iw->ca->authzs[o->first_authz + i].challenge_status, "processing", 10) == 0)
            return false;
    return strcmp(o->status, "invalid") != 0;
}

bool issue_world_is_good(const struct issue_world *iw, const struct issue_job *job, const char *when)
{
    const struct key *key = job->own_key ? job->own_key : job->key;
    struct buf public_der = BUF_INIT(4096);
    struct err err = {.code = ERR_OK};
    bool good = job->chain != NULL && key != NULL && key_public_der(key, &public_der, &err) == ERR_OK;

    good = good && chain_check(job->chain,
                               &(struct chain_expectation){
                                   .public_der = public_der.data,
                                   .public_der_len = public_der.len,
                                   .names = job->domains,
                                   .now_s = clock_wall_ms(&iw->w->clock.base) / 1000,
                               },
                               &err) == ERR_OK;
    if (!good)
        (void)fprintf(stderr, "%s: no good certificate for \"%s\": %s\n", when, job->name, err.msg);
    buf_done(&public_der);
    return good;
}

bool issue_world_recall(struct issue_world *iw, struct order_record *out)
{
    bool found;

    *out = (struct order_record){.name = NULL};
    (void)world_engine(iw->w);
    found = order_load(iw->w->store, "www", out, &iw->err) == ERR_OK;
    world_leave(iw->w);
    return found;
}

bool issue_world_has_order(struct issue_world *iw)
{
    AUTO(order_record_done) struct order_record order = {.name = NULL};

    return issue_world_recall(iw, &order);
}
