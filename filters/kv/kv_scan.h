/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds the pairs of a text, one after the other, exactly as the expression of kv_pattern.h would. Where pairs and keys
 * are separated by plain characters, which is nearly always, no expression is used: the text is walked once. What is left to
 * the expression even then is a pair whose backslashes can be read in two ways.
 *
 * The scanner is immutable and belongs to an instance; a cursor belongs to one text.
 */
#ifndef MILLRACE_FILTERS_KV_KV_SCAN_H
#define MILLRACE_FILTERS_KV_KV_SCAN_H

#include "filters/kv/kv_pattern.h"

/* Characters, all of them ASCII. */
struct kv_set {
    bool has[256];
};

/* Reads the contents of a character class. False when they are more than plain characters (ranges, classes, negation), or
 * none: then only an expression knows. */
bool kv_set_read(struct str content, struct kv_set *out);

/* Takes the characters off both ends, as the expression of kv_trim_compile does; false, and nothing done, where lines make
 * a difference. */
bool kv_set_trim(const struct kv_set *set, struct str *text);
/* Takes them out; what is changed lies in the arena. */
void kv_set_remove(struct arena *arena, const struct kv_set *set, struct str *text);

struct kv_scanner {
    bool is_plain; /* the sets hold */
    struct kv_set field, value, either;
    bool lenient, brackets;
    struct regex *scan, *value_split;
};

bool kv_scanner_open(struct kv_scanner *scanner, struct arena *arena,
                     const struct kv_separators *separators, struct error *err);
void kv_scanner_close(struct kv_scanner *scanner); /* one that was zeroed is ok */

enum { KV_CLOSERS = 5 }; /* " ' ) ] > */

struct kv_closer {
    size_t at; /* the next one, SIZE_MAX: none */
    bool is_known;
};

/* Zeroed but for the text. */
struct kv_cursor {
    struct str text;
    size_t from;
    bool has_separator; /* the expression: there is something that splits key and value */
    struct kv_closer open[KV_CLOSERS], escaped[KV_CLOSERS];
};

enum kv_found { KV_PAIR, KV_NO_PAIR, KV_GIVEN_UP };

struct kv_pair {
    struct str key, value; /* value.ptr is never NULL */
};

/* The next pair, and the cursor behind it. */
enum kv_found kv_next(const struct kv_scanner *scanner, struct kv_cursor *cursor,
                      struct regex_scratch *scratch, struct kv_pair *out);

#endif
