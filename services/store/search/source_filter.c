/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/search/source_filter.h"

#include <assert.h>

#include "services/store/glob.h"

enum { PATH_BYTES_MAX = 4096 };

/* ---- reading ---------------------------------------------------------------------------------------------- */

static bool refuse(struct api_error *err, const char *found)
{
    return api_error_set(err, 400, "parsing_exception",
                         "Expected one of [VALUE_BOOLEAN, START_OBJECT] but found [%s]", found);
}

static bool read_list(struct arena *arena, const struct value *value, const struct str **out,
                      size_t *count_out, struct api_error *err)
{
    bool is_list = value_type(value) == VALUE_ARRAY;
    size_t count = is_list ? value_array_count(value) : 1;
    if (count > SOURCE_PATTERNS_MAX)
        return api_error_set(err, 400, "illegal_argument_exception",
                             "_source has more than %d patterns", SOURCE_PATTERNS_MAX);
    struct str *list = arena_alloc(arena, count * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        const struct value *item = is_list ? value_array_at(value, i) : value;
        if (!value_is_str(item))
            return refuse(err, "VALUE_NUMBER");
        list[i] = value_as_str(item);
    }
    *out = list;
    *count_out = count;
    return true;
}

static bool read_object(struct arena *arena, const struct value *value, struct source_filter *out,
                        struct api_error *err)
{
    for (size_t i = 0; i < value_object_count(value); i++) {
        struct str key;
        const struct value *part = value_object_at(value, i, &key);
        bool done;
        if (str_equal(key, STR("includes")) || str_equal(key, STR("include")))
            done = read_list(arena, part, &out->includes, &out->include_count, err);
        else if (str_equal(key, STR("excludes")) || str_equal(key, STR("exclude")))
            done = read_list(arena, part, &out->excludes, &out->exclude_count, err);
        else
            return api_error_set(err, 400, "parsing_exception",
                                 "Unknown key for a VALUE in [%.*s].", STR_FMT(key));
        if (!done)
            return false;
    }
    return true;
}

bool source_filter_parse(struct arena *arena, const struct value *value, struct source_filter *out,
                         struct api_error *err)
{
    *out = (struct source_filter){0};
    switch (value_type(value)) {
    case VALUE_BOOL:
        out->is_hidden = !value_as_bool(value);
        return true;
    case VALUE_STRING:
    case VALUE_ARRAY:
        return read_list(arena, value, &out->includes, &out->include_count, err);
    case VALUE_OBJECT:
        return read_object(arena, value, out, err);
    case VALUE_NULL:
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_BIG_INT:
    case VALUE_TIMESTAMP:
        break;
    }
    return refuse(err, "VALUE_NUMBER");
}

/* Pieces between commas. */
static size_t split(struct arena *arena, struct str text, const struct str **out)
{
    size_t count = 0;
    struct str *list = arena_alloc(arena, SOURCE_PATTERNS_MAX * sizeof *list);
    while (text.len > 0 && count < SOURCE_PATTERNS_MAX) {
        const char *comma = memchr(text.ptr, ',', text.len);
        struct str piece = comma ? str_make(text.ptr, (size_t)(comma - text.ptr)) : text;
        text = str_from_offset(text, piece.len + (comma ? 1 : 0));
        if (piece.len > 0)
            list[count++] = piece;
    }
    *out = list;
    return count;
}

bool source_filter_from_url(struct arena *arena, struct str source, struct str includes,
                            struct str excludes, struct source_filter *out)
{
    *out = (struct source_filter){0};
    out->is_hidden = str_equal(source, STR("false"));
    if (source.len > 0 && !out->is_hidden && !str_equal(source, STR("true")))
        out->include_count = split(arena, source, &out->includes);
    if (includes.len > 0)
        out->include_count = split(arena, includes, &out->includes);
    if (excludes.len > 0)
        out->exclude_count = split(arena, excludes, &out->excludes);
    return true;
}

/* ---- applying ----------------------------------------------------------------------------------------------- */

struct shown {
    const struct source_filter *filter;
    struct arena *arena;
    char path[PATH_BYTES_MAX];
};

/* The pattern names the path, or something above it. */
static bool covers(struct str pattern, struct str path)
{
    for (size_t end = 1; end <= path.len; end++) {
        bool is_part = end == path.len || path.ptr[end] == '.';
        if (is_part && glob_match(pattern, str_make(path.ptr, end)))
            return true;
    }
    return false;
}

static bool covers_any(const struct str *patterns, size_t count, struct str path)
{
    for (size_t i = 0; i < count; i++) {
        if (covers(patterns[i], path))
            return true;
    }
    return false;
}

static bool filter_value(struct shown *shown, const struct value *value, size_t path_len,
                         bool is_included, struct value *out);

static struct value filter_object(struct shown *shown, const struct value *object, size_t path_len,
                                  bool is_included)
{
    struct value result = value_object_new(shown->arena, 0);
    for (size_t i = 0; i < value_object_count(object); i++) {
        struct str key;
        const struct value *value = value_object_at(object, i, &key);
        size_t dot = path_len > 0, len = path_len + dot + key.len;
        if (len > PATH_BYTES_MAX)
            continue;
        if (dot)
            shown->path[path_len] = '.';
        memcpy(shown->path + path_len + dot, key.ptr, key.len);
        struct value part;
        if (filter_value(shown, value, len, is_included, &part))
            value_object_set(shown->arena, &result, key, part);
    }
    return result;
}

/* Objects in arrays are filtered one by one; those of which nothing is left go. */
static bool filter_array(struct shown *shown, const struct value *array, size_t path_len,
                         bool is_included, struct value *out)
{
    *out = value_array_new(shown->arena, value_array_count(array));
    for (size_t i = 0; i < value_array_count(array); i++) {
        struct value part;
        if (filter_value(shown, value_array_at(array, i), path_len, is_included, &part))
            value_array_push(shown->arena, out, part);
    }
    return is_included || value_array_count(out) > 0;
}

/* False: nothing of the value is shown. */
static bool filter_value(struct shown *shown, const struct value *value, size_t path_len,
                         bool is_included, struct value *out)
{
    const struct source_filter *filter = shown->filter;
    struct str path = str_make(shown->path, path_len);
    if (covers_any(filter->excludes, filter->exclude_count, path))
        return false;
    is_included = is_included || filter->include_count == 0 ||
                  covers_any(filter->includes, filter->include_count, path);
    if (value_type(value) == VALUE_ARRAY)
        return filter_array(shown, value, path_len, is_included, out);
    if (value_type(value) != VALUE_OBJECT) {
        *out = *value;
        return is_included;
    }
    *out = filter_object(shown, value, path_len, is_included);
    return is_included || value_object_count(out) > 0;
}

struct value source_filter_apply(const struct source_filter *filter, struct arena *arena,
                                 const struct value *document)
{
    assert(value_type(document) == VALUE_OBJECT);
    struct shown shown;
    shown.filter = filter;
    shown.arena = arena;
    return filter_object(&shown, document, 0, false);
}
