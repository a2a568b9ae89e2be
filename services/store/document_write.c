/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/document_write.h"

#include <assert.h>
#include <stdio.h>

#include "base/text/utf8.h"
#include "services/store/aliases.h"
#include "services/store/mapping/field_value.h"
#include "services/store/mapping/mapping_field.h"

enum { UPDATE_MAX_BYTES = 512 * 1024 * 1024 };

/* One write under way. */
struct step {
    struct document_writer *writer;
    const struct document_write *write;
    struct document_result *out;
    struct store_index *index;
    struct document_row old;
    struct value document;
};

const char *document_action_name(enum document_action action)
{
    static const char *const NAMES[] = {"index", "create", "update", "delete"};
    assert(action <= DOCUMENT_DELETE);
    return NAMES[action];
}

void document_writer_init(struct document_writer *writer, struct catalog *catalog)
{
    *writer = (struct document_writer){.catalog = catalog};
    arena_init(&writer->scratch, NULL);
    buf_init(&writer->merged, UPDATE_MAX_BYTES);
}

void document_writer_release(struct document_writer *writer)
{
    arena_release(&writer->scratch);
    buf_release(&writer->merged);
}

void document_writer_begin(struct document_writer *writer)
{
    writer->last = NULL;
}

/* ---- conflicts ---- */

static bool conflict(const struct step *step, const char *why)
{
    return api_error_set(&step->out->err, 409, "version_conflict_engine_exception",
                         "[%.*s]: version conflict, %s", STR_FMT(step->write->id), why);
}

static bool check_sequence(const struct step *step)
{
    const struct document_write *write = step->write;
    if (!write->has_if_seq && !write->has_if_term)
        return true;
    char why[200];
    if (step->old.seq < 0)
        snprintf(why, sizeof why,
                 "required seqNo [%lld], primary term [%lld]. but no document was found",
                 (long long)write->if_seq, (long long)write->if_term);
    else
        snprintf(
            why, sizeof why,
            "required seqNo [%lld], primary term [%lld]. current document has seqNo [%lld] and "
            "primary term [%d]",
            (long long)write->if_seq, (long long)write->if_term, (long long)step->old.seq,
            DOCUMENTS_PRIMARY_TERM);
    bool holds = step->old.seq >= 0 && (!write->has_if_seq || write->if_seq == step->old.seq) &&
                 (!write->has_if_term || write->if_term == DOCUMENTS_PRIMARY_TERM);
    return holds || conflict(step, why);
}

static bool check_version(const struct step *step)
{
    const struct document_write *write = step->write;
    if (write->versioning == VERSION_INTERNAL || step->old.seq < 0)
        return true;
    bool gte = write->versioning == VERSION_EXTERNAL_GTE;
    if (write->version > step->old.version || (gte && write->version == step->old.version))
        return true;
    char why[200];
    snprintf(why, sizeof why, "current version [%lld] is %s than the one provided [%lld]",
             (long long)step->old.version, gte ? "higher" : "higher or equal",
             (long long)write->version);
    return conflict(step, why);
}

static int64_t next_version(const struct step *step)
{
    if (step->write->versioning != VERSION_INTERNAL)
        return step->write->version;
    return step->old.seq < 0 ? 1 : step->old.version + 1;
}

/* ---- the index ---- */

static bool find_index(struct step *step, bool create)
{
    struct document_writer *writer = step->writer;
    struct str name = step->write->index;
    if (!writer->last || !str_equal(writer->last->name, name))
        writer->last = catalog_write_index(writer->catalog, name, &step->out->err);
    if (!writer->last && step->out->err.status != 0)
        return false;
    if (!writer->last && create)
        writer->last = catalog_create(writer->catalog, name, NULL, &step->out->err);
    else if (!writer->last)
        catalog_not_found(name, &step->out->err);
    step->index = writer->last;
    if (!step->index)
        return false;
    step->out->index = step->index->name;
    return true;
}

/* ---- the document ---- */

static bool not_json(struct step *step, const char *why)
{
    api_error_set(&step->out->err, 400, "mapper_parsing_exception", "failed to parse");
    return api_error_cause(&step->out->err, "json_parse_exception", "%s", why);
}

static bool parse(struct step *step, struct str text, struct value *out)
{
    struct error err;
    if (!utf8_valid(text))
        return not_json(step, "Invalid UTF-8");
    if (!json_decode(step->writer->catalog->json, &step->writer->scratch, text, out, &err))
        return not_json(step, err.text);
    return true;
}

/* Its one @timestamp, when the mapping knows it as a date. */
static bool time_of(const struct step *step, int64_t *ms_out)
{
    const struct value *value = value_object_get(&step->document, STR("@timestamp"));
    if (!value || value_type(value) == VALUE_ARRAY || value_type(value) == VALUE_NULL)
        return false;
    const struct field *field = mapping_find(step->index->mapping, STR("@timestamp"));
    return field && field->type == FIELD_DATE && field_value_date(field, value, ms_out);
}

static bool done(struct step *step, const char *result, int status)
{
    step->out->done = true;
    step->out->result = result;
    step->out->status = status;
    return true;
}

/* Stores step->document, whose text is source, in the place of step->old. */
static bool put(struct step *step, struct str source)
{
    struct catalog *catalog = step->writer->catalog;
    if (!catalog_need_mapping(catalog, step->index))
        return false;
    uint64_t version = mapping_version(step->index->mapping);
    if (!mapping_apply(step->index->mapping, step->write->id, &step->document, &step->out->err))
        return true;
    step->index->dirty = step->index->dirty || mapping_version(step->index->mapping) != version;
    struct document_new document = {
        .id = step->write->id, .version = next_version(step), .source = source};
    document.has_time = time_of(step, &document.time_ms);
    bool replaces = step->old.seq >= 0;
    if (replaces && !documents_remove(catalog, step->index, &step->old, NULL))
        return false;
    if (!documents_insert(catalog, step->index, &document, &step->out->seq))
        return false;
    step->out->version = document.version;
    if (document.id.len == 0) {
        document_id_make(step->index->tag, step->out->seq, step->out->made_id);
        step->out->id = str_make(step->out->made_id, DOCUMENT_ID_BYTES);
    }
    return done(step, replaces ? "updated" : "created", replaces ? 200 : 201);
}

static bool check_id(const struct step *step)
{
    struct str id = step->write->id;
    if (id.len > DOCUMENT_ID_MAX)
        return api_error_set(&step->out->err, 400, "illegal_argument_exception",
                             "id [%.*s] is too long, must be no longer than 512 bytes but was: %zu",
                             100, id.ptr, id.len);
    return id.len > 0 || step->write->action == DOCUMENT_INDEX ||
           step->write->action == DOCUMENT_CREATE ||
           api_error_set(&step->out->err, 400, "action_request_validation_exception",
                         "Validation Failed: 1: an id is required for a %s;",
                         document_action_name(step->write->action));
}

static bool write_index(struct step *step)
{
    bool must_be_new = step->write->action == DOCUMENT_CREATE || step->write->must_be_new;
    if (!parse(step, step->write->body, &step->document))
        return true;
    if (!find_index(step, true))
        return !step->writer->catalog->database->failed;
    if (step->write->id.len > 0 &&
        !documents_find(step->writer->catalog, step->index, step->write->id, &step->old))
        return false;
    if (must_be_new && step->old.seq >= 0) {
        char why[100];
        snprintf(why, sizeof why, "document already exists (current version [%lld])",
                 (long long)step->old.version);
        conflict(step, why);
        return true;
    }
    if (!check_sequence(step) || !check_version(step))
        return true;
    return put(step, step->write->body);
}

static bool write_delete(struct step *step)
{
    struct catalog *catalog = step->writer->catalog;
    if (!find_index(step, false))
        return true;
    if (!documents_find(catalog, step->index, step->write->id, &step->old))
        return false;
    if (!check_sequence(step) || !check_version(step))
        return true;
    step->out->version = next_version(step);
    if (step->old.seq < 0) {
        step->out->seq = step->index->next_seq++;
        step->index->dirty = true;
        return done(step, "not_found", 404);
    }
    if (!documents_remove(catalog, step->index, &step->old, &step->out->seq))
        return false;
    return done(step, "deleted", 200);
}

/* ---- updates ---- */

static const struct value *member(const struct value *object, const char *key)
{
    return value_type(object) == VALUE_OBJECT ? value_object_get(object, str_from(key)) : NULL;
}

static bool flag(const struct value *request, const char *key, bool absent)
{
    const struct value *value = member(request, key);
    return value && value_type(value) == VALUE_BOOL ? value_as_bool(value) : absent;
}

/* Objects are merged, all else is replaced. */
static void merge(struct arena *arena, struct value *into, const struct value *from)
{
    for (size_t i = 0; i < value_object_count(from); i++) {
        struct str key;
        const struct value *item = value_object_at(from, i, &key);
        struct value *there = value_object_get(into, key);
        if (there && value_type(there) == VALUE_OBJECT && value_type(item) == VALUE_OBJECT)
            merge(arena, there, item);
        else
            value_object_set(arena, into, key, value_dup(arena, item));
    }
}

static bool put_value(struct step *step, const struct value *document)
{
    struct buf *text = &step->writer->merged;
    buf_clear(text, 64 * 1024);
    if (!json_encode_value(document, text))
        return not_json(step, "the document is too large"), true;
    step->document = *document;
    return put(step, buf_str(text));
}

static bool missing(struct step *step)
{
    api_error_set(&step->out->err, 404, "document_missing_exception", "[%.*s]: document missing",
                  STR_FMT(step->write->id));
    return true;
}

static bool update_absent(struct step *step, const struct value *request)
{
    const struct value *doc = member(request, "doc"), *upsert = member(request, "upsert");
    if (upsert && value_type(upsert) == VALUE_OBJECT)
        return put_value(step, upsert);
    if (doc && flag(request, "doc_as_upsert", false))
        return put_value(step, doc);
    return missing(step);
}

static bool update_present(struct step *step, const struct value *request)
{
    struct catalog *catalog = step->writer->catalog;
    struct arena *arena = &step->writer->scratch;
    const struct value *doc = member(request, "doc");
    struct document_row row;
    struct value document, before;
    if (!documents_read(catalog, step->index, step->write->id, arena, &row))
        return false;
    if (!parse(step, row.source, &document))
        return true;
    before = value_dup(arena, &document);
    if (doc)
        merge(arena, &document, doc);
    if (flag(request, "detect_noop", true) && value_equal(&before, &document)) {
        step->out->version = row.version;
        step->out->seq = row.seq;
        return done(step, "noop", 200);
    }
    return put_value(step, &document);
}

static bool check_update(struct step *step, const struct value *request)
{
    const struct value *doc = member(request, "doc");
    if (value_type(request) != VALUE_OBJECT || (doc && value_type(doc) != VALUE_OBJECT))
        return api_error_set(&step->out->err, 400, "x_content_parse_exception",
                             "[UpdateRequest] doc must be an object");
    if (member(request, "script") || flag(request, "scripted_upsert", false))
        return api_error_set(&step->out->err, 501, "unsupported_operation_exception",
                             "updates by script are not supported");
    return doc || member(request, "upsert") ||
           api_error_set(&step->out->err, 400, "action_request_validation_exception",
                         "Validation Failed: 1: script or doc is missing;");
}

static bool write_update(struct step *step)
{
    struct value request;
    if (!parse(step, step->write->body, &request) || !check_update(step, &request))
        return true;
    bool may_create = member(&request, "upsert") || flag(&request, "doc_as_upsert", false);
    if (!find_index(step, may_create)) {
        if (step->out->err.status == 404)
            return missing(step);
        return !step->writer->catalog->database->failed;
    }
    if (!documents_find(step->writer->catalog, step->index, step->write->id, &step->old))
        return false;
    if (!check_sequence(step))
        return true;
    return step->old.seq < 0 ? update_absent(step, &request) : update_present(step, &request);
}

bool document_write(struct document_writer *writer, const struct document_write *write,
                    struct document_result *out)
{
    struct step step = {.writer = writer, .write = write, .out = out, .old = {.seq = -1}};
    out->done = false;
    out->id = write->id;
    out->index = (struct str){0};
    out->version = out->seq = 0;
    arena_reset(&writer->scratch);
    if (!check_id(&step))
        return true;
    bool good = false;
    switch (write->action) {
    case DOCUMENT_INDEX:
    case DOCUMENT_CREATE:
        good = write_index(&step);
        break;
    case DOCUMENT_UPDATE:
        good = write_update(&step);
        break;
    case DOCUMENT_DELETE:
        good = write_delete(&step);
        break;
    }
    if (writer->catalog->database->failed)
        writer->last = NULL;
    return good && !writer->catalog->database->failed;
}

bool document_result_write(const struct document_result *result, struct str index, struct buf *out)
{
    assert(result->done);
    return buf_append_str(out, STR("{\"_index\":")) &&
           json_encode_str(result->index.len > 0 ? result->index : index, out) &&
           buf_append_str(out, STR(",\"_id\":")) && json_encode_str(result->id, out) &&
           buf_printf(
               out,
               ",\"_version\":%lld,\"result\":\"%s\",\"_shards\":{\"total\":1,\"successful\":%d,"
               "\"failed\":0},\"_seq_no\":%lld,\"_primary_term\":%d",
               (long long)result->version, result->result,
               str_equal(str_from(result->result), STR("noop")) ? 0 : 1, (long long)result->seq,
               DOCUMENTS_PRIMARY_TERM);
}
