/* SPDX-License-Identifier: MIT
 *
 * Opens the store of trusted certificates.  Wine fills it with the system's at that time, and a process that is killed
 * meanwhile leaves some out for good; so this is the first that does, and nobody kills it.
 */
#include <windows.h>
/* after it */
#include <wincrypt.h>

int main(void)
{
    HCERTSTORE roots = CertOpenSystemStoreW(0, L"ROOT");

    return roots && CertEnumCertificatesInStore(roots, NULL) ? 0 : 1;
}
