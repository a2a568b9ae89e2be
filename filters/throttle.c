/* SPDX-License-Identifier: Apache-2.0
 *
 * throttle: counts events by a key and by slots of time, and matches those whose count within their slot is below
 * before_count or above after_count.
 *
 * A key's slots lie `period` apart, before and after the time of the first event that had the key; the time is the
 * event's own. A slot older than the key's latest slot by more than max_age is forgotten, and so is a key whose latest
 * event is that much older than the latest of all. Too many counters shorten max_age step by step, as in Logstash; what
 * that does not achieve the hard bound does: the key not used for longest is forgotten.
 */
#include <assert.h>

#include "base/lru.h"
#include "base/mem.h"
#include "filters/filters.h"
#include "pipeline/program/evaluate.h"

enum {
    COUNTERS_HARD_MAX = 10000000,
    FLUSH_INTERVAL_MS = 5000,
    PERIOD_DEFAULT = 60,
    PERIOD_DIGITS_MAX = 12,
    MAX_AGE_FLOOR_PERCENT = 5,
    MAX_AGE_STEP_PERCENT = 5,
    RELAXED_PERCENT = 80, /* of max_counters: below, max_age grows again */
};

struct slot {
    int64_t start;
    uint64_t count;
};

struct throttle_key {
    int64_t first, latest; /* seconds: of the first event, of the latest */
    struct slot *slots;    /* by start */
    size_t count, capacity;
};

struct throttle {
    struct template key;
    struct template period;
    int64_t before_count, after_count;
    int64_t max_age, max_counters;

    const struct plugin_env *env;
    struct lru keys; /* of struct throttle_key */
    size_t counters; /* slots of all keys */
    size_t counters_max;
    int64_t age; /* max_age as it is now */
    uint64_t flushed_ms;
    struct counter *throttled;
};

static const struct option OPTIONS[] = {
    {
        .name = "key",
        .doc = "What events are counted by; a template.",
        OPTION_IN_TEMPLATE(struct throttle, key),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "before_count",
        .doc = "Events whose count is less are matched; -1: none.",
        OPTION_IN_INT(struct throttle, before_count),
        .def = "-1",
    },
    {
        .name = "after_count",
        .doc = "Events whose count is greater are matched; -1: none.",
        OPTION_IN_INT(struct throttle, after_count),
        .def = "-1",
    },
    {
        .name = "period",
        .doc = "Length of a slot in seconds; a template.",
        OPTION_IN_TEMPLATE(struct throttle, period),
        .def = "60",
    },
    {
        .name = "max_age",
        .doc = "Seconds for which a slot is kept.",
        OPTION_IN_INT(struct throttle, max_age),
        .min = 0,
        .max = 1e12,
        .def = "3600",
    },
    {
        .name = "max_counters",
        .doc = "Most counters; past it slots are kept for a shorter time. -1: as many as can be.",
        OPTION_IN_INT(struct throttle, max_counters),
        .min = -1,
        .max = COUNTERS_HARD_MAX,
        .def = "100000",
    },
    OPTION_END,
};

static void discard_key(void *value)
{
    struct throttle_key *key = value;
    mem_free(key->slots);
    mem_free(key);
}

static bool throttle_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct throttle *throttle = self;
    (void)err;
    throttle->env = env;
    throttle->age = throttle->max_age;
    throttle->counters_max =
        throttle->max_counters > 0 ? (size_t)throttle->max_counters : COUNTERS_HARD_MAX;
    throttle->throttled = env->counter(env, "throttled");
    lru_init(&throttle->keys, throttle->counters_max, discard_key);
    return true;
}

static void throttle_close(void *self)
{
    struct throttle *throttle = self;
    if (throttle->keys.max > 0)
        lru_release(&throttle->keys);
}

/* ---- slots ---------------------------------------------------------------------------------------- */

static void forget_key(struct throttle *throttle, struct lru_entry *entry)
{
    const struct throttle_key *key = entry->value;
    assert(throttle->counters >= key->count);
    throttle->counters -= key->count;
    lru_drop(&throttle->keys, entry);
}

static void forget_slots(struct throttle *throttle, struct throttle_key *key, size_t count)
{
    assert(count <= key->count && throttle->counters >= count);
    if (count == 0)
        return;
    key->count -= count;
    throttle->counters -= count;
    memmove(key->slots, key->slots + count, key->count * sizeof *key->slots);
}

/* Room for one counter more beside those of `key`, which is the newest. */
static void make_room(struct throttle *throttle, struct throttle_key *key)
{
    while (throttle->counters >= throttle->counters_max &&
           throttle->keys.oldest != throttle->keys.newest)
        forget_key(throttle, throttle->keys.oldest);
    if (throttle->counters >= throttle->counters_max)
        forget_slots(throttle, key, 1);
}

static struct throttle_key *find_key(struct throttle *throttle, struct str text, int64_t now)
{
    struct throttle_key *key = lru_get(&throttle->keys, text);
    if (key)
        return key;
    if (lru_count(&throttle->keys) >= throttle->keys.max)
        forget_key(throttle, throttle->keys.oldest);
    key = mem_zero(1, sizeof *key);
    key->first = key->latest = now;
    lru_add(&throttle->keys, text, key);
    return key;
}

/* The index of the first slot that starts at `start` or later. */
static size_t slot_index(const struct throttle_key *key, int64_t start)
{
    size_t low = 0, high = key->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (key->slots[middle].start < start)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint64_t count_in_slot(struct throttle *throttle, struct throttle_key *key, int64_t start)
{
    size_t at = slot_index(key, start);
    if (at == key->count || key->slots[at].start != start) {
        make_room(throttle, key);
        at = slot_index(key, start);
        key->slots = mem_grow(key->slots, key->count, &key->capacity, sizeof *key->slots);
        memmove(key->slots + at + 1, key->slots + at, (key->count - at) * sizeof *key->slots);
        key->slots[at] = (struct slot){.start = start};
        key->count++;
        throttle->counters++;
    }
    return ++key->slots[at].count;
}

/* Slots older than the latest slot by more than the age. */
static void forget_old_slots(struct throttle *throttle, struct throttle_key *key)
{
    assert(key->count > 0);
    forget_slots(throttle, key, slot_index(key, key->slots[key->count - 1].start - throttle->age));
}

/* ---- on events ------------------------------------------------------------------------------------ */

/* As Ruby's to_i reads the front of a text; 60 for what is no number. */
static int64_t read_period(struct str text)
{
    text = str_trim(text);
    size_t end = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+') ? 1 : 0;
    while (end < text.len && end < PERIOD_DIGITS_MAX && text.ptr[end] >= '0' &&
           text.ptr[end] <= '9')
        end++;
    int64_t period;
    if (!str_to_int(str_make(text.ptr, end), &period) || period == 0)
        return PERIOD_DEFAULT;
    return period;
}

/* The remainder has the sign of the divisor. */
static int64_t slot_start(int64_t at, int64_t first, int64_t period)
{
    int64_t rest = (at - first) % period;
    if (rest != 0 && (rest < 0) != (period < 0))
        rest += period;
    return at - rest;
}

static enum filter_result throttle_apply(void *self, struct event *event, struct event_sink *more)
{
    struct throttle *throttle = self;
    struct str text, period;
    struct instant at;
    (void)more;
    if (!template_text(&throttle->key, event, event->arena, &text) ||
        !template_text(&throttle->period, event, event->arena, &period))
        return FILTER_SKIPPED;
    if (!event_timestamp(event, &at))
        at = throttle->env->now();
    struct throttle_key *key = find_key(throttle, text, at.seconds);
    if (at.seconds > key->latest)
        key->latest = at.seconds;
    uint64_t count =
        count_in_slot(throttle, key, slot_start(at.seconds, key->first, read_period(period)));
    forget_old_slots(throttle, key);
    bool below = throttle->before_count != -1 && (int64_t)count < throttle->before_count;
    bool above = throttle->after_count != -1 && (int64_t)count > throttle->after_count;
    if (!below && !above)
        return FILTER_SKIPPED;
    counter_add(throttle->throttled, 1);
    return FILTER_MATCHED;
}

/* ---- memory --------------------------------------------------------------------------------------- */

static void forget_old_keys(struct throttle *throttle)
{
    int64_t latest = INT64_MIN;
    for (struct lru_entry *entry = throttle->keys.oldest; entry; entry = entry->newer) {
        const struct throttle_key *key = entry->value;
        latest = key->latest > latest ? key->latest : latest;
    }
    for (struct lru_entry *entry = throttle->keys.oldest, *next; entry; entry = next) {
        const struct throttle_key *key = entry->value;
        next = entry->newer;
        if (key->latest < latest - throttle->age)
            forget_key(throttle, entry);
    }
}

static void adjust_age(struct throttle *throttle)
{
    int64_t step = throttle->max_age * MAX_AGE_STEP_PERCENT / 100;
    int64_t floor = throttle->max_age * MAX_AGE_FLOOR_PERCENT / 100;
    size_t relaxed = throttle->counters_max / 100 * RELAXED_PERCENT;
    if (throttle->counters >= throttle->counters_max && throttle->age > floor) {
        throttle->age -= step;
        log_warn(throttle->env->log, "throttle_age_shortened",
                 "max_counters is reached: choose a key with fewer values",
                 LOG_INT("max_age", throttle->age));
    } else if (throttle->age < throttle->max_age && throttle->counters < relaxed) {
        throttle->age += step;
        log_info(throttle->env->log, "throttle_age_restored", "counters are below max_counters",
                 LOG_INT("max_age", throttle->age));
    }
}

static void throttle_tick(void *self, uint64_t now_ms, bool final, struct event_sink *more)
{
    (void) final;
    (void)more;
    struct throttle *throttle = self;
    if (now_ms - throttle->flushed_ms < FLUSH_INTERVAL_MS)
        return;
    throttle->flushed_ms = now_ms;
    forget_old_keys(throttle);
    adjust_age(throttle);
}

const struct filter filter_throttle = {
    .plugin =
        {
            .name = "throttle",
            .summary = "Matches events that come too seldom or too often.",
            .options = OPTIONS,
            .size = sizeof(struct throttle),
            .scope = SCOPE_PIPELINE,
        },
    .open = throttle_open,
    .apply = throttle_apply,
    .tick = throttle_tick,
    .close = throttle_close,
};
