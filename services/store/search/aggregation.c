/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of the aggregations of one search, and their fields in the open index.
 */
#include "services/store/search/aggregation.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "services/store/search/aggregation_private.h"

struct aggregations *aggregations_new(const struct value *tree, int64_t now_ms,
                                      struct api_error *err)
{
    struct aggregations *all = mem_zero(1, sizeof *all);
    arena_init(&all->arena, NULL);
    all->now_ms = now_ms;
    if (!aggregation_parse_all(all, &all->root, tree, 0, err)) {
        aggregations_free(all);
        return NULL;
    }
    all->collected = collected_new(all, &all->root);
    return all;
}

void aggregations_free(struct aggregations *aggregations)
{
    if (!aggregations)
        return;
    arena_release(&aggregations->arena);
    mem_free(aggregations);
}

/* ---- binding ------------------------------------------------------------------------------------------------ */

static bool refuse(const struct query_context *context, struct api_error *err)
{
    err->of_search = true;
    snprintf(err->index, sizeof err->index, "%.*s", STR_FMT(context->index));
    return false;
}

static bool needs_numbers(const struct aggregation *aggregation)
{
    return aggregation->kind != AGGREGATE_TERMS && aggregation->kind != AGGREGATE_VALUE_COUNT &&
           aggregation->kind != AGGREGATE_CARDINALITY && aggregation->kind != AGGREGATE_MISSING;
}

static const char *kind_name(enum aggregation_kind kind)
{
    static const char *const NAMES[] = {
        "terms",   "date_histogram", "histogram",   "range",       "filter",
        "filters", "missing",        "avg",         "sum",         "min",
        "max",     "stats",          "value_count", "cardinality", "percentiles"};
    return NAMES[kind];
}

static bool check_field(const struct aggregation *aggregation, const struct field *field,
                        const struct query_context *context, struct api_error *err)
{
    enum term_kind kind = term_kind_of_field(field);
    if (aggregation->kind != AGGREGATE_MISSING && !field_need_doc_values(field, field->path, err))
        return refuse(context, err);
    if (field->type == FIELD_OPAQUE)
        return api_error_set(err, 501, "unsupported_operation_exception",
                             "the field [%.*s] of type [%s] cannot be aggregated",
                             STR_FMT(field->path), field->type_name);
    if (!needs_numbers(aggregation) || kind == TERM_INTEGER || kind == TERM_REAL)
        return true;
    api_error_set(err, 400, "illegal_argument_exception",
                  "Field [%.*s] of type [%s] is not supported for aggregation [%s]",
                  STR_FMT(field->path), field->type_name, kind_name(aggregation->kind));
    return refuse(context, err);
}

/* Indices may differ in the type of the field, not in the kind of its values. */
static bool check_kind(struct aggregations *all, struct aggregation *aggregation,
                       const struct field *field, struct api_error *err)
{
    struct error syntax;
    struct field first = {.type = aggregation->type};
    if (aggregation->is_typed && term_kind_of_field(&first) != term_kind_of_field(field) &&
        aggregation->kind == AGGREGATE_TERMS)
        return api_error_set(
            err, 400, "aggregation_execution_exception",
            "Merging/Reducing the aggregations failed when computing the aggregation [%.*s] "
            "because the field you gave in the aggregation query existed as two different "
            "types in two different indices",
            STR_FMT(aggregation->name));
    if (aggregation->is_typed)
        return true;
    aggregation->is_typed = true;
    aggregation->type = field->type;
    if (field->type != FIELD_DATE)
        return !aggregation->format.ptr || field->type == FIELD_KEYWORD ||
               api_error_set(
                   err, 501, "unsupported_operation_exception",
                   "the [format] of numbers, for the aggregation [%.*s], is not supported",
                   STR_FMT(aggregation->name));
    struct str text =
        aggregation->format.ptr ? aggregation->format : date_layout_text(field->format);
    aggregation->layout = date_layout_compile(&all->arena, text, &syntax);
    return aggregation->layout ||
           api_error_set(err, 400, "illegal_argument_exception", "Invalid format: [%.*s]: %s",
                         STR_FMT(text), syntax.text);
}

/* What an index without the field takes it for: as the others have it, else what the aggregation works on. */
static bool stand_in(const struct aggregation *aggregation, struct arena *arena, struct field *out,
                     struct api_error *err)
{
    struct error syntax;
    const struct value *missing = aggregation->missing;
    *out = (struct field){.type = FIELD_DOUBLE, .format = date_layout_default()};
    if (aggregation->is_typed)
        out->type = aggregation->type;
    else if (aggregation->kind == AGGREGATE_DATE_HISTOGRAM)
        out->type = FIELD_DATE;
    else if (!needs_numbers(aggregation) && value_is_str(missing))
        out->type = FIELD_KEYWORD;
    else if (!needs_numbers(aggregation) && value_type(missing) == VALUE_BOOL)
        out->type = FIELD_BOOLEAN;
    if (out->type != FIELD_DATE || !aggregation->format.ptr)
        return true;
    out->format = date_layout_compile(arena, aggregation->format, &syntax);
    return out->format ||
           api_error_set(err, 400, "illegal_argument_exception", "Invalid format: [%.*s]: %s",
                         STR_FMT(aggregation->format), syntax.text);
}

/* The value that stands for none, as the field has it. */
static bool open_missing(struct aggregation *aggregation, const struct query_context *context,
                         struct api_error *err)
{
    aggregation->has_missing_term = false;
    if (!aggregation->missing)
        return true;
    struct field unmapped;
    const struct field *field = aggregation->reader.field;
    if (!field && !stand_in(aggregation, context->arena, &unmapped, err))
        return false;
    char *buffer = arena_bytes(context->arena, TERM_TEXT_MAX);
    aggregation->has_missing_term = term_of_value(field ? field : &unmapped, aggregation->missing,
                                                  buffer, &aggregation->missing_term);
    if (aggregation->has_missing_term)
        return true;
    api_error_set(err, 400, "number_format_exception",
                  "the [missing] of [%.*s] is no value of its field", STR_FMT(aggregation->name));
    return refuse(context, err);
}

static bool open_filters(struct aggregation *aggregation, const struct query_context *context,
                         struct api_error *err)
{
    for (size_t i = 0; i < aggregation->fixed_count; i++) {
        struct fixed *fixed = &aggregation->fixed[i];
        if (!fixed->tree)
            continue;
        fixed->query = query_compile(context, fixed->tree, err);
        if (!fixed->query)
            return false;
    }
    return true;
}

static bool open_one(struct aggregations *all, struct aggregation *aggregation,
                     const struct query_context *context, struct api_error *err)
{
    aggregation->reader.field = NULL;
    const struct field *field =
        aggregation->path.ptr ? mapping_find(context->mapping, aggregation->path) : NULL;
    if (field && field->type != FIELD_OBJECT) {
        if (!check_field(aggregation, field, context, err) ||
            !check_kind(all, aggregation, field, err))
            return false;
        field_reader_init(&aggregation->reader, field);
    }
    if (!open_missing(aggregation, context, err) || !open_filters(aggregation, context, err))
        return false;
    for (size_t i = 0; i < aggregation->sub_count; i++) {
        if (!open_one(all, &aggregation->subs[i], context, err))
            return false;
    }
    return true;
}

bool aggregations_open(struct aggregations *aggregations, const struct query_context *context,
                       struct api_error *err)
{
    for (size_t i = 0; i < aggregations->root.sub_count; i++) {
        if (!open_one(aggregations, &aggregations->root.subs[i], context, err))
            return false;
    }
    return true;
}

/* ---- documents ------------------------------------------------------------------------------------------------ */

bool aggregations_add(struct aggregations *aggregations, const struct query_document *document,
                      struct api_error *err)
{
    aggregations->err = err;
    aggregations->documents++;
    for (size_t i = 0; i < aggregations->root.sub_count; i++) {
        if (!aggregation_collect(aggregations, &aggregations->root.subs[i],
                                 &aggregations->collected[i], document))
            return false;
    }
    if (aggregations->arena.total_bytes <= AGGREGATION_MEMORY_MAX)
        return true;
    return api_error_set(err, 429, "circuit_breaking_exception",
                         "[request] Data too large: the aggregations need more than [%d] bytes",
                         AGGREGATION_MEMORY_MAX);
}

bool aggregations_write(struct aggregations *aggregations, struct buf *out, struct api_error *err)
{
    aggregations->written_buckets = 0;
    return buf_append_char(out, '{') &&
           aggregation_write_all(aggregations, &aggregations->root, aggregations->collected, out,
                                 err) &&
           buf_append_char(out, '}');
}
