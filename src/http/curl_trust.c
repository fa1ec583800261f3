/* SPDX-License-Identifier: MIT */
#include "http/curl_trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

#define BUNDLE_SMALL (64 * 1024) /* a file of CAs that costs nothing to parse */

static bool is_small_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    long size = 0;

    if (!file)
        return true;
    if (fseek(file, 0, SEEK_END) == 0)
        size = ftell(file);
    (void)fclose(file);
    return size < BUNDLE_SMALL;
}

enum curl_trust curl_trust_choose(const char *ca_file)
{
    const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);

    if (ca_file)
        return CURL_TRUST_FILE;
    if (trust_is_ours())
        return CURL_TRUST_OURS;
    return version->cainfo && version->capath && !is_small_file(version->cainfo) ? CURL_TRUST_DIRECTORY
                                                                                 : CURL_TRUST_SYSTEM;
}

CURLcode curl_trust_set(CURL *easy, enum curl_trust trust, const char *ca_file)
{
    CURLcode code = curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);

    code = code ? code : curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (trust == CURL_TRUST_DIRECTORY || trust == CURL_TRUST_OURS)
        return code ? code : curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    if (trust == CURL_TRUST_FILE) {
        code = code ? code : curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
        /* the system's CAs don't count then */
        code = code ? code : curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    return code;
}

CURLcode curl_trust_widen(CURL *easy)
{
    return curl_easy_setopt(easy, CURLOPT_CAINFO, curl_version_info(CURLVERSION_NOW)->cainfo);
}

void curl_watches_done(struct curl_watches *watches)
{
    for (size_t i = 0; i < watches->count; i++) {
        verify_watch_free(watches->items[i].watch);
        free(watches->items[i].host);
    }
    free(watches->items);
    trust_free(watches->trust);
    *watches = (struct curl_watches){.count = 0};
}

/* Read when the first connection is made, and once for all of them. */
static bool trust_ours(struct curl_watches *all, void *ssl_ctx)
{
    if (!all->trust)
        all->trust = trust_of_system();
    return all->trust && trust_set(all->trust, ssl_ctx, NULL) == ERR_OK;
}

/* libcurl calls this once a connection, when it has set the SSL_CTX up. */
static CURLcode on_ssl_ctx(UNUSED CURL *easy, void *ssl_ctx, void *user)
{
    const struct curl_watch *watch = user;
    struct curl_watches *all = watch->all;

    if (all->kind == CURL_TRUST_OURS && !trust_ours(all, ssl_ctx))
        return CURLE_SSL_CACERT_BADFILE;
    all->items = mem_grow(all->items, all->count, sizeof *all->items);
    all->items[all->count++] = (struct curl_watched){mem_strdup(watch->host), verify_watch_new(ssl_ctx)};
    return CURLE_OK;
}

CURLcode curl_watch_set(CURL *easy, struct curl_watch *watch)
{
    const char *library = curl_version_info(CURLVERSION_NOW)->ssl_version;
    bool is_needed = watch->all->kind == CURL_TRUST_OURS;
    CURLcode code;

    /* An SSL_CTX of another library, or of another version of it beside ours, is nothing that we could look into. */
    if (!library || !verify_is_our_library(library))
        return is_needed ? CURLE_NOT_BUILT_IN : CURLE_OK;
    code = curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
    if (!is_needed && (code == CURLE_NOT_BUILT_IN || code == CURLE_UNKNOWN_OPTION))
        return CURLE_OK;
    return code ? code : curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, watch);
}

bool curl_watch_read(const struct curl_watch *watch, struct verify_finding *out)
{
    for (size_t i = watch->all->count; i-- > 0;) {
        const struct curl_watched *seen = &watch->all->items[i];

        if (strcmp(seen->host, watch->host) == 0 && verify_watch_read(seen->watch, out))
            return true;
    }
    return false;
}
