/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer of a search.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/event/event_json.h"
#include "services/store/search/search_private.h"

/* A score is a float: the shortest text that reads back as it. */
static bool write_score(double score, struct buf *out)
{
    char text[32];
    float number = (float)score;
    if (fabsf(number) >= 1e7f || (number != 0 && fabsf(number) < 1e-3f)) {
        struct value value = value_float(score);
        return json_encode_value(&value, out);
    }
    int len = 0;
    for (int digits = 1; digits <= 9; digits++) {
        len = snprintf(text, sizeof text, "%.*g", digits, (double)number);
        if (strtof(text, NULL) == number)
            break;
    }
    bool is_whole = !memchr(text, '.', (size_t)len) && !memchr(text, 'e', (size_t)len);
    if (memchr(text, 'e', (size_t)len))
        len = snprintf(text, sizeof text, "%.1f", (double)number);
    return buf_append(out, text, (size_t)len) && (!is_whole || buf_append_str(out, STR(".0")));
}

static bool write_total(const struct search *search, struct buf *out)
{
    const struct search_plan *plan = &search->plan;
    uint64_t total = search->total;
    if (plan->hides_total)
        return true;
    if (plan->total_as_number)
        return buf_printf(out, "\"total\":%llu,", (unsigned long long)total);
    bool is_cut = total > plan->track;
    return buf_printf(out, "\"total\":{\"value\":%llu,\"relation\":\"%s\"},",
                      (unsigned long long)(is_cut ? plan->track : total), is_cut ? "gte" : "eq");
}

static bool shows_scores(const struct search_plan *plan)
{
    return plan->with_score || sort_uses_score(&plan->sort);
}

static bool write_max_score(const struct search *search, struct buf *out)
{
    bool has_none =
        search->total == 0 || search->hits.capacity == 0 || !shows_scores(&search->plan);
    if (!buf_append_str(out, STR("\"max_score\":")))
        return false;
    if (search->indices == 0)
        return buf_append_str(out, STR("0.0"));
    return has_none ? buf_append_str(out, STR("null")) : write_score(search->max_score, out);
}

static bool write_source(struct search *search, const struct hit *hit, struct buf *out)
{
    const struct source_filter *filter = &search->plan.source;
    if (filter->is_hidden)
        return true;
    if (!buf_append_str(out, STR(",\"_source\":")))
        return false;
    struct value tree;
    if (source_filter_shows_all(filter) ||
        !json_decode(search->reader, &search->document_arena, hit->source, &tree, NULL) ||
        value_type(&tree) != VALUE_OBJECT)
        return buf_append_str(out, hit->source);
    struct value left = source_filter_apply(filter, &search->document_arena, &tree);
    bool done = json_encode_value(&left, out);
    arena_reset(&search->document_arena);
    return done;
}

static bool write_sort(const struct sort *sort, const struct hit *hit, struct buf *out)
{
    bool done = sort->count == 0 || buf_append_str(out, STR(",\"sort\":["));
    for (size_t i = 0; i < sort->count && done; i++)
        done = (i == 0 || buf_append_char(out, ',')) && sort_value_write(&hit->sort[i], out);
    return done && (sort->count == 0 || buf_append_char(out, ']'));
}

static bool write_head(const struct search *search, const struct hit *hit, struct buf *out)
{
    const struct search_plan *plan = &search->plan;
    bool done = buf_append_str(out, STR("{\"_index\":")) && json_encode_str(hit->index, out) &&
                buf_append_str(out, STR(",\"_id\":")) && json_encode_str(hit->id, out);
    if (plan->with_version)
        done = done && buf_printf(out, ",\"_version\":%lld", (long long)hit->version);
    if (plan->with_seq_no)
        done = done && buf_printf(out, ",\"_seq_no\":%lld,\"_primary_term\":%lld",
                                  (long long)hit->seq_no, (long long)hit->primary_term);
    return done && buf_append_str(out, STR(",\"_score\":")) &&
           (shows_scores(plan) ? write_score(hit->score, out) : buf_append_str(out, STR("null")));
}

static bool write_hit(struct search *search, const struct hit *hit, struct buf *out)
{
    bool done = write_head(search, hit, out) && write_source(search, hit, out);
    if (hit->fields.len > 0)
        done = done && buf_append_str(out, STR(",\"fields\":{")) &&
               buf_append_str(out, hit->fields) && buf_append_char(out, '}');
    return done && write_sort(&search->plan.sort, hit, out) && buf_append_char(out, '}');
}

static bool write_hits(struct search *search, struct buf *out)
{
    bool done = buf_append_str(out, STR("\"hits\":{")) && write_total(search, out) &&
                write_max_score(search, out) && buf_append_str(out, STR(",\"hits\":["));
    size_t first = (size_t)search->plan.from;
    for (size_t i = first; i < search->hits.count && done; i++)
        done = (i == first || buf_append_char(out, ',')) &&
               write_hit(search, search->hits.items[i], out);
    return done && buf_append_str(out, STR("]}"));
}

bool search_write(struct search *search, uint64_t took_ms, struct buf *out, struct api_error *err)
{
    err->status = 0;
    hits_finish(&search->hits);
    bool is_early =
        search->plan.terminate_after > 0 && search->total >= (uint64_t)search->plan.terminate_after;
    bool done =
        buf_printf(out,
                   "{\"took\":%llu,\"timed_out\":false,%s\"_shards\":{\"total\":%zu,\"successful\":"
                   "%zu,\"skipped\":0,\"failed\":0},",
                   (unsigned long long)took_ms, is_early ? "\"terminated_early\":true," : "",
                   search->indices, search->indices) &&
        write_hits(search, out);
    if (search->aggregations && search->indices > 0 &&
        value_object_count(search->plan.aggregations) > 0)
        done = done && buf_append_str(out, STR(",\"aggregations\":")) &&
               aggregations_write(search->aggregations, out, err);
    return done && buf_append_char(out, '}');
}
