/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/rest/filter_path.h"

#include <assert.h>

#include "services/store/glob.h"

enum { FILTER_DEPTH_MAX = 64 };

struct filter {
    struct str paths
        [FILTER_PATHS_MAX]; /* what is left of each, below the present member; ptr NULL: none */
    size_t count;
};

enum verdict { VERDICT_OUT, VERDICT_INSIDE, VERDICT_WHOLE };

static struct str first_part(struct str path, struct str *rest)
{
    size_t dot = path.len > 0 ? str_find(path, STR(".")) : SIZE_MAX;
    *rest = dot == SIZE_MAX ? STR("") : str_from_offset(path, dot + 1);
    return dot == SIZE_MAX ? path : str_make(path.ptr, dot);
}

static void add(struct filter *filter, struct str path)
{
    if (filter->count < FILTER_PATHS_MAX)
        filter->paths[filter->count++] = path;
}

/* What the paths say of a member: out, all of it, or only what they name below it. */
static enum verdict step(const struct filter *filter, struct str name, struct filter *below)
{
    below->count = 0;
    for (size_t i = 0; i < filter->count; i++) {
        struct str rest, part = first_part(filter->paths[i], &rest);
        if (str_equal(part, STR("**"))) {
            add(below, filter->paths[i]); /* any depth, also none */
            if (rest.len == 0)
                return VERDICT_WHOLE;
            part = first_part(rest, &rest);
        }
        if (!glob_match(part, name))
            continue;
        if (rest.len == 0)
            return VERDICT_WHOLE;
        add(below, rest);
    }
    return below->count > 0 ? VERDICT_INSIDE : VERDICT_OUT;
}

static bool reduce(struct arena *arena, const struct value *value, const struct filter *filter,
                   unsigned depth, struct value *out);

static bool reduce_array(struct arena *arena, const struct value *array,
                         const struct filter *filter, unsigned depth, struct value *out)
{
    *out = value_array_new(arena, 0);
    for (size_t i = 0; i < value_array_count(array); i++) {
        struct value item;
        if (reduce(arena, value_array_at(array, i), filter, depth + 1, &item))
            value_array_push(arena, out, item);
    }
    return value_array_count(out) > 0;
}

/* False: nothing is left. */
static bool reduce(struct arena *arena, const struct value *value, const struct filter *filter,
                   unsigned depth, struct value *out)
{
    if (depth > FILTER_DEPTH_MAX)
        return false;
    if (value_type(value) == VALUE_ARRAY)
        return reduce_array(arena, value, filter, depth, out);
    if (value_type(value) != VALUE_OBJECT)
        return false;
    *out = value_object_new(arena, 0);
    for (size_t i = 0; i < value_object_count(value); i++) {
        struct str key;
        struct filter below;
        const struct value *member = value_object_at(value, i, &key);
        enum verdict verdict = step(filter, key, &below);
        struct value inner = *member;
        if (verdict == VERDICT_WHOLE ||
            (verdict == VERDICT_INSIDE && reduce(arena, member, &below, depth + 1, &inner)))
            value_object_set(arena, out, key, inner);
    }
    return value_object_count(out) > 0;
}

/* The other way round: what the paths name goes. */
static void exclude(struct value *value, const struct filter *filter, unsigned depth)
{
    if (depth > FILTER_DEPTH_MAX)
        return;
    for (size_t i = 0; value_type(value) == VALUE_ARRAY && i < value_array_count(value); i++)
        exclude(value_array_at(value, i), filter, depth + 1);
    for (size_t i = 0; value_type(value) == VALUE_OBJECT && i < value_object_count(value);) {
        struct str key;
        struct filter below;
        struct value *member = value_object_at(value, i, &key);
        enum verdict verdict = step(filter, key, &below);
        if (verdict == VERDICT_WHOLE) {
            value_object_remove(value, key);
            continue;
        }
        if (verdict == VERDICT_INSIDE)
            exclude(member, &below, depth + 1);
        i++;
    }
}

static bool split(struct str text, struct filter *keep, struct filter *drop)
{
    keep->count = drop->count = 0;
    if (text.len > FILTER_PATH_BYTES_MAX)
        return false;
    while (text.len > 0) {
        size_t comma = str_find(text, STR(","));
        struct str path = str_trim(comma == SIZE_MAX ? text : str_make(text.ptr, comma));
        text = comma == SIZE_MAX ? STR("") : str_from_offset(text, comma + 1);
        if (path.len == 0)
            continue;
        bool drops = path.ptr[0] == '-';
        if (drops)
            add(drop, str_from_offset(path, 1));
        else
            add(keep, path);
        if (keep->count == FILTER_PATHS_MAX || drop->count == FILTER_PATHS_MAX)
            return false;
    }
    return true;
}

bool filter_path_apply(struct str filter, struct json_reader *json, struct buf *out)
{
    struct filter keep, drop;
    if (!split(filter, &keep, &drop))
        return false;
    struct arena arena;
    arena_init(&arena, NULL);
    struct value whole, left = value_object_new(&arena, 0);
    bool decoded = json_decode(json, &arena, buf_str(out), &whole, NULL);
    if (decoded && keep.count == 0)
        left = whole;
    else if (decoded)
        reduce(&arena, &whole, &keep, 0, &left);
    if (drop.count > 0)
        exclude(&left, &drop, 0);
    struct buf reduced;
    buf_init(&reduced, out->max);
    bool fits = json_encode_value(&left, &reduced);
    buf_move(out, &reduced);
    arena_release(&arena);
    return decoded && fits;
}
