/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/rest/rest.h"

#include <assert.h>

#include "base/text/utf8.h"
#include "services/store/rest/filter_path.h"

void rest_error(struct rest_request *request, const struct api_error *err)
{
    buf_clear(&request->answer, 0);
    request->status = err->status;
    request->content_type = "application/json; charset=UTF-8";
    api_error_write(err, &request->answer);
}

struct str rest_param(const struct rest_request *request, struct str name)
{
    const struct http_parameter *parameter =
        http_target_parameter(&request->exchange->target, name);
    return parameter ? parameter->value : STR("");
}

bool rest_flag(const struct rest_request *request, struct str name)
{
    const struct http_parameter *parameter =
        http_target_parameter(&request->exchange->target, name);
    return parameter && !str_equal(parameter->value, STR("false"));
}

bool rest_body(struct worker *worker, struct rest_request *request, struct value *out)
{
    struct error err;
    struct api_error answer;
    struct str text = request->exchange->body;
    *out = value_object_new(&worker->scratch, 0);
    if (str_trim(text).len == 0)
        return true;
    if (!utf8_valid(text))
        error_set(&err, ERROR_FORMAT, "Invalid UTF-8");
    else if (json_decode(worker->catalog.json, &worker->scratch, text, out, &err)) {
        if (value_type(out) == VALUE_OBJECT)
            return true;
        error_set(&err, ERROR_FORMAT, "Expected START_OBJECT");
    }
    api_error_set(&answer, 400, "parse_exception", "Failed to parse content to map");
    api_error_cause(&answer, "json_parse_exception", "%s", err.text);
    rest_error(request, &answer);
    return false;
}

void rest_acknowledge(struct rest_request *request)
{
    buf_append_str(&request->answer, STR("{\"acknowledged\":true}"));
}

struct index_selection rest_selection(const struct rest_request *request)
{
    return (struct index_selection){.expression = request->index,
                                    .lenient = rest_flag(request, STR("ignore_unavailable"))};
}

bool rest_indices(struct worker *worker, struct rest_request *request, struct index_list *out)
{
    struct api_error err;
    if (!catalog_resolve(&worker->catalog, &worker->scratch, rest_selection(request), out, &err)) {
        rest_error(request, &err);
        return false;
    }
    if (out->count > 0 || !str_equal(rest_param(request, STR("allow_no_indices")), STR("false")))
        return true;
    catalog_not_found(request->index, &err);
    rest_error(request, &err);
    return false;
}

void rest_comma(struct buf *out)
{
    if (out->len > 0 && out->ptr[out->len - 1] != '{' && out->ptr[out->len - 1] != '[')
        buf_append_char(out, ',');
}

/* ---- how an answer looks ---- */

static void break_line(struct buf *out, size_t depth)
{
    buf_append_char(out, '\n');
    for (size_t i = 0; i < depth && i < 100; i++)
        buf_append_str(out, STR("  "));
}

/* Our own JSON, which has no blanks between its parts. */
static void indent(struct str json, struct buf *out)
{
    bool in_text = false;
    size_t depth = 0;
    for (size_t i = 0; i < json.len; i++) {
        char byte = json.ptr[i];
        char next = i + 1 < json.len ? json.ptr[i + 1] : 0;
        bool closes = !in_text && (byte == '}' || byte == ']');
        if (closes && json.ptr[i - 1] != '{' && json.ptr[i - 1] != '[')
            break_line(out, depth - 1);
        buf_append_char(out, byte);
        if (in_text && byte == '\\') {
            buf_append_char(out, next);
            i++;
        } else if (byte == '"') {
            in_text = !in_text;
        } else if (!in_text && byte == ':') {
            buf_append_char(out, ' ');
        } else if (!in_text && byte == ',') {
            break_line(out, depth);
        } else if (closes) {
            depth--;
        } else if (!in_text && (byte == '{' || byte == '[')) {
            depth++;
            if (next != '}' && next != ']')
                break_line(out, depth);
        }
    }
    buf_append_char(out, '\n');
}

/* Sources of documents stand in answers as they were sent, so what is to be indented is written anew. */
static void make_pretty(struct worker *worker, struct rest_request *request)
{
    struct value tree;
    struct buf compact, pretty;
    arena_reset(&worker->scratch);
    if (!json_decode(worker->catalog.json, &worker->scratch, buf_str(&request->answer), &tree,
                     NULL))
        return;
    buf_init(&compact, REST_ANSWER_MAX);
    buf_init(&pretty, REST_ANSWER_MAX);
    if (json_encode_value(&tree, &compact))
        indent(buf_str(&compact), &pretty);
    buf_move(&request->answer, &pretty);
    buf_release(&compact);
}

void rest_finish(struct worker *worker, struct rest_request *request)
{
    if (request->answer.len == 0 || request->answer.ptr[0] != '{')
        return;
    struct str filter = rest_param(request, STR("filter_path"));
    struct api_error err;
    if (filter.len > 0 && request->status < 400 &&
        !filter_path_apply(filter, worker->catalog.json, &request->answer)) {
        api_error_set(&err, 400, "illegal_argument_exception",
                      "filter_path has too many parts, or is too long");
        rest_error(request, &err);
    }
    if (rest_flag(request, STR("pretty")))
        make_pretty(worker, request);
}
