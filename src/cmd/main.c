/* SPDX-License-Identifier: MIT */
#include <stdio.h>

int main(void)
{
    (void)puts("acme-dme " PACKAGE_VERSION);
    return 0;
}
