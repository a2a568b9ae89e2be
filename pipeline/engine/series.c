/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/series.h"

#include <assert.h>

#include "base/mem.h"
#include "base/murmur3.h"
#include "base/text/ascii.h"
#include "pipeline/engine/series_private.h"

enum {
    SECONDS_OF_DAY = 24 * 3600,
    KEY_BYTES_MAX = SERIES_LABELS_MAX * (SERIES_LABEL_BYTES_MAX + 4)
};

/* ---- the registry --------------------------------------------------------------------------------- */

struct series_registry *series_registry_new(struct instant (*now)(void))
{
    struct series_registry *registry = mem_zero(1, sizeof *registry);
    arena_init(&registry->arena, NULL);
    registry->now = now;
    registry->last = &registry->first;
    return registry;
}

static void free_family(struct series_family *family)
{
    for (struct series *series = family->first; series; series = series->next)
        distinct_release(&series->members);
    map_release(&family->series);
    for (size_t i = 0; i < family->options.label_count; i++)
        map_release(&family->known[i]);
}

void series_registry_free(struct series_registry *registry)
{
    if (!registry)
        return;
    for (struct series_family *family = registry->first; family; family = family->next)
        free_family(family);
    arena_release(&registry->arena);
    mem_free(registry);
}

/* ---- families ------------------------------------------------------------------------------------- */

static bool is_letter(char c)
{
    return ascii_is_letter(c) || c == '_';
}

static bool is_name(struct str name, bool colons)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!is_letter(c) && !(colons && c == ':') && !(i > 0 && ascii_is_digit(c)))
            return false;
    }
    return name.len > 0;
}

bool series_label_is_valid(struct str name)
{
    return is_name(name, false);
}

static bool check_labels(const struct series_options *options, struct error *err)
{
    for (size_t i = 0; i < options->label_count; i++) {
        struct str label = options->labels[i];
        bool reserved = str_starts_with(label, STR("__")) ||
                        (options->kind == SERIES_HISTOGRAM && str_equal(label, STR("le")));
        if (!series_label_is_valid(label) || reserved)
            return error_set(err, ERROR_CONFIG,
                             "'%.*s' cannot be a label of '%.*s': letters, digits and _, not "
                             "beginning with a digit or __%s",
                             STR_FMT(label), STR_FMT(options->name),
                             options->kind == SERIES_HISTOGRAM ? ", and not le" : "");
        assert(i == 0 || str_compare(options->labels[i - 1], label) < 0);
    }
    return true;
}

static bool check_names(const struct series_options *options, struct error *err)
{
    if (!is_name(options->name, true))
        return error_set(
            err, ERROR_CONFIG,
            "'%.*s' cannot be the name of a metric: letters, digits, _ and :, not a digit first",
            STR_FMT(options->name));
    if (str_starts_with(options->name, STR("millrace_")) ||
        str_starts_with(options->name, STR("process_")))
        return error_set(err, ERROR_CONFIG,
                         "'%.*s': names that begin with millrace_ or process_ are the program's "
                         "own; choose another name",
                         STR_FMT(options->name));
    return check_labels(options, err);
}

static bool is_same(const struct series_options *a, const struct series_options *b)
{
    if (a->kind != b->kind || a->label_count != b->label_count ||
        a->bound_count != b->bound_count || a->zone != b->zone)
        return false;
    for (size_t i = 0; i < a->label_count; i++)
        if (!str_equal(a->labels[i], b->labels[i]))
            return false;
    return a->bound_count == 0 ||
           memcmp(a->bounds, b->bounds, a->bound_count * sizeof *a->bounds) == 0;
}

/* Names that the text of these families would both have: a histogram's has three of them. */
static bool is_in_the_way(const struct series_options *a, const struct series_options *b)
{
    static const struct str ENDS[] = {STR_INIT("_bucket"), STR_INIT("_sum"), STR_INIT("_count")};
    for (size_t i = 0; a->kind == SERIES_HISTOGRAM && i < sizeof ENDS / sizeof *ENDS; i++)
        if (b->name.len == a->name.len + ENDS[i].len && str_starts_with(b->name, a->name) &&
            str_ends_with(b->name, ENDS[i]))
            return true;
    return false;
}

static struct series_family *make_family(struct series_registry *registry,
                                         const struct series_options *options)
{
    struct arena *arena = &registry->arena;
    struct series_family *family = arena_zero(arena, sizeof *family);
    struct str *labels = arena_alloc(arena, options->label_count * sizeof *labels);
    for (size_t i = 0; i < options->label_count; i++)
        labels[i] = arena_dup(arena, options->labels[i]);
    family->registry = registry;
    family->options = *options;
    family->options.name = arena_dup(arena, options->name);
    family->options.help = arena_dup(arena, options->help);
    family->options.overflow = arena_dup(arena, options->overflow);
    family->options.labels = labels;
    family->options.bounds =
        arena_copy(arena, options->bounds, options->bound_count * sizeof *options->bounds);
    family->known = arena_zero(arena, options->label_count * sizeof *family->known);
    for (size_t i = 0; i < options->label_count; i++)
        map_init(&family->known[i]);
    map_init(&family->series);
    family->last = &family->first;
    *registry->last = family;
    registry->last = &family->next;
    return family;
}

struct series_family *series_family_open(struct series_registry *registry,
                                         const struct series_options *options, struct error *err)
{
    assert(options->label_count <= SERIES_LABELS_MAX && options->bound_count <= SERIES_BUCKETS_MAX);
    if (!check_names(options, err))
        return NULL;
    for (struct series_family *family = registry->first; family; family = family->next) {
        bool same_name = str_equal(family->options.name, options->name);
        if (same_name && is_same(&family->options, options))
            return family;
        if (!same_name && !is_in_the_way(&family->options, options) &&
            !is_in_the_way(options, &family->options))
            continue;
        error_set(err, ERROR_BUSY,
                  "metric '%.*s' is defined elsewhere in another way; the same name needs the same "
                  "kind, labels, buckets and time zone",
                  STR_FMT(options->name));
        return NULL;
    }
    return make_family(registry, options);
}

/* ---- series --------------------------------------------------------------------------------------- */

static struct str make_key(const struct series_family *family, const struct series_values *values,
                           char key[KEY_BYTES_MAX])
{
    size_t len = 0;
    for (size_t i = 0; i < family->options.label_count; i++) {
        uint32_t size = (uint32_t)values->items[i].len;
        assert(size <= SERIES_LABEL_BYTES_MAX);
        memcpy(key + len, &size, sizeof size);
        if (size > 0)
            memcpy(key + len + sizeof size, values->items[i].ptr, size);
        len += sizeof size + size;
    }
    return str_make(key, len);
}

static struct series *make_series(struct series_family *family, const struct series_values *values,
                                  struct str key)
{
    struct arena *arena = &family->registry->arena;
    struct series *series = arena_zero(arena, sizeof *series);
    size_t labels = family->options.label_count;
    series->values = arena_alloc(arena, labels * sizeof *series->values);
    for (size_t i = 0; i < labels; i++)
        series->values[i] = arena_dup(arena, values->items[i]);
    if (family->options.kind == SERIES_HISTOGRAM)
        series->buckets =
            arena_zero(arena, (family->options.bound_count + 1) * sizeof *series->buckets);
    distinct_init(&series->members);
    map_set(&family->series, key, series);
    *family->last = series;
    family->last = &series->next;
    return series;
}

/* Values that no label may have any more become the overflow value. */
static void cap_values(struct series_family *family, struct series_values *values)
{
    for (size_t i = 0; i < family->options.label_count; i++) {
        struct map *known = &family->known[i];
        if (values->fixed[i] || map_has(known, values->items[i]))
            continue;
        if (known->count < family->options.max_label_values)
            map_set(known, values->items[i], NULL);
        else
            values->items[i] = family->options.overflow;
    }
}

static void cap_all(const struct series_family *family, struct series_values *values)
{
    for (size_t i = 0; i < family->options.label_count; i++)
        if (!values->fixed[i])
            values->items[i] = family->options.overflow;
}

static struct series *find_series(struct series_family *family, const struct series_values *given)
{
    char bytes[KEY_BYTES_MAX];
    struct str key = make_key(family, given, bytes);
    struct series *series = map_get(&family->series, key);
    struct series_values values = *given;
    if (series)
        return series;
    if (family->series.count < family->options.max_series)
        cap_values(family, &values);
    else
        cap_all(family, &values);
    key = make_key(family, &values, bytes);
    series = map_get(&family->series, key);
    return series ? series : make_series(family, &values, key);
}

void series_begin(struct series_family *family, const struct series_values *values)
{
    (void)find_series(family, values);
}

/* ---- what events say ------------------------------------------------------------------------------ */

int64_t series_day(const struct series_family *family, struct instant at)
{
    int64_t seconds = at.seconds + zone_offset_at(family->options.zone, at.seconds);
    int64_t day = seconds / SECONDS_OF_DAY;
    return day - (seconds % SECONDS_OF_DAY < 0);
}

static void see(const struct series_family *family, struct series *series,
                const struct series_sample *sample)
{
    unsigned char bytes[MURMUR3_128_BYTES];
    uint64_t hash;
    int64_t today = series_day(family, family->registry->now());
    if (series->day != today)
        distinct_release(&series->members);
    series->day = today;
    if (series_day(family, sample->at) != today)
        return;
    murmur3_128(sample->member, 0, bytes);
    memcpy(&hash, bytes, sizeof hash);
    distinct_add(&series->members, hash);
}

static void observe(const struct series_family *family, struct series *series, double number)
{
    size_t at = 0;
    while (at < family->options.bound_count && number > family->options.bounds[at])
        at++;
    series->buckets[at]++;
    series->number += number;
}

void series_note(struct series_family *family, const struct series_values *values,
                 const struct series_sample *sample)
{
    struct series *series = find_series(family, values);
    switch (family->options.kind) {
    case SERIES_COUNTER:
        assert(sample->number >= 0);
        series->number += sample->number;
        break;
    case SERIES_GAUGE:
        series->number = sample->number;
        break;
    case SERIES_HISTOGRAM:
        observe(family, series, sample->number);
        break;
    case SERIES_UNIQUE:
        see(family, series, sample);
        break;
    }
}
