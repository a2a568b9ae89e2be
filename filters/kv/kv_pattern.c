/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/kv/kv_pattern.h"

static struct str field_pattern(struct arena *arena, const struct kv_separators *separators)
{
    if (separators->field_split_pattern.ptr)
        return arena_printf(arena, "(?:%.*s)", STR_FMT(separators->field_split_pattern));
    return arena_printf(arena, "[%.*s]", STR_FMT(separators->field_split));
}

static struct str value_split_pattern(struct arena *arena, const struct kv_separators *separators)
{
    struct str split =
        separators->value_split_pattern.ptr
            ? arena_printf(arena, "(?:%.*s)", STR_FMT(separators->value_split_pattern))
            : arena_printf(arena, "[%.*s]", STR_FMT(separators->value_split));
    if (separators->lenient)
        split = arena_printf(arena, "(?: *%.*s *)", STR_FMT(split));
    return split;
}

/* A backslash protects the character after it, in keys, values and quotes alike. */
static struct str capture_until_class(struct arena *arena, struct str content)
{
    return arena_printf(arena, "((?:\\\\.|[^%.*s])+)", STR_FMT(content));
}

static struct str capture_until_pattern(struct arena *arena, struct str pattern)
{
    return arena_printf(arena, "((?:(?!%.*s)(?:\\\\.|.))+)", STR_FMT(pattern));
}

static struct str key_pattern(struct arena *arena, const struct kv_separators *separators)
{
    if (!separators->field_split_pattern.ptr && !separators->value_split_pattern.ptr)
        return capture_until_class(arena,
                                   arena_printf(arena, "%.*s%.*s", STR_FMT(separators->value_split),
                                                STR_FMT(separators->field_split)));
    return capture_until_pattern(
        arena, arena_printf(arena, "(?:%.*s|%.*s)", STR_FMT(value_split_pattern(arena, separators)),
                            STR_FMT(field_pattern(arena, separators))));
}

static struct str value_pattern(struct arena *arena, const struct kv_separators *separators)
{
    struct str quoted = STR("\"((?:\\\\.|[^\"])+)?\"|'((?:\\\\.|[^'])+)?'");
    struct str bracketed = STR("|\\(((?:\\\\.|[^\\)])+)?\\)|\\[((?:\\\\.|[^\\]])+)?\\]"
                               "|<((?:\\\\.|[^>])+)?>");
    struct str plain = separators->field_split_pattern.ptr
                           ? capture_until_pattern(arena, field_pattern(arena, separators))
                           : capture_until_class(arena, separators->field_split);
    return arena_printf(arena, "%.*s%.*s|%.*s", STR_FMT(quoted),
                        STR_FMT(separators->brackets ? bracketed : STR("")), STR_FMT(plain));
}

struct regex *kv_scan_compile(struct arena *arena, const struct kv_separators *separators,
                              struct error *err)
{
    struct str pattern = arena_printf(
        arena, "%.*s%.*s(?:%.*s)?(?:%.*s|$)", STR_FMT(key_pattern(arena, separators)),
        STR_FMT(value_split_pattern(arena, separators)), STR_FMT(value_pattern(arena, separators)),
        STR_FMT(field_pattern(arena, separators)));
    return regex_compile(pattern, 0, err);
}

struct regex *kv_value_split_compile(struct arena *arena, const struct kv_separators *separators,
                                     struct error *err)
{
    return regex_compile(value_split_pattern(arena, separators), 0, err);
}

struct regex *kv_trim_compile(struct arena *arena, struct str characters, struct error *err)
{
    struct str pattern =
        arena_printf(arena, "^[%.*s]+|[%.*s]+$", STR_FMT(characters), STR_FMT(characters));
    return regex_compile(pattern, 0, err);
}

struct regex *kv_remove_compile(struct arena *arena, struct str characters, struct error *err)
{
    return regex_compile(arena_printf(arena, "[%.*s]", STR_FMT(characters)), 0, err);
}
