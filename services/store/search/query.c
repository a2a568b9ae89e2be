/* SPDX-License-Identifier: Apache-2.0
 *
 * The compiled tree, asked for a document.
 */
#include "services/store/search/query.h"

#include <assert.h>
#include <stdlib.h>

#include "services/store/glob.h"
#include "services/store/search/analysis.h"
#include "services/store/search/query_private.h"

enum { LIST_FIRST = 4 };

/* ---- nodes ------------------------------------------------------------------------------------------- */

struct query *query_new(struct query_compiler *in, enum query_kind kind)
{
    if (++in->nodes > QUERY_NODES_MAX)
        return query_refuse(in, "too_many_clauses", "the query has more than %d clauses",
                            QUERY_NODES_MAX);
    struct query *query = arena_zero(in->context.arena, sizeof *query);
    query->kind = kind;
    query->boost = 1;
    return query;
}

struct query *query_on_field(struct query_compiler *in, enum query_kind kind,
                             const struct field *field)
{
    struct query *query = query_new(in, kind);
    if (!query)
        return NULL;
    query->reader = arena_alloc(in->context.arena, sizeof *query->reader);
    field_reader_init(query->reader, field);
    return query;
}

void query_list_add(struct query_compiler *in, struct query_list *list, const struct query *query)
{
    assert(query);
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : LIST_FIRST,
               size = sizeof *list->items;
        list->items =
            arena_grow(in->context.arena, list->items, list->count * size, capacity * size);
        list->capacity = capacity;
    }
    list->items[list->count++] = query;
}

static int compare_terms(const void *a, const void *b)
{
    return term_compare(a, b);
}

void query_sort_terms(struct query *query)
{
    if (query->count > 1)
        qsort(query->terms, query->count, sizeof *query->terms, compare_terms);
}

const struct query *query_all(void)
{
    static const struct query ALL = {.kind = QUERY_ALL, .boost = 1};
    return &ALL;
}

/* ---- values of a field --------------------------------------------------------------------------------- */

static bool in_range(const struct query *query, const struct term *term)
{
    int low = query->has_low ? term_compare(term, &query->terms[0]) : 1;
    int high = query->has_high ? term_compare(term, &query->terms[1]) : -1;
    return (low > 0 || (low == 0 && query->includes_low)) &&
           (high < 0 || (high == 0 && query->includes_high));
}

static bool is_listed(const struct query *query, const struct term *term)
{
    if (query->ignores_case)
        return str_equal_nocase(term->as.text, query->terms[0].as.text);
    if (query->count == 1)
        return term_compare(term, &query->terms[0]) == 0;
    return bsearch(term, query->terms, query->count, sizeof *query->terms, compare_terms);
}

static bool in_network(const struct query *query, const struct term *term)
{
    for (size_t i = 0; i < query->count; i++) {
        if (ip_network_contains(&query->terms[i].as.ip, &term->as.ip))
            return true;
    }
    return false;
}

static bool has_prefix(const struct query *query, struct str text)
{
    if (query->ignores_case)
        return text.len >= query->text.len &&
               str_equal_nocase(str_make(text.ptr, query->text.len), query->text);
    return str_starts_with(text, query->text);
}

static bool term_matches(const struct query *query, const struct term *term)
{
    switch (query->kind) {
    case QUERY_TERMS:
        return is_listed(query, term);
    case QUERY_NETWORKS:
        return in_network(query, term);
    case QUERY_RANGE:
        return in_range(query, term);
    case QUERY_PREFIX:
        return has_prefix(query, term->as.text);
    case QUERY_WILDCARD:
        return glob_match_wildcard(query->text, term->as.text,
                                   query->ignores_case ? GLOB_IGNORE_CASE : 0);
    case QUERY_EXISTS:
        return true;
    case QUERY_ALL:
    case QUERY_NONE:
    case QUERY_IDS:
    case QUERY_BOOL:
    case QUERY_CONSTANT:
    case QUERY_PHRASE:
        break;
    }
    assert(!"a query that looks at no single value");
    return false;
}

static bool word_matches(const struct query *query, struct str text)
{
    struct words words;
    struct term term = {.kind = TERM_TEXT};
    words_init(&words, text);
    while (words_next(&words, &term.as.text)) {
        if (term_matches(query, &term))
            return true;
    }
    return false;
}

/* The phrase's words from the beginning of `words` on. */
static bool phrase_here(const struct query *query, struct words words)
{
    struct str word;
    for (size_t i = 0; i < query->count; i++) {
        if (!words_next(&words, &word))
            return false;
        bool is_prefix = query->last_is_prefix && i + 1 == query->count;
        if (is_prefix ? !str_starts_with(word, query->texts[i]) : !str_equal(word, query->texts[i]))
            return false;
    }
    return true;
}

static bool has_phrase(const struct query *query, struct str text)
{
    struct words words;
    struct str word;
    words_init(&words, text);
    do {
        if (phrase_here(query, words))
            return true;
    } while (words_next(&words, &word));
    return false;
}

/* ---- looking into a document ----------------------------------------------------------------------------- */

/* False when the value decides: it matches. */
static bool visit(void *ctx, const struct value *value)
{
    const struct query *query = ctx;
    const struct field *field = query->reader->field;
    struct term term;
    char buffer[TERM_TEXT_MAX];
    if (!term_of_value(field, value, buffer, &term))
        return true;
    if (query->kind == QUERY_PHRASE)
        return !has_phrase(query, term.as.text);
    if (field->type == FIELD_TEXT && query->kind != QUERY_EXISTS)
        return !word_matches(query, term.as.text);
    return !term_matches(query, &term);
}

static bool field_matches(const struct query *query, const struct query_document *document)
{
    union {
        const struct query *query;
        void *ctx;
    } as = {query};
    return !field_reader_each(query->reader, document->tree, visit, as.ctx);
}

static bool id_matches(const struct query *query, struct str id)
{
    for (size_t i = 0; i < query->count; i++) {
        if (str_equal(query->texts[i], id))
            return true;
    }
    return false;
}

/* ---- bool ------------------------------------------------------------------------------------------------- */

static bool none_match(const struct query_list *list, const struct query_document *document)
{
    double ignored;
    for (size_t i = 0; i < list->count; i++) {
        if (query_matches(list->items[i], document, &ignored))
            return false;
    }
    return true;
}

/* All of them; their scores are added. */
static bool all_match(const struct query_list *list, const struct query_document *document,
                      double *sum)
{
    double score;
    for (size_t i = 0; i < list->count; i++) {
        if (!query_matches(list->items[i], document, &score))
            return false;
        *sum += score;
    }
    return true;
}

static size_t count_matching(const struct query_list *list, const struct query_document *document,
                             double *sum)
{
    size_t count = 0;
    double score;
    for (size_t i = 0; i < list->count; i++) {
        if (query_matches(list->items[i], document, &score)) {
            *sum += score;
            count++;
        }
    }
    return count;
}

static bool bool_matches(const struct query *query, const struct query_document *document,
                         double *score)
{
    double sum = 0, ignored = 0;
    if (!all_match(&query->filter, document, &ignored) ||
        !all_match(&query->must, document, &sum) || !none_match(&query->must_not, document) ||
        count_matching(&query->should, document, &sum) < query->minimum_should_match)
        return false;
    *score = sum * query->boost;
    return true;
}

bool query_matches(const struct query *query, const struct query_document *document, double *score)
{
    *score = query->boost;
    switch (query->kind) {
    case QUERY_ALL:
        return true;
    case QUERY_NONE:
        return false;
    case QUERY_IDS:
        return id_matches(query, document->id);
    case QUERY_BOOL:
        return bool_matches(query, document, score);
    case QUERY_CONSTANT: {
        double ignored;
        return query_matches(query->inner, document, &ignored);
    }
    case QUERY_TERMS:
    case QUERY_NETWORKS:
    case QUERY_RANGE:
    case QUERY_EXISTS:
    case QUERY_PREFIX:
    case QUERY_WILDCARD:
    case QUERY_PHRASE:
        return field_matches(query, document);
    }
    return false;
}

/* ---- what is known without a document ------------------------------------------------------------------------ */

static bool range_of_list(const struct query_list *list, struct str path, int64_t *from,
                          int64_t *to)
{
    bool said = false;
    for (size_t i = 0; i < list->count; i++)
        said |= query_date_range(list->items[i], path, from, to);
    return said;
}

static bool range_of_range(const struct query *query, struct str path, int64_t *from, int64_t *to)
{
    const struct field *field = query->reader->field;
    if (field->type != FIELD_DATE || !str_equal(field->path, path))
        return false;
    int64_t low = query->has_low ? query->terms[0].as.integer : INT64_MIN;
    int64_t high = query->has_high ? query->terms[1].as.integer : INT64_MAX;
    *from = low > *from ? low : *from;
    *to = high < *to ? high : *to;
    return query->has_low || query->has_high;
}

bool query_date_range(const struct query *query, struct str path, int64_t *from, int64_t *to)
{
    if (query->kind == QUERY_RANGE)
        return range_of_range(query, path, from, to);
    if (query->kind == QUERY_CONSTANT)
        return query_date_range(query->inner, path, from, to);
    if (query->kind != QUERY_BOOL)
        return false;
    bool said = range_of_list(&query->must, path, from, to);
    return range_of_list(&query->filter, path, from, to) || said;
}

size_t query_ids(const struct query *query, const struct str **ids_out)
{
    if (query->kind == QUERY_CONSTANT)
        return query_ids(query->inner, ids_out);
    if (query->kind == QUERY_BOOL) {
        for (size_t i = 0; i < query->must.count + query->filter.count; i++) {
            const struct query *part = i < query->must.count
                                           ? query->must.items[i]
                                           : query->filter.items[i - query->must.count];
            size_t count = query_ids(part, ids_out);
            if (count != SIZE_MAX)
                return count;
        }
    }
    *ids_out = query->texts;
    return query->kind == QUERY_IDS ? query->count : query->kind == QUERY_NONE ? 0 : SIZE_MAX;
}
