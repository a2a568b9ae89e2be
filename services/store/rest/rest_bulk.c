/* SPDX-License-Identifier: Apache-2.0
 *
 * Bulk requests. Items are answered one by one; a request that cannot be read is refused as a whole before anything of
 * it is written.
 */
#include "services/store/rest/bulk_body.h"
#include "services/store/rest/rest.h"

/* What outputs ask for; answered without making the rest first. */
static const struct str SLIM = STR_INIT("errors,items.*.error,items.*.status");

static bool check_body(struct worker *worker, const struct bulk_body *start, struct api_error *err)
{
    struct bulk_body body = *start;
    struct document_write item;
    enum bulk_next next;
    size_t count = 0;
    if (start->rest.len == 0)
        return api_error_set(err, 400, "parse_exception", "request body is required");
    if (start->rest.ptr[start->rest.len - 1] != '\n')
        return api_error_set(err, 400, "illegal_argument_exception",
                             "The bulk request must be terminated by a newline [\\n]");
    while ((next = bulk_body_next(&body, &item, err)) == BULK_ITEM) {
        arena_reset(&worker->scratch);
        count++;
    }
    if (next == BULK_END && count == 0)
        return api_error_set(err, 400, "action_request_validation_exception",
                             "Validation Failed: 1: no requests added;");
    return next == BULK_END;
}

static void write_refused(const struct document_result *result, struct str index, bool slim,
                          struct buf *out)
{
    if (!slim) {
        buf_append_str(out, STR("{\"_index\":"));
        json_encode_str(index, out);
        buf_append_str(out, STR(",\"_id\":"));
        if (result->id.len > 0)
            json_encode_str(result->id, out);
        else
            buf_append_str(out, STR("null"));
        buf_append_char(out, ',');
    } else {
        buf_append_char(out, '{');
    }
    buf_printf(out, "\"status\":%d,\"error\":", result->err.status);
    api_error_write_item(&result->err, out);
    buf_append_str(out, STR("}}"));
}

static void write_item(const struct document_result *result, const struct document_write *item,
                       bool slim, struct buf *out)
{
    rest_comma(out);
    buf_append_str(out, STR("{\""));
    buf_append_str(out, str_from(document_action_name(item->action)));
    buf_append_str(out, STR("\":"));
    if (!result->done) {
        write_refused(result, item->index, slim, out);
        return;
    }
    if (slim)
        buf_append_str(out, STR("{"));
    else
        document_result_write(result, item->index, out);
    buf_printf(out, "%s\"status\":%d}}", slim ? "" : ",", result->status);
}

static bool write_items(struct worker *worker, struct bulk_body *body, bool slim, struct buf *out)
{
    struct document_write item;
    struct document_result result;
    struct api_error err;
    bool errors = false;
    while (bulk_body_next(body, &item, &err) == BULK_ITEM) {
        if (!document_write(&worker->writer, &item, &result))
            return errors;
        errors = errors || !result.done;
        write_item(&result, &item, slim, out);
        arena_reset(&worker->scratch);
    }
    return errors;
}

static bool takes_pipeline(const struct rest_request *request, struct api_error *err)
{
    struct str pipeline = rest_param(request, STR("pipeline"));
    return pipeline.len == 0 || str_equal(pipeline, STR("_none")) ||
           api_error_set(err, 501, "unsupported_operation_exception",
                         "ingest pipelines are not supported");
}

void rest_bulk(struct worker *worker, struct rest_request *request)
{
    struct bulk_body body;
    struct api_error err;
    bulk_body_init(&body, worker->catalog.json, &worker->scratch, request->exchange->body,
                   request->index);
    body.tape = &worker->tape;
    if (!takes_pipeline(request, &err) || !check_body(worker, &body, &err)) {
        rest_error(request, &err);
        return;
    }
    struct buf items;
    buf_init(&items, REST_ANSWER_MAX);
    buf_append_char(&items, '[');
    bool slim = str_equal(rest_param(request, STR("filter_path")), SLIM);
    bool errors = write_items(worker, &body, slim, &items);
    if (!slim)
        buf_printf(&request->answer, "{\"took\":%llu,",
                   (unsigned long long)(clock_monotonic_ms() - request->started_ms));
    else
        buf_append_char(&request->answer, '{');
    buf_printf(&request->answer, "\"errors\":%s,\"items\":", errors ? "true" : "false");
    buf_append_str(&request->answer, buf_str(&items));
    buf_append_str(&request->answer, STR("]}"));
    buf_release(&items);
}
