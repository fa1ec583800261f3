/* SPDX-License-Identifier: MIT
 *
 * Orders, and what is left: the directory, revocation, renewal information.
 */
#include "fake_ca_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/b64url.h"
#include "test.h"
#include "util/text.h"

#define EXPIRES "2030-01-01T00:00:00Z"

/* ------------------------------------------------------------------ orders */

static json_t *order_json(const struct fake_ca *ca, const struct fake_ca_order *order, size_t number)
{
    json_t *json = json_object();
    json_t *identifiers = json_array();
    json_t *authorizations = json_array();

    for (size_t i = 0; i < order->names.count; i++) {
        (void)json_array_append_new(identifiers,
                                    json_pack("{ssss}", "type", "dns", "value",
                                              ca->manner.ignores_names ? "evil.example" : order->names.items[i]));
        (void)json_array_append_new(authorizations, fake_ca_url("authz", order->first_authz + i, NULL));
    }
    (void)json_object_set_new(json, "status", json_string(order->status));
    (void)json_object_set_new(json, "expires", json_string(EXPIRES));
    (void)json_object_set_new(json, "identifiers", identifiers);
    (void)json_object_set_new(json, "authorizations", authorizations);
    (void)json_object_set_new(json, "finalize", fake_ca_url("finalize", number, NULL));
    if (order->certificate)
        (void)json_object_set_new(json, "certificate", fake_ca_url("cert", number, NULL));
    if (order->profile)
        (void)json_object_set_new(json, "profile", json_string(order->profile));
    if (order->replaces)
        (void)json_object_set_new(json, "replaces", json_string(order->replaces));
    if (order->error)
        (void)json_object_set(json, "error", order->error);
    return json;
}

static void add_authz(struct fake_ca *ca, const char *name, const char *account_url)
{
    bool is_wildcard = text_starts_with(name, "*.");
    const char *status = ca->manner.reuses_authorizations ? "valid" : "pending";

    ca->authzs = mem_resize(ca->authzs, ca->authz_count + 1, sizeof *ca->authzs);
    ca->authzs[ca->authz_count] = (struct fake_ca_authz){
        .domain = mem_strdup(is_wildcard ? name + 2 : name),
        .is_wildcard = is_wildcard,
        .status = mem_strdup(status),
        .challenge_status = mem_strdup(status),
        .token = mem_printf("token-%zu_abcdefghijklmnopqrst", ca->authz_count),
        .account_url = mem_strdup(account_url),
    };
    ca->authz_count++;
}

static bool accepts_order(struct fake_ca *ca, const struct asked *asked, struct reply *reply)
{
    const char *profile = fake_ca_member(asked->payload, "profile");
    const char *replaces = fake_ca_member(asked->payload, "replaces");

    if (!asked->account || json_array_size(json_object_get(asked->payload, "identifiers")) == 0) {
        fake_ca_complain(ca, reply, "newOrder wants an account and identifiers");
    } else if (ca->manner.refusal) {
        reply->status = ca->manner.refusal_status;
        reply->text = mem_strdup(ca->manner.refusal);
        if (ca->manner.retry_after)
            buf_printf(&reply->headers, "Retry-After: %s\n", ca->manner.retry_after);
    } else if (profile && strcmp(profile, "classic") != 0 && strcmp(profile, "shortlived") != 0) {
        fake_ca_complain(ca, reply, "a profile that the directory does not list");
    } else if (replaces && ca->manner.has_no_renewal_info) {
        fake_ca_complain(ca, reply, "replaces, where the directory has no renewalInfo");
    } else if (replaces && ca->manner.refuses_replaces) {
        fake_ca_refuse(reply, 409, "alreadyReplaced", "it was replaced already");
    } else if (replaces && ca->manner.refuses_replaces_softly) {
        fake_ca_refuse(reply, 400, "malformed", "what is this certificate?");
    } else if (replaces && ca->manner.fails_at_replaces) {
        fake_ca_refuse(reply, 500, "serverInternal", "no such order");
    } else {
        return true;
    }
    return false;
}

void fake_ca_serve_new_order(struct fake_ca *ca, struct asked *asked, struct reply *reply)
{
    struct fake_ca_order *order;
    const json_t *item;
    size_t i;

    if (!accepts_order(ca, asked, reply))
        return;
    ca->orders = mem_resize(ca->orders, ca->order_count + 1, sizeof *ca->orders);
    order = &ca->orders[ca->order_count];
    *order = (struct fake_ca_order){
        .account_url = mem_strdup(asked->account->url),
        .status = mem_strdup(ca->manner.reuses_authorizations ? "ready" : "pending"),
        .first_authz = ca->authz_count,
        .profile = mem_strdup(fake_ca_member(asked->payload, "profile")),
        .replaces = mem_strdup(fake_ca_member(asked->payload, "replaces")),
        .looks_left = ca->manner.validation_looks,
    };
    json_array_foreach(json_object_get(asked->payload, "identifiers"), i, item)
    {
        strlist_add(&order->names, fake_ca_member(item, "value"));
        add_authz(ca, fake_ca_member(item, "value"), asked->account->url);
    }
    reply->status = 201;
    reply->json = order_json(ca, order, ca->order_count);
    buf_printf(&reply->headers, "Location: " FAKE_CA_ROOT "/order/%zu\n", ca->order_count);
    ca->order_count++;
}

static void issue(struct fake_ca *ca, struct fake_ca_order *order, size_t number)
{
    struct buf der AUTO_BUF = BUF_INIT(1u << 20);

    assert_true(b64url_decode(order->csr, strlen(order->csr), &der));
    if (ca->manner.certificate_text)
        order->certificate = mem_strdup(ca->manner.certificate_text);
    else if (ca->issue)
        order->certificate = ca->issue(ca->issue_context, buf_cstr(&der), der.len, order);
    else
        order->certificate = mem_printf("-----BEGIN CERTIFICATE-----\nQ0%02zu\n-----END CERTIFICATE-----\n",
                                        number % 100);
    if (order->certificate) {
        fake_ca_set_string(&order->status, "valid");
    } else {
        fake_ca_set_string(&order->status, "invalid");
        order->error = fake_ca_problem("badCSR", "no certificate for this");
    }
}

static bool has_name(const struct fake_ca_order *order, const char *name)
{
    return name && strlist_has(&order->names, name);
}

/* Time goes on for an order when it is looked at. */
static void move_on(struct fake_ca *ca, struct fake_ca_order *order, size_t number)
{
    bool is_pending = strcmp(order->status, "pending") == 0;
    size_t valid = 0, invalid = 0, processing = 0;

    if (strcmp(order->status, "processing") == 0) {
        if (has_name(order, ca->manner.never_issues))
            return;
        if (order->looks_left == 0)
            issue(ca, order, number);
        else
            order->looks_left--;
    }
    if (!is_pending || has_name(order, ca->manner.never_validates))
        return;
    for (size_t i = 0; i < order->names.count; i++)
        processing += text_starts_with(ca->authzs[order->first_authz + i].challenge_status, "processing") ? 1 : 0;
    if (processing && order->looks_left) {
        order->looks_left--;
        return;
    }
    for (size_t i = 0; i < order->names.count; i++) {
        struct fake_ca_authz *authz = &ca->authzs[order->first_authz + i];

        if (text_starts_with(authz->challenge_status, "processing"))
            fake_ca_validate(ca, authz);
        valid += strcmp(authz->status, "valid") == 0 ? 1 : 0;
        invalid += strcmp(authz->status, "invalid") == 0 ? 1 : 0;
    }
    if (invalid || valid == order->names.count)
        fake_ca_set_string(&order->status, invalid ? "invalid" : "ready");
}

static void reply_order(const struct fake_ca *ca, size_t number, struct reply *reply)
{
    const struct fake_ca_order *order = &ca->orders[number];

    reply->json = order_json(ca, order, number);
    if (ca->manner.retry_after && (strcmp(order->status, "pending") == 0 || strcmp(order->status, "processing") == 0))
        buf_printf(&reply->headers, "Retry-After: %s\n", ca->manner.retry_after);
}

void fake_ca_serve_order(struct fake_ca *ca, struct asked *asked, size_t number, struct reply *reply)
{
    if (asked->payload) {
        fake_ca_complain(ca, reply, "an order is fetched with an empty payload");
        return;
    }
    move_on(ca, &ca->orders[number], number);
    reply_order(ca, number, reply);
}

void fake_ca_serve_finalize(struct fake_ca *ca, struct asked *asked, size_t number, struct reply *reply)
{
    struct fake_ca_order *order = &ca->orders[number];
    const char *csr = fake_ca_member(asked->payload, "csr");

    if (!csr || json_object_size(asked->payload) != 1) {
        fake_ca_complain(ca, reply, "finalize wants a csr and nothing else");
        return;
    }
    if (strcmp(order->status, "ready") != 0) {
        fake_ca_refuse(reply, 403, "orderNotReady", "the order is not ready");
        return;
    }
    order->csr = mem_strdup(csr);
    order->looks_left = ca->manner.processing_looks;
    fake_ca_set_string(&order->status, "processing");
    if (order->looks_left == 0 && !has_name(order, ca->manner.never_issues))
        issue(ca, order, number);
    else if (order->looks_left)
        order->looks_left--;
    reply_order(ca, number, reply);
}

void fake_ca_serve_certificate(struct fake_ca *ca, struct asked *asked, size_t number, const char *rest,
                               struct reply *reply)
{
    const char *accept = fake_seen_header(asked->seen, "Accept");

    if (asked->payload || strcmp(accept, "application/pem-certificate-chain") != 0 || !ca->orders[number].certificate) {
        fake_ca_complain(ca, reply, "a certificate that there is is fetched with an empty payload, and as PEM");
        return;
    }
    reply->text = mem_strdup(ca->orders[number].certificate);
    if (*rest) {
        free(reply->text);
        reply->text = mem_printf("-----BEGIN CERTIFICATE-----\nQWx0%s\n-----END CERTIFICATE-----\n", rest);
        return;
    }
    buf_puts(&reply->headers, "Link: <" FAKE_CA_ROOT "/dir>;rel=\"index\"\n");
    for (unsigned i = 1; i <= ca->manner.alternates; i++)
        buf_printf(&reply->headers, "Link: <" FAKE_CA_ROOT "/cert/%zu/%u>;rel=\"alternate\"\n", number, i);
    if (ca->manner.alternate_links)
        buf_printf(&reply->headers, "Link: %s\n", ca->manner.alternate_links);
}

/* ------------------------------------------------------------------ others */

void fake_ca_serve_revoke(struct fake_ca *ca, struct asked *asked, struct reply *reply)
{
    const char *certificate = fake_ca_member(asked->payload, "certificate");
    const json_t *reason = json_object_get(asked->payload, "reason");

    if (!certificate) {
        fake_ca_complain(ca, reply, "revokeCert wants a certificate");
        return;
    }
    if (strlist_has(&ca->revoked, certificate)) {
        fake_ca_refuse(reply, 409, "alreadyRevoked", "it is revoked");
        return;
    }
    strlist_add(&ca->revoked, certificate);
    ca->last_reason = reason ? (int)json_integer_value(reason) : -1;
}

void fake_ca_serve_renewal_info(const char *id, struct reply *reply)
{
    if (strncmp(id, "unknown", 7) == 0) {
        fake_ca_refuse(reply, 404, "malformed", "no such certificate");
        return;
    }
    reply->text = mem_strdup("{\"suggestedWindow\":{\"start\":\"2025-01-02T04:00:00Z\","
                             "\"end\":\"2025-01-03T04:00:00Z\"},\"explanationURL\":\"https://ca.example.net/why\"}");
    buf_puts(&reply->headers, "Retry-After: 21600\n");
}

void fake_ca_serve_directory(const struct fake_ca *ca, struct reply *reply)
{
    json_t *meta = json_pack("{s:s,s:s,s:[s],s:b}", "termsOfService", FAKE_CA_TERMS, "website",
                             "https://www.ca.example.net", "caaIdentities", "ca.example.net", "externalAccountRequired",
                             ca->manner.needs_eab ? 1 : 0);

    if (!ca->manner.has_no_profiles)
        (void)json_object_set_new(meta, "profiles", json_pack("{ssss}", "classic", "90 days", "shortlived", "6 days"));
    reply->json = json_pack("{s:s,s:s,s:s,s:s,s:s,s:o}", "newNonce", FAKE_CA_ROOT "/nonce", "newAccount",
                            FAKE_CA_ROOT "/new-account", "newOrder", FAKE_CA_ROOT "/new-order", "revokeCert",
                            FAKE_CA_ROOT "/revoke", "keyChange", FAKE_CA_ROOT "/key-change", "meta", meta);
    if (!ca->manner.has_no_renewal_info)
        (void)json_object_set_new(reply->json, "renewalInfo", json_string(FAKE_CA_ROOT "/ari"));
}
