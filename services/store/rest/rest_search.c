/* SPDX-License-Identifier: Apache-2.0
 *
 * Searches and counts: the documents of the indices of a request, streamed through it.
 */
#include "services/store/aliases.h"
#include "services/store/documents.h"
#include "services/store/rest/rest.h"

static struct search *begin(struct worker *worker, const struct rest_request *request,
                            struct str body, bool count_only, struct api_error *err)
{
    const struct http_target *target = &request->exchange->target;
    struct search_param *params =
        arena_alloc(&worker->scratch, (target->parameter_count + 1) * sizeof *params);
    for (size_t i = 0; i < target->parameter_count; i++)
        params[i] = (struct search_param){target->parameters[i].name, target->parameters[i].value};
    if (http_target_parameter(target, STR("scroll"))) {
        api_error_set(err, 501, "unsupported_operation_exception",
                      "[scroll] is not supported; use search_after with sort");
        return NULL;
    }
    struct search_request search = {.body = body,
                                    .params = params,
                                    .param_count = target->parameter_count,
                                    .count_only = count_only,
                                    .now = clock_now()};
    return search_new(&search, err);
}

/* An alias with a filter would have to hide documents. */
static bool is_filtered(const struct store_index *index, struct str expression,
                        struct api_error *err)
{
    if (index_expression_has(expression, index->name))
        return false;
    for (size_t i = 0; i < index->alias_count; i++) {
        const struct store_alias *alias = &index->aliases[i];
        if (!alias->filters || !index_expression_has(expression, alias->name))
            continue;
        api_error_set(err, 501, "unsupported_operation_exception",
                      "the filter of alias [%.*s] is not supported by the document store of "
                      "millrace",
                      STR_FMT(alias->name));
        return true;
    }
    return false;
}

/* Opened indices, or SIZE_MAX with *err. */
static size_t search_all(struct worker *worker, struct index_selection where, struct search *search,
                         struct api_error *err)
{
    struct index_list indices;
    if (!catalog_resolve(&worker->catalog, &worker->scratch, where, &indices, err))
        return SIZE_MAX;
    for (size_t i = 0; i < indices.count; i++) {
        if (is_filtered(indices.items[i], where.expression, err))
            return SIZE_MAX;
        if (!catalog_need_mapping(&worker->catalog, indices.items[i])) {
            catalog_failed(&worker->catalog, err);
            return SIZE_MAX;
        }
        if (!search_open_index(search, indices.items[i]->name, indices.items[i]->mapping, err) ||
            !documents_search(&worker->catalog, indices.items[i], search, err))
            return SIZE_MAX;
    }
    return indices.count;
}

static void write_count(struct rest_request *request, uint64_t documents, size_t indices)
{
    buf_printf(&request->answer,
               "{\"count\":%llu,\"_shards\":{\"total\":%zu,\"successful\":%zu,\"skipped\":0,"
               "\"failed\":0}}",
               (unsigned long long)documents, indices, indices);
}

static void run(struct worker *worker, struct rest_request *request, bool count_only)
{
    struct api_error err;
    struct search *search = begin(worker, request, request->exchange->body, count_only, &err);
    size_t indices = search ? search_all(worker, rest_selection(request), search, &err) : SIZE_MAX;
    bool good = indices != SIZE_MAX;
    if (good && count_only)
        write_count(request, search_total(search), indices);
    else if (good)
        good = search_write(search, clock_monotonic_ms() - request->started_ms, &request->answer,
                            &err);
    if (!good)
        rest_error(request, &err);
    search_free(search);
}

bool rest_search_into(struct worker *worker, struct rest_request *request,
                      struct index_selection where, struct str body, struct api_error *err)
{
    uint64_t started_ms = clock_monotonic_ms();
    struct search *search = begin(worker, request, body, false, err);
    bool done = search && search_all(worker, where, search, err) != SIZE_MAX &&
                search_write(search, clock_monotonic_ms() - started_ms, &request->answer, err);
    search_free(search);
    return done;
}

void rest_search(struct worker *worker, struct rest_request *request)
{
    run(worker, request, false);
}

/* Without a query the answer is known. */
static void count_documents(struct worker *worker, struct rest_request *request)
{
    struct index_list indices;
    if (!rest_indices(worker, request, &indices))
        return;
    write_count(request, (uint64_t)index_list_documents(&indices), indices.count);
}

void rest_count(struct worker *worker, struct rest_request *request)
{
    if (str_trim(request->exchange->body).len == 0 && rest_param(request, STR("q")).len == 0)
        count_documents(worker, request);
    else
        run(worker, request, true);
}
