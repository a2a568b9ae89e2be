/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/rest/bulk_body.h"

#include <assert.h>

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

/* ---- the common forms, without a tree ---- */

/* Takes the literal off the text. */
static bool skip(struct str *text, struct str literal)
{
    if (!str_starts_with(*text, literal))
        return false;
    *text = str_from_offset(*text, literal.len);
    return true;
}

/* A string without escapes, up to its closing quote. */
static bool plain_string(struct str *text, struct str *out)
{
    size_t len = 0;
    while (len < text->len && text->ptr[len] != '"' && text->ptr[len] != '\\' &&
           (unsigned char)text->ptr[len] >= 0x20)
        len++;
    if (len == text->len || text->ptr[len] != '"')
        return false;
    *out = str_make(text->ptr, len);
    *text = str_from_offset(*text, len + 1);
    return utf8_valid(*out);
}

/* {"index":{}}, {"create":{"_index":"a","_id":"b"}} as most clients write them. */
static bool read_plain(struct str line, struct document_write *out)
{
    if (skip(&line, STR("{\"index\":{")))
        out->action = DOCUMENT_INDEX;
    else if (skip(&line, STR("{\"create\":{")))
        out->action = DOCUMENT_CREATE;
    else
        return false;
    if (skip(&line, STR("\"_index\":\"")) &&
        (!plain_string(&line, &out->index) ||
         (line.len > 0 && line.ptr[0] != '}' && !skip(&line, STR(",")))))
        return false;
    if (skip(&line, STR("\"_id\":\"")) && !plain_string(&line, &out->id))
        return false;
    return str_equal(str_trim(line), STR("}}"));
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

static bool read_action(const struct bulk_body *body, struct str name, struct document_write *out,
                        struct api_error *err)
{
    for (enum document_action action = DOCUMENT_INDEX; action <= DOCUMENT_DELETE; action++)
        if (str_equal(name, str_from(document_action_name(action)))) {
            out->action = action;
            return true;
        }
    return malformed(body, err, "expected field [create], [delete], [index] or [update]");
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
    if (!read_action(body, name, out, err))
        return false;
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
    if (!read_plain(line, out)) {
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
