/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/rest/bulk_body.h"

#include <assert.h>

#include "base/json/json_scan.h"
#include "base/text/utf8.h"

void bulk_body_init(struct bulk_body *body, struct json_reader *json, struct arena *arena,
                    struct str text, struct str default_index)
{
    *body = (struct bulk_body){
        .json = json, .arena = arena, .rest = text, .default_index = default_index};
}

static bool next_line(struct bulk_body *body, struct str *out)
{
    if (body->rest.len == 0)
        return false;
    const char *end = memchr(body->rest.ptr, '\n', body->rest.len);
    size_t len = end ? (size_t)(end - body->rest.ptr) : body->rest.len;
    *out = str_make(body->rest.ptr, len);
    body->rest = str_from_offset(body->rest, len + 1);
    body->line++;
    return true;
}

static bool action_of(struct str name, enum document_action *out)
{
    for (*out = DOCUMENT_INDEX; *out <= DOCUMENT_DELETE; ++*out)
        if (str_equal(name, str_from(document_action_name(*out))))
            return true;
    return false;
}

/* ---- the common forms, without a tree ---- */

static struct str text_of(struct str line, const struct json_token *token)
{
    assert(token->at <= token->end && token->end <= line.len);
    return str_make(line.ptr + token->at, token->end - token->at);
}

static bool is_plain_string(const struct json_token *token)
{
    return token->type == JSON_STRING && token->escapes == JSON_NO_ESCAPES;
}

/* {"index":{}}, {"create":{"_index":"a","_id":"b"}}: an action with names of which none has escapes. */
static bool read_plain(const struct bulk_body *body, struct str line, struct document_write *out)
{
    if (!JSON_FAST || !body->tape || line.len > BULK_ACTION_LINE_MAX ||
        !json_scan(body->tape, line, NULL))
        return false;
    const struct json_token *root = body->tape->tokens, *action = root + 1, *meta = root + 2;
    if (root->type != JSON_OBJECT || root->items != 1 || meta->type != JSON_OBJECT ||
        !action_of(text_of(line, action), &out->action))
        return false;
    const struct json_token *key = meta + 1;
    for (uint32_t i = 0; i < meta->items; i++, key += 2) {
        if (!is_plain_string(key) || !is_plain_string(key + 1))
            return false;
        if (str_equal(text_of(line, key), STR("_index")))
            out->index = text_of(line, key + 1);
        else if (str_equal(text_of(line, key), STR("_id")))
            out->id = text_of(line, key + 1);
        else
            return false;
    }
    return true;
}

/* ---- any form ---- */

static bool malformed(const struct bulk_body *body, struct api_error *err, const char *why)
{
    return api_error_set(err, 400, "illegal_argument_exception",
                         "Malformed action/metadata line [%zu], %s", body->line, why);
}

static bool read_number(const struct bulk_body *body, const struct value *value, int64_t *out,
                        struct api_error *err)
{
    if (value_type(value) == VALUE_INT)
        *out = value_as_int(value);
    else if (!value_is_str(value) || !str_to_int(value_as_str(value), out))
        return malformed(body, err, "expected a number");
    return true;
}

static bool read_versioning(const struct bulk_body *body, struct str text,
                            struct document_write *out, struct api_error *err)
{
    if (str_equal(text, STR("internal")))
        out->versioning = VERSION_INTERNAL;
    else if (str_equal(text, STR("external")) || str_equal(text, STR("external_gt")))
        out->versioning = VERSION_EXTERNAL;
    else if (str_equal(text, STR("external_gte")))
        out->versioning = VERSION_EXTERNAL_GTE;
    else
        return malformed(body, err, "unknown version_type");
    return true;
}

static bool is_passed_over(struct str key)
{
    static const char *const NAMES[] = {"_type",
                                        "routing",
                                        "_routing",
                                        "parent",
                                        "_parent",
                                        "require_alias",
                                        "retry_on_conflict",
                                        "_retry_on_conflict",
                                        "dynamic_templates",
                                        "_source"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (str_equal(key, str_from(NAMES[i])))
            return true;
    return false;
}

static bool read_member(const struct bulk_body *body, struct str key, const struct value *value,
                        struct document_write *out, struct api_error *err)
{
    struct str text = value_to_text(body->arena, value);
    if (str_equal(key, STR("_index"))) {
        out->index = text;
    } else if (str_equal(key, STR("_id"))) {
        out->id = value_type(value) == VALUE_NULL ? STR("") : text;
    } else if (str_equal(key, STR("if_seq_no"))) {
        out->has_if_seq = true;
        return read_number(body, value, &out->if_seq, err);
    } else if (str_equal(key, STR("if_primary_term"))) {
        out->has_if_term = true;
        return read_number(body, value, &out->if_term, err);
    } else if (str_equal(key, STR("version")) || str_equal(key, STR("_version"))) {
        return read_number(body, value, &out->version, err);
    } else if (str_equal(key, STR("version_type")) || str_equal(key, STR("_version_type"))) {
        return read_versioning(body, text, out, err);
    } else if (str_equal(key, STR("op_type"))) {
        out->must_be_new = str_equal(text, STR("create"));
    } else if (str_equal(key, STR("pipeline"))) {
        return str_equal(text, STR("_none")) ||
               api_error_set(err, 501, "unsupported_operation_exception",
                             "ingest pipelines are not supported");
    } else if (!is_passed_over(key)) {
        return api_error_set(err, 400, "illegal_argument_exception",
                             "Action/metadata line [%zu] contains an unknown parameter [%.*s]",
                             body->line, STR_FMT(key));
    }
    return true;
}

static bool read_tree(struct bulk_body *body, struct str line, struct document_write *out,
                      struct api_error *err)
{
    struct value root;
    struct str name;
    if (line.len > BULK_ACTION_LINE_MAX)
        return malformed(body, err, "the line is too long");
    if (!utf8_valid(line) || !json_decode(body->json, body->arena, line, &root, NULL))
        return malformed(body, err, "it is no JSON");
    if (value_type(&root) != VALUE_OBJECT || value_object_count(&root) != 1)
        return malformed(body, err, "expected an object with one action");
    const struct value *meta = value_object_at(&root, 0, &name);
    if (!action_of(name, &out->action))
        return malformed(body, err, "expected field [create], [delete], [index] or [update]");
    if (value_type(meta) != VALUE_OBJECT)
        return malformed(body, err, "expected START_OBJECT");
    for (size_t i = 0; i < value_object_count(meta); i++) {
        struct str key;
        const struct value *member = value_object_at(meta, i, &key);
        if (!read_member(body, key, member, out, err))
            return false;
    }
    return true;
}

/* ---- items ---- */

static enum bulk_next read_item(struct bulk_body *body, struct str line, struct document_write *out,
                                struct api_error *err)
{
    *out = (struct document_write){0};
    if (!read_plain(body, line, out)) {
        *out = (struct document_write){0};
        if (!read_tree(body, line, out, err))
            return BULK_BROKEN;
    }
    if (out->index.len == 0)
        out->index = body->default_index;
    if (out->index.len == 0) {
        api_error_set(err, 400, "action_request_validation_exception",
                      "Validation Failed: 1: index is missing;");
        return BULK_BROKEN;
    }
    if (out->action == DOCUMENT_DELETE || next_line(body, &out->body))
        return BULK_ITEM;
    api_error_set(err, 400, "illegal_argument_exception",
                  "The bulk request must have a document behind action line [%zu]", body->line);
    return BULK_BROKEN;
}

enum bulk_next bulk_body_next(struct bulk_body *body, struct document_write *out,
                              struct api_error *err)
{
    struct str line;
    do {
        if (!next_line(body, &line))
            return BULK_END;
    } while (str_trim(line).len == 0);
    assert(body->line > 0);
    return read_item(body, line, out, err);
}
