/* SPDX-License-Identifier: Apache-2.0
 *
 * The kv filter's expressions. What separates pairs and keys is the user's, as contents of character classes or as whole
 * expressions, so the scan is one expression made from them: group 1 is the key; the value is the first group after it
 * that took part.
 */
#ifndef MILLRACE_FILTERS_KV_KV_PATTERN_H
#define MILLRACE_FILTERS_KV_KV_PATTERN_H

#include "base/arena.h"
#include "base/error.h"
#include "base/regex/regex.h"

struct kv_separators {
    struct str field_split, value_split;                 /* contents of character classes */
    struct str field_split_pattern, value_split_pattern; /* ptr NULL: not given */
    bool lenient;  /* blanks around what splits key and value belong to it */
    bool brackets; /* (), [] and <> quote values too */
};

/* NULL and *err when they do not make an expression. */
struct regex *kv_scan_compile(struct arena *arena, const struct kv_separators *separators,
                              struct error *err);
struct regex *kv_value_split_compile(struct arena *arena, const struct kv_separators *separators,
                                     struct error *err);
/* Any of the characters at both ends; anywhere. */
struct regex *kv_trim_compile(struct arena *arena, struct str characters, struct error *err);
struct regex *kv_remove_compile(struct arena *arena, struct str characters, struct error *err);

#endif
