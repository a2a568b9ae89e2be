/* SPDX-License-Identifier: Apache-2.0
 *
 * Single documents by their identifiers.
 */
#include <assert.h>

#include "services/store/rest/rest.h"
#include "services/store/search/source_filter.h"

/* ---- writing ---- */

static bool read_number(const struct rest_request *request, struct str name, bool *has_out,
                        int64_t *out, struct api_error *err)
{
    struct str text = rest_param(request, name);
    *has_out = text.len > 0;
    return !*has_out || str_to_int(text, out) ||
           api_error_set(err, 400, "illegal_argument_exception",
                         "Failed to parse long parameter [%.*s]", STR_FMT(name));
}

static bool read_versioning(const struct rest_request *request, struct document_write *write,
                            struct api_error *err)
{
    struct str text = rest_param(request, STR("version_type"));
    bool has_version;
    if (str_equal(text, STR("external")) || str_equal(text, STR("external_gt")))
        write->versioning = VERSION_EXTERNAL;
    else if (str_equal(text, STR("external_gte")))
        write->versioning = VERSION_EXTERNAL_GTE;
    else if (text.len > 0 && !str_equal(text, STR("internal")))
        return api_error_set(err, 400, "illegal_argument_exception", "No version type match [%.*s]",
                             STR_FMT(text));
    return read_number(request, STR("version"), &has_version, &write->version, err) &&
           read_number(request, STR("if_seq_no"), &write->has_if_seq, &write->if_seq, err) &&
           read_number(request, STR("if_primary_term"), &write->has_if_term, &write->if_term, err);
}

static bool check_request(const struct rest_request *request, struct document_write *write,
                          struct api_error *err)
{
    struct str pipeline = rest_param(request, STR("pipeline"));
    if (pipeline.len > 0 && !str_equal(pipeline, STR("_none")))
        return api_error_set(err, 501, "unsupported_operation_exception",
                             "ingest pipelines are not supported");
    if (write->action != DOCUMENT_DELETE && str_trim(write->body).len == 0)
        return api_error_set(err, 400, "parse_exception", "request body is required");
    write->must_be_new = str_equal(rest_param(request, STR("op_type")), STR("create"));
    return read_versioning(request, write, err);
}

static void run(struct worker *worker, struct rest_request *request, enum document_action action)
{
    struct document_write write = {.action = action,
                                   .index = request->index,
                                   .id = request->name,
                                   .body = request->exchange->body};
    struct document_result result;
    struct api_error err;
    if (!check_request(request, &write, &err)) {
        rest_error(request, &err);
        return;
    }
    if (!document_write(&worker->writer, &write, &result))
        return;
    if (!result.done) {
        rest_error(request, &result.err);
        return;
    }
    request->status = result.status;
    document_result_write(&result, request->index, &request->answer);
    buf_append_char(&request->answer, '}');
}

void rest_put_document(struct worker *worker, struct rest_request *request)
{
    run(worker, request, DOCUMENT_INDEX);
}

void rest_create_document(struct worker *worker, struct rest_request *request)
{
    run(worker, request, DOCUMENT_CREATE);
}

void rest_update_document(struct worker *worker, struct rest_request *request)
{
    run(worker, request, DOCUMENT_UPDATE);
}

void rest_delete_document(struct worker *worker, struct rest_request *request)
{
    run(worker, request, DOCUMENT_DELETE);
}

/* ---- reading ---- */

static bool find(struct worker *worker, struct rest_request *request, struct document_row *row)
{
    struct api_error err;
    struct index_list found;
    if (!index_expression_is_name(request->index)) {
        catalog_not_found(request->index, &err);
        rest_error(request, &err);
        return false;
    }
    if (!catalog_resolve(&worker->catalog, &worker->scratch,
                         (struct index_selection){.expression = request->index}, &found, &err)) {
        rest_error(request, &err);
        return false;
    }
    if (found.count == 1) {
        request->index = found.items[0]->name;
        return documents_read(&worker->catalog, found.items[0], request->name, &worker->scratch,
                              row);
    }
    if (found.count > 1)
        api_error_set(&err, 400, "illegal_argument_exception",
                      "alias [%.*s] has more than one index associated with it, can't execute a "
                      "single index op",
                      STR_FMT(request->index));
    else
        catalog_not_found(request->index, &err);
    rest_error(request, &err);
    return false;
}

static void read_filter(struct worker *worker, const struct rest_request *request,
                        struct source_filter *out)
{
    source_filter_from_url(&worker->scratch, rest_param(request, STR("_source")),
                           rest_param(request, STR("_source_includes")),
                           rest_param(request, STR("_source_excludes")), out);
}

/* As it was sent, unless a part of it is asked for. */
static void write_source(struct worker *worker, struct str source,
                         const struct source_filter *filter, struct buf *out)
{
    struct value whole, part;
    if (source_filter_shows_all(filter) ||
        !json_decode(worker->catalog.json, &worker->scratch, source, &whole, NULL)) {
        buf_append_str(out, source);
        return;
    }
    part = source_filter_apply(filter, &worker->scratch, &whole);
    json_encode_value(&part, out);
}

void rest_get_document(struct worker *worker, struct rest_request *request)
{
    struct document_row row;
    struct source_filter filter;
    struct buf *out = &request->answer;
    if (!find(worker, request, &row))
        return;
    buf_append_str(out, STR("{\"_index\":"));
    json_encode_str(request->index, out);
    buf_append_str(out, STR(",\"_id\":"));
    json_encode_str(request->name, out);
    if (row.seq < 0) {
        request->status = 404;
        buf_append_str(out, STR(",\"found\":false}"));
        return;
    }
    buf_printf(out, ",\"_version\":%lld,\"_seq_no\":%lld,\"_primary_term\":%d,\"found\":true",
               (long long)row.version, (long long)row.seq, DOCUMENTS_PRIMARY_TERM);
    read_filter(worker, request, &filter);
    if (!filter.is_hidden) {
        buf_append_str(out, STR(",\"_source\":"));
        write_source(worker, str_trim(row.source), &filter, out);
    }
    buf_append_char(out, '}');
}

void rest_get_source(struct worker *worker, struct rest_request *request)
{
    struct document_row row;
    struct source_filter filter;
    struct api_error err;
    read_filter(worker, request, &filter);
    if (filter.is_hidden) {
        api_error_set(&err, 400, "action_request_validation_exception",
                      "Validation Failed: 1: fetching source can not be disabled;");
        rest_error(request, &err);
        return;
    }
    if (!find(worker, request, &row))
        return;
    if (row.seq >= 0) {
        write_source(worker, row.source, &filter, &request->answer);
        return;
    }
    api_error_set(&err, 404, "resource_not_found_exception", "Document not found [%.*s]/[%.*s]",
                  STR_FMT(request->index), STR_FMT(request->name));
    rest_error(request, &err);
}
