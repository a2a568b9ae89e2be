/* SPDX-License-Identifier: Apache-2.0
 *
 * Which parameters of the URL a route takes. A client that mistypes one is told, as by OpenSearch; what exists there and
 * not here is answered 501, unless its value is false.
 */
#include "services/store/rest/rest_params.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "conf/bind.h"
#include "services/store/search/search.h"

enum { NAMES_MAX = 80, SHOWN_MAX = 100 /* bytes of what the client wrote */ };

/* Lists end with NULL. */
static const char *const OF_ALL[] = {"pretty", "human",       "error_trace",
                                     "format", "filter_path", NULL};
static const char *const TIMES[] = {"timeout", "master_timeout",    "cluster_manager_timeout",
                                    "local",   "include_type_name", NULL};
static const char *const INDICES[] = {"ignore_unavailable", "allow_no_indices", "expand_wildcards",
                                      "ignore_throttled", NULL};

struct param_set {
    const char *const *known, *const *missing; /* NULL: none */
    bool times, indices, search;               /* the lists above; what a search reads */
};

#define NAMES(...)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

static const struct param_set SETS[REST_PARAMS_COUNT] = {
    [REST_PARAMS_ROOT] = {.known = NULL},
    [REST_PARAMS_BULK] = {.known = NAMES("refresh", "timeout", "routing", "pipeline",
                                         "wait_for_active_shards", "require_alias", "batch_size",
                                         "type"),
                          .missing = NAMES("_source", "_source_includes", "_source_excludes")},
    [REST_PARAMS_SEARCH] = {.known = NAMES("cancel_after_time_interval", "phase_took"),
                            .missing = NAMES("search_pipeline", "include_named_queries_score",
                                             "source", "source_content_type"),
                            .indices = true,
                            .search = true},
    [REST_PARAMS_MULTI_SEARCH] = {.known = NAMES(
                                      "max_concurrent_searches", "max_concurrent_shard_requests",
                                      "pre_filter_shard_size", "search_type",
                                      "rest_total_hits_as_int", "ccs_minimize_roundtrips"),
                                  .missing = NAMES("typed_keys"),
                                  .indices = true},
    [REST_PARAMS_FIELD_CAPS] = {.known = NAMES("fields"),
                                .missing = NAMES("include_unmapped"),
                                .indices = true},
    [REST_PARAMS_COUNT_DOCUMENTS] = {.known = NAMES("q", "df", "default_operator", "lenient",
                                                    "analyze_wildcard", "routing", "preference",
                                                    "terminate_after"),
                                     .missing = NAMES("analyzer", "min_score", "source",
                                                      "source_content_type"),
                                     .indices = true},
    [REST_PARAMS_WRITE] = {.known = NAMES("refresh", "timeout", "routing", "pipeline", "op_type",
                                          "version", "version_type", "if_seq_no", "if_primary_term",
                                          "wait_for_active_shards", "require_alias")},
    [REST_PARAMS_UPDATE] = {.known =
                                NAMES("refresh", "timeout", "routing", "version", "version_type",
                                      "if_seq_no", "if_primary_term", "retry_on_conflict",
                                      "wait_for_active_shards", "require_alias", "lang"),
                            .missing = NAMES("doc_as_upsert", "_source", "_source_includes",
                                             "_source_excludes")},
    [REST_PARAMS_DELETE] = {.known =
                                NAMES("refresh", "timeout", "routing", "version", "version_type",
                                      "if_seq_no", "if_primary_term", "wait_for_active_shards")},
    [REST_PARAMS_READ] = {.known = NAMES("refresh", "routing", "preference", "realtime", "_source",
                                         "_source_includes", "_source_excludes"),
                          .missing = NAMES("stored_fields", "version", "version_type")},
    [REST_PARAMS_SEE_TEMPLATE] = {.missing = NAMES("flat_settings"), .times = true},
    [REST_PARAMS_PUT_TEMPLATE] = {.known = NAMES("create", "cause"),
                                  .missing = NAMES("order"),
                                  .times = true},
    [REST_PARAMS_INDEX] = {.known = NAMES("wait_for_active_shards", "write_index_only"),
                           .missing =
                               NAMES("flat_settings", "include_defaults", "preserve_existing"),
                           .times = true,
                           .indices = true},
    [REST_PARAMS_FLUSH] = {.known = NAMES("force", "wait_if_ongoing"), .indices = true},
    [REST_PARAMS_HEALTH] = {.known = NAMES("level", "wait_for_status", "wait_for_nodes",
                                           "wait_for_active_shards", "wait_for_events",
                                           "wait_for_no_relocating_shards",
                                           "wait_for_no_initializing_shards"),
                            .times = true,
                            .indices = true},
    [REST_PARAMS_TABLE] = {.known = NAMES("h", "v", "s", "ts", "bytes", "size", "time", "pri",
                                          "include_unloaded_segments"),
                           .missing = NAMES("help", "health"),
                           .times = true,
                           .indices = true},
};

/* ---- names ---- */

static bool is_in(struct str name, const char *const *list)
{
    while (*list && !str_equal(name, str_from(*list)))
        list++;
    return *list != NULL;
}

static size_t add_list(const char *const *list, const char **names, size_t count)
{
    for (; list && *list; list++) {
        assert(count < NAMES_MAX);
        names[count++] = *list;
    }
    return count;
}

/* All that the route takes, or would; names has room for NAMES_MAX and a NULL. */
static void gather(const struct param_set *set, const char **names)
{
    size_t count = add_list(OF_ALL, names, 0);
    count = add_list(set->known, names, count);
    count = add_list(set->missing, names, count);
    count = add_list(set->times ? TIMES : NULL, names, count);
    count = add_list(set->indices ? INDICES : NULL, names, count);
    const char *of_search;
    for (size_t i = 0; set->search && (of_search = search_param_name(i)) != NULL; i++) {
        assert(count < NAMES_MAX);
        names[count++] = of_search;
    }
    names[count] = NULL;
}

/* ---- refusing ---- */

static int by_name(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static int shown(struct str text)
{
    return text.len > SHOWN_MAX ? SHOWN_MAX : (int)text.len;
}

static bool refuse(struct str path, struct str *unknown, size_t count, const char *const *names,
                   struct api_error *err)
{
    struct buf text;
    buf_init(&text, API_REASON_MAX);
    qsort(unknown, count, sizeof *unknown, by_name);
    for (size_t i = 0; i < count; i++) {
        const char *near = bind_suggest(unknown[i], names);
        if (i > 0 && str_equal(unknown[i], unknown[i - 1]))
            continue;
        buf_printf(&text, "%s[%.*s]", i > 0 ? ", " : "", shown(unknown[i]), unknown[i].ptr);
        if (near)
            buf_printf(&text, " -> did you mean [%s]?", near);
    }
    bool many = count > 1 && !str_equal(unknown[0], unknown[count - 1]);
    api_error_set(err, 400, "illegal_argument_exception",
                  "request [%.*s] contains unrecognized parameter%s: %.*s", shown(path), path.ptr,
                  many ? "s" : "", STR_FMT(buf_str(&text)));
    buf_release(&text);
    return false;
}

bool rest_check_params(const struct http_target *target, enum rest_params params,
                       struct api_error *err)
{
    const char *names[NAMES_MAX + 1];
    struct str unknown[HTTP_PARAMETERS_MAX];
    const struct param_set *set = &SETS[params];
    size_t count = 0;
    assert(params < REST_PARAMS_COUNT && target->parameter_count <= HTTP_PARAMETERS_MAX);
    if (target->parameter_count == 0)
        return true;
    gather(set, names);
    for (size_t i = 0; i < target->parameter_count; i++)
        if (!is_in(target->parameters[i].name, names))
            unknown[count++] = target->parameters[i].name;
    if (count > 0)
        return refuse(target->path, unknown, count, names, err);
    for (size_t i = 0; set->missing && i < target->parameter_count; i++) {
        const struct http_parameter *parameter = &target->parameters[i];
        if (is_in(parameter->name, set->missing) && !str_equal(parameter->value, STR("false")))
            return api_error_set(err, 501, "unsupported_operation_exception",
                                 "the parameter [%.*s] is not supported here",
                                 STR_FMT(parameter->name));
    }
    return true;
}
