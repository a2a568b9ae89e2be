/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/search/search_plan.h"

#include <assert.h>

#include "base/text/utf8.h"
#include "pipeline/event/event_json.h"

enum { SIZE_DEFAULT = 10 };

struct plan_reader {
    struct search_plan *plan;
    struct arena *arena;
    struct api_error *err;
    const struct value *after; /* search_after waits until the sort is known */
    struct str source, source_includes, source_excludes;
};

static const char *token_name(const struct value *value)
{
    switch (value_type(value)) {
    case VALUE_OBJECT:
        return "START_OBJECT";
    case VALUE_ARRAY:
        return "START_ARRAY";
    case VALUE_STRING:
    case VALUE_TIMESTAMP:
        return "VALUE_STRING";
    case VALUE_BOOL:
        return "VALUE_BOOLEAN";
    case VALUE_NULL:
        return "VALUE_NULL";
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_BIG_INT:
        break;
    }
    return "VALUE_NUMBER";
}

static bool refuse_key(struct plan_reader *in, struct str key, const struct value *value)
{
    return api_error_set(in->err, 400, "parsing_exception", "Unknown key for a %s in [%.*s].",
                         token_name(value), STR_FMT(key));
}

/* ---- values of the body ---------------------------------------------------------------------------------------- */

static bool read_number(struct plan_reader *in, struct str key, const struct value *value,
                        int64_t *out)
{
    if (value_type(value) == VALUE_INT) {
        *out = value_as_int(value);
        return true;
    }
    if (value_is_str(value))
        return str_to_int(value_as_str(value), out) ||
               api_error_set(in->err, 400, "number_format_exception", "For input string: \"%.*s\"",
                             STR_FMT(value_as_str(value)));
    return refuse_key(in, key, value);
}

static bool read_count(struct plan_reader *in, struct str key, const struct value *value,
                       int64_t *out)
{
    if (!read_number(in, key, value, out))
        return false;
    return *out >= 0 || api_error_set(in->err, 400, "illegal_argument_exception",
                                      "[%.*s] parameter cannot be negative, found [%lld]",
                                      STR_FMT(key), (long long)*out);
}

static bool read_flag(struct plan_reader *in, struct str key, const struct value *value, bool *out)
{
    if (value_type(value) == VALUE_BOOL)
        *out = value_as_bool(value);
    return value_type(value) == VALUE_BOOL || refuse_key(in, key, value);
}

static bool read_track(struct plan_reader *in, struct str key, const struct value *value)
{
    int64_t number = TRACK_NOTHING;
    if (value_type(value) == VALUE_BOOL)
        number = value_as_bool(value) ? INT64_MAX : TRACK_NOTHING;
    else if (!read_number(in, key, value, &number))
        return false;
    in->plan->hides_total = number < 0;
    in->plan->track = number == INT64_MAX ? UINT64_MAX : number < 0 ? 0 : (uint64_t)number;
    return true;
}

static bool add_wish(struct plan_reader *in, const struct value *item, bool from_doc_values)
{
    const struct value *field = item, *format = NULL;
    if (value_type(item) == VALUE_OBJECT) {
        field = value_object_get(item, STR("field"));
        format = value_object_get(item, STR("format"));
    }
    if (!value_is_str(field) || (format && !value_is_str(format)))
        return api_error_set(in->err, 400, "parsing_exception",
                             "[fields] has names, and objects with field and format");
    if (in->plan->wish_count == SEARCH_FIELDS_MAX)
        return api_error_set(in->err, 400, "illegal_argument_exception", "more than %d fields",
                             SEARCH_FIELDS_MAX);
    struct str text = format ? value_as_str(format) : (struct str){0};
    if (str_equal(text, STR("use_field_mapping")))
        text = (struct str){0};
    in->plan->wishes[in->plan->wish_count++] =
        (struct field_wish){value_as_str(field), text, from_doc_values};
    return true;
}

static bool read_wishes(struct plan_reader *in, struct str key, const struct value *value)
{
    bool from_doc_values = str_equal(key, STR("docvalue_fields"));
    if (value_type(value) != VALUE_ARRAY)
        return refuse_key(in, key, value);
    for (size_t i = 0; i < value_array_count(value); i++) {
        if (!add_wish(in, value_array_at(value, i), from_doc_values))
            return false;
    }
    return true;
}

static bool read_object(struct plan_reader *in, struct str key, const struct value *value,
                        const struct value **out)
{
    if (value_type(value) != VALUE_OBJECT)
        return refuse_key(in, key, value);
    *out = value;
    return true;
}

static bool read_min_score(struct plan_reader *in, struct str key, const struct value *value)
{
    in->plan->has_min_score = true;
    return value_number(value, &in->plan->min_score) || refuse_key(in, key, value);
}

static bool is_empty(const struct value *value)
{
    enum value_type type = value_type(value);
    return (type == VALUE_OBJECT && value_object_count(value) == 0) ||
           (type == VALUE_ARRAY && value_array_count(value) == 0) ||
           (type == VALUE_BOOL && !value_as_bool(value)) || type == VALUE_NULL;
}

/* What is there in OpenSearch and not here: nothing asked for is nothing missed. */
static bool missing_part(struct plan_reader *in, struct str key, const struct value *value)
{
    static const char *const NAMES[] = {
        "highlight", "suggest",         "rescore",      "collapse", "explain",
        "profile",   "script_fields",   "slice",        "pit",      "derived",
        "ext",       "search_pipeline", "indices_boost"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (!str_equal(key, str_from(NAMES[i])))
            continue;
        return is_empty(value) ||
               api_error_set(in->err, 501, "unsupported_operation_exception",
                             "[%.*s] of a search is not supported", STR_FMT(key));
    }
    return refuse_key(in, key, value);
}

static bool read_stored_fields(struct plan_reader *in, const struct value *value)
{
    (void)value;
    in->plan->hides_stored = true;
    return true;
}

static bool read_part(struct plan_reader *in, struct str key, const struct value *value)
{
    struct search_plan *plan = in->plan;
    if (str_equal(key, STR("query")))
        return read_object(in, key, value, &plan->query);
    if (plan->count_only)
        return api_error_set(in->err, 400, "parsing_exception", "request does not support [%.*s]",
                             STR_FMT(key));
    if (str_equal(key, STR("size")))
        return read_count(in, key, value, &plan->size);
    if (str_equal(key, STR("from")))
        return read_count(in, key, value, &plan->from);
    if (str_equal(key, STR("sort")))
        return sort_parse(value, &plan->sort, in->err);
    if (str_equal(key, STR("_source")))
        return source_filter_parse(in->arena, value, &plan->source, in->err);
    if (str_equal(key, STR("aggs")) || str_equal(key, STR("aggregations")))
        return read_object(in, key, value, &plan->aggregations);
    if (str_equal(key, STR("track_total_hits")))
        return read_track(in, key, value);
    if (str_equal(key, STR("post_filter")))
        return read_object(in, key, value, &plan->post_filter);
    if (str_equal(key, STR("fields")) || str_equal(key, STR("docvalue_fields")))
        return read_wishes(in, key, value);
    if (str_equal(key, STR("stored_fields")))
        return read_stored_fields(in, value);
    if (str_equal(key, STR("version")))
        return read_flag(in, key, value, &plan->with_version);
    if (str_equal(key, STR("seq_no_primary_term")))
        return read_flag(in, key, value, &plan->with_seq_no);
    if (str_equal(key, STR("track_scores")))
        return read_flag(in, key, value, &plan->with_score);
    if (str_equal(key, STR("min_score")))
        return read_min_score(in, key, value);
    if (str_equal(key, STR("terminate_after")))
        return read_count(in, key, value, &plan->terminate_after);
    if (str_equal(key, STR("search_after"))) {
        in->after = value;
        return true;
    }
    if (str_equal(key, STR("timeout")) || str_equal(key, STR("stats")))
        return true;
    return missing_part(in, key, value);
}

static bool read_body(struct plan_reader *in, struct str body)
{
    struct json_reader *reader = json_reader_new();
    struct value tree;
    struct error syntax;
    /* The texts of the tree must outlive the request. */
    bool is_json = json_decode(reader, in->arena, arena_dup(in->arena, body), &tree, &syntax);
    json_reader_free(reader);
    if (!is_json)
        return api_error_set(in->err, 400,
                             strstr(syntax.text, "premature") ? "json_e_o_f_exception"
                                                              : "json_parse_exception",
                             "%s", syntax.text);
    if (value_type(&tree) != VALUE_OBJECT)
        return api_error_set(in->err, 400, "parsing_exception",
                             "Expected [START_OBJECT] but found [%s]", token_name(&tree));
    for (size_t i = 0; i < value_object_count(&tree); i++) {
        struct str key;
        const struct value *value = value_object_at(&tree, i, &key);
        if (!read_part(in, key, value))
            return false;
    }
    return true;
}

/* ---- parameters of the URL ----------------------------------------------------------------------------------------- */

static bool url_number(struct plan_reader *in, const struct search_param *param, int64_t *out)
{
    if (!str_to_int(param->value, out)) {
        api_error_set(in->err, 400, "illegal_argument_exception",
                      "Failed to parse int parameter [%.*s] with value [%.*s]",
                      STR_FMT(param->name), STR_FMT(param->value));
        return api_error_cause(in->err, "number_format_exception", "For input string: \"%.*s\"",
                               STR_FMT(param->value));
    }
    return *out >= 0 || api_error_set(in->err, 400, "illegal_argument_exception",
                                      "[%.*s] parameter cannot be negative, found [%lld]",
                                      STR_FMT(param->name), (long long)*out);
}

static bool url_flag(struct plan_reader *in, const struct search_param *param, bool *out)
{
    *out = param->value.len == 0 || str_equal(param->value, STR("true"));
    return *out || str_equal(param->value, STR("false")) ||
           api_error_set(in->err, 400, "illegal_argument_exception",
                         "Failed to parse value [%.*s] as only [true] or [false] are allowed.",
                         STR_FMT(param->value));
}

static bool url_size(struct plan_reader *in, const struct search_param *param)
{
    return url_number(in, param, &in->plan->size);
}
static bool url_from(struct plan_reader *in, const struct search_param *param)
{
    return url_number(in, param, &in->plan->from);
}
static bool url_terminate(struct plan_reader *in, const struct search_param *param)
{
    return url_number(in, param, &in->plan->terminate_after);
}
static bool url_sort(struct plan_reader *in, const struct search_param *param)
{
    return sort_parse_url(arena_dup(in->arena, param->value), &in->plan->sort, in->err);
}
static bool url_q(struct plan_reader *in, const struct search_param *param)
{
    in->plan->url_query.text = arena_dup(in->arena, param->value);
    return true;
}
static bool url_df(struct plan_reader *in, const struct search_param *param)
{
    in->plan->url_query.default_field = arena_dup(in->arena, param->value);
    return true;
}
static bool url_operator(struct plan_reader *in, const struct search_param *param)
{
    in->plan->url_query.all_required = str_equal_nocase(param->value, STR("and"));
    return true;
}
static bool url_lenient(struct plan_reader *in, const struct search_param *param)
{
    return url_flag(in, param, &in->plan->url_query.is_lenient);
}
static bool url_source(struct plan_reader *in, const struct search_param *param)
{
    in->source = arena_dup(in->arena, param->value);
    return true;
}
static bool url_includes(struct plan_reader *in, const struct search_param *param)
{
    in->source_includes = arena_dup(in->arena, param->value);
    return true;
}
static bool url_excludes(struct plan_reader *in, const struct search_param *param)
{
    in->source_excludes = arena_dup(in->arena, param->value);
    return true;
}
static bool url_track(struct plan_reader *in, const struct search_param *param)
{
    struct value value = value_str(param->value);
    if (str_equal(param->value, STR("true")) || str_equal(param->value, STR("false")))
        value = value_bool(param->value.len == 4);
    return read_track(in, param->name, &value);
}
static bool url_total_as_number(struct plan_reader *in, const struct search_param *param)
{
    return url_flag(in, param, &in->plan->total_as_number);
}
static bool url_version(struct plan_reader *in, const struct search_param *param)
{
    return url_flag(in, param, &in->plan->with_version);
}
static bool url_seq_no(struct plan_reader *in, const struct search_param *param)
{
    return url_flag(in, param, &in->plan->with_seq_no);
}
static bool url_scores(struct plan_reader *in, const struct search_param *param)
{
    return url_flag(in, param, &in->plan->with_score);
}
static bool url_nothing(struct plan_reader *in, const struct search_param *param)
{
    (void)in;
    (void)param;
    return true;
}
static bool url_missing(struct plan_reader *in, const struct search_param *param)
{
    return api_error_set(in->err, 501, "unsupported_operation_exception",
                         "the parameter [%.*s] of a search is not supported", STR_FMT(param->name));
}

static const struct {
    struct str name;
    bool (*read)(struct plan_reader *in, const struct search_param *param);
} PARAMS[] = {
    {STR_INIT("q"), url_q},
    {STR_INIT("df"), url_df},
    {STR_INIT("default_operator"), url_operator},
    {STR_INIT("lenient"), url_lenient},
    {STR_INIT("analyze_wildcard"), url_nothing},
    {STR_INIT("size"), url_size},
    {STR_INIT("from"), url_from},
    {STR_INIT("sort"), url_sort},
    {STR_INIT("_source"), url_source},
    {STR_INIT("_source_includes"), url_includes},
    {STR_INIT("_source_excludes"), url_excludes},
    {STR_INIT("track_total_hits"), url_track},
    {STR_INIT("rest_total_hits_as_int"), url_total_as_number},
    {STR_INIT("version"), url_version},
    {STR_INIT("seq_no_primary_term"), url_seq_no},
    {STR_INIT("track_scores"), url_scores},
    {STR_INIT("terminate_after"), url_terminate},
    {STR_INIT("timeout"), url_nothing},
    {STR_INIT("preference"), url_nothing},
    {STR_INIT("routing"), url_nothing},
    {STR_INIT("request_cache"), url_nothing},
    {STR_INIT("search_type"), url_nothing},
    {STR_INIT("batched_reduce_size"), url_nothing},
    {STR_INIT("max_concurrent_shard_requests"), url_nothing},
    {STR_INIT("pre_filter_shard_size"), url_nothing},
    {STR_INIT("ccs_minimize_roundtrips"), url_nothing},
    {STR_INIT("allow_partial_search_results"), url_nothing},
    {STR_INIT("scroll"), url_missing},
    {STR_INIT("explain"), url_missing},
    {STR_INIT("stored_fields"), url_missing},
    {STR_INIT("docvalue_fields"), url_missing},
    {STR_INIT("typed_keys"), url_missing},
    {STR_INIT("suggest_field"), url_missing},
    {STR_INIT("analyzer"), url_missing},
};

static bool read_param(struct plan_reader *in, const struct search_param *param)
{
    for (size_t i = 0; i < sizeof PARAMS / sizeof *PARAMS; i++) {
        if (str_equal(PARAMS[i].name, param->name))
            return PARAMS[i].read(in, param);
    }
    return true; /* of the server: whoever owns it has looked */
}

const char *search_param_name(size_t at)
{
    return at < sizeof PARAMS / sizeof *PARAMS ? PARAMS[at].name.ptr : NULL;
}

/* ---- the whole -------------------------------------------------------------------------------------------------------- */

static bool check_window(const struct search_plan *plan, struct api_error *err)
{
    if (plan->size <= SEARCH_WINDOW_MAX && plan->from <= SEARCH_WINDOW_MAX &&
        plan->size + plan->from <= SEARCH_WINDOW_MAX)
        return true;
    int64_t window = plan->size > INT64_MAX - plan->from ? INT64_MAX : plan->size + plan->from;
    api_error_set(
        err, 400, "illegal_argument_exception",
        "Result window is too large, from + size must be less than or equal to: [%d] but was "
        "[%lld]. Ask for more with [sort] and [search_after]: this store has no scroll, and the "
        "limit is the same for every index.",
        SEARCH_WINDOW_MAX, (long long)window);
    err->of_search = true;
    return false;
}

static bool check_after(struct plan_reader *in)
{
    struct search_plan *plan = in->plan;
    if (!in->after)
        return true;
    if (plan->from > 0) {
        api_error_set(in->err, 500, "search_exception",
                      "`from` parameter must be set to 0 when `search_after` is used.");
        in->err->of_search = true;
        return false;
    }
    return sort_parse_after(in->after, &plan->sort, in->err);
}

bool search_plan_read(struct search_plan *plan, struct arena *arena,
                      const struct search_request *request, struct api_error *err)
{
    *plan = (struct search_plan){.size = SIZE_DEFAULT, .track = SEARCH_TRACKED_HITS};
    plan->count_only = request->count_only;
    struct plan_reader in = {.plan = plan, .arena = arena, .err = err};
    if (request->body.len > SEARCH_BODY_MAX)
        return api_error_set(err, 413, "content_too_long_exception",
                             "a search has at most %d bytes", SEARCH_BODY_MAX);
    if (str_trim(request->body).len > 0 && !read_body(&in, request->body))
        return false;
    for (size_t i = 0; i < request->param_count; i++) {
        if (!utf8_valid(request->params[i].value))
            return api_error_set(err, 400, "illegal_argument_exception",
                                 "a parameter of the URL is no valid UTF-8");
        if (!read_param(&in, &request->params[i]))
            return false;
    }
    if (in.source.len + in.source_includes.len + in.source_excludes.len > 0)
        source_filter_from_url(arena, in.source, in.source_includes, in.source_excludes,
                               &plan->source);
    if (plan->hides_stored)
        plan->source.is_hidden = true;
    if (plan->total_as_number && !plan->hides_total)
        plan->track = UINT64_MAX;
    if (plan->count_only) {
        plan->size = plan->from = 0;
        plan->track = UINT64_MAX;
    }
    return check_window(plan, err) && check_after(&in);
}
