/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of tests that logstash-filter-verifier runs, in its JSON form: lines, the events that come of them, and fields that
 * are not compared.
 */
#include <assert.h>

#include "cmd/check_pipeline_read.h"

struct verifier {
    struct value fields; /* of every event */
    struct value ignore;
    bool is_json; /* a line is an event */
};

static bool decode(const struct check_reader *reader, const struct yaml_tree *node, struct str line,
                   struct value *out)
{
    struct json_reader *json = json_reader_new();
    bool ok = json_decode(json, reader->arena, line, out, NULL) && value_type(out) == VALUE_OBJECT;
    json_reader_free(json);
    return ok || check_refuse(reader, node, "input", "a JSON object: the codec is json_lines");
}

/* A line becomes the event that the tool would have Logstash make of it: the line as its message, and the fields. */
static bool take_line(const struct check_reader *reader, const struct verifier *verifier,
                      const struct yaml_tree *node, struct check_input *out)
{
    struct str line;
    *out = (struct check_input){.position = node->position,
                                .fields = value_object_new(reader->arena, 4)};
    if (!check_take_text(reader, node, "input", &line))
        return false;
    if (!verifier->is_json)
        value_object_set(reader->arena, &out->fields, STR("message"), value_str(line));
    else if (!decode(reader, node, line, &out->fields))
        return false;
    for (size_t i = 0; i < value_object_count(&verifier->fields); i++) {
        struct str name;
        const struct value *value = value_object_at(&verifier->fields, i, &name);
        value_object_set(reader->arena, &out->fields, name, *value);
    }
    return true;
}

static bool take_inputs(const struct check_reader *reader, const struct verifier *verifier,
                        const struct yaml_tree *node, struct check_case *out)
{
    if (node->type != YAML_TREE_LIST)
        return check_refuse(reader, node, "input", "a list of lines");
    out->input_count = node->count;
    out->inputs = arena_zero(reader->arena, (node->count + 1) * sizeof *out->inputs);
    for (size_t i = 0; i < node->count; i++)
        if (!take_line(reader, verifier, &node->items[i], &out->inputs[i]))
            return false;
    return true;
}

static bool take_events(const struct check_reader *reader, const struct yaml_tree *node,
                        struct check_case *out)
{
    if (node->type != YAML_TREE_LIST)
        return check_refuse(reader, node, "expected", "a list of events");
    out->has_events = true;
    out->event_count = node->count;
    out->events = arena_zero(reader->arena, (node->count + 1) * sizeof *out->events);
    for (size_t i = 0; i < node->count; i++) {
        check_init_event(reader, &node->items[i], &out->events[i]);
        if (!check_take_object(reader, &node->items[i], "expected", &out->events[i].whole))
            return false;
    }
    return true;
}

/* A map with input, expected and perhaps a description: the file itself, or one of its testcases. */
static bool take_case(const struct check_reader *reader, const struct verifier *verifier,
                      const struct yaml_tree *node, struct check_case *out)
{
    *out = (struct check_case){.name = STR("without a description"),
                               .position = node->position,
                               .ignore = verifier->ignore};
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_tree *value = &node->items[i];
        struct str key = node->keys[i].text;
        bool ok = true;
        if (str_equal(key, STR("input")))
            ok = take_inputs(reader, verifier, value, out);
        else if (str_equal(key, STR("expected")))
            ok = take_events(reader, value, out);
        else if (str_equal(key, STR("description")))
            ok = check_take_text(reader, value, "description", &out->name);
        if (!ok)
            return false;
    }
    return (out->input_count > 0 && out->has_events) ||
           error_set_at(reader->err, node->position, "a test case has input and expected");
}

static bool take_head(const struct check_reader *reader, const struct yaml_tree *tree,
                      struct verifier *out, const struct yaml_tree **cases_out)
{
    struct str codec = STR("line");
    *cases_out = NULL;
    out->fields = value_object_new(reader->arena, 0);
    out->ignore = value_array_new(reader->arena, 1);
    for (size_t i = 0; i < tree->count; i++) {
        const struct yaml_tree *value = &tree->items[i];
        struct str key = tree->keys[i].text;
        bool ok = true;
        if (str_equal(key, STR("fields")))
            ok = check_take_object(reader, value, "fields", &out->fields);
        else if (str_equal(key, STR("ignore")))
            ok = check_take_texts(reader, value, "ignore", &out->ignore);
        else if (str_equal(key, STR("codec")))
            ok = check_take_text(reader, value, "codec", &codec);
        else if (str_equal(key, STR("testcases")))
            *cases_out = value;
        if (!ok)
            return false;
    }
    out->is_json = str_equal(codec, STR("json_lines"));
    value_array_push(reader->arena, &out->ignore, value_str(STR("@version")));
    return out->is_json || str_equal(codec, STR("line")) || str_equal(codec, STR("plain")) ||
           error_set_at(reader->err, tree->position, "codec '%.*s' is neither line nor json_lines",
                        STR_FMT(codec));
}

bool check_take_verifier(const struct check_reader *reader, const struct yaml_tree *tree,
                         struct check_file *file)
{
    struct verifier verifier = {.is_json = false};
    const struct yaml_tree *cases;
    if (tree->type != YAML_TREE_MAP)
        return check_refuse(reader, tree, "a file of logstash-filter-verifier", "an object");
    if (!take_head(reader, tree, &verifier, &cases))
        return false;
    if (cases && cases->type != YAML_TREE_LIST)
        return check_refuse(reader, cases, "testcases", "a list");
    size_t count = cases ? cases->count : 1;
    file->cases = arena_zero(reader->arena, (count + 1) * sizeof *file->cases);
    for (; file->case_count < count; file->case_count++)
        if (!take_case(reader, &verifier, cases ? &cases->items[file->case_count] : tree,
                       &file->cases[file->case_count]))
            return false;
    assert(file->case_count == count);
    return count > 0 || error_set_at(reader->err, tree->position, "there are no test cases");
}
