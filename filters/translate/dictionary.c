/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/translate/dictionary.h"

#include <assert.h>

#include "base/mem.h"
#include "base/text/csv_line.h"
#include "base/text/utf8.h"
#include "conf/yaml_tree.h"
#include "filters/translate/yaml_value.h"
#include "pipeline/event/value_conf.h"

enum { BYTE_ORDER_MARK_BYTES = 3, WALK_BYTES = 4096 /* between looks at the time */ };

void dictionary_init(struct dictionary *dictionary, enum dictionary_lookup lookup,
                     struct regex_scratch *scratch)
{
    *dictionary = (struct dictionary){.lookup = lookup, .scratch = scratch};
    arena_init(&dictionary->arena, NULL);
    dictionary->entries = value_object_new(&dictionary->arena, 0);
}

static void forget_expressions(struct dictionary *dictionary)
{
    for (size_t i = 0; i < dictionary->pattern_count; i++)
        regex_free(dictionary->patterns[i]);
    mem_free(dictionary->patterns);
    dictionary->patterns = NULL;
    dictionary->pattern_count = 0;
    dictionary->words = NULL;
}

void dictionary_release(struct dictionary *dictionary)
{
    forget_expressions(dictionary);
    arena_release(&dictionary->arena);
}

/* ---- entries ---- */

void dictionary_add_pairs(struct dictionary *dictionary, const struct option_hash *pairs)
{
    for (size_t i = 0; i < pairs->count; i++)
        value_object_set(&dictionary->arena, &dictionary->entries,
                         arena_dup(&dictionary->arena, pairs->pairs[i].key.text),
                         value_from_conf(&dictionary->arena, &pairs->pairs[i].value));
}

static struct value value_of_yaml(struct arena *arena, const struct yaml_tree *node)
{
    if (node->type == YAML_TREE_MAP) {
        struct value object = value_object_new(arena, node->count);
        for (size_t i = 0; i < node->count; i++)
            value_object_set(arena, &object, arena_dup(arena, node->keys[i].text),
                             value_of_yaml(arena, &node->items[i]));
        return object;
    }
    if (node->type == YAML_TREE_LIST) {
        struct value list = value_array_new(arena, node->count);
        for (size_t i = 0; i < node->count; i++)
            value_array_push(arena, &list, value_of_yaml(arena, &node->items[i]));
        return list;
    }
    return yaml_value(arena, node);
}

/* ---- files ---- */

static bool read_yaml(struct arena *arena, struct str text, const char *path, struct value *out,
                      struct error *err)
{
    struct yaml_tree tree;
    if (!yaml_tree_parse(arena, text, path, &tree, err))
        return false;
    *out = value_of_yaml(arena, &tree);
    return true;
}

/* The first two columns of each line. */
static bool read_csv(struct arena *arena, struct str text, struct value *out, struct error *err)
{
    static const struct csv_style STYLE = {.separator = STR_INIT(","), .quote = STR_INIT("\"")};
    *out = value_object_new(arena, 0);
    while (text.len > 0) {
        const char *end = memchr(text.ptr, '\n', text.len);
        struct str line = str_make(text.ptr, end ? (size_t)(end - text.ptr) : text.len);
        text = str_from_offset(text, line.len + 1);
        struct csv_row row;
        enum csv_result result = csv_line_parse(arena, &STYLE, str_trim(line), &row, err);
        if (result == CSV_MALFORMED)
            return false;
        if (result != CSV_ROW || row.count < 2 || !row.values[0].ptr)
            continue;
        value_object_set(arena, out, row.values[0],
                         row.values[1].ptr ? value_str(row.values[1]) : value_null());
    }
    return true;
}

static bool read_file(struct arena *arena, const char *path, struct json_reader *json,
                      struct value *out, struct error *err)
{
    struct str text, name = str_from(path);
    if (!file_read(arena, path, DICTIONARY_FILE_MAX_BYTES, &text, err))
        return false;
    if (str_starts_with(text, STR("\xef\xbb\xbf")))
        text = str_from_offset(text, BYTE_ORDER_MARK_BYTES);
    text = utf8_repair(arena, text);
    bool read;
    if (str_ends_with(name, STR(".json")))
        read = json_decode(json, arena, text, out, err);
    else if (str_ends_with(name, STR(".csv")))
        read = read_csv(arena, text, out, err);
    else if (str_ends_with(name, STR(".yml")) || str_ends_with(name, STR(".yaml")))
        read = read_yaml(arena, text, path, out, err);
    else
        return error_set(err, ERROR_CONFIG, "dictionary '%s' is neither .yml, .json nor .csv",
                         path);
    if (!read)
        return error_prefix(err, "dictionary '%s'", path);
    return value_type(out) == VALUE_OBJECT ||
           error_set(err, ERROR_FORMAT, "dictionary '%s' holds no pairs", path);
}

/* A new dictionary takes the place of the old one, so that nothing grows with each reload. */
bool dictionary_load(struct dictionary *dictionary, const char *path, bool merge,
                     struct json_reader *json, struct error *err)
{
    struct dictionary fresh;
    struct value loaded;
    dictionary_init(&fresh, dictionary->lookup, dictionary->scratch);
    fresh.stamp = file_stamp(path);
    if (merge)
        fresh.entries = value_dup(&fresh.arena, &dictionary->entries);
    bool read = read_file(&fresh.arena, path, json, &loaded, err);
    for (size_t i = 0; read && i < value_object_count(&loaded); i++) {
        struct str key;
        struct value value = *value_object_at(&loaded, i, &key);
        value_object_set(&fresh.arena, &fresh.entries, key, value);
    }
    if (!read || !dictionary_compile(&fresh, err)) {
        dictionary_release(&fresh);
        return false;
    }
    dictionary_release(dictionary);
    *dictionary = fresh;
    return true;
}

/* ---- expressions ---- */

static bool compile_patterns(struct dictionary *dictionary, struct error *err)
{
    size_t count = value_object_count(&dictionary->entries);
    if (count > DICTIONARY_MAX_PATTERNS)
        return error_set(err, ERROR_LIMIT, "a dictionary of expressions has at most %d entries",
                         DICTIONARY_MAX_PATTERNS);
    dictionary->patterns = mem_zero(count, sizeof(struct regex *));
    for (size_t i = 0; i < count; i++) {
        struct str key;
        value_object_at(&dictionary->entries, i, &key);
        dictionary->patterns[i] = regex_compile(key, 0, err);
        dictionary->pattern_count++;
        if (!dictionary->patterns[i])
            return error_prefix(err, "dictionary key '%.*s'", STR_FMT(key));
    }
    return true;
}

static void list_words(struct dictionary *dictionary)
{
    size_t count = value_object_count(&dictionary->entries);
    struct str *keys = arena_alloc(&dictionary->arena, count * sizeof *keys);
    dictionary->empty_key = WORD_NONE;
    for (size_t i = 0; i < count; i++) {
        value_object_at(&dictionary->entries, i, &keys[i]);
        if (keys[i].len == 0)
            dictionary->empty_key = (uint32_t)i;
    }
    dictionary->words = word_list_new(&dictionary->arena, keys, count);
}

bool dictionary_compile(struct dictionary *dictionary, struct error *err)
{
    forget_expressions(dictionary);
    switch (dictionary->lookup) {
    case DICTIONARY_EXACT:
        return true;
    case DICTIONARY_PATTERNS:
        return compile_patterns(dictionary, err);
    case DICTIONARY_PARTS:
        list_words(dictionary);
        return true;
    }
    return true;
}

/* ---- looking up ---- */

static bool find_entry(const struct dictionary *dictionary, struct arena *arena, struct str text,
                       struct value *out)
{
    const struct value *found = value_object_get(&dictionary->entries, text);
    if (found)
        *out = value_dup(arena, found);
    return found;
}

static bool find_pattern(const struct dictionary *dictionary, struct arena *arena, struct str text,
                         struct value *out)
{
    for (size_t i = 0; i < dictionary->pattern_count; i++) {
        struct str key;
        if (regex_search(dictionary->patterns[i], dictionary->scratch, text, 0) != REGEX_MATCHED)
            continue;
        *out = value_dup(arena, value_object_at(&dictionary->entries, i, &key));
        return true;
    }
    return false;
}

/* The key that begins at `at`, as an alternation of all keys finds it. */
static uint32_t find_word(const struct dictionary *dictionary, struct str text, size_t at,
                          size_t *walked)
{
    struct str rest = str_from_offset(text, at);
    uint32_t number = word_list_find(dictionary->words, rest, walked);
    bool begins_character = rest.len == 0 || ((unsigned char)rest.ptr[0] & 0xc0) != 0x80;
    return dictionary->empty_key < number && begins_character ? dictionary->empty_key : number;
}

static bool replace_words(const struct dictionary *dictionary, struct arena *arena, struct str text,
                          struct value *out)
{
    struct buf buf;
    struct str key;
    size_t copied = 0, walked, since_spent = 0;
    buf_init(&buf, UINT32_MAX);
    for (size_t at = 0; at <= text.len;) {
        uint32_t number = find_word(dictionary, text, at, &walked);
        since_spent += walked;
        if (number != WORD_NONE) {
            struct value *entry = value_object_at(&dictionary->entries, number, &key);
            buf_append(&buf, text.ptr + copied, at - copied);
            buf_append_str(&buf, value_to_text(arena, entry));
            copied = at + key.len;
        }
        at += number == WORD_NONE || key.len == 0 ? 1 : key.len;
        if (since_spent < WALK_BYTES)
            continue;
        if (!regex_budget_spend(dictionary->scratch, since_spent))
            break;
        since_spent = 0;
    }
    buf_append_str(&buf, str_from_offset(text, copied));
    bool changed = !str_equal(buf_str(&buf), text);
    *out = value_str_dup(arena, buf_str(&buf));
    buf_release(&buf);
    return changed;
}

bool dictionary_find(const struct dictionary *dictionary, struct arena *arena, struct str text,
                     struct value *out)
{
    switch (dictionary->lookup) {
    case DICTIONARY_EXACT:
        return find_entry(dictionary, arena, text, out);
    case DICTIONARY_PATTERNS:
        return find_pattern(dictionary, arena, text, out);
    case DICTIONARY_PARTS:
        break;
    }
    return replace_words(dictionary, arena, text, out);
}
