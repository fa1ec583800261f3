/* SPDX-License-Identifier: MIT
 *
 * Small text helpers that every layer needs: making outside text safe to print, trimming, comparing without regard
 * to ASCII case.  No locale is ever consulted.
 */
#ifndef ACME_DME_UTIL_TEXT_H
#define ACME_DME_UTIL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Copy `in` to `out` (NUL-terminated, at most `size` bytes), with control characters, DEL, C1 controls, Unicode
 * direction marks and bytes that are not UTF-8 written as \xNN.  A text that does not fit ends in "...". */
void text_escape_into(char *out, size_t size, const char *in, size_t len);

/* Lower case, 2 * len digits and a NUL. */
void text_hex_into(char *out, const void *data, size_t len);

/* Copy a text that is already safe; one that does not fit ends in "...". */
void text_cut_into(char *out, size_t size, const char *in);

/* Is the byte string valid UTF-8 (no overlong forms, no surrogates, at most U+10FFFF)? */
bool text_is_utf8(const char *in, size_t len);

/* ASCII-only case folding and comparison; returns <0, 0, >0 as strcmp does. */
char text_lower(char c);
int text_casecmp(const char *a, const char *b);
int text_ncasecmp(const char *a, const char *b, size_t n);
void text_lower_inplace(char *s);

bool text_is_space(char c);
bool text_is_digit(char c);
bool text_is_hex(char c);
bool text_starts_with(const char *s, const char *prefix);
bool text_ends_with(const char *s, const char *suffix);

/* The candidate nearest to `word` by edit distance, or NULL when none is near enough to be worth suggesting
 * (more than a third of the word's letters, at least 2, would have to change).  `candidates` has `count` entries. */
const char *text_nearest(const char *word, const char *const *candidates, size_t count);

#endif
