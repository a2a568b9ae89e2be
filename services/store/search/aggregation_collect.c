/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of documents into numbers, sets and buckets.
 */
#include <assert.h>
#include <math.h>

#include "base/murmur3.h"
#include "services/store/glob.h"
#include "services/store/search/aggregation_private.h"

enum { SLOTS_FIRST = 16 };
/* A set is counted exactly up to this many values; then HyperLogLog with 2^14 registers takes over. */
enum { UNIQUE_EXACT_MAX = 40000, REGISTER_BITS = 14, REGISTERS = 1 << REGISTER_BITS };

struct collected *collected_new(struct aggregations *all, const struct aggregation *parent)
{
    struct collected *list = arena_zero(&all->arena, (parent->sub_count + 1) * sizeof *list);
    for (size_t i = 0; i < parent->sub_count; i++) {
        list[i].min = INFINITY;
        list[i].max = -INFINITY;
    }
    return list;
}

/* ---- the hash table -------------------------------------------------------------------------------------------- */

static uint64_t hash_of(const struct term *term)
{
    switch (term->kind) {
    case TERM_TEXT:
        return str_hash(term->as.text);
    case TERM_INTEGER:
        return str_hash(str_make((const char *)&term->as.integer, sizeof term->as.integer));
    case TERM_REAL:
        return str_hash(str_make((const char *)&term->as.real, sizeof term->as.real));
    case TERM_IP:
        return str_hash(str_make((const char *)term->as.ip.address, term->as.ip.bytes));
    }
    return 0;
}

static struct bucket **slot_for(struct bucket **slots, size_t count, uint64_t hash,
                                const struct term *key)
{
    size_t at = hash & (count - 1);
    while (slots[at] && (slots[at]->hash != hash || slots[at]->key.kind != key->kind ||
                         term_compare(&slots[at]->key, key) != 0))
        at = (at + 1) & (count - 1);
    return &slots[at];
}

static void grow_slots(struct aggregations *all, struct collected *into)
{
    size_t count = into->slot_count ? into->slot_count * 2 : SLOTS_FIRST;
    struct bucket **slots = arena_zero(&all->arena, count * sizeof(struct bucket *));
    for (size_t i = 0; i < into->slot_count; i++) {
        if (into->slots[i])
            *slot_for(slots, count, into->slots[i]->hash, &into->slots[i]->key) = into->slots[i];
    }
    into->slots = slots;
    into->slot_count = count;
}

static struct bucket *find_or_add(struct aggregations *all, struct collected *into,
                                  const struct term *key, size_t size)
{
    if (into->bucket_count * 2 >= into->slot_count)
        grow_slots(all, into);
    uint64_t hash = hash_of(key);
    struct bucket **slot = slot_for(into->slots, into->slot_count, hash, key);
    if (*slot)
        return *slot;
    struct bucket *bucket = arena_zero(&all->arena, size);
    bucket->key = *key;
    if (key->kind == TERM_TEXT)
        bucket->key.as.text = arena_dup(&all->arena, key->as.text);
    bucket->hash = hash;
    into->bucket_count++;
    return *slot = bucket;
}

struct bucket *collected_bucket(struct aggregations *all, const struct aggregation *aggregation,
                                struct collected *into, const struct term *key)
{
    struct bucket *bucket = find_or_add(all, into, key, sizeof *bucket);
    if (!bucket->subs && aggregation->sub_count > 0)
        bucket->subs = collected_new(all, aggregation);
    return bucket;
}

/* ---- how many different values ---------------------------------------------------------------------------------- */

static struct str bytes_of(const struct term *term)
{
    switch (term->kind) {
    case TERM_TEXT:
        return term->as.text;
    case TERM_INTEGER:
        return str_make((const char *)&term->as.integer, sizeof term->as.integer);
    case TERM_REAL:
        return str_make((const char *)&term->as.real, sizeof term->as.real);
    case TERM_IP:
        return str_make((const char *)term->as.ip.address, term->as.ip.bytes);
    }
    return STR("");
}

static void add_to_registers(struct collected *into, const struct term *term)
{
    unsigned char digest[MURMUR3_128_BYTES];
    uint64_t hash;
    murmur3_128(bytes_of(term), 0, digest);
    memcpy(&hash, digest, sizeof hash);
    size_t at = hash >> (64 - REGISTER_BITS);
    uint64_t rest = hash << REGISTER_BITS;
    unsigned char rank = rest ? (unsigned char)(__builtin_clzll(rest) + 1) : 64 - REGISTER_BITS + 1;
    if (rank > into->registers[at])
        into->registers[at] = rank;
}

bool collected_add_unique(struct aggregations *all, struct collected *into, const struct term *term)
{
    if (!into->registers) {
        find_or_add(all, into, term, sizeof(struct bucket));
        if (into->bucket_count <= UNIQUE_EXACT_MAX)
            return true;
        into->registers = arena_zero(&all->arena, REGISTERS);
        for (size_t i = 0; i < into->slot_count; i++) {
            if (into->slots[i])
                add_to_registers(into, &into->slots[i]->key);
        }
        return true;
    }
    add_to_registers(into, term);
    return true;
}

double collected_average(const struct collected *collected)
{
    return collected->count ? collected->sum / (double)collected->count : NAN;
}

uint64_t collected_cardinality(const struct collected *collected)
{
    if (!collected->registers)
        return collected->bucket_count;
    double sum = 0, empty = 0;
    for (size_t i = 0; i < REGISTERS; i++) {
        sum += ldexp(1, -collected->registers[i]);
        empty += collected->registers[i] == 0;
    }
    double estimate = 0.7213 / (1 + 1.079 / REGISTERS) * REGISTERS * REGISTERS / sum;
    if (estimate <= 2.5 * REGISTERS && empty > 0)
        estimate = REGISTERS * log(REGISTERS / empty);
    return (uint64_t)(estimate + 0.5);
}

/* ---- one value -------------------------------------------------------------------------------------------------- */

struct collecting {
    struct aggregations *all;
    struct aggregation *aggregation;
    struct collected *into;
    const struct query_document *document;
    size_t seen;
    bool is_done; /* false: an error ended it */
};

/* The document is in the bucket, once. */
static bool count_in(struct collecting *in, struct bucket *bucket)
{
    struct aggregations *all = in->all;
    if (bucket->last_document == all->documents)
        return true;
    bucket->last_document = all->documents;
    bucket->count++;
    for (size_t i = 0; i < in->aggregation->sub_count; i++) {
        if (!aggregation_collect(all, &in->aggregation->subs[i], &bucket->subs[i], in->document))
            return false;
    }
    return true;
}

static double number_of(const struct term *term)
{
    assert(term->kind == TERM_INTEGER || term->kind == TERM_REAL);
    return term->kind == TERM_REAL ? term->as.real : (double)term->as.integer;
}

/* With what rounding lost kept apart. */
static void add_number(struct collected *into, double number)
{
    double corrected = number - into->compensation, sum = into->sum + corrected;
    into->compensation = (sum - into->sum) - corrected;
    into->sum = sum;
    into->min = number < into->min ? number : into->min;
    into->max = number > into->max ? number : into->max;
}

static bool is_named(const struct value *list, const struct term *term)
{
    char number[TERM_TEXT_MAX];
    struct str text = term->kind == TERM_TEXT ? term->as.text : STR("");
    if (term->kind == TERM_INTEGER)
        text = str_make(number, int_format(term->as.integer, number));
    else if (term->kind == TERM_REAL)
        text = str_make(number, float_format(term->as.real, number));
    for (size_t i = 0; i < value_array_count(list); i++) {
        const struct value *item = value_array_at(list, i);
        if (value_is_str(item) && str_equal(value_as_str(item), text))
            return true;
        if (value_type(item) == VALUE_INT && term->kind == TERM_INTEGER &&
            value_as_int(item) == term->as.integer)
            return true;
    }
    return false;
}

static bool is_wanted(const struct aggregation *aggregation, const struct term *term)
{
    return (!aggregation->include || is_named(aggregation->include, term)) &&
           (!aggregation->exclude || !is_named(aggregation->exclude, term));
}

static bool collect_term(struct collecting *in, const struct term *term)
{
    if (!is_wanted(in->aggregation, term))
        return true;
    return count_in(in, collected_bucket(in->all, in->aggregation, in->into, term));
}

static int64_t floor_to(int64_t number, int64_t step)
{
    int64_t rest = number % step;
    return number - (rest < 0 ? rest + step : rest);
}

static int64_t date_bucket(const struct aggregation *aggregation, int64_t ms)
{
    if (aggregation->interval_ms == 0)
        return date_round_down(ms - aggregation->offset_ms, aggregation->unit, aggregation->zone) +
               aggregation->offset_ms;
    int64_t shift =
        aggregation->zone
            ? (int64_t)zone_offset_at(aggregation->zone, floor_to(ms, 1000) / 1000) * 1000
            : 0;
    int64_t local = ms + shift - aggregation->offset_ms;
    return floor_to(local, aggregation->interval_ms) + aggregation->offset_ms - shift;
}

static bool collect_histogram(struct collecting *in, const struct term *term)
{
    const struct aggregation *aggregation = in->aggregation;
    struct term key = {.kind = TERM_INTEGER};
    if (aggregation->kind == AGGREGATE_DATE_HISTOGRAM) {
        double number = number_of(term);
        if (fabs(number) > 8e18)
            return true;
        key.as.integer = date_bucket(aggregation, term->kind == TERM_INTEGER ? term->as.integer
                                                                             : (int64_t)number);
    } else {
        double steps = floor((number_of(term) - aggregation->offset) / aggregation->interval);
        key.kind = TERM_REAL;
        key.as.real = steps * aggregation->interval + aggregation->offset;
        if (key.as.real == 0)
            key.as.real = 0; /* not -0 */
    }
    return count_in(in, collected_bucket(in->all, aggregation, in->into, &key));
}

static struct bucket *fixed_bucket(struct collecting *in, size_t at)
{
    const struct aggregation *aggregation = in->aggregation;
    struct collected *into = in->into;
    if (!into->fixed)
        into->fixed =
            arena_zero(&in->all->arena, (aggregation->fixed_count + 1) * sizeof *into->fixed);
    struct bucket *bucket = &into->fixed[at];
    if (!bucket->subs && aggregation->sub_count > 0)
        bucket->subs = collected_new(in->all, aggregation);
    return bucket;
}

static bool collect_range(struct collecting *in, double number)
{
    for (size_t i = 0; i < in->aggregation->fixed_count; i++) {
        const struct fixed *fixed = &in->aggregation->fixed[i];
        if ((!fixed->has_from || number >= fixed->from) && (!fixed->has_to || number < fixed->to) &&
            !count_in(in, fixed_bucket(in, i)))
            return false;
    }
    return true;
}

static bool collect_value(struct collecting *in, const struct term *term)
{
    struct collected *into = in->into;
    switch (in->aggregation->kind) {
    case AGGREGATE_TERMS:
        return collect_term(in, term);
    case AGGREGATE_DATE_HISTOGRAM:
    case AGGREGATE_HISTOGRAM:
        return collect_histogram(in, term);
    case AGGREGATE_RANGE:
        return collect_range(in, number_of(term));
    case AGGREGATE_CARDINALITY:
        return collected_add_unique(in->all, into, term);
    case AGGREGATE_VALUE_COUNT:
        into->count++;
        return true;
    case AGGREGATE_PERCENTILES:
        if (!into->digest)
            into->digest = digest_new(&in->all->arena);
        digest_add(into->digest, &in->all->arena, number_of(term));
        return true;
    case AGGREGATE_AVG:
    case AGGREGATE_SUM:
    case AGGREGATE_MIN:
    case AGGREGATE_MAX:
    case AGGREGATE_STATS:
        into->count++;
        add_number(into, number_of(term));
        return true;
    case AGGREGATE_MISSING:
    case AGGREGATE_FILTER:
    case AGGREGATE_FILTERS:
        return true;
    }
    return true;
}

/* ---- one document ------------------------------------------------------------------------------------------------ */

static bool visit(void *ctx, const struct value *value)
{
    struct collecting *in = ctx;
    struct term term;
    char buffer[TERM_TEXT_MAX];
    if (!term_of_value(in->aggregation->reader.field, value, buffer, &term))
        return true;
    in->seen++;
    in->is_done = collect_value(in, &term);
    return in->is_done;
}

static bool collect_filters(struct collecting *in)
{
    const struct aggregation *aggregation = in->aggregation;
    double ignored;
    bool any = false;
    size_t filters = aggregation->fixed_count - aggregation->has_other;
    for (size_t i = 0; i < filters; i++) {
        if (!query_matches(aggregation->fixed[i].query, in->document, &ignored))
            continue;
        any = true;
        if (!count_in(in, fixed_bucket(in, i)))
            return false;
    }
    return any || !aggregation->has_other || count_in(in, fixed_bucket(in, filters));
}

bool aggregation_collect(struct aggregations *all, struct aggregation *aggregation,
                         struct collected *into, const struct query_document *document)
{
    struct collecting in = {all, aggregation, into, document, 0, true};
    if (aggregation->kind == AGGREGATE_FILTER || aggregation->kind == AGGREGATE_FILTERS)
        return collect_filters(&in);
    if (aggregation->reader.field)
        field_reader_each(&aggregation->reader, document->tree, visit, &in);
    if (in.seen > 0 || !in.is_done)
        return in.is_done;
    if (aggregation->kind == AGGREGATE_MISSING)
        return count_in(&in, fixed_bucket(&in, 0));
    return !aggregation->has_missing_term || collect_value(&in, &aggregation->missing_term);
}
