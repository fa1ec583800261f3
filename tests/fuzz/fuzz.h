/* SPDX-License-Identifier: MIT
 *
 * What every fuzz target defines, under the name that libFuzzer looks for.
 */
#ifndef ACME_DME_TESTS_FUZZ_FUZZ_H
#define ACME_DME_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Parse `data`; returns 0.  A property that does not hold ends in FUZZ_CHECK(). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                                                \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            __builtin_trap();                                                                                \
    } while (0)

#endif
