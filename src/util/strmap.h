/* SPDX-License-Identifier: MIT
 *
 * A map from strings to numbers, for what would else be looked for by walking a list once for each of its members.
 */
#ifndef ACME_DME_UTIL_STRMAP_H
#define ACME_DME_UTIL_STRMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "util/attrs.h"

struct strmap_slot;

/* Zero-initialised is empty and ready; keys are copied. */
struct strmap {
    struct strmap_slot *slots;
    size_t room;
    size_t count;
};

/* False when the key is in the map already; its number stays. */
bool strmap_add(struct strmap *map, const char *key, size_t number);
bool strmap_find(const struct strmap *map, const char *key, size_t *out); /* `out` may be NULL */
void strmap_done(struct strmap *map);
#define AUTO_STRMAP AUTO(strmap_done)

#endif
