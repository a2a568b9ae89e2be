/* SPDX-License-Identifier: Apache-2.0
 *
 * The words of a text field: the standard analyzer, which is Unicode's word boundaries (simplified: letters, digits,
 * ideographs one by one, emoji one by one) in lower case.
 */
#ifndef MILLRACE_SERVICES_STORE_SEARCH_ANALYSIS_H
#define MILLRACE_SERVICES_STORE_SEARCH_ANALYSIS_H

#include <stdbool.h>

#include "base/str.h"

enum { WORD_CHARACTERS_MAX = 255, WORD_BYTES_MAX = WORD_CHARACTERS_MAX * 4 + 8 };

struct words {
    struct str rest;
    char lower[WORD_BYTES_MAX];
};

void words_init(struct words *words, struct str text); /* text is valid UTF-8 and borrowed */
/* The next word in lower case, good until the next call; false at the end. */
bool words_next(struct words *words, struct str *word_out);

#endif
