/* SPDX-License-Identifier: Apache-2.0
 *
 * Several searches in one request: a line that says where, and a line that is the body of a search, for each. Every one is
 * answered by itself; only a line that cannot be read refuses them all, before any is run.
 */
#include <assert.h>

#include "base/text/utf8.h"
#include "services/store/rest/rest.h"

enum { SEARCHES_MAX = 1000 };

struct one_search {
    struct index_selection where;
    struct str body;
};

static bool take_line(struct str *rest, struct str *out)
{
    if (rest->len == 0)
        return false;
    const char *end = memchr(rest->ptr, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    *out = str_make(rest->ptr, len);
    *rest = str_from_offset(*rest, len + 1);
    return true;
}

/* A text, or a list of texts, as an expression. */
static bool read_names(struct arena *arena, const struct value *value, struct str *out)
{
    if (value_is_str(value)) {
        *out = value_as_str(value);
        return true;
    }
    if (value_type(value) != VALUE_ARRAY)
        return value_type(value) == VALUE_NULL;
    for (size_t i = 0; i < value_array_count(value); i++) {
        const struct value *item = value_array_at(value, i);
        if (!value_is_str(item))
            return false;
        *out = i == 0
                   ? value_as_str(item)
                   : arena_printf(arena, "%.*s,%.*s", STR_FMT(*out), STR_FMT(value_as_str(item)));
    }
    return true;
}

/* What else a header may have is about shards and nodes. */
static bool is_ignored(struct str key)
{
    static const char *const NAMES[] = {
        "preference", "routing",          "search_type",
        "type",       "request_cache",    "allow_no_indices",
        "types",      "expand_wildcards", "max_concurrent_shard_requests",
        "version",    "ignore_throttled", "cancel_after_time_interval"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (str_equal(key, str_from(NAMES[i])))
            return true;
    return false;
}

static bool is_said(const struct value *value)
{
    return (value_type(value) == VALUE_BOOL && value_as_bool(value)) ||
           (value_is_str(value) && str_equal(value_as_str(value), STR("true")));
}

static bool read_header(struct worker *worker, struct str line, struct one_search *out,
                        struct api_error *err)
{
    struct value header;
    if (str_trim(line).len == 0)
        return true;
    if (!utf8_valid(line) ||
        !json_decode(worker->catalog.json, &worker->scratch, line, &header, NULL) ||
        value_type(&header) != VALUE_OBJECT)
        return api_error_set(err, 400, "illegal_argument_exception",
                             "a line that says where to search is no object");
    for (size_t i = 0; i < value_object_count(&header); i++) {
        struct str key;
        const struct value *item = value_object_at(&header, i, &key);
        bool is_name = str_equal(key, STR("index")) || str_equal(key, STR("indices"));
        if (is_name && !read_names(&worker->scratch, item, &out->where.expression))
            return api_error_set(err, 400, "illegal_argument_exception",
                                 "[%.*s] must be a name or a list of names", STR_FMT(key));
        if (str_equal(key, STR("ignore_unavailable")))
            out->where.lenient = is_said(item);
        else if (!is_name && !is_ignored(key))
            return api_error_set(err, 400, "illegal_argument_exception",
                                 "key [%.*s] is not supported in the metadata section",
                                 STR_FMT(key));
    }
    return true;
}

/* How many, or SIZE_MAX with *err. */
static size_t read_all(struct worker *worker, const struct rest_request *request,
                       struct one_search *out, struct api_error *err)
{
    struct str rest = request->exchange->body, line;
    size_t count = 0;
    while (take_line(&rest, &line)) {
        if (count == 0 && rest.len == 0 && str_trim(line).len == 0)
            break;
        if (count == SEARCHES_MAX) {
            api_error_set(err, 400, "illegal_argument_exception", "more than [%d] searches",
                          SEARCHES_MAX);
            return SIZE_MAX;
        }
        out[count] = (struct one_search){.where = rest_selection(request)};
        if (!read_header(worker, line, &out[count], err))
            return SIZE_MAX;
        if (!take_line(&rest, &out[count].body)) {
            api_error_set(err, 400, "illegal_argument_exception",
                          "The msearch request must be terminated by a newline [\\n]");
            return SIZE_MAX;
        }
        count++;
    }
    if (count > 0)
        return count;
    api_error_set(err, 400, "action_request_validation_exception",
                  "Validation Failed: 1: no requests added;");
    return SIZE_MAX;
}

/* Each answer has its status as its last member; that of an error has it already. */
static void answer_one(struct worker *worker, struct rest_request *request,
                       const struct one_search *one)
{
    struct buf *out = &request->answer;
    struct api_error err;
    size_t start = out->len;
    if (!rest_search_into(worker, request, one->where, one->body, &err)) {
        out->len = start;
        api_error_write(&err, out);
        return;
    }
    assert(out->len > start && out->ptr[out->len - 1] == '}');
    out->len--;
    buf_append_str(out, STR(",\"status\":200}"));
}

void rest_multi_search(struct worker *worker, struct rest_request *request)
{
    struct api_error err;
    struct one_search *searches = arena_zero(&worker->scratch, SEARCHES_MAX * sizeof *searches);
    size_t count = read_all(worker, request, searches, &err);
    if (count == SIZE_MAX) {
        rest_error(request, &err);
        return;
    }
    buf_append_str(&request->answer, STR("{\"responses\":["));
    for (size_t i = 0; i < count; i++) {
        rest_comma(&request->answer);
        answer_one(worker, request, &searches[i]);
    }
    buf_printf(&request->answer, "],\"took\":%llu}",
               (unsigned long long)(clock_monotonic_ms() - request->started_ms));
}
