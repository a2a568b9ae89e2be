/* SPDX-License-Identifier: Apache-2.0
 *
 * What was collected, as JSON.
 */
#include <math.h>

#include "base/mem.h"
#include "pipeline/event/event_json.h"
#include "services/store/search/aggregation_private.h"

struct writing {
    struct aggregations *all;
    struct buf *out;
    struct api_error *err;
};

/* ---- single values ------------------------------------------------------------------------------------------------ */

static bool write_number(struct writing *to, double number)
{
    struct value value = value_float(number);
    if (isfinite(number))
        return json_encode_value(&value, to->out);
    return buf_append_str(to->out, STR("null"));
}

/* A number of a field of dates or of booleans, as that type writes it. */
static bool write_as_type(struct writing *to, const struct aggregation *aggregation, double number)
{
    struct buf text;
    if (aggregation->type == FIELD_BOOLEAN)
        return buf_append_str(to->out, number != 0 ? STR("\"true\"") : STR("\"false\""));
    buf_init(&text, 1024);
    double bounded = fmin(fmax(number, -9e18), 9e18);
    bool done =
        date_layout_write(aggregation->layout, (int64_t)bounded, aggregation->zone, &text) &&
        json_encode_str(buf_str(&text), to->out);
    buf_release(&text);
    return done;
}

static bool has_text_form(const struct aggregation *aggregation)
{
    return aggregation->is_typed && (aggregation->type == FIELD_BOOLEAN || aggregation->layout);
}

/* "name":number and, of dates, "name_as_string":"…". */
static bool write_member(struct writing *to, const struct aggregation *aggregation,
                         const char *name, double number)
{
    bool done = buf_printf(to->out, "\"%s\":", name) && write_number(to, number);
    if (isfinite(number) && has_text_form(aggregation))
        done = done && buf_printf(to->out, ",\"%s_as_string\":", name) &&
               write_as_type(to, aggregation, number);
    return done;
}

static bool write_stats(struct writing *to, const struct aggregation *aggregation,
                        const struct collected *collected)
{
    static const char *const NAMES[] = {"min", "max", "avg", "sum"};
    double numbers[] = {collected->min, collected->max, collected_average(collected),
                        collected->sum};
    bool done = buf_printf(to->out, "\"count\":%llu", (unsigned long long)collected->count);
    for (size_t i = 0; i < 4 && done; i++)
        done = buf_append_char(to->out, ',') && write_member(to, aggregation, NAMES[i], numbers[i]);
    return done;
}

static bool write_percentiles(struct writing *to, const struct aggregation *aggregation,
                              const struct collected *collected)
{
    char name[FLOAT_TEXT_MAX + 1];
    bool is_list = aggregation->is_not_keyed;
    bool done = buf_append_str(to->out, is_list ? STR("\"values\":[") : STR("\"values\":{"));
    for (size_t i = 0; i < aggregation->percent_count && done; i++) {
        double percent = aggregation->percents[i];
        double number = collected->digest ? digest_quantile(collected->digest, percent / 100) : NAN;
        name[float_format(percent, name)] = 0;
        done = i == 0 || buf_append_char(to->out, ',');
        if (is_list)
            done = done && buf_printf(to->out, "{\"key\":%s,", name) &&
                   write_member(to, aggregation, "value", number) && buf_append_char(to->out, '}');
        else
            done = done && write_member(to, aggregation, name, number);
    }
    return done && buf_append_char(to->out, is_list ? ']' : '}');
}

/* ---- one bucket ------------------------------------------------------------------------------------------------------- */

static bool count_bucket(struct writing *to)
{
    if (++to->all->written_buckets <= SEARCH_BUCKETS_MAX)
        return true;
    return api_error_set(
        to->err, 503, "too_many_buckets_exception",
        "Trying to create too many buckets. Must be less than or equal to: [%d] but was "
        "[%zu]. This limit can be set by changing the [search.max_buckets] cluster level "
        "setting.",
        SEARCH_BUCKETS_MAX, to->all->written_buckets);
}

/* doc_count and what lies below. bucket NULL: an empty one. */
static bool write_inside(struct writing *to, const struct aggregation *aggregation,
                         const struct bucket *bucket)
{
    if (!buf_printf(to->out, "\"doc_count\":%llu",
                    (unsigned long long)(bucket ? bucket->count : 0)))
        return false;
    if (aggregation->shows_errors &&
        !buf_append_str(to->out, STR(",\"doc_count_error_upper_bound\":0")))
        return false;
    if (aggregation->sub_count == 0)
        return true;
    const struct collected *subs =
        bucket && bucket->subs ? bucket->subs : collected_new(to->all, aggregation);
    return buf_append_char(to->out, ',') &&
           aggregation_write_all(to->all, aggregation, subs, to->out, to->err);
}

static bool write_key(struct writing *to, const struct term *key)
{
    char ip[IP_TEXT_MAX];
    struct value number;
    switch (key->kind) {
    case TERM_TEXT:
        return json_encode_str(key->as.text, to->out);
    case TERM_IP:
        return json_encode_str(str_make(ip, ip_network_format(&key->as.ip, ip)), to->out);
    case TERM_INTEGER:
        number = value_int(key->as.integer);
        return json_encode_value(&number, to->out);
    case TERM_REAL:
        return write_number(to, key->as.real);
    }
    return false;
}

static double key_number(const struct term *key)
{
    return key->kind == TERM_REAL ? key->as.real : (double)key->as.integer;
}

static bool write_key_text(struct writing *to, const struct aggregation *aggregation,
                           const struct term *key)
{
    return buf_append_str(to->out, STR("\"key_as_string\":")) &&
           write_as_type(to, aggregation, key_number(key));
}

static bool write_bucket(struct writing *to, const struct aggregation *aggregation,
                         const struct term *key, const struct bucket *bucket)
{
    bool has_text = has_text_form(aggregation);
    bool text_first = aggregation->kind == AGGREGATE_DATE_HISTOGRAM;
    if (!count_bucket(to))
        return false;
    bool done = true;
    if (aggregation->is_keyed) {
        if (has_text)
            done = write_as_type(to, aggregation, key_number(key));
        else
            done = buf_append_char(to->out, '"') && write_key(to, key) &&
                   buf_append_char(to->out, '"');
        done = done && buf_append_char(to->out, ':');
    }
    done = done && buf_append_char(to->out, '{');
    if (has_text && text_first)
        done = done && write_key_text(to, aggregation, key) && buf_append_char(to->out, ',');
    done = done && buf_append_str(to->out, STR("\"key\":")) && write_key(to, key) &&
           buf_append_char(to->out, ',');
    if (has_text && !text_first)
        done = done && write_key_text(to, aggregation, key) && buf_append_char(to->out, ',');
    return done && write_inside(to, aggregation, bucket) && buf_append_char(to->out, '}');
}

/* ---- terms ---------------------------------------------------------------------------------------------------------------- */

/* Nothing is missed here. OpenSearch says -1, unknown, when a list is cut that is not by descending counts. */
static int error_bound(const struct aggregation *aggregation, bool is_cut)
{
    const struct order *order = &aggregation->orders[0];
    bool is_unknown =
        aggregation->order_count > 0 &&
        (order->by == ORDER_METRIC || (order->by == ORDER_COUNT && !order->is_descending));
    return is_cut && is_unknown ? -1 : 0;
}

static bool write_terms(struct writing *to, const struct aggregation *aggregation,
                        const struct collected *collected)
{
    size_t count;
    uint64_t others = 0,
             minimum = aggregation->min_doc_count > 0 ? (uint64_t)aggregation->min_doc_count : 1;
    struct bucket **list = aggregation_list_buckets(collected, minimum, &count);
    aggregation_sort_buckets(aggregation, list, count);
    size_t shown = count < (size_t)aggregation->size ? count : (size_t)aggregation->size;
    for (size_t i = shown; i < count; i++)
        others += list[i]->count;
    bool done = buf_printf(
        to->out, "\"doc_count_error_upper_bound\":%d,\"sum_other_doc_count\":%llu,\"buckets\":[",
        error_bound(aggregation, shown < count), (unsigned long long)others);
    for (size_t i = 0; i < shown && done; i++)
        done = (i == 0 || buf_append_char(to->out, ',')) &&
               write_bucket(to, aggregation, &list[i]->key, list[i]);
    mem_free(list);
    return done && buf_append_char(to->out, ']');
}

/* ---- histograms ------------------------------------------------------------------------------------------------------------ */

static struct term next_key(const struct aggregation *aggregation, struct term key)
{
    if (aggregation->kind == AGGREGATE_HISTOGRAM) {
        double step = round((key.as.real - aggregation->offset) / aggregation->interval) + 1;
        key.as.real = step * aggregation->interval + aggregation->offset;
        if (key.as.real == 0)
            key.as.real = 0;
        return key;
    }
    if (aggregation->interval_ms == 0) {
        int64_t plain = key.as.integer - aggregation->offset_ms;
        key.as.integer =
            date_next(plain, aggregation->unit, aggregation->zone) + aggregation->offset_ms;
    } else if (key.as.integer <= INT64_MAX - aggregation->interval_ms) {
        key.as.integer += aggregation->interval_ms;
    }
    return key;
}

static struct term key_of_bound(const struct aggregation *aggregation, double bound)
{
    struct term key = {.kind = TERM_REAL};
    if (aggregation->kind == AGGREGATE_HISTOGRAM) {
        double steps = floor((bound - aggregation->offset) / aggregation->interval);
        key.as.real = steps * aggregation->interval + aggregation->offset;
        return key;
    }
    key.kind = TERM_INTEGER;
    int64_t ms = (int64_t)bound - aggregation->offset_ms, step = aggregation->interval_ms;
    if (step == 0)
        ms = date_round_down(ms, aggregation->unit, aggregation->zone);
    else
        ms -= ((ms % step) + step) % step;
    key.as.integer = ms + aggregation->offset_ms;
    return key;
}

/* Adds the empty buckets between the others, up to the limit of an answer. */
struct filled {
    struct bucket **items;
    size_t count, capacity;
};

static bool add_filled(struct writing *to, struct filled *filled, struct bucket *bucket)
{
    if (filled->count + to->all->written_buckets >= SEARCH_BUCKETS_MAX) {
        to->all->written_buckets = SEARCH_BUCKETS_MAX;
        return count_bucket(to);
    }
    filled->items =
        mem_grow(filled->items, filled->count, &filled->capacity, sizeof(struct bucket *));
    filled->items[filled->count++] = bucket;
    return true;
}

static struct bucket *empty_bucket(struct writing *to, struct term key)
{
    struct bucket *bucket = arena_zero(&to->all->arena, sizeof *bucket);
    bucket->key = key;
    return bucket;
}

static bool fill_until(struct writing *to, const struct aggregation *aggregation,
                       struct filled *filled, struct term key, const struct term *end)
{
    while (term_compare(&key, end) < 0) {
        struct term next = next_key(aggregation, key);
        if (term_compare(&next, &key) <= 0)
            break;
        if (!add_filled(to, filled, empty_bucket(to, key)))
            return false;
        key = next;
    }
    return true;
}

static bool fill_gaps(struct writing *to, const struct aggregation *aggregation,
                      struct bucket **list, size_t count, struct filled *filled)
{
    struct term first, last;
    if (aggregation->has_bounds && aggregation->bound_min <= aggregation->bound_max) {
        first = key_of_bound(aggregation, aggregation->bound_min);
        last = key_of_bound(aggregation, aggregation->bound_max);
        struct term end = count ? list[0]->key : next_key(aggregation, last);
        if (!fill_until(to, aggregation, filled, first, &end))
            return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct term next = next_key(aggregation, list[i]->key);
        if (!add_filled(to, filled, list[i]) ||
            (i + 1 < count && !fill_until(to, aggregation, filled, next, &list[i + 1]->key)))
            return false;
    }
    if (!aggregation->has_bounds || count == 0)
        return true;
    last = next_key(aggregation, key_of_bound(aggregation, aggregation->bound_max));
    return fill_until(to, aggregation, filled, next_key(aggregation, list[count - 1]->key), &last);
}

static bool write_list(struct writing *to, const struct aggregation *aggregation,
                       struct bucket **list, size_t count)
{
    bool keyed = aggregation->is_keyed;
    bool done = buf_append_str(to->out, keyed ? STR("\"buckets\":{") : STR("\"buckets\":["));
    for (size_t i = 0; i < count && done; i++)
        done = (i == 0 || buf_append_char(to->out, ',')) &&
               write_bucket(to, aggregation, &list[i]->key, list[i]);
    return done && buf_append_char(to->out, keyed ? '}' : ']');
}

static bool write_histogram(struct writing *to, const struct aggregation *aggregation,
                            const struct collected *collected)
{
    size_t count;
    uint64_t minimum = aggregation->min_doc_count < 0 ? 0 : (uint64_t)aggregation->min_doc_count;
    struct bucket **list = aggregation_list_buckets(collected, minimum ? minimum : 1, &count);
    struct filled filled = {0};
    struct aggregation by_key = {.kind = aggregation->kind};
    aggregation_sort_buckets(&by_key, list, count);
    bool done = true;
    if (minimum == 0)
        done = fill_gaps(to, aggregation, list, count, &filled);
    struct bucket **shown = minimum == 0 ? filled.items : list;
    size_t shown_count = minimum == 0 ? filled.count : count;
    if (aggregation->order_count > 0)
        aggregation_sort_buckets(aggregation, shown, shown_count);
    done = done && write_list(to, aggregation, shown, shown_count);
    mem_free(filled.items);
    mem_free(list);
    return done;
}

/* ---- buckets that are known beforehand ----------------------------------------------------------------------------------------- */

static bool write_bounds(struct writing *to, const struct aggregation *aggregation,
                         const struct fixed *fixed)
{
    bool done = true;
    if (fixed->has_from)
        done = write_member(to, aggregation, "from", fixed->from) && buf_append_char(to->out, ',');
    if (fixed->has_to)
        done =
            done && write_member(to, aggregation, "to", fixed->to) && buf_append_char(to->out, ',');
    return done;
}

static bool write_fixed(struct writing *to, const struct aggregation *aggregation,
                        const struct collected *collected)
{
    bool keyed = aggregation->is_keyed, is_range = aggregation->kind == AGGREGATE_RANGE;
    bool done = buf_append_str(to->out, keyed ? STR("\"buckets\":{") : STR("\"buckets\":["));
    for (size_t i = 0; i < aggregation->fixed_count && done; i++) {
        const struct fixed *fixed = &aggregation->fixed[i];
        done = count_bucket(to) && (i == 0 || buf_append_char(to->out, ','));
        if (keyed)
            done = done && json_encode_str(fixed->key, to->out) && buf_append_char(to->out, ':');
        done = done && buf_append_char(to->out, '{');
        if (is_range && !keyed)
            done = done && buf_append_str(to->out, STR("\"key\":")) &&
                   json_encode_str(fixed->key, to->out) && buf_append_char(to->out, ',');
        done = done && (!is_range || write_bounds(to, aggregation, fixed)) &&
               write_inside(to, aggregation, collected->fixed ? &collected->fixed[i] : NULL) &&
               buf_append_char(to->out, '}');
    }
    return done && buf_append_char(to->out, keyed ? '}' : ']');
}

/* ---- one aggregation -------------------------------------------------------------------------------------------------------------- */

static bool write_body(struct writing *to, const struct aggregation *aggregation,
                       const struct collected *collected)
{
    double nothing = NAN;
    switch (aggregation->kind) {
    case AGGREGATE_TERMS:
        return write_terms(to, aggregation, collected);
    case AGGREGATE_DATE_HISTOGRAM:
    case AGGREGATE_HISTOGRAM:
        return write_histogram(to, aggregation, collected);
    case AGGREGATE_RANGE:
    case AGGREGATE_FILTERS:
        return write_fixed(to, aggregation, collected);
    case AGGREGATE_FILTER:
    case AGGREGATE_MISSING:
        return count_bucket(to) && write_inside(to, aggregation, collected->fixed);
    case AGGREGATE_AVG:
        return write_member(to, aggregation, "value", collected_average(collected));
    case AGGREGATE_SUM:
        return write_member(to, aggregation, "value", collected->sum);
    case AGGREGATE_MIN:
        return write_member(to, aggregation, "value", collected->count ? collected->min : nothing);
    case AGGREGATE_MAX:
        return write_member(to, aggregation, "value", collected->count ? collected->max : nothing);
    case AGGREGATE_STATS:
        return write_stats(to, aggregation, collected);
    case AGGREGATE_VALUE_COUNT:
        return buf_printf(to->out, "\"value\":%llu", (unsigned long long)collected->count);
    case AGGREGATE_CARDINALITY:
        return buf_printf(to->out, "\"value\":%llu",
                          (unsigned long long)collected_cardinality(collected));
    case AGGREGATE_PERCENTILES:
        return write_percentiles(to, aggregation, collected);
    }
    return false;
}

bool aggregation_write_all(struct aggregations *all, const struct aggregation *parent,
                           const struct collected *collected, struct buf *out,
                           struct api_error *err)
{
    struct writing to = {all, out, err};
    bool done = true;
    for (size_t i = 0; i < parent->sub_count && done; i++) {
        const struct aggregation *aggregation = &parent->subs[i];
        done = (i == 0 || buf_append_char(out, ',')) && json_encode_str(aggregation->name, out) &&
               buf_append_str(out, STR(":{"));
        if (aggregation->meta)
            done = done && buf_append_str(out, STR("\"meta\":")) &&
                   json_encode_value(aggregation->meta, out) && buf_append_char(out, ',');
        done = done && write_body(&to, aggregation, &collected[i]) && buf_append_char(out, '}');
    }
    return done;
}
