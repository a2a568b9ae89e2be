/* SPDX-License-Identifier: Apache-2.0
 *
 * With `diff`, events are written down before the filter and once more behind it. Which of them are shown is decided before
 * it, unless there is a condition: then either of the two may fulfil it, and all are written down, as far as
 * TAP_DIFF_MAX_BYTES goes.
 */
#include "pipeline/engine/tap_look.h"

#include <assert.h>
#include <time.h>

#include "pipeline/engine/engine_private.h"
#include "pipeline/event/event_json.h"
#include "pipeline/event/json_showable.h"
#include "pipeline/program/slice.h"

enum { NS_PER_MS = 1000 * 1000, PERCENT = 100, LINE_OVERHEAD_BYTES = 8192 };

struct tap_shot {
    struct tap_shot *next;
    uint64_t serial; /* the tap's, which may be closed before the event comes out */
    const struct event *event;
    struct str before; /* empty: too large */
    bool matches;      /* the condition, before the filter */
    bool chosen;       /* it is shown, whatever it becomes */
};

/* One tap at one point, with the events of one slice. */
struct look {
    struct tap *tap;
    struct slice *slice;
    struct lane *lane;
    enum tap_place place;
    const struct plan_plugin *plugin;
    uint64_t began_ns;
};

/* ---- time for conditions (T3) --------------------------------------------------------------------- */

/* Of this thread alone, so that a busy machine takes nothing from the credit. */
static uint64_t thread_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000 * NS_PER_MS + (uint64_t)now.tv_nsec;
}

static void earn(struct tap_credit *credit, uint64_t now_ms)
{
    const uint64_t most = (uint64_t)TAP_WHERE_BURST_MS * NS_PER_MS;
    uint64_t passed_ms = credit->begun ? now_ms - credit->since_ms : TAP_WHERE_BURST_MS * PERCENT;
    if (passed_ms > (uint64_t)TAP_WHERE_BURST_MS * PERCENT)
        passed_ms = (uint64_t)TAP_WHERE_BURST_MS * PERCENT;
    credit->ns += passed_ms * NS_PER_MS * TAP_WHERE_PERCENT / PERCENT;
    credit->ns = credit->ns < most ? credit->ns : most;
    credit->since_ms = now_ms;
    credit->begun = true;
}

/* False: the lane has no time left for it. */
static bool spend(struct look *look)
{
    struct tap_credit *credit = &look->tap->credits[look->lane->index];
    uint64_t now_ns = thread_ns(), used_ns = now_ns - look->began_ns;
    look->began_ns = now_ns;
    credit->ns = credit->ns > used_ns ? credit->ns - used_ns : 0;
    return credit->ns > 0;
}

static void begin_spending(struct look *look)
{
    earn(&look->tap->credits[look->lane->index], look->tap->options.now_ms());
    look->began_ns = thread_ns();
}

/* ---- which are shown ------------------------------------------------------------------------------ */

static bool fulfils(struct look *look, const struct event *event)
{
    if (!look->tap->where)
        return true;
    if (!spend(look)) {
        atomic_fetch_add(&look->tap->unseen, 1);
        return false;
    }
    struct regex_scratch *regex = look->lane->regex;
    regex_budget_begin(regex);
    bool fulfilled = condition_test(look->tap->where, event, regex) == CONDITION_TRUE;
    regex_budget_end(regex);
    return fulfilled;
}

/* One that matches: whether it is shown. */
static bool choose(struct tap *tap)
{
    uint64_t before = atomic_fetch_add(&tap->matched, 1);
    return before % tap->options.sample == 0 && tap_take_turn(tap);
}

/* ---- lines ---------------------------------------------------------------------------------------- */

/* False: larger than TAP_EVENT_MAX_BYTES; then nothing is appended. */
static bool append_event(const struct event *event, struct buf *out)
{
    struct buf json;
    buf_init(&json, TAP_EVENT_MAX_BYTES);
    size_t len = out->len;
    bool fits = json_encode_event(event, &json) && json_append_showable(buf_str(&json), out);
    buf_release(&json);
    if (!fits)
        out->len = len;
    return fits;
}

static void append_member(struct buf *line, const char *name, const struct event *event)
{
    buf_printf(line, ",\"%s\":", name);
    if (!event)
        buf_printf(line, "null");
    else if (!append_event(event, line))
        buf_printf(line, "null,\"too_large\":true");
}

static void append_metadata(const struct look *look, const struct event *event, struct buf *line)
{
    struct buf json;
    if (!look->tap->options.metadata || value_object_count(&event->metadata) == 0)
        return;
    buf_init(&json, TAP_EVENT_MAX_BYTES);
    size_t len = line->len;
    if (!json_encode_value(&event->metadata, &json) || !buf_printf(line, ",\"metadata\":") ||
        !json_append_showable(buf_str(&json), line))
        line->len = len;
    buf_release(&json);
}

static void begin_line(const struct look *look, struct buf *line)
{
    static const char *const POINTS[] = {[TAP_BEFORE] = "before",
                                         [TAP_BEHIND] = "behind",
                                         [TAP_MADE] = "behind",
                                         [TAP_END] = "outputs"};
    buf_init(line, 4 * TAP_EVENT_MAX_BYTES + LINE_OVERHEAD_BYTES);
    buf_printf(line, "{\"pipeline\":");
    json_encode_str(look->tap->options.pipeline, line);
    if (look->plugin) {
        buf_printf(line, ",\"plugin\":");
        json_encode_str(look->plugin->id, line);
    }
    buf_printf(line, ",\"point\":\"%s\"", POINTS[look->place]);
}

static void end_line(const struct look *look, struct buf *line)
{
    if (buf_append_char(line, '}'))
        tap_put(look->tap, buf_str(line));
    buf_release(line);
}

static void show(const struct look *look, const struct event *event)
{
    struct buf line;
    begin_line(look, &line);
    append_member(&line, "event", event);
    append_metadata(look, event, &line);
    end_line(look, &line);
}

/* shot NULL: the filter made the event. */
static void show_both(const struct look *look, const struct tap_shot *shot,
                      const struct event *event)
{
    struct buf line;
    begin_line(look, &line);
    if (shot && shot->before.len == 0)
        buf_printf(&line, ",\"too_large\":true");
    buf_printf(&line, ",\"before\":%.*s",
               STR_FMT(shot && shot->before.len > 0 ? shot->before : STR("null")));
    append_member(&line, "after", event->cancelled ? NULL : event);
    append_metadata(look, event, &line);
    end_line(look, &line);
}

/* ---- before and after ----------------------------------------------------------------------------- */

/* False: no more are wanted of this slice. */
static bool take_shot(struct look *look, struct event *event, size_t *bytes)
{
    struct tap *tap = look->tap;
    struct arena *arena = &look->slice->batch->arena;
    struct tap_shot shot = {.serial = tap->serial, .event = event};
    struct buf json;
    shot.matches = fulfils(look, event);
    if (!tap->where && !choose(tap))
        return true;
    shot.chosen = !tap->where;
    buf_init(&json, 2 * TAP_EVENT_MAX_BYTES);
    if (append_event(event, &json))
        shot.before = arena_dup(arena, buf_str(&json));
    buf_release(&json);
    shot.next = look->slice->shots;
    look->slice->shots = arena_copy(arena, &shot, sizeof shot);
    *bytes += shot.before.len;
    return *bytes < TAP_DIFF_MAX_BYTES;
}

static void take_shots(struct look *look)
{
    const struct selection *selection = &look->slice->selection;
    size_t bytes = 0, at = 0;
    bool goes_on = !look->tap->where || tap_turns(look->tap) > 0;
    for (; goes_on && selection_next(selection, &at); at++)
        goes_on = take_shot(look, look->slice->events[at], &bytes);
    for (; selection_next(selection, &at); at++)
        atomic_fetch_add(&look->tap->unseen, 1);
}

static void show_shots(struct look *look)
{
    for (const struct tap_shot *shot = look->slice->shots; shot; shot = shot->next) {
        if (shot->serial != look->tap->serial)
            continue;
        bool matches = shot->matches || (!shot->event->cancelled && fulfils(look, shot->event));
        if (shot->chosen || (matches && choose(look->tap)))
            show_both(look, shot, shot->event);
    }
}

/* The newest shot is the first: into the order of the events. */
static void reverse_shots(struct slice *slice)
{
    struct tap_shot *turned = NULL;
    while (slice->shots) {
        struct tap_shot *shot = slice->shots;
        slice->shots = shot->next;
        shot->next = turned;
        turned = shot;
    }
    slice->shots = turned;
}

/* ---- the points ----------------------------------------------------------------------------------- */

static void look_at(struct look *look, const struct event *event)
{
    if (!fulfils(look, event) || !choose(look->tap))
        return;
    if (look->tap->options.diff)
        show_both(look, NULL, event);
    else
        show(look, event);
}

static void look_through(struct look *look)
{
    const struct slice *slice = look->slice;
    bool diff = look->tap->options.diff && look->place <= TAP_BEHIND;
    assert(!diff || look->plugin);
    if (look->tap->where)
        begin_spending(look);
    if (diff && look->place == TAP_BEFORE) {
        take_shots(look);
        return;
    }
    if (diff)
        show_shots(look);
    for (size_t at = 0; !diff && selection_next(&slice->selection, &at); at++)
        look_at(look, slice->events[at]);
    for (size_t i = 0; look->place == TAP_BEHIND && i < slice->created_count; i++)
        if (!slice->created[i].event->cancelled)
            look_at(look, slice->created[i].event);
}

void tap_look(struct slice *slice, struct program *program, enum tap_place place,
              const struct plan_plugin *plugin)
{
    struct tap *found[TAPS_MAX];
    struct lane *lane = program->lane;
    size_t count = taps_at(program->taps, lane->engine->options.pipeline_id, plugin, place, found);
    if (place == TAP_BEHIND)
        reverse_shots(slice);
    for (size_t i = 0; i < count; i++) {
        struct look look = {
            .tap = found[i], .slice = slice, .lane = lane, .place = place, .plugin = plugin};
        look_through(&look);
        tap_unref(found[i]);
    }
    if (place == TAP_BEHIND)
        slice->shots = NULL;
}
