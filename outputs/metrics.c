/* SPDX-License-Identifier: Apache-2.0
 *
 * metrics: events become counters, gauges, histograms and numbers of different things on /metrics.
 *
 * The encoders on the lanes make of an event an item of a few bytes: a head, who it was (unique), then each label's value
 * behind its length. The one instance on the main lane, where /metrics is answered too, counts them; so nothing is shared
 * between threads and caps hold over all lanes.
 */
#include <assert.h>
#include <math.h>

#include "outputs/describe.h"
#include "outputs/labels.h"
#include "outputs/outputs.h"
#include "pipeline/delivery/group.h"
#include "pipeline/engine/series.h"

enum { GROUP_ITEMS = 1024, GROUP_BYTES = 1024 * 1024, FLUSH_MS = 20, VALUE_BYTES_MAX = 4096 };

struct item_head {
    double number;
    struct instant at;
    uint32_t member_bytes;
};

struct metrics_output {
    struct str names[4]; /* of each kind's option: enum series_kind */
    struct str help, overflow, timezone;
    struct template value;
    double scale;
    struct option_hash labels;
    struct option_strings buckets;
    int64_t max_label_values, max_series;

    const struct plugin_env *env;
    struct label *items; /* by name */
    struct series_family *family;
};

/* ---- what the options say -------------------------------------------------------------------------- */

static const double DEFAULT_BUCKETS[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
static const char *const KINDS[] = {"counter", "gauge", "histogram", "unique"};

static bool find_kind(const struct metrics_output *output, enum series_kind *out, struct error *err)
{
    unsigned given = 0;
    for (int kind = SERIES_COUNTER; kind <= SERIES_UNIQUE; kind++)
        if (output->names[kind].ptr) {
            *out = (enum series_kind)kind;
            given++;
        }
    return given == 1 || error_set(err, ERROR_CONFIG,
                                   "one of counter, gauge, histogram and unique names the metric; "
                                   "%u of them are given",
                                   given);
}

static bool read_buckets(const struct metrics_output *output, struct arena *arena,
                         struct series_options *out, struct error *err)
{
    size_t count = output->buckets.count;
    double *bounds = arena_alloc(arena, count * sizeof *bounds);
    out->bounds = bounds;
    out->bound_count = count;
    if (count == 0) {
        out->bounds = DEFAULT_BUCKETS;
        out->bound_count = sizeof DEFAULT_BUCKETS / sizeof *DEFAULT_BUCKETS;
    }
    if (count > SERIES_BUCKETS_MAX)
        return error_set(err, ERROR_CONFIG, "buckets has more than %d bounds",
                         (int)SERIES_BUCKETS_MAX);
    for (size_t i = 0; i < count; i++)
        if (!str_to_double(output->buckets.items[i], &bounds[i]) || !isfinite(bounds[i]) ||
            (i > 0 && bounds[i] <= bounds[i - 1]))
            return error_set(err, ERROR_CONFIG,
                             "buckets wants numbers, each larger than the one before it; '%.*s' is "
                             "not",
                             STR_FMT(output->buckets.items[i]));
    return true;
}

static bool find_zone(const struct metrics_output *output, struct series_options *out,
                      struct error *err)
{
    if (out->kind != SERIES_UNIQUE)
        return !output->timezone.ptr || error_set(err, ERROR_CONFIG, "timezone is for unique only");
    out->zone = output->timezone.ptr ? zone_find(output->timezone, err) : zone_host();
    return out->zone;
}

static bool needs_value(const struct metrics_output *output, enum series_kind kind,
                        struct error *err)
{
    return kind == SERIES_COUNTER || output->value.parts ||
           error_set(err, ERROR_CONFIG, "a %s needs value", KINDS[kind]);
}

static bool read_options(const struct metrics_output *output, const struct plugin_env *env,
                         const struct label *labels, struct series_options *out, struct error *err)
{
    struct str *names = arena_alloc(env->arena, output->labels.count * sizeof *names);
    for (size_t i = 0; i < output->labels.count; i++)
        names[i] = labels[i].name;
    *out = (struct series_options){
        .help = output->help.ptr ? output->help : STR("Counted from events."),
        .labels = names,
        .label_count = output->labels.count,
        .max_label_values = (size_t)output->max_label_values,
        .max_series = (size_t)output->max_series,
        .overflow = output->overflow,
    };
    if (!find_kind(output, &out->kind, err) || !needs_value(output, out->kind, err) ||
        !find_zone(output, out, err))
        return false;
    out->name = output->names[out->kind];
    if (out->kind == SERIES_HISTOGRAM)
        return read_buckets(output, env->arena, out, err);
    return output->buckets.count == 0 ||
           error_set(err, ERROR_CONFIG, "buckets is for histogram only");
}

static bool open_family(struct metrics_output *output, const struct plugin_env *env,
                        struct series_registry *registry, struct error *err)
{
    struct series_options options;
    output->items = labels_read(&output->labels, SERIES_LABELS_MAX, env, err);
    if (!output->items || !read_options(output, env, output->items, &options, err))
        return false;
    output->family = series_family_open(registry, &options, err);
    return output->family;
}

static bool metrics_check(void *self, const struct plugin_env *env, struct error *err)
{
    struct series_registry *all = env->settings->series;
    struct series_registry *alone = all ? NULL : series_registry_new(clock_now);
    bool good = open_family(self, env, all ? all : alone, err);
    series_registry_free(alone);
    return good;
}

/* ---- on the lanes: events to items ------------------------------------------------------------------ */

static bool append_label(const struct label *label, const struct event *event,
                         struct arena *scratch, struct buf *out)
{
    struct str text = label_text(&label->value, event, scratch, SERIES_LABEL_BYTES_MAX);
    uint32_t size = (uint32_t)text.len;
    return buf_append(out, &size, sizeof size) && buf_append_str(out, text);
}

static bool is_unique(const struct metrics_output *output)
{
    return output->names[SERIES_UNIQUE].ptr;
}

static bool read_number(const struct metrics_output *output, struct str text, double *out,
                        struct error *err)
{
    if (!str_to_double(str_trim(text), out) || !isfinite(*out * output->scale))
        return error_set(err, ERROR_FORMAT, "the value of '%.*s' is no number",
                         STR_FMT(output->value.text));
    *out *= output->scale;
    return *out >= 0 || !output->names[SERIES_COUNTER].ptr ||
           error_set(err, ERROR_FORMAT,
                     "the value of '%.*s' is negative: a counter never goes back",
                     STR_FMT(output->value.text));
}

static enum encode_result metrics_encode(void *self, const struct event *event,
                                         struct arena *scratch, struct buf *out, struct error *err)
{
    const struct metrics_output *output = self;
    struct item_head head = {.number = output->scale};
    struct str text = STR("");
    if (output->value.parts) {
        if (label_is_missing(&output->value, event))
            return ENCODE_DROPPED;
        text = label_text(&output->value, event, scratch, VALUE_BYTES_MAX);
        if (!is_unique(output) && !read_number(output, text, &head.number, err))
            return ENCODE_REFUSED;
    }
    if (is_unique(output)) {
        if (!event_timestamp(event, &head.at))
            return ENCODE_DROPPED;
        head.member_bytes = (uint32_t)text.len;
    }
    bool fits = buf_append(out, &head, sizeof head) && buf_append(out, text.ptr, head.member_bytes);
    for (size_t i = 0; fits && i < output->labels.count; i++)
        fits = append_label(&output->items[i], event, scratch, out);
    return fits ? ENCODE_DONE : ENCODE_FULL;
}

static bool metrics_open_encoder(void *self, const struct plugin_env *env, struct error *err)
{
    struct metrics_output *output = self;
    output->env = env;
    output->items = labels_read(&output->labels, SERIES_LABELS_MAX, env, err);
    return output->items;
}

/* ---- on the main lane: items to series -------------------------------------------------------------- */

static const void *take(struct str *item, size_t len)
{
    const void *at = item->ptr;
    assert(item->len >= len);
    *item = str_from_offset(*item, len);
    return at;
}

static void count_item(const struct metrics_output *output, struct str item)
{
    struct item_head head;
    struct series_values values;
    memcpy(&head, take(&item, sizeof head), sizeof head);
    struct series_sample sample = {.number = head.number, .at = head.at};
    sample.member = str_make(take(&item, head.member_bytes), head.member_bytes);
    for (size_t i = 0; i < output->labels.count; i++) {
        uint32_t size;
        memcpy(&size, take(&item, sizeof size), sizeof size);
        values.items[i] = str_make(take(&item, size), size);
        values.fixed[i] = output->items[i].value.is_literal;
    }
    assert(item.len == 0);
    series_note(output->family, &values, &sample);
}

/* Of a series an item has the values of all labels. */
static uint32_t metrics_form(const void *self)
{
    const struct metrics_output *output = self;
    return (uint32_t)output->labels.count * 2 + is_unique(output) + 1;
}

static void metrics_send(void *self, struct group *group)
{
    const struct metrics_output *output = self;
    for (size_t i = 0; i < group_count(group); i++)
        count_item(output, group_item(group, i));
    group_answer_all(group, VERDICT_DELIVERED, STR(""));
    group_answered(group);
}

/* A series that no event decides about is there from the start, so that its first event is a rise. */
static void begin_series(const struct metrics_output *output)
{
    struct series_values values;
    for (size_t i = 0; i < output->labels.count; i++) {
        if (!output->items[i].value.is_literal)
            return;
        values.items[i] = label_cut(output->items[i].value.text, SERIES_LABEL_BYTES_MAX);
        values.fixed[i] = true;
    }
    if (!output->names[SERIES_GAUGE].ptr)
        series_begin(output->family, &values);
}

static bool metrics_open(void *self, const struct plugin_env *env, struct output_limits *limits,
                         struct error *err)
{
    struct metrics_output *output = self;
    limits->max_items = GROUP_ITEMS;
    limits->max_bytes = GROUP_BYTES;
    limits->flush_ms = FLUSH_MS;
    assert(env->settings->series);
    if (!open_family(output, env, env->settings->series, err))
        return false;
    begin_series(output);
    return true;
}

static void metrics_close(void *self)
{
    (void)self;
}

static const struct option metrics_options[] = {
    {
        .name = "counter",
        .doc = "Name of a counter: each event adds value, 1 when that is not given.",
        OPTION_IN_STRING(struct metrics_output, names[SERIES_COUNTER]),
    },
    {
        .name = "gauge",
        .doc = "Name of a gauge: it is the value of the last event.",
        OPTION_IN_STRING(struct metrics_output, names[SERIES_GAUGE]),
    },
    {
        .name = "histogram",
        .doc = "Name of a histogram of the values.",
        OPTION_IN_STRING(struct metrics_output, names[SERIES_HISTOGRAM]),
    },
    {
        .name = "unique",
        .doc = "Name of a gauge that says how many different values events of today had.",
        OPTION_IN_STRING(struct metrics_output, names[SERIES_UNIQUE]),
    },
    {
        .name = "help",
        .doc = "What the metric is, for its HELP line.",
        OPTION_IN_STRING(struct metrics_output, help),
    },
    {
        .name = "value",
        .doc = "What is counted: a number, or with unique any text. Events without that field are "
               "left out.",
        OPTION_IN_TEMPLATE(struct metrics_output, value),
    },
    {
        .name = "scale",
        .doc = "The value is multiplied by this: 0.001 makes seconds of milliseconds.",
        OPTION_IN_FLOAT(struct metrics_output, scale),
        .min = 1e-12,
        .max = 1e12,
        .def = "1",
    },
    {
        .name = "labels",
        .doc = "Labels, each with a text that may have fields in it. A label whose field is absent "
               "is left out.",
        OPTION_IN_HASH(struct metrics_output, labels),
    },
    {
        .name = "buckets",
        .doc = "Upper bounds of a histogram's buckets, ascending; not given: 0.005 to 10.",
        OPTION_IN_STRINGS(struct metrics_output, buckets),
    },
    {
        .name = "max_label_values",
        .doc = "Different values that a label may have.",
        OPTION_IN_INT(struct metrics_output, max_label_values),
        .min = 1,
        .max = 10000,
        .def = "100",
    },
    {
        .name = "max_series",
        .doc = "Different sets of label values that the metric may have.",
        OPTION_IN_INT(struct metrics_output, max_series),
        .min = 1,
        .max = 10000,
        .def = "1000",
    },
    {
        .name = "overflow",
        .doc = "The label's value for what is beyond these.",
        OPTION_IN_STRING(struct metrics_output, overflow),
        .def = "other",
    },
    {
        .name = "timezone",
        .doc = "Where the day of unique begins and ends; not given: the machine's time zone.",
        OPTION_IN_STRING(struct metrics_output, timezone),
    },
    OPTION_END,
};

static struct str metrics_describe_item(const void *self, struct str item, struct arena *arena,
                                        struct value *object)
{
    const struct metrics_output *output = self;
    struct item_head head;
    memcpy(&head, take(&item, sizeof head), sizeof head);
    struct str member = str_make(take(&item, head.member_bytes), head.member_bytes);
    for (int kind = SERIES_COUNTER; kind <= SERIES_UNIQUE; kind++)
        if (output->names[kind].ptr)
            describe_text(arena, object, KINDS[kind], output->names[kind]);
    if (is_unique(output))
        describe_text(arena, object, "member", member);
    else
        value_object_set(arena, object, STR("value"), value_float(head.number));
    struct value labels = value_object_new(arena, output->labels.count);
    for (size_t i = 0; i < output->labels.count; i++) {
        uint32_t size;
        memcpy(&size, take(&item, sizeof size), sizeof size);
        struct str text = str_make(take(&item, size), size);
        describe_text(arena, &labels, arena_cstr(arena, output->items[i].name), text);
    }
    value_object_set(arena, object, STR("labels"), labels);
    return STR("");
}

const struct output output_metrics = {
    .plugin = {.name = "metrics",
               .summary = "counters, gauges, histograms and unique counts on /metrics",
               .options = metrics_options,
               .size = sizeof(struct metrics_output),
               .scope = SCOPE_PIPELINE,
               .check = metrics_check},
    .open_encoder = metrics_open_encoder,
    .open = metrics_open,
    .encode = metrics_encode,
    .form = metrics_form,
    .describe_item = metrics_describe_item,
    .send = metrics_send,
    .close = metrics_close,
};
