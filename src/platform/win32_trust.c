/* SPDX-License-Identifier: MIT
 *
 * The CAs that Windows trusts: the "Root" stores of machine and user, into which Windows puts roots on demand, so that
 * on a fresh machine they lack most public CAs.  So a bundle of these lies beside the program.
 */
#include "platform/win32.h"

#include <stdlib.h>
#include <string.h>
/* after <windows.h> */
#include <wincrypt.h>

#define BUNDLE "ca-bundle.crt"
#define PATH_MAX_WIDE 32768 /* the longest that Windows knows */

/* That of the user has what the machine's has, too; it is taken alone where a service has none. */
static const DWORD locations[] = {CERT_SYSTEM_STORE_CURRENT_USER, CERT_SYSTEM_STORE_LOCAL_MACHINE};

char *platform_trust_bundle(void)
{
    wchar_t *AUTO_WIDE program = mem_calloc(PATH_MAX_WIDE, sizeof *program);
    DWORD len = GetModuleFileNameW(NULL, program, PATH_MAX_WIDE);
    char *AUTO_FREE utf8 = NULL;
    char *AUTO_FREE inside = NULL;
    char *AUTO_FREE dir = NULL;
    char *AUTO_FREE path = NULL;

    if (len == 0 || len >= PATH_MAX_WIDE)
        return NULL;
    utf8 = win32_utf8(program);
    inside = platform_path_inside(utf8);
    dir = win32_directory_of(inside);
    path = mem_printf("%s/" BUNDLE, dir);
    return platform_file_exists(path) ? mem_strdup(path) : NULL;
}

/* Extension and property, by which an administrator limits a root, both count. */
static bool is_for_servers(PCCERT_CONTEXT cert)
{
    DWORD size = 0;
    CERT_ENHKEY_USAGE *AUTO_FREE usage = NULL;

    if (!CertGetEnhancedKeyUsage(cert, 0, NULL, &size))
        return false;
    usage = mem_zalloc(size > sizeof *usage ? size : sizeof *usage);
    SetLastError(0);
    if (!CertGetEnhancedKeyUsage(cert, 0, usage, &size))
        return false;
    if (usage->cUsageIdentifier == 0) /* all, or none? */
        return GetLastError() == (DWORD)CRYPT_E_NOT_FOUND;
    for (DWORD i = 0; i < usage->cUsageIdentifier; i++)
        if (strcmp(usage->rgpszUsageIdentifier[i], szOID_PKIX_KP_SERVER_AUTH) == 0)
            return true;
    return false;
}

/* False: there is no such store. */
static bool tell_store(const wchar_t *name, DWORD location, enum platform_trust trust, platform_trust_fn *fn, void *ctx)
{
    DWORD flags = location | CERT_STORE_READONLY_FLAG | CERT_STORE_OPEN_EXISTING_FLAG;
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, flags, name);
    PCCERT_CONTEXT cert = NULL;

    if (!store)
        return false;
    while ((cert = CertEnumCertificatesInStore(store, cert)))
        if (trust == PLATFORM_DISTRUSTED || is_for_servers(cert))
            fn(ctx, trust, cert->pbCertEncoded, cert->cbCertEncoded);
    (void)CertCloseStore(store, 0);
    return true;
}

static void tell(const wchar_t *name, enum platform_trust trust, platform_trust_fn *fn, void *ctx)
{
    size_t i = 0;

    while (i < ARRAY_LEN(locations) && !tell_store(name, locations[i], trust, fn, ctx))
        i++;
}

bool platform_trust_each(platform_trust_fn *fn, void *ctx)
{
    if (fn) {
        tell(L"Disallowed", PLATFORM_DISTRUSTED, fn, ctx);
        tell(L"Root", PLATFORM_TRUSTED, fn, ctx);
    }
    return true;
}
