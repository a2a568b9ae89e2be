/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/merge.h"

#include <assert.h>

/* How the values of a key that is in both hashes are joined: below the first level lists lose items
 * that they have already. */
enum merge_level { MERGE_TOP, MERGE_INNER };

static bool is_text(const struct conf_value *value)
{
    return value->type == CONF_STRING || value->type == CONF_BAREWORD;
}

static bool numbers_equal(const struct conf_value *a, const struct conf_value *b)
{
    double left, right;
    if (a->is_float == b->is_float && str_equal(a->text, b->text))
        return true;
    return str_to_double(a->text, &left) && str_to_double(b->text, &right) && left == right;
}

static const struct conf_value *hash_get(const struct conf_value *hash, struct str key)
{
    for (size_t i = 0; i < hash->count; i++)
        if (str_equal(hash->pairs[i].key.text, key))
            return &hash->pairs[i].value;
    return NULL;
}

static bool hashes_equal(const struct conf_value *a, const struct conf_value *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct conf_value *other = hash_get(b, a->pairs[i].key.text);
        if (!other || !merge_equal(&a->pairs[i].value, other))
            return false;
    }
    return true;
}

static bool arrays_equal(const struct conf_value *a, const struct conf_value *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!merge_equal(&a->items[i], &b->items[i]))
            return false;
    return true;
}

bool merge_equal(const struct conf_value *a, const struct conf_value *b)
{
    if (is_text(a))
        return is_text(b) && str_equal(a->text, b->text);
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case CONF_NUMBER:
        return numbers_equal(a, b);
    case CONF_ARRAY:
        return arrays_equal(a, b);
    case CONF_HASH:
        return hashes_equal(a, b);
    case CONF_STRING:
    case CONF_BAREWORD:
    case CONF_BLOCK:
        break;
    }
    return false;
}

static bool has_item(const struct conf_value *array, const struct conf_value *item)
{
    for (size_t i = 0; i < array->count; i++)
        if (merge_equal(&array->items[i], item))
            return true;
    return false;
}

/* A list with room for `more` items that holds value, or the items of value when it is a list. */
static struct conf_value list_of(struct arena *arena, const struct conf_value *value, size_t more)
{
    bool is_list = value->type == CONF_ARRAY;
    const struct conf_value *items = is_list ? value->items : value;
    size_t count = is_list ? value->count : 1;
    struct conf_value list = {.type = CONF_ARRAY, .position = value->position, .count = count};
    list.items = arena_alloc(arena, (count + more) * sizeof *list.items);
    if (count > 0)
        memcpy(list.items, items, count * sizeof *items);
    return list;
}

static void append_items(struct conf_value *list, const struct conf_value *more, bool once)
{
    for (size_t i = 0; i < more->count; i++)
        if (!once || !has_item(list, &more->items[i]))
            list->items[list->count++] = more->items[i];
}

static struct conf_value without_repeats(struct arena *arena, const struct conf_value *list)
{
    static const struct conf_value EMPTY = {.type = CONF_ARRAY};
    struct conf_value once = list_of(arena, &EMPTY, list->count);
    once.position = list->position;
    append_items(&once, list, true);
    assert(once.count <= list->count);
    return once;
}

static struct conf_value merge_hashes(struct arena *arena, const struct conf_value *a,
                                      const struct conf_value *b, enum merge_level level);

/* The values of one key that both hashes have. */
static struct conf_value merge_entry(struct arena *arena, const struct conf_value *a,
                                     const struct conf_value *b, enum merge_level level)
{
    if (a->type == CONF_HASH && b->type == CONF_HASH)
        return merge_hashes(arena, a, b, MERGE_INNER);
    if (b->type == CONF_ARRAY) {
        struct conf_value list = list_of(arena, a, b->count);
        append_items(&list, b, false);
        return level == MERGE_INNER ? without_repeats(arena, &list) : list;
    }
    bool there = a->type == CONF_ARRAY ? has_item(a, b) : merge_equal(a, b);
    if (there)
        return *a;
    struct conf_value list = list_of(arena, a, 1);
    list.items[list.count++] = *b;
    return list;
}

static struct conf_pair *find_pair(const struct conf_value *hash, struct str key)
{
    for (size_t i = 0; i < hash->count; i++)
        if (str_equal(hash->pairs[i].key.text, key))
            return &hash->pairs[i];
    return NULL;
}

/* Recursion goes as deep as the values were nested, which the parser limits. */
static struct conf_value merge_hashes(struct arena *arena, const struct conf_value *a,
                                      const struct conf_value *b, enum merge_level level)
{
    struct conf_value hash = {.type = CONF_HASH, .position = a->position, .count = a->count};
    assert(a->type == CONF_HASH && b->type == CONF_HASH);
    hash.pairs = arena_alloc(arena, (a->count + b->count) * sizeof *hash.pairs);
    if (a->count > 0)
        memcpy(hash.pairs, a->pairs, a->count * sizeof *hash.pairs);
    for (size_t i = 0; i < b->count; i++) {
        struct conf_pair *pair = find_pair(&hash, b->pairs[i].key.text);
        if (pair)
            pair->value = merge_entry(arena, &pair->value, &b->pairs[i].value, level);
        else
            hash.pairs[hash.count++] = b->pairs[i];
    }
    return hash;
}

bool merge_values(struct arena *arena, struct conf_value *into, const struct conf_value *more,
                  struct error *err)
{
    if (into->type == CONF_HASH) {
        if (more->type != CONF_HASH)
            return error_set(err, ERROR_CONFIG, "it is a hash above and no hash here");
        *into = merge_hashes(arena, into, more, MERGE_TOP);
        return true;
    }
    if (into->type == CONF_ARRAY && more->type == CONF_HASH)
        return error_set(err, ERROR_CONFIG, "it is a list above and a hash here");
    if (into->type != CONF_ARRAY && merge_equal(into, more))
        return true;
    bool append_all = into->type == CONF_ARRAY && more->type == CONF_ARRAY;
    struct conf_value list = list_of(arena, into, append_all ? more->count : 1);
    if (append_all)
        append_items(&list, more, false);
    else
        list.items[list.count++] = *more;
    *into = list;
    return true;
}

static bool add_pair(struct arena *arena, struct conf_value *hash, const struct conf_value *key,
                     const struct conf_value *value)
{
    if (!is_text(key) && key->type != CONF_NUMBER)
        return false;
    struct conf_pair *pair = find_pair(hash, key->text);
    if (!pair) {
        hash->pairs[hash->count++] = (struct conf_pair){*key, *value};
        return true;
    }
    struct conf_value list = list_of(arena, &pair->value, 1);
    list.items[list.count++] = *value;
    pair->value = list;
    return true;
}

bool merge_pairs(struct arena *arena, const struct conf_value *array, struct conf_value *out,
                 struct error *err)
{
    assert(array->type == CONF_ARRAY);
    if (array->count % 2 == 1)
        return error_set(err, ERROR_CONFIG,
                         "must be a hash, or a list of keys and values in turn: this list has %zu "
                         "items, an odd number",
                         array->count);
    *out = (struct conf_value){.type = CONF_HASH, .position = array->position};
    out->pairs = arena_alloc(arena, array->count / 2 * sizeof *out->pairs);
    for (size_t i = 0; i < array->count; i += 2)
        if (!add_pair(arena, out, &array->items[i], &array->items[i + 1]))
            return error_set(err, ERROR_CONFIG, "item %zu stands for a key and must be text",
                             i + 1);
    return true;
}

bool merge_listed_pairs(struct arena *arena, const struct conf_value *array, struct conf_value *out,
                        struct error *err)
{
    assert(array->type == CONF_ARRAY);
    struct conf_value flat = {.type = CONF_ARRAY, .position = array->position};
    flat.items = arena_alloc(arena, array->count * 2 * sizeof *flat.items);
    for (size_t i = 0; i < array->count; i++) {
        const struct conf_value *pair = &array->items[i];
        if (pair->type != CONF_ARRAY || pair->count != 2)
            return error_set(err, ERROR_CONFIG, "item %zu must be a pair [\"from\", \"to\"]",
                             i + 1);
        flat.items[flat.count++] = pair->items[0];
        flat.items[flat.count++] = pair->items[1];
    }
    return merge_pairs(arena, &flat, out, err);
}
