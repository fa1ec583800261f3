/* SPDX-License-Identifier: MIT */
#include "acme_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "test.h"

void acme_fixture_restart(struct acme_fixture *f, uint32_t requests_per_s)
{
    acme_free(f->acme);
    f->acme = acme_new(&(struct acme_opts){
        .directory = FAKE_CA_DIRECTORY,
        .http = f->traced,
        .clock = &f->clock.base,
        .log = &f->log,
        .request_timeout_ms = 10000,
        .give_up_after_ms = 60000,
        .requests_per_s = requests_per_s,
    });
}

void acme_fixture_init(struct acme_fixture *f)
{
    *f = (struct acme_fixture){.said = {.out = NULL}};
    fake_clock_init(&f->clock);
    f->http = fake_http_new(&f->clock, FAKE_CA_ROOT);
    f->http->is_side_by_side = true;
    f->ca = fake_ca_new(&f->clock);
    fake_ca_attach(f->ca, f->http);
    fixture_stream_open(&f->said);
    f->log = (struct log){.level = LOG_DEBUG, .out = f->said.out};
    assert_non_null(f->log.out);
    f->traced = http_trace_new(fake_http_base(f->http), &f->log);
    assert_int_equal(key_new(KEY_ECDSA_P256, &f->key, &f->err), ERR_OK);
    acme_fixture_restart(f, 0);
}

const char *acme_fixture_log(struct acme_fixture *f)
{
    return fixture_stream_text(&f->said);
}

void acme_fixture_done(struct acme_fixture *f)
{
    static const char *const secrets[] = {"token-", "nonce-", FAKE_CA_EAB_KEY, "\"signature\""};

    for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
        if (strstr(fixture_stream_text(&f->said), secrets[i]))
            fail_msg("\"%s\" is in the log", secrets[i]);
    fixture_stream_done(&f->said);
    acme_free(f->acme);
    key_free(f->key);
    http_free(f->traced);
    fake_http_done(f->http);
    fake_ca_done(f->ca);
}

void acme_fixture_register(struct acme_fixture *f)
{
    struct acme_account account = {.url = NULL};
    bool is_new;

    if (acme_account_register(f->acme, &(struct acme_registration){.key = f->key, .terms_agreed = true}, &account,
                              &is_new, &f->err) != ERR_OK)
        fail_msg("no account: %s", f->err.msg);
    acme_account_done(&account);
}

struct strlist acme_fixture_names(size_t count)
{
    struct strlist names = {.count = 0};

    for (size_t i = 0; i < count; i++)
        strlist_add_take(&names, mem_printf("name-%zu.example.com", i));
    return names;
}

struct acme_order acme_fixture_order(struct acme_fixture *f, const struct strlist *names)
{
    struct acme_order order;

    assert_int_equal(acme_orders_new(f->acme, &(struct acme_order_request){.names = names}, &order, 1, &f->err),
                     ERR_OK);
    if (order.result.code != ERR_OK)
        fail_msg("no order: %s", order.result.err.msg);
    return order;
}

/* ------------------------------------------------------------------ issuance */

static enum err_code take(struct acme_fixture *f, enum err_code code, const struct acme_result *result)
{
    if (code == ERR_OK && result->code != ERR_OK) {
        f->err = result->err;
        return result->code;
    }
    return code;
}

static enum err_code check_records(struct acme_fixture *f, const struct acme_authz *authzs, size_t count)
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        char *name AUTO_FREE = NULL;
        char *value AUTO_FREE = NULL;

        code = take(f, ERR_OK, &authzs[i].result);
        if (code == ERR_OK && authzs[i].status == ACME_AUTHZ_PENDING)
            code = acme_challenge_record(f->acme, &authzs[i], ACME_DNS_01, &name, &value, &f->err);
    }
    return code;
}

static enum err_code prove(struct acme_fixture *f, struct acme_order *order)
{
    size_t count = order->authorizations.count;
    struct acme_authz *authzs AUTO_FREE = mem_calloc(count, sizeof *authzs);
    struct acme_authz **pointers AUTO_FREE = mem_calloc(count, sizeof(struct acme_authz *));
    enum err_code code = acme_authzs_fetch(f->acme, &order->authorizations, ACME_DNS_01, authzs, &f->err);

    for (size_t i = 0; i < count; i++)
        pointers[i] = &authzs[i];
    if (code == ERR_OK)
        code = check_records(f, authzs, count);
    if (code == ERR_OK)
        code = acme_challenges_answer(f->acme, pointers, count, &f->err);
    for (size_t i = 0; i < count; i++) {
        code = take(f, code, &authzs[i].result);
        acme_authz_done(&authzs[i]);
    }
    return code;
}

static enum err_code settle(struct acme_fixture *f, struct acme_order *order, enum acme_order_status status)
{
    const struct acme_settle how = {.while_status = status, .timeout_ms = 60000};

    return take(f, acme_orders_settle(f->acme, &order, 1, &how, &f->err), &order->result);
}

enum err_code acme_fixture_download(struct acme_fixture *f, const struct acme_order *order, enum acme_chains chains,
                                    struct strlist *out_pems)
{
    struct acme_download download = {.order = order, .chains = chains};
    enum err_code code = take(f, acme_orders_certificates(f->acme, &download, 1, &f->err), &download.result);

    *out_pems = download.pems;
    return code;
}

enum err_code acme_fixture_issue(struct acme_fixture *f, const struct strlist *names, struct strlist *out_pems)
{
    static const char csr[] = "a CSR, as far as this CA is concerned";
    struct acme_order order AUTO(acme_order_done) = {.url = NULL};
    struct acme_order *pointer = &order;
    enum err_code code = acme_orders_new(f->acme, &(struct acme_order_request){.names = names}, &order, 1, &f->err);

    code = take(f, code, &order.result);
    if (code == ERR_OK && order.status == ACME_ORDER_PENDING)
        code = prove(f, &order);
    if (code == ERR_OK)
        code = settle(f, &order, ACME_ORDER_PENDING);
    if (code == ERR_OK)
        code = take(f, acme_orders_finalize(f->acme, &pointer, &(struct acme_csr){csr, strlen(csr)}, 1, &f->err),
                    &order.result);
    if (code == ERR_OK)
        code = settle(f, &order, ACME_ORDER_PROCESSING);
    if (code == ERR_OK)
        code = acme_fixture_download(f, &order, ACME_DEFAULT_CHAIN, out_pems);
    return code;
}

void assert_acme_error(const struct err *err, enum err_code got, enum err_code want, const char *in_msg,
                       const char *in_hint)
{
    if (got != want)
        fail_msg("%s in place of %s: %s", err_name(got), err_name(want), got == ERR_OK ? "" : err->msg);
    if (want == ERR_OK)
        return;
    assert_int_equal(err->code, want);
    if (in_msg && !strstr(err->msg, in_msg))
        fail_msg("\"%s\" is not in message \"%s\"", in_msg, err->msg);
    if (in_hint && !strstr(err->hint, in_hint))
        fail_msg("\"%s\" is not in hint \"%s\"", in_hint, err->hint);
}
