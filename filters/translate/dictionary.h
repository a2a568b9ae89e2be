/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to filters/translate/: the dictionary of one instance, from the configuration or a file (YAML, JSON, CSV), and
 * the ways to look something up in it. One thread.
 */
#ifndef MILLRACE_FILTERS_TRANSLATE_DICTIONARY_H
#define MILLRACE_FILTERS_TRANSLATE_DICTIONARY_H

#include "base/file.h"
#include "base/text/word_list.h"
#include "pipeline/plugin.h"

enum { DICTIONARY_FILE_MAX_BYTES = 64 * 1024 * 1024, DICTIONARY_MAX_PATTERNS = 10000 };

enum dictionary_lookup {
    DICTIONARY_EXACT,    /* the whole text is a key */
    DICTIONARY_PATTERNS, /* keys are expressions; the first that matches */
    DICTIONARY_PARTS,    /* every part of the text that is a key is replaced */
};

struct dictionary {
    struct arena arena;
    enum dictionary_lookup lookup;
    struct regex_scratch *scratch; /* the lane's */
    struct value entries;          /* an object */
    struct regex **patterns;       /* PATTERNS: of each entry */
    size_t pattern_count;
    struct word_list *words; /* PARTS: the keys, numbered as the entries */
    uint32_t empty_key;      /* its number, or WORD_NONE; it is found where no key before it is */
    struct file_stamp stamp;
};

void dictionary_init(struct dictionary *dictionary, enum dictionary_lookup lookup,
                     struct regex_scratch *scratch);
void dictionary_release(struct dictionary *dictionary);
void dictionary_add_pairs(struct dictionary *dictionary, const struct option_hash *pairs);
/* By the ending of its name: yml, yaml, json or csv. merge: entries that are not in the file stay. On false the
 * dictionary is as it was. */
bool dictionary_load(struct dictionary *dictionary, const char *path, bool merge,
                     struct json_reader *json, struct error *err);
/* To be called when the entries have changed, before the next look-up. */
bool dictionary_compile(struct dictionary *dictionary, struct error *err);

/* True with the value, in the arena given, when the text is translated. */
bool dictionary_find(const struct dictionary *dictionary, struct arena *arena, struct str text,
                     struct value *out);

#endif
