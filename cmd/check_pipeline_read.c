/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <string.h>

#include "base/text/ascii.h"
#include "base/text/suggest.h"
#include "cmd/check_pipeline_read.h"

/* ---- values -------------------------------------------------------------------------------------- */

static bool is_number(struct str text, bool *is_float)
{
    size_t digits = 0;
    *is_float = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (ascii_is_digit(c))
            digits++;
        else if (c == '.' || ((c == 'e' || c == 'E') && digits > 0))
            *is_float = true;
        else if (!(c == '-' || c == '+') || (i > 0 && (text.ptr[i - 1] | 0x20) != 'e'))
            return false;
    }
    return digits > 0;
}

/* As YAML 1.2 and JSON have it: 12:30 and yes are texts. */
static struct value scalar(const struct yaml_tree *node)
{
    int64_t integer;
    double real;
    bool is_float;
    if (yaml_tree_is_null(node))
        return value_null();
    if (!node->is_plain || node->tag.ptr)
        return value_str(node->text);
    if (str_equal(node->text, STR("true")) || str_equal(node->text, STR("false")))
        return value_bool(node->text.ptr[0] == 't');
    if (!is_number(node->text, &is_float))
        return value_str(node->text);
    if (!is_float)
        return str_to_int(node->text, &integer) ? value_int(integer) : value_big_int(node->text);
    return str_to_double(node->text, &real) ? value_float(real) : value_str(node->text);
}

static struct value value_of(struct arena *arena, const struct yaml_tree *node)
{
    if (node->type == YAML_TREE_SCALAR)
        return scalar(node);
    struct value out = node->type == YAML_TREE_MAP ? value_object_new(arena, node->count)
                                                   : value_array_new(arena, node->count);
    for (size_t i = 0; i < node->count; i++) {
        struct value item = value_of(arena, &node->items[i]);
        if (node->type == YAML_TREE_MAP)
            value_object_set(arena, &out, node->keys[i].text, item);
        else
            value_array_push(arena, &out, item);
    }
    return out;
}

/* ---- kinds --------------------------------------------------------------------------------------- */

bool check_refuse(const struct check_reader *reader, const struct yaml_tree *node, const char *what,
                  const char *expected)
{
    return error_set_at(reader->err, node->position, "%s: expected %s", what, expected);
}

bool check_take_text(const struct check_reader *reader, const struct yaml_tree *node,
                     const char *what, struct str *out)
{
    *out = node->text;
    return (node->type == YAML_TREE_SCALAR && !yaml_tree_is_null(node)) ||
           check_refuse(reader, node, what, "a text");
}

static bool take_bool(const struct check_reader *reader, const struct yaml_tree *node,
                      const char *what, bool *out)
{
    *out = str_equal(node->text, STR("true"));
    return (node->type == YAML_TREE_SCALAR && (*out || str_equal(node->text, STR("false")))) ||
           check_refuse(reader, node, what, "true or false");
}

static bool take_count(const struct check_reader *reader, const struct yaml_tree *node,
                       const char *what, int64_t *out)
{
    return (node->type == YAML_TREE_SCALAR && str_to_int(node->text, out) && *out >= 0) ||
           check_refuse(reader, node, what, "a number");
}

bool check_take_texts(const struct check_reader *reader, const struct yaml_tree *node,
                      const char *what, struct value *out)
{
    struct str text;
    if (node->type == YAML_TREE_MAP)
        return check_refuse(reader, node, what, "a list of texts");
    size_t count = node->type == YAML_TREE_LIST ? node->count : 1;
    *out = value_array_new(reader->arena, count);
    for (size_t i = 0; i < count; i++) {
        const struct yaml_tree *item = node->type == YAML_TREE_LIST ? &node->items[i] : node;
        if (!check_take_text(reader, item, what, &text))
            return false;
        value_array_push(reader->arena, out, value_str(text));
    }
    return true;
}

bool check_take_object(const struct check_reader *reader, const struct yaml_tree *node,
                       const char *what, struct value *out)
{
    if (node->type != YAML_TREE_MAP)
        return check_refuse(reader, node, what, "fields and their values");
    *out = value_of(reader->arena, node);
    return true;
}

/* Which of the names the key is; -1: none, which is an error. */
static int find_key(const struct check_reader *reader, const struct yaml_tree *key,
                    const char *const *names)
{
    for (int i = 0; names[i]; i++)
        if (str_equal(key->text, str_from(names[i])))
            return i;
    const char *near = suggest_name(key->text, names);
    error_set_at(reader->err, key->position, "'%.*s' is unknown here%s%s%s", STR_FMT(key->text),
                 near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return -1;
}

/* ---- an expected event --------------------------------------------------------------------------- */

static bool take_patterns(const struct check_reader *reader, const struct yaml_tree *node,
                          struct check_event *event)
{
    if (node->type != YAML_TREE_MAP)
        return check_refuse(reader, node, "matches", "fields and their patterns");
    event->patterns = arena_zero(reader->arena, node->count * sizeof *event->patterns);
    for (size_t i = 0; i < node->count; i++) {
        struct check_pattern *pattern = &event->patterns[event->pattern_count];
        pattern->path = node->keys[i].text;
        if (!check_take_text(reader, &node->items[i], "matches", &pattern->text))
            return false;
        pattern->regex = regex_compile(pattern->text, 0, reader->err);
        if (!pattern->regex) {
            reader->err->position = node->items[i].position;
            return false;
        }
        event->pattern_count++;
    }
    return true;
}

static const char *const EVENT_KEYS[] = {"fields",  "event", "matches", "absent",
                                         "present", "tags",  "routes",  NULL};
enum {
    EVENT_FIELDS,
    EVENT_WHOLE,
    EVENT_MATCHES,
    EVENT_ABSENT,
    EVENT_PRESENT,
    EVENT_TAGS,
    EVENT_ROUTES
};

static bool take_event_key(const struct check_reader *reader, int key, const struct yaml_tree *node,
                           struct check_event *event)
{
    switch (key) {
    case EVENT_FIELDS:
        return check_take_object(reader, node, "fields", &event->fields);
    case EVENT_WHOLE:
        return check_take_object(reader, node, "event", &event->whole);
    case EVENT_MATCHES:
        return take_patterns(reader, node, event);
    case EVENT_ABSENT:
        return check_take_texts(reader, node, "absent", &event->absent);
    case EVENT_PRESENT:
        return check_take_texts(reader, node, "present", &event->present);
    case EVENT_TAGS:
        return check_take_texts(reader, node, "tags", &event->tags);
    case EVENT_ROUTES:
        return check_take_texts(reader, node, "routes", &event->routes);
    default:
        return false;
    }
}

void check_init_event(const struct check_reader *reader, const struct yaml_tree *node,
                      struct check_event *event)
{
    *event = (struct check_event){
        .position = node->position,
        .fields = value_object_new(reader->arena, 0),
        .whole = value_null(),
        .absent = value_array_new(reader->arena, 0),
        .present = value_array_new(reader->arena, 0),
        .tags = value_null(),
        .routes = value_null(),
    };
}

static bool take_event(const struct check_reader *reader, const struct yaml_tree *node,
                       struct check_event *event)
{
    if (node->type != YAML_TREE_MAP)
        return check_refuse(reader, node, "events", "a list of what the events are to be");
    check_init_event(reader, node, event);
    for (size_t i = 0; i < node->count; i++) {
        int key = find_key(reader, &node->keys[i], EVENT_KEYS);
        if (key < 0 || !take_event_key(reader, key, &node->items[i], event))
            return false;
    }
    return true;
}

/* ---- a case -------------------------------------------------------------------------------------- */

static bool take_events(const struct check_reader *reader, const struct yaml_tree *node,
                        struct check_case *out)
{
    if (node->type != YAML_TREE_LIST)
        return check_refuse(reader, node, "events", "a list of what the events are to be");
    out->has_events = true;
    out->event_count = node->count;
    out->events = arena_zero(reader->arena, node->count * sizeof *out->events);
    for (size_t i = 0; i < node->count; i++)
        if (!take_event(reader, &node->items[i], &out->events[i]))
            return false;
    return true;
}

/* dropped: true is all of it, false none; or how many. */
static bool take_dropped(const struct check_reader *reader, const struct yaml_tree *node,
                         struct check_case *out)
{
    bool all;
    out->has_dropped = true;
    if (node->type == YAML_TREE_SCALAR && str_to_int(node->text, &out->dropped))
        return take_count(reader, node, "dropped", &out->dropped);
    if (!take_bool(reader, node, "dropped", &all))
        return false;
    out->has_dropped = !all;
    out->dropped = 0;
    if (all) {
        out->has_count = true;
        out->count = 0;
    }
    return true;
}

static bool take_expect(const struct check_reader *reader, const struct yaml_tree *node,
                        struct check_case *out)
{
    static const char *const KEYS[] = {"fields", "event", "matches", "absent", "present", "tags",
                                       "routes", "count", "dropped", "events", NULL};
    enum { COUNT = EVENT_ROUTES + 1, DROPPED, EVENTS };
    struct check_event *single = NULL;
    if (node->type != YAML_TREE_MAP)
        return check_refuse(reader, node, "expect", "what the events are to be");
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_tree *value = &node->items[i];
        int key = find_key(reader, &node->keys[i], KEYS);
        if (key >= 0 && key < COUNT && !single) {
            single = arena_zero(reader->arena, sizeof *single);
            check_init_event(reader, node, single);
        }
        bool ok = key >= 0 && (key == COUNT     ? take_count(reader, value, "count", &out->count)
                               : key == DROPPED ? take_dropped(reader, value, out)
                               : key == EVENTS  ? take_events(reader, value, out)
                                                : take_event_key(reader, key, value, single));
        if (!ok)
            return false;
        out->has_count |= key == COUNT;
    }
    if (!single)
        return true;
    if (out->has_events)
        return error_set_at(reader->err, node->position,
                            "expect: either events, or what the only event is to be");
    out->events = single;
    out->event_count = 1;
    out->has_events = true;
    return true;
}

static bool take_input(const struct check_reader *reader, const struct yaml_tree *node,
                       struct check_input *out)
{
    out->position = node->position;
    if (node->type == YAML_TREE_MAP)
        return check_take_object(reader, node, "input", &out->fields);
    return check_take_text(reader, node, "input", &out->line);
}

static bool take_inputs(const struct check_reader *reader, const struct yaml_tree *node,
                        struct check_case *out)
{
    bool is_list = node->type == YAML_TREE_LIST;
    out->input_count = is_list ? node->count : 1;
    out->inputs = arena_zero(reader->arena, (out->input_count + 1) * sizeof *out->inputs);
    for (size_t i = 0; i < out->input_count; i++)
        if (!take_input(reader, is_list ? &node->items[i] : node, &out->inputs[i]))
            return false;
    return true;
}

static bool take_case(const struct check_reader *reader, const struct yaml_tree *node,
                      struct check_case *out)
{
    static const char *const KEYS[] = {"name", "input", "to", "expect", "ignore", NULL};
    enum { NAME, INPUT, TO, EXPECT, IGNORE };
    if (node->type != YAML_TREE_MAP)
        return check_refuse(reader, node, "tests", "a list of tests");
    *out = (struct check_case){.name = STR("without a name"),
                               .position = node->position,
                               .ignore = value_array_new(reader->arena, 0)};
    bool has_expect = false;
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_tree *value = &node->items[i];
        int key = find_key(reader, &node->keys[i], KEYS);
        bool ok =
            key >= 0 && (key == NAME     ? check_take_text(reader, value, "name", &out->name)
                         : key == INPUT  ? take_inputs(reader, value, out)
                         : key == TO     ? check_take_text(reader, value, "to", &out->input_name)
                         : key == IGNORE ? check_take_texts(reader, value, "ignore", &out->ignore)
                                         : take_expect(reader, value, out));
        if (!ok)
            return false;
        has_expect |= key == EXPECT;
    }
    if (out->input_count == 0)
        return error_set_at(reader->err, node->position, "the test has no input");
    return has_expect || error_set_at(reader->err, node->position, "the test expects nothing");
}

/* ---- a file -------------------------------------------------------------------------------------- */

struct instant check_default_now(void)
{
    struct civil civil = {.year = 2000, .month = 1, .day = 1};
    return (struct instant){.seconds = civil_to_seconds(&civil)};
}

static bool take_cases(const struct check_reader *reader, const struct yaml_tree *node,
                       struct check_file *file)
{
    if (node->type != YAML_TREE_LIST)
        return check_refuse(reader, node, "tests", "a list of tests");
    file->cases = arena_zero(reader->arena, (node->count + 1) * sizeof *file->cases);
    for (; file->case_count < node->count; file->case_count++)
        if (!take_case(reader, &node->items[file->case_count], &file->cases[file->case_count])) {
            file->case_count++; /* what it has compiled is to be freed */
            return false;
        }
    return true;
}

static bool take_env(const struct check_reader *reader, const struct yaml_tree *node,
                     struct check_file *file)
{
    struct str text;
    if (node->type != YAML_TREE_MAP)
        return check_refuse(reader, node, "env", "names and their values");
    for (size_t i = 0; i < node->count; i++)
        if (!check_take_text(reader, &node->items[i], "env", &text))
            return false;
    file->env = *node;
    return true;
}

static bool take_time(const struct check_reader *reader, const struct yaml_tree *node,
                      struct check_file *file)
{
    struct str text;
    return check_take_text(reader, node, "now", &text) &&
           (instant_parse_iso8601(text, &file->now) ||
            check_refuse(reader, node, "now", "a time such as 2026-01-02T03:04:05Z"));
}

static bool take_file(const struct check_reader *reader, const struct yaml_tree *tree,
                      struct check_file *file)
{
    static const char *const KEYS[] = {"pipeline", "now", "online", "env", "tests", NULL};
    enum { PIPELINE, NOW, ONLINE, ENV, TESTS };
    if (tree->type != YAML_TREE_MAP)
        return check_refuse(reader, tree, "a file of tests", "pipeline, tests");
    for (size_t i = 0; i < tree->count; i++) {
        const struct yaml_tree *value = &tree->items[i];
        int key = find_key(reader, &tree->keys[i], KEYS);
        bool ok = key >= 0 &&
                  (key == PIPELINE ? check_take_text(reader, value, "pipeline", &file->pipeline)
                   : key == NOW    ? take_time(reader, value, file)
                   : key == ONLINE ? take_bool(reader, value, "online", &file->online)
                   : key == ENV    ? take_env(reader, value, file)
                                   : take_cases(reader, value, file));
        if (!ok)
            return false;
    }
    return file->case_count > 0 || error_set_at(reader->err, tree->position, "there are no tests");
}

bool check_file_read(struct arena *arena, const char *path, struct check_file *out,
                     struct error *err)
{
    struct check_reader reader = {arena, err};
    struct yaml_tree tree;
    *out = (struct check_file){.arena = arena, .path = path, .now = check_default_now()};
    if (!yaml_tree_read(arena, path, &tree, err))
        return false;
    return str_ends_with(str_from(path), STR(".json")) ? check_take_verifier(&reader, &tree, out)
                                                       : take_file(&reader, &tree, out);
}

void check_file_release(struct check_file *file)
{
    for (size_t i = 0; i < file->case_count; i++)
        for (size_t event = 0; event < file->cases[i].event_count; event++)
            for (size_t at = 0; at < file->cases[i].events[event].pattern_count; at++)
                regex_free(file->cases[i].events[event].patterns[at].regex);
    file->case_count = 0;
}
