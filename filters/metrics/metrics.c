/* SPDX-License-Identifier: Apache-2.0
 *
 * metrics: counts events and measures values of theirs, and reports both in events of its own every flush_interval. The
 * events that are counted are not changed. Time goes in flushes of five seconds, the last one at the end of the pipeline
 * included, as in Logstash. It sees all events: one instance, on the main lane.
 */
#include <assert.h>
#include <math.h>

#include "base/map.h"
#include "base/mem.h"
#include "filters/filters.h"
#include "filters/metrics/meter.h"
#include "pipeline/engine/lane.h"
#include "pipeline/event/ruby_text.h"
#include "pipeline/program/evaluate.h"

enum { FLUSH_SECONDS = 5, METRICS_MAX = 100000, TABLE_BYTES = 64 };

struct metric {
    struct metric *next; /* in the order in which they were first met */
    struct meter meter;
    bool is_timer;
    struct distribution distribution; /* of a timer */
    struct str name;
};

struct percent {
    double fraction;
    struct str name; /* p99.9 */
};

struct timer {
    struct template name, value;
};

struct metrics {
    struct option_templates meter;
    struct option_hash timer;
    int64_t flush_interval, clear_interval, ignore_older_than;
    struct option_array rates, percentiles;

    const struct plugin_env *env;
    struct timer *timers;
    bool with_rate[RATES];
    struct percent *percents;
    struct map names; /* "m" or "t", then the name */
    struct metric *first, **last;
    int64_t since_flush, since_clear;
    uint64_t ticked_ms;
    struct account *charged;
    struct log_limit log_limit;
};

static const struct field_ref MESSAGE = FIELD_REF_TOP("message");

static const struct option OPTIONS[] = {
    {
        .name = "meter",
        .doc = "Names of counters; each event counts in all of them. %{} is filled in.",
        OPTION_IN_TEMPLATES(struct metrics, meter),
    },
    {
        .name = "timer",
        .doc = "Names and values that are measured; %{} is filled in, in both.",
        OPTION_IN_HASH(struct metrics, timer),
    },
    {
        .name = "flush_interval",
        .doc = "Seconds between two reports; a multiple of 5.",
        OPTION_IN_INT(struct metrics, flush_interval),
        .max = 1e12,
        .def = "5",
    },
    {
        .name = "clear_interval",
        .doc = "Seconds after which counting begins anew; -1: never.",
        OPTION_IN_INT(struct metrics, clear_interval),
        .min = -1,
        .max = 1e12,
        .def = "-1",
    },
    {
        .name = "rates",
        .doc = "Minutes of the moving averages that are reported, of 1, 5 and 15.",
        OPTION_IN_ARRAY(struct metrics, rates),
        .def = "[ 1, 5, 15 ]",
    },
    {
        .name = "percentiles",
        .doc = "Percentiles of timers that are reported.",
        OPTION_IN_ARRAY(struct metrics, percentiles),
        .def = "[ 1, 5, 10, 90, 95, 99, 100 ]",
    },
    {
        .name = "ignore_older_than",
        .doc = "Events older than so many seconds are not counted; 0: all are.",
        OPTION_IN_INT(struct metrics, ignore_older_than),
        .max = 1e12,
        .def = "0",
    },
    OPTION_END,
};

/* ---- options -------------------------------------------------------------------------------------- */

static bool read_rates(const struct metrics *self, bool out[RATES], struct error *err)
{
    for (size_t i = 0; i < RATES; i++)
        out[i] = false;
    for (size_t i = 0; i < self->rates.count; i++) {
        int64_t minutes;
        size_t rate = 0;
        bool number = str_to_int(self->rates.items[i].text, &minutes);
        while (number && rate < RATES && (int64_t)rate_minutes[rate] != minutes)
            rate++;
        if (!number || rate == RATES)
            return error_set(err, ERROR_CONFIG, "rates: '%.*s' is not one of 1, 5 and 15",
                             STR_FMT(self->rates.items[i].text));
        out[rate] = true;
    }
    return true;
}

static bool read_percent(struct arena *arena, struct str text, struct percent *out,
                         struct error *err)
{
    double percent;
    char form[FLOAT_TEXT_MAX];
    int64_t whole;
    if (!str_to_double(text, &percent) || percent < 0 || percent > 100)
        return error_set(err, ERROR_CONFIG, "percentiles: '%.*s' is no number from 0 to 100",
                         STR_FMT(text));
    size_t len =
        str_to_int(text, &whole) ? int_format(whole, form) : float_format_ruby(percent, form);
    *out = (struct percent){percent / 100.0, arena_printf(arena, "p%.*s", (int)len, form)};
    return true;
}

static bool read_percents(struct metrics *self, struct arena *arena, struct error *err)
{
    size_t count = self->percentiles.count;
    self->percents =
        arena_zero(arena, (count + 1) * sizeof *self->percents); /* the last: no name */
    for (size_t i = 0; i < count; i++)
        if (!read_percent(arena, self->percentiles.items[i].text, &self->percents[i], err))
            return false;
    return true;
}

static bool metrics_check(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct metrics *self = plugin;
    return read_rates(self, self->with_rate, err) && read_percents(self, env->arena, err);
}

static bool metrics_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct metrics *self = plugin;
    self->env = env;
    self->charged = env->lane ? lane_memory(env->lane) : NULL;
    self->last = &self->first;
    self->log_limit = (struct log_limit){.window_ms = 10000, .burst = 5};
    map_init(&self->names);
    self->timers = arena_zero(env->arena, self->timer.count * sizeof *self->timers);
    for (size_t i = 0; i < self->timer.count; i++) {
        const struct conf_pair *pair = &self->timer.pairs[i];
        enum field_escape escape = env->settings->escape;
        template_parse(env->arena, pair->key.text, escape, &self->timers[i].name);
        template_parse(env->arena, pair->value.text, escape, &self->timers[i].value);
    }
    return metrics_check(plugin, env, err);
}

/* ---- what is kept --------------------------------------------------------------------------------- */

static size_t bytes_of(const struct metric *metric)
{
    size_t sample = metric->is_timer ? SAMPLE_MAX * sizeof(struct sampled) : 0;
    return sizeof *metric + sample + 2 * metric->name.len + TABLE_BYTES;
}

static void forget_all(struct metrics *self)
{
    for (struct metric *metric = self->first, *next; metric; metric = next) {
        next = metric->next;
        account_return(self->charged, bytes_of(metric));
        distribution_release(&metric->distribution);
        mem_free(metric);
    }
    self->first = NULL;
    self->last = &self->first;
    map_release(&self->names);
}

static void metrics_close(void *plugin)
{
    forget_all(plugin);
}

static struct metric *add_metric(struct metrics *self, struct str key, bool is_timer, double now)
{
    struct metric *metric = mem_zero(1, sizeof *metric + key.len);
    memcpy(metric + 1, key.ptr, key.len);
    metric->name = str_from_offset(str_make((char *)(metric + 1), key.len), 1);
    metric->is_timer = is_timer;
    meter_init(&metric->meter, now);
    distribution_init(&metric->distribution, now);
    map_set(&self->names, key, metric);
    *self->last = metric;
    self->last = &metric->next;
    account_charge(self->charged, bytes_of(metric));
    return metric;
}

/* NULL when there are too many. A counter and a timer may have the same name. */
static struct metric *find_metric(struct metrics *self, struct event *event,
                                  const struct template *name, bool is_timer, double now)
{
    struct str text;
    uint64_t suppressed;
    if (!template_text(name, event, event->arena, &text))
        return NULL;
    struct str key = arena_printf(event->arena, "%c%.*s", is_timer ? 't' : 'm', STR_FMT(text));
    struct metric *metric = map_get(&self->names, key);
    if (metric)
        return metric;
    if (self->names.count < METRICS_MAX)
        return add_metric(self, key, is_timer, now);
    if (log_limit_allow(&self->log_limit, clock_monotonic_ms(), &suppressed))
        log_warn(self->env->log, "metrics_too_many",
                 "there are too many names; new ones do not count", LOG_INT("max", METRICS_MAX),
                 LOG_INT_IF("not_logged_before", suppressed));
    return NULL;
}

/* ---- counting ------------------------------------------------------------------------------------- */

static double seconds_of(struct instant at)
{
    return (double)at.seconds + at.nanoseconds / 1e9;
}

static double random_fraction(const struct plugin_env *env)
{
    static const double STEPS = 9007199254740992.0; /* 2^53 */
    uint64_t drawn = env->random(env->random_ctx) >> 11;
    return ((double)drawn + 1) / STEPS;
}

static void measure(struct metrics *self, struct event *event, const struct timer *timer,
                    double now)
{
    struct str text;
    struct metric *metric = find_metric(self, event, &timer->name, true, now);
    if (!metric || !template_text(&timer->value, event, event->arena, &text))
        return;
    double value = ruby_to_f(event->arena, text);
    if (!(value >= 0) || !isfinite(value))
        return;
    meter_mark(&metric->meter, now);
    distribution_add(&metric->distribution, value, now, random_fraction(self->env));
}

static enum filter_result metrics_apply(void *plugin, struct event *event, struct event_sink *more)
{
    struct metrics *self = plugin;
    struct instant at;
    double now = seconds_of(self->env->now());
    (void)more;
    if (self->ignore_older_than > 0 && event_timestamp(event, &at) &&
        now - seconds_of(at) > (double)self->ignore_older_than)
        return FILTER_SKIPPED;
    for (size_t i = 0; i < self->meter.count; i++) {
        struct metric *metric = find_metric(self, event, &self->meter.items[i], false, now);
        if (metric)
            meter_mark(&metric->meter, now);
    }
    for (size_t i = 0; i < self->timer.count; i++)
        measure(self, event, &self->timers[i], now);
    return FILTER_SKIPPED;
}

/* ---- reporting ------------------------------------------------------------------------------------ */

static void put(struct arena *arena, struct value *object, struct str name, double real)
{
    value_object_set(arena, object, name, value_float(real));
}

static void put_rates(struct metrics *self, struct metric *metric, struct value *object,
                      struct arena *arena)
{
    static const struct str NAMES[RATES] = {STR_INIT("rate_1m"), STR_INIT("rate_5m"),
                                            STR_INIT("rate_15m")};
    value_object_set(arena, object, STR("count"), value_int(metric->meter.count));
    meter_look(&metric->meter, seconds_of(self->env->now()));
    for (size_t i = 0; i < RATES; i++)
        if (self->with_rate[i])
            put(arena, object, NAMES[i], metric->meter.rates[i]);
}

/* stddev is the root of the standard deviation: so it is in Logstash. */
static void put_distribution(struct metrics *self, const struct metric *metric,
                             struct value *object, struct arena *arena)
{
    const struct distribution *distribution = &metric->distribution;
    double *sorted = arena_alloc(arena, SAMPLE_MAX * sizeof *sorted);
    size_t count = distribution_sorted(distribution, sorted);
    put(arena, object, STR("min"), distribution->min);
    put(arena, object, STR("max"), distribution->max);
    put(arena, object, STR("stddev"), sqrt(distribution_stddev(distribution)));
    put(arena, object, STR("mean"), distribution->mean);
    for (const struct percent *percent = self->percents; percent->name.ptr; percent++)
        put(arena, object, percent->name, percentile_of(sorted, count, percent->fraction));
}

/* Where the figures of a name stand: [a][b] is a path. A name that can be none is the field's whole name. */
static struct field_ref place_of(const struct metrics *self, struct arena *arena, struct str name)
{
    struct field_ref ref;
    struct error err;
    if (field_ref_parse(arena, arena_printf(arena, "[%.*s]", STR_FMT(name)),
                        self->env->settings->escape, &ref, &err))
        return ref;
    struct field_part *part = arena_zero(arena, sizeof *part);
    part->name = arena_dup(arena, name);
    return (struct field_ref){.text = part->name, .parts = part, .count = 1};
}

static void report(struct metrics *self, struct metric *metric, struct event *event)
{
    struct arena *arena = event->arena;
    struct field_ref name = place_of(self, arena, metric->name);
    const struct value *there = event_get(event, &name); /* a counter with this timer's name */
    struct value object =
        there && value_type(there) == VALUE_OBJECT ? *there : value_object_new(arena, 4);
    put_rates(self, metric, &object, arena);
    if (metric->is_timer)
        put_distribution(self, metric, &object, arena);
    (void)event_set(event, &name, object, NULL);
}

static void flush(struct metrics *self, struct event_sink *more)
{
    struct event *event = event_new(more->arena);
    (void)event_set(event, &MESSAGE, value_str(str_from(self->env->settings->host_name)), NULL);
    for (struct metric *metric = self->first; metric; metric = metric->next)
        report(self, metric, event);
    self->since_flush = 0;
    if (self->clear_interval > 0 && self->since_clear >= self->clear_interval) {
        self->since_clear = 0;
        forget_all(self);
    }
    filter_decorate(self->env, event);
    more->emit(more, event);
}

static void metrics_tick(void *plugin, uint64_t now_ms, bool final, struct event_sink *more)
{
    struct metrics *self = plugin;
    if (!final && now_ms - self->ticked_ms < FLUSH_SECONDS * 1000)
        return;
    self->ticked_ms = now_ms;
    self->since_flush += FLUSH_SECONDS;
    self->since_clear += FLUSH_SECONDS;
    if (self->since_flush >= self->flush_interval && self->first)
        flush(self, more);
}

const struct filter filter_metrics = {
    .plugin =
        {
            .name = "metrics",
            .summary = "Counts events and measures values of theirs, in events of its own.",
            .options = OPTIONS,
            .size = sizeof(struct metrics),
            .scope = SCOPE_PIPELINE,
            .check = metrics_check,
        },
    .open = metrics_open,
    .apply = metrics_apply,
    .tick = metrics_tick,
    .close = metrics_close,
};
