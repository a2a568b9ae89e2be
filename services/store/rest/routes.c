/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of what the store answers. What is not in it is answered 501.
 */
#include <assert.h>
#include <stdio.h>

#include "services/store/rest/rest.h"

enum { ALLOWED_MAX = 100 };

static const struct rest_route ROUTES[] = {
    {"GET HEAD", "", REST_READS, REST_PARAMS_ROOT, rest_root},
    {"POST PUT", "_bulk", REST_WRITES, REST_PARAMS_BULK, rest_bulk},
    {"POST PUT", "{index}/_bulk", REST_WRITES, REST_PARAMS_BULK, rest_bulk},
    {"GET POST", "_search", REST_READS, REST_PARAMS_SEARCH, rest_search},
    {"GET POST", "{index}/_search", REST_READS, REST_PARAMS_SEARCH, rest_search},
    {"GET POST", "_msearch", REST_READS, REST_PARAMS_MULTI_SEARCH, rest_multi_search},
    {"GET POST", "{index}/_msearch", REST_READS, REST_PARAMS_MULTI_SEARCH, rest_multi_search},
    {"GET POST", "_field_caps", REST_READS, REST_PARAMS_FIELD_CAPS, rest_field_caps},
    {"GET POST", "{index}/_field_caps", REST_READS, REST_PARAMS_FIELD_CAPS, rest_field_caps},
    {"POST", "_aliases", REST_WRITES, REST_PARAMS_INDEX, rest_change_aliases},
    {"GET HEAD", "_alias", REST_READS, REST_PARAMS_INDEX, rest_get_aliases},
    {"GET HEAD", "_alias/{name}", REST_READS, REST_PARAMS_INDEX, rest_get_aliases},
    {"GET HEAD", "{index}/_alias", REST_READS, REST_PARAMS_INDEX, rest_get_aliases},
    {"GET HEAD", "{index}/_alias/{name}", REST_READS, REST_PARAMS_INDEX, rest_get_aliases},
    {"PUT POST", "{index}/_alias/{name}", REST_WRITES, REST_PARAMS_INDEX, rest_put_alias},
    {"PUT POST", "{index}/_aliases/{name}", REST_WRITES, REST_PARAMS_INDEX, rest_put_alias},
    {"DELETE", "{index}/_alias/{name}", REST_WRITES, REST_PARAMS_INDEX, rest_delete_alias},
    {"DELETE", "{index}/_aliases/{name}", REST_WRITES, REST_PARAMS_INDEX, rest_delete_alias},
    {"GET POST", "_count", REST_READS, REST_PARAMS_COUNT_DOCUMENTS, rest_count},
    {"GET POST", "{index}/_count", REST_READS, REST_PARAMS_COUNT_DOCUMENTS, rest_count},
    {"POST", "{index}/_doc", REST_WRITES, REST_PARAMS_WRITE, rest_put_document},
    {"GET HEAD", "{index}/_doc/{name}", REST_READS, REST_PARAMS_READ, rest_get_document},
    {"PUT POST", "{index}/_doc/{name}", REST_WRITES, REST_PARAMS_WRITE, rest_put_document},
    {"DELETE", "{index}/_doc/{name}", REST_WRITES, REST_PARAMS_DELETE, rest_delete_document},
    {"GET HEAD", "{index}/_source/{name}", REST_READS, REST_PARAMS_READ, rest_get_source},
    {"PUT POST", "{index}/_create/{name}", REST_WRITES, REST_PARAMS_WRITE, rest_create_document},
    {"POST", "{index}/_update/{name}", REST_WRITES, REST_PARAMS_UPDATE, rest_update_document},
    {"GET", "_template", REST_READS, REST_PARAMS_SEE_TEMPLATE, rest_get_template},
    {"GET", "_template/{name}", REST_READS, REST_PARAMS_SEE_TEMPLATE, rest_get_template},
    {"HEAD", "_template/{name}", REST_READS, REST_PARAMS_SEE_TEMPLATE, rest_has_template},
    {"PUT POST", "_template/{name}", REST_WRITES, REST_PARAMS_PUT_TEMPLATE, rest_put_template},
    {"DELETE", "_template/{name}", REST_WRITES, REST_PARAMS_SEE_TEMPLATE, rest_delete_template},
    {"GET", "_index_template", REST_READS, REST_PARAMS_SEE_TEMPLATE, rest_get_template},
    {"GET", "_index_template/{name}", REST_READS, REST_PARAMS_SEE_TEMPLATE, rest_get_template},
    {"HEAD", "_index_template/{name}", REST_READS, REST_PARAMS_SEE_TEMPLATE, rest_has_template},
    {"PUT POST", "_index_template/{name}", REST_WRITES, REST_PARAMS_PUT_TEMPLATE,
     rest_put_template},
    {"DELETE", "_index_template/{name}", REST_WRITES, REST_PARAMS_SEE_TEMPLATE,
     rest_delete_template},
    {"GET", "_mapping", REST_READS, REST_PARAMS_INDEX, rest_get_mapping},
    {"GET", "{index}/_mapping", REST_READS, REST_PARAMS_INDEX, rest_get_mapping},
    {"PUT POST", "{index}/_mapping", REST_WRITES, REST_PARAMS_INDEX, rest_put_mapping},
    {"GET", "_settings", REST_READS, REST_PARAMS_INDEX, rest_get_settings},
    {"GET", "{index}/_settings", REST_READS, REST_PARAMS_INDEX, rest_get_settings},
    {"PUT", "{index}/_settings", REST_WRITES, REST_PARAMS_INDEX, rest_put_settings},
    {"GET POST", "_refresh", REST_READS, REST_PARAMS_FLUSH, rest_refresh},
    {"GET POST", "{index}/_refresh", REST_READS, REST_PARAMS_FLUSH, rest_refresh},
    {"GET POST", "_flush", REST_READS, REST_PARAMS_FLUSH, rest_refresh},
    {"GET POST", "{index}/_flush", REST_READS, REST_PARAMS_FLUSH, rest_refresh},
    {"GET", "_cluster/health", REST_READS, REST_PARAMS_HEALTH, rest_health},
    {"GET", "_cluster/health/{index}", REST_READS, REST_PARAMS_HEALTH, rest_health},
    {"GET", "_cat/indices", REST_READS, REST_PARAMS_TABLE, rest_cat_indices},
    {"GET", "_cat/indices/{index}", REST_READS, REST_PARAMS_TABLE, rest_cat_indices},
    {"GET", "_cat/health", REST_READS, REST_PARAMS_TABLE, rest_cat_health},
    {"GET", "_cat/count", REST_READS, REST_PARAMS_TABLE, rest_cat_count},
    {"GET", "_cat/count/{index}", REST_READS, REST_PARAMS_TABLE, rest_cat_count},
    {"GET", "{index}", REST_READS, REST_PARAMS_INDEX, rest_get_index},
    {"HEAD", "{index}", REST_READS, REST_PARAMS_INDEX, rest_has_index},
    {"PUT", "{index}", REST_WRITES, REST_PARAMS_INDEX, rest_create_index},
    {"DELETE", "{index}", REST_WRITES, REST_PARAMS_INDEX, rest_delete_index},
};

/* Takes what stands before the separator off the text. */
static struct str take_word(struct str *text, char separator)
{
    const char *at = text->len > 0 ? memchr(text->ptr, separator, text->len) : NULL;
    size_t len = at ? (size_t)(at - text->ptr) : text->len;
    struct str word = str_make(text->ptr, len);
    *text = str_from_offset(*text, len + 1);
    return word;
}

static bool matches(const char *pattern, const struct http_target *target, struct str *index,
                    struct str *name)
{
    struct str rest = str_from(pattern);
    size_t i = 0;
    for (; rest.len > 0; i++) {
        struct str part = take_word(&rest, '/');
        if (i == target->segment_count)
            return false;
        struct str segment = target->segments[i];
        if (str_equal(part, STR("{index}"))) {
            if (segment.ptr[0] == '_' && !str_equal(segment, STR("_all")))
                return false;
            *index = segment;
        } else if (str_equal(part, STR("{name}"))) {
            *name = segment;
        } else if (!str_equal(part, segment)) {
            return false;
        }
    }
    return i == target->segment_count;
}

static bool has_method(const char *methods, struct str method)
{
    struct str rest = str_from(methods);
    while (rest.len > 0)
        if (str_equal(take_word(&rest, ' '), method))
            return true;
    return false;
}

static bool wrong_method(struct rest_request *request, const char *allowed, struct api_error *err)
{
    struct str path = request->exchange->target.path;
    char list[ALLOWED_MAX * 2];
    size_t len = 0;
    for (const char *at = allowed; *at; at++) {
        if (*at == ' ')
            list[len++] = ',';
        list[len++] = *at;
    }
    list[len] = 0;
    http_exchange_add_header(request->exchange, "Allow", list);
    return api_error_set(err, 405, "method_not_allowed_exception",
                         "Incorrect HTTP method for uri [%.*s] and method [%.*s], allowed: [%s]",
                         path.len > 200 ? 200 : (int)path.len, path.ptr,
                         STR_FMT(request->exchange->method), list);
}

const struct rest_route *rest_route(struct rest_request *request, struct api_error *err)
{
    const struct http_target *target = &request->exchange->target;
    char allowed[ALLOWED_MAX];
    size_t len = 0;
    for (size_t i = 0; i < sizeof ROUTES / sizeof *ROUTES; i++) {
        const struct rest_route *route = &ROUTES[i];
        request->index = request->name = STR("");
        if (!matches(route->path, target, &request->index, &request->name))
            continue;
        if (has_method(route->methods, request->exchange->method))
            return rest_check_params(target, route->params, err) ? route : NULL;
        len += (size_t)snprintf(allowed + len, sizeof allowed - len, "%s%s", len ? " " : "",
                                route->methods);
    }
    assert(len < sizeof allowed);
    if (len > 0) {
        wrong_method(request, allowed, err);
        return NULL;
    }
    api_error_set(err, 501, "unsupported_operation_exception",
                  "[%.*s] is not supported by the document store of millrace",
                  target->path.len > 200 ? 200 : (int)target->path.len, target->path.ptr);
    return NULL;
}
