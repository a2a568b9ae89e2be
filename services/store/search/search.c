/* SPDX-License-Identifier: Apache-2.0
 *
 * From documents to hits, totals and aggregations.
 */
#include "services/store/search/search.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "pipeline/event/event_json.h"
#include "services/store/search/search_private.h"

static const struct str TIMESTAMP = STR_INIT("@timestamp");

/* ---- a request ------------------------------------------------------------------------------------------------- */

static int64_t ms_of(struct instant at)
{
    return at.seconds * 1000 + at.nanoseconds / 1000000;
}

static bool compile_queries(struct search *search, const struct query_context *context,
                            struct api_error *err);

/* Against a mapping without fields: what is wrong in any index. */
static bool check_queries(struct search *search, struct api_error *err)
{
    struct mapping *nothing = mapping_new();
    struct query_context context = {&search->index_arena, nothing, STR(""), search->now_ms};
    bool done = compile_queries(search, &context, err);
    search->query = search->post_filter = NULL;
    mapping_free(nothing);
    return done;
}

struct search *search_new(const struct search_request *request, struct api_error *err)
{
    struct search *search = mem_zero(1, sizeof *search);
    arena_init(&search->arena, NULL);
    arena_init(&search->index_arena, NULL);
    arena_init(&search->document_arena, NULL);
    search->reader = json_reader_new();
    search->now_ms = ms_of(request->now);
    err->status = 0;
    bool done = search_plan_read(&search->plan, &search->arena, request, err);
    hits_init(&search->hits, &search->plan.sort,
              done ? (size_t)(search->plan.from + search->plan.size) : 0);
    if (done && search->plan.aggregations) {
        search->aggregations = aggregations_new(search->plan.aggregations, search->now_ms, err);
        done = search->aggregations;
    }
    if (done && check_queries(search, err))
        return search;
    search_free(search);
    return NULL;
}

void search_free(struct search *search)
{
    if (!search)
        return;
    hits_release(&search->hits);
    aggregations_free(search->aggregations);
    json_reader_free(search->reader);
    arena_release(&search->document_arena);
    arena_release(&search->index_arena);
    arena_release(&search->arena);
    mem_free(search->scratch_hit);
    mem_free(search);
}

/* ---- an index ---------------------------------------------------------------------------------------------------- */

static const struct query *compile_query(struct search *search, const struct query_context *context,
                                         struct api_error *err)
{
    const struct search_plan *plan = &search->plan;
    if (plan->url_query.text.ptr)
        return query_compile_string(context, &plan->url_query, err);
    return plan->query ? query_compile(context, plan->query, err) : query_all();
}

static bool compile_queries(struct search *search, const struct query_context *context,
                            struct api_error *err)
{
    search->post_filter = NULL;
    search->query = compile_query(search, context, err);
    if (!search->query || !search->plan.post_filter)
        return search->query;
    search->post_filter = query_compile(context, search->plan.post_filter, err);
    return search->post_filter;
}

/* Binds the request to the fields of an index. */
static bool compile(struct search *search, const struct mapping *mapping, struct api_error *err)
{
    arena_reset(&search->index_arena);
    struct query_context context = {&search->index_arena, mapping, search->index_name,
                                    search->now_ms};
    search->fields = NULL;
    if (!compile_queries(search, &context, err) ||
        (search->aggregations && !aggregations_open(search->aggregations, &context, err)))
        return false;
    if (search->plan.wish_count > 0) {
        search->fields = search_fields_open(&search->plan, &context, err);
        if (!search->fields)
            return false;
    }
    return sort_open(&search->plan.sort, &context, err);
}

bool search_open_index(struct search *search, struct str name, const struct mapping *mapping,
                       struct api_error *err)
{
    err->status = 0;
    search->index_name = arena_dup(&search->arena, name);
    search->indices++;
    if (!compile(search, mapping, err))
        return false;
    search->needs_document = search->query->kind != QUERY_ALL || search->post_filter ||
                             search->aggregations || search->fields ||
                             sort_needs_document(&search->plan.sort);
    return true;
}

bool search_time_range(const struct search *search, int64_t *from_ms_out, int64_t *to_ms_out)
{
    assert(search->query);
    *from_ms_out = INT64_MIN;
    *to_ms_out = INT64_MAX;
    return query_date_range(search->query, TIMESTAMP, from_ms_out, to_ms_out);
}

size_t search_ids(const struct search *search, const struct str **ids_out)
{
    assert(search->query);
    return query_ids(search->query, ids_out);
}

/* ---- a document ---------------------------------------------------------------------------------------------------- */

static bool no_memory(struct api_error *err)
{
    return api_error_set(err, 429, "circuit_breaking_exception",
                         "[request] Data too large: the search needs more than [%d] bytes",
                         SEARCH_MEMORY_MAX);
}

static struct str fields_text(struct search *search, const struct query_document *document)
{
    struct buf text;
    if (!search->fields)
        return STR("");
    buf_init(&text, SEARCH_MEMORY_MAX);
    struct str copy = search_fields_write(search->fields, document, &text)
                          ? arena_dup(&search->document_arena, buf_str(&text))
                          : STR("");
    buf_release(&text);
    return copy;
}

static struct hit *scratch_hit(struct search *search)
{
    if (!search->scratch_hit)
        search->scratch_hit = mem_alloc(hit_size(search->plan.sort.count));
    return search->scratch_hit;
}

static bool keep_hit(struct search *search, const struct search_document *document,
                     const struct sort_document *found, struct api_error *err)
{
    struct hit *hit = scratch_hit(search);
    *hit = (struct hit){.score = found->score,
                        .number = found->number,
                        .index = search->index_name,
                        .id = document->id,
                        .version = document->version,
                        .seq_no = document->seq_no,
                        .primary_term = document->primary_term};
    sort_values(&search->plan.sort, &search->document_arena, found, hit->sort);
    if (search->plan.sort.has_after && !sort_is_after(&search->plan.sort, hit->sort))
        return true;
    if (!hits_would_keep(&search->hits, hit))
        return true;
    if (!search->plan.source.is_hidden)
        hit->source = document->source;
    hit->fields = fields_text(search, found->document);
    hits_add(&search->hits, hit);
    return search->hits.bytes <= SEARCH_MEMORY_MAX || no_memory(err);
}

static bool matches(struct search *search, const struct query_document *document, double *score)
{
    return query_matches(search->query, document, score) &&
           (!search->plan.has_min_score || *score >= search->plan.min_score);
}

static bool add_match(struct search *search, const struct search_document *document,
                      const struct sort_document *found, struct api_error *err)
{
    double ignored;
    if (search->aggregations && !aggregations_add(search->aggregations, found->document, err))
        return false;
    if (search->post_filter && !query_matches(search->post_filter, found->document, &ignored))
        return true;
    search->total++;
    if (search->total == 1 || found->score > search->max_score)
        search->max_score = found->score;
    return search->hits.capacity == 0 || keep_hit(search, document, found, err);
}

bool search_add(struct search *search, const struct search_document *document,
                struct api_error *err)
{
    assert(search->query);
    struct value tree = value_object_new(&search->document_arena, 0);
    struct error syntax;
    err->status = 0;
    search->number++;
    if (search->needs_document &&
        !json_decode(search->reader, &search->document_arena, document->source, &tree, &syntax))
        return api_error_set(err, 500, "parse_exception",
                             "the stored document [%.*s] is broken: %s", STR_FMT(document->id),
                             syntax.text);
    struct query_document inside = {&tree, document->id};
    struct sort_document found = {&inside, 0, search->number - 1};
    bool done = !matches(search, &inside, &found.score) || add_match(search, document, &found, err);
    arena_reset(&search->document_arena);
    return done;
}

bool search_is_done(const struct search *search)
{
    const struct search_plan *plan = &search->plan;
    if (plan->terminate_after > 0 && search->total >= (uint64_t)plan->terminate_after)
        return true;
    if (search->aggregations || search->total <= plan->track)
        return false;
    bool same_scores = search->query && search->query->kind != QUERY_BOOL;
    bool by_storage = plan->sort.count == 0
                          ? same_scores
                          : plan->sort.count == 1 && plan->sort.keys[0].kind == SORT_DOCUMENT &&
                                !plan->sort.keys[0].is_descending;
    return search->hits.capacity == 0 ||
           (by_storage && search->hits.count == search->hits.capacity);
}

uint64_t search_total(const struct search *search)
{
    return search->total;
}
