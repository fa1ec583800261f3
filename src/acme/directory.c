/* SPDX-License-Identifier: MIT
 *
 * The directory object, RFC 8555 section 7.1.1, with the profiles of draft-ietf-acme-profiles.
 */
#include <stdlib.h>

#include "acme/internal.h"

#define WHAT "the CA's directory"
#define PROFILES_MAX 64
#define CAA_IDENTITIES_MAX 64

static const struct {
    const char *name;
    bool is_optional;
} resources[ACME_RESOURCE_COUNT] = {
    [ACME_NEW_NONCE] = {"newNonce", false},  [ACME_NEW_ACCOUNT] = {"newAccount", false},
    [ACME_NEW_ORDER] = {"newOrder", false},  [ACME_REVOKE_CERT] = {"revokeCert", true},
    [ACME_KEY_CHANGE] = {"keyChange", true}, [ACME_RENEWAL_INFO] = {"renewalInfo", true},
};

static void meta_done(struct acme_meta *meta)
{
    free(meta->terms_of_service);
    free(meta->website);
    strlist_done(&meta->caa_identities);
    for (size_t i = 0; i < meta->profile_count; i++) {
        free(meta->profiles[i].name);
        free(meta->profiles[i].description);
    }
    free(meta->profiles);
}

void acme_directory_done(struct acme_directory *directory)
{
    for (size_t i = 0; i < ACME_RESOURCE_COUNT; i++)
        free(directory->urls[i]);
    meta_done(&directory->meta);
    *directory = (struct acme_directory){.urls = {NULL}};
}

static enum err_code read_profiles(json_t *profiles, struct acme_meta *out, struct err *err)
{
    const char *name;
    json_t *description;

    if (!profiles || json_is_null(profiles))
        return ERR_OK;
    if (!json_is_object(profiles) || json_object_size(profiles) > PROFILES_MAX)
        return err_set(err, ERR_INPUT, "%s has \"profiles\" that are no object of at most %d", WHAT, PROFILES_MAX);
    json_object_foreach(profiles, name, description)
    {
        if (!json_is_string(description))
            return err_set(err, ERR_INPUT, "%s describes the profile \"%s\" with something else than text", WHAT, name);
        out->profiles = mem_grow(out->profiles, out->profile_count, sizeof *out->profiles);
        out->profiles[out->profile_count++] = (struct acme_profile){mem_strdup(name),
                                                                    mem_strdup(json_string_value(description))};
    }
    return ERR_OK;
}

static enum err_code read_meta(const json_t *meta, struct acme_meta *out, struct err *err)
{
    const char *what = "\"meta\" of " WHAT;
    enum err_code code;

    if (!meta || json_is_null(meta))
        return ERR_OK;
    code = json_want_object(meta, what, err);
    if (code == ERR_OK)
        code = acme_member_find_text(meta, "termsOfService", what, &out->terms_of_service, err);
    if (code == ERR_OK)
        code = acme_member_find_text(meta, "website", what, &out->website, err);
    if (code == ERR_OK)
        code = acme_member_find_strings(meta, "caaIdentities", CAA_IDENTITIES_MAX, what, &out->caa_identities, err);
    if (code == ERR_OK)
        code = acme_member_find_bool(meta, "externalAccountRequired", what, &out->external_account_required, err);
    if (code == ERR_OK)
        code = read_profiles(json_object_get(meta, "profiles"), out, err);
    return code;
}

enum err_code acme_directory_read(const json_t *json, enum acme_scheme scheme, struct acme_directory *out,
                                  struct err *err)
{
    struct acme_directory directory AUTO(acme_directory_done) = {.urls = {NULL}};
    enum err_code code = json_want_object(json, WHAT, err);

    for (size_t i = 0; code == ERR_OK && i < ACME_RESOURCE_COUNT; i++) {
        char **url = &directory.urls[i];

        if (resources[i].is_optional)
            code = acme_member_find_url(json, resources[i].name, scheme, WHAT, url, err);
        else
            code = acme_member_want_url(json, resources[i].name, scheme, WHAT, url, err);
    }
    if (code == ERR_OK)
        code = read_meta(json_object_get(json, "meta"), &directory.meta, err);
    if (code != ERR_OK)
        return acme_member_error(code, err);
    directory.meta.has_renewal_info = directory.urls[ACME_RENEWAL_INFO] != NULL;
    *out = directory;
    directory = (struct acme_directory){.urls = {NULL}};
    return ERR_OK;
}

enum err_code acme_resource_want(const struct acme *acme, enum acme_resource resource, const char **out,
                                 struct err *err)
{
    const char *url = acme->directory.urls[resource];

    if (!url)
        return err_set(err, ERR_ACME, "the CA at \"%s\" does not offer \"%s\"", acme->directory_url,
                       resources[resource].name);
    *out = url;
    return ERR_OK;
}
