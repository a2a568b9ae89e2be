/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <inttypes.h>

#include "base/text/utf8.h"
#include "cmd/check_pipeline.h"
#include "cmd/shown.h"

struct comparison {
    struct arena *arena;
    const struct terminal *terminal;
    struct regex_scratch *regex;
    struct buf *out;
    size_t event;  /* which one is compared, from 1 */
    bool numbered; /* there are several */
    bool headed;   /* it was named */
};

/* ---- saying -------------------------------------------------------------------------------------- */

static void say(struct comparison *comparison, enum style style, const char *mark, struct str text)
{
    if (comparison->numbered && !comparison->headed)
        buf_printf(comparison->out, "event %zu\n", comparison->event);
    comparison->headed = true;
    terminal_text(comparison->terminal, style, str_from(mark), comparison->out);
    terminal_text(comparison->terminal, style, text, comparison->out);
    buf_append_char(comparison->out, '\n');
}

/* NULL: nothing is there. */
static void say_value(struct comparison *comparison, enum style style, const char *mark,
                      struct str path, const struct value *value)
{
    enum { LINE_MAX_BYTES = 64 * 1024 * 1024 };
    struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    shown_text(path, &line);
    buf_append_str(&line, STR("  "));
    if (value)
        shown_value(value, &line);
    else
        buf_append_str(&line, STR("is not there"));
    say(comparison, style, mark, buf_str(&line));
    buf_release(&line);
}

static void say_both(struct comparison *comparison, struct str path, const struct value *expected,
                     const struct value *actual)
{
    say_value(comparison, STYLE_BAD, "- ", path, expected);
    say_value(comparison, STYLE_GOOD, "+ ", path, actual);
}

/* ---- values -------------------------------------------------------------------------------------- */

/* What a test file can say: times are texts there. */
static struct value plain(struct arena *arena, const struct value *value)
{
    struct value out;
    switch (value_type(value)) {
    case VALUE_TIMESTAMP:
        return value_str(value_to_text(arena, value));
    case VALUE_ARRAY:
        out = value_array_new(arena, value_array_count(value));
        for (size_t i = 0; i < value_array_count(value); i++)
            value_array_push(arena, &out, plain(arena, value_array_at(value, i)));
        return out;
    case VALUE_OBJECT:
        out = value_object_new(arena, value_object_count(value));
        for (size_t i = 0; i < value_object_count(value); i++) {
            struct str name;
            const struct value *member = value_object_at(value, i, &name);
            value_object_set(arena, &out, name, plain(arena, member));
        }
        return out;
    case VALUE_NULL:
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_BIG_INT:
    case VALUE_STRING:
        break;
    }
    return *value;
}

/* 1 and 1.0 are the same here. */
static bool is_same(const struct value *a, const struct value *b)
{
    double left, right;
    if (value_type(a) != value_type(b) && value_number(a, &left) && value_number(b, &right))
        return left == right;
    return value_equal(a, b);
}

/* The value at a path of the copy of an event; NULL: nothing is there. */
static const struct value *at_path(const struct check_made *made, struct str path)
{
    struct arena arena;
    struct field_ref ref;
    arena_init(&arena, NULL);
    struct event event = {
        .arena = &arena, .fields = made->fields.fields, .metadata = made->fields.metadata};
    const struct value *value = field_ref_parse(&arena, path, FIELD_ESCAPE_NONE, &ref, NULL)
                                    ? event_get(&event, &ref)
                                    : NULL;
    arena_release(&arena);
    return value;
}

/* ---- one event ----------------------------------------------------------------------------------- */

static void compare_fields(struct comparison *comparison, const struct check_event *expected,
                           const struct check_made *made)
{
    for (size_t i = 0; i < value_object_count(&expected->fields); i++) {
        struct str path;
        const struct value *wanted = value_object_at(&expected->fields, i, &path);
        const struct value *found = at_path(made, path);
        struct value shown = found ? plain(comparison->arena, found) : value_null();
        if (!found || !is_same(wanted, &shown))
            say_both(comparison, path, wanted, found ? &shown : NULL);
    }
}

static bool is_ignored(const struct value *ignore, struct str path)
{
    for (size_t i = 0; i < value_array_count(ignore); i++) {
        struct str name = value_as_str(value_array_at(ignore, i));
        if (str_equal(name, path) || (name.len == path.len + 2 && name.ptr[0] == '[' &&
                                      str_equal(str_make(name.ptr + 1, path.len), path)))
            return true;
    }
    return false;
}

static void compare_whole(struct comparison *comparison, const struct value *ignore,
                          const struct check_event *expected, const struct check_made *made)
{
    struct event_diff diff;
    struct event_fields wanted = {expected->whole, value_object_new(comparison->arena, 0)};
    struct event_fields found = {plain(comparison->arena, &made->fields.fields), wanted.metadata};
    if (value_type(&expected->whole) != VALUE_OBJECT)
        return;
    event_diff(comparison->arena, &wanted, &found, &diff);
    for (size_t i = 0; i < diff.count; i++) {
        const struct event_change *change = &diff.items[i];
        if (is_ignored(ignore, change->path) ||
            (change->change == FIELD_CHANGED && is_same(&change->before, &change->after)))
            continue;
        if (change->change != FIELD_ADDED)
            say_value(comparison, STYLE_BAD, "- ", change->path, &change->before);
        if (change->change != FIELD_REMOVED)
            say_value(comparison, STYLE_GOOD, "+ ", change->path, &change->after);
    }
}

static bool matches(struct comparison *comparison, const struct check_pattern *pattern,
                    const struct value *found)
{
    return found && regex_search(pattern->regex, comparison->regex,
                                 value_to_text(comparison->arena, found), 0) == REGEX_MATCHED;
}

static void compare_patterns(struct comparison *comparison, const struct check_event *expected,
                             const struct check_made *made)
{
    for (size_t i = 0; i < expected->pattern_count; i++) {
        const struct check_pattern *pattern = &expected->patterns[i];
        const struct value *found = at_path(made, pattern->path);
        if (matches(comparison, pattern, found))
            continue;
        struct buf line;
        buf_init(&line, SIZE_MAX / 2);
        shown_text(pattern->path, &line);
        buf_append_str(&line, STR("  matches /"));
        shown_text(pattern->text, &line);
        buf_append_char(&line, '/');
        say(comparison, STYLE_BAD, "- ", buf_str(&line));
        buf_release(&line);
        say_value(comparison, STYLE_GOOD, "+ ", pattern->path, found);
    }
}

static void compare_presence(struct comparison *comparison, const struct check_event *expected,
                             const struct check_made *made)
{
    for (size_t i = 0; i < value_array_count(&expected->absent); i++) {
        struct str path = value_as_str(value_array_at(&expected->absent, i));
        const struct value *found = at_path(made, path);
        if (found)
            say_both(comparison, path, NULL, found);
    }
    for (size_t i = 0; i < value_array_count(&expected->present); i++) {
        struct str path = value_as_str(value_array_at(&expected->present, i));
        if (at_path(made, path))
            continue;
        say(comparison, STYLE_BAD, "- ",
            arena_printf(comparison->arena, "%.*s  is there", STR_FMT(path)));
        say_value(comparison, STYLE_GOOD, "+ ", path, NULL);
    }
}

static bool has_text(const struct value *list, struct str text)
{
    for (size_t i = 0; i < value_array_count(list); i++) {
        const struct value *item = value_array_at(list, i);
        if (value_is_str(item) && str_equal(value_as_str(item), text))
            return true;
    }
    return false;
}

/* In any order. */
static void compare_tags(struct comparison *comparison, const struct check_event *expected,
                         const struct check_made *made)
{
    const struct value *found = at_path(made, STR("tags"));
    struct value none = value_array_new(comparison->arena, 0), one;
    if (value_type(&expected->tags) != VALUE_ARRAY)
        return;
    if (value_is_str(found)) {
        one = value_array_new(comparison->arena, 1);
        value_array_push(comparison->arena, &one, *found);
        found = &one;
    }
    if (!found || value_type(found) != VALUE_ARRAY)
        found = &none;
    bool same = value_array_count(found) == value_array_count(&expected->tags);
    for (size_t i = 0; same && i < value_array_count(&expected->tags); i++)
        same = has_text(found, value_as_str(value_array_at(&expected->tags, i)));
    if (!same)
        say_both(comparison, STR("tags"), &expected->tags, found);
}

/* Each output that is named takes the event, and no other; by id or by name. */
static void compare_routes(struct comparison *comparison, const struct check_event *expected,
                           const struct check_made *made)
{
    if (value_type(&expected->routes) != VALUE_ARRAY)
        return;
    size_t wanted = value_array_count(&expected->routes);
    bool *taken = arena_zero(comparison->arena, (made->route_count + 1) * sizeof *taken);
    bool same = wanted == made->route_count;
    for (size_t i = 0; same && i < wanted; i++) {
        struct str name = value_as_str(value_array_at(&expected->routes, i));
        size_t at = 0;
        while (at < made->route_count &&
               (taken[at] || made->routes[at].refused.ptr ||
                !(str_equal(made->routes[at].id, name) || str_equal(made->routes[at].name, name))))
            at++;
        same = at < made->route_count;
        taken[at] = true;
    }
    if (same)
        return;
    struct value found = value_array_new(comparison->arena, made->route_count);
    for (size_t i = 0; i < made->route_count; i++) {
        const struct check_route *route = &made->routes[i];
        bool by_id = has_text(&expected->routes, route->id);
        struct str text = by_id ? route->id : route->name;
        if (route->refused.ptr)
            text = arena_printf(comparison->arena, "%.*s (cannot send it: %.*s)", STR_FMT(text),
                                STR_FMT(route->refused));
        value_array_push(comparison->arena, &found, value_str(text));
    }
    say_both(comparison, STR("routes"), &expected->routes, &found);
}

/* ---- the case ------------------------------------------------------------------------------------ */

static void compare_count(struct comparison *comparison, const char *what, int64_t expected,
                          size_t actual)
{
    if ((size_t)expected == actual)
        return;
    say(comparison, STYLE_BAD, "- ",
        arena_printf(comparison->arena, "%" PRId64 " event%s %s", expected,
                     expected == 1 ? "" : "s", what));
    say(comparison, STYLE_GOOD, "+ ",
        arena_printf(comparison->arena, "%zu event%s %s", actual, actual == 1 ? "" : "s", what));
}

static void compare_counts(struct comparison *comparison, const struct check_case *expected,
                           const struct check_world *world)
{
    bool was = comparison->numbered;
    comparison->numbered = false;
    if (expected->has_count)
        compare_count(comparison, "come out", expected->count, world->count);
    else if (expected->has_events)
        compare_count(comparison, "come out", (int64_t)expected->event_count, world->count);
    if (expected->has_dropped)
        compare_count(comparison, "dropped", expected->dropped, world->dropped);
    comparison->numbered = was;
}

void check_compare(const struct check_case *expected, const struct check_world *world,
                   const struct terminal *terminal, struct buf *out)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct comparison comparison = {
        .arena = &arena,
        .terminal = terminal,
        .regex = regex_scratch_new(NULL),
        .out = out,
        .numbered = expected->event_count > 1 || world->count > 1,
    };
    compare_counts(&comparison, expected, world);
    for (size_t i = 0; i < expected->event_count && i < world->count; i++) {
        const struct check_event *event = &expected->events[i];
        comparison.event = i + 1;
        comparison.headed = false;
        compare_fields(&comparison, event, &world->made[i]);
        compare_whole(&comparison, &expected->ignore, event, &world->made[i]);
        compare_patterns(&comparison, event, &world->made[i]);
        compare_presence(&comparison, event, &world->made[i]);
        compare_tags(&comparison, event, &world->made[i]);
        compare_routes(&comparison, event, &world->made[i]);
    }
    regex_scratch_free(comparison.regex);
    arena_release(&arena);
}
