/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/demo_view.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "pipeline/event/event_json.h"

enum {
    INDENT = 4,
    NAME_COLUMNS = 16,
    COUNT_COLUMNS = 9,
    PERCENT_COLUMNS = 8,
    KEY_COLUMNS = 22,
    KEY_MAX_BYTES = 256,
    VALUE_MAX_BYTES = 64 * 1024,
    NEST_MAX = 4, /* objects deeper than this are shown as JSON */
    LABEL_COLUMNS = 10,
};

void view_heading(const struct terminal *terminal, const char *text, struct buf *out)
{
    buf_append_str(out, STR("\n  "));
    terminal_text(terminal, STYLE_BOLD, str_from(text), out);
    buf_append_char(out, '\n');
}

static void put_place(const struct terminal *terminal, const char *name, const char *address,
                      const char *what, struct buf *out)
{
    buf_printf(out, "%*s", INDENT, "");
    terminal_cell(terminal, STYLE_PLAIN, str_from(name), LABEL_COLUMNS, out);
    terminal_cell(terminal, STYLE_CHANGED, str_from(address), NAME_COLUMNS + 2, out);
    size_t left = terminal->columns - INDENT - LABEL_COLUMNS - NAME_COLUMNS - 2;
    terminal_cut(terminal, STYLE_DIM, str_from(what), left, out);
    buf_append_char(out, '\n');
}

void view_places(const struct terminal *terminal, const struct demo_places *places, struct buf *out)
{
    put_place(terminal, "store", places->store, "stands in for Elasticsearch", out);
    put_place(terminal, "alerts", places->alerts, "stands in for Alertmanager", out);
    put_place(terminal, "pipeline", places->pipeline, places->file, out);
}

/* The numbers have the room that they need at the end, so that nothing moves but the bar. */
void view_progress(const struct terminal *terminal, uint64_t done, uint64_t total, uint64_t alerts,
                   struct buf *out)
{
    enum { WORDS_COLUMNS = sizeof "  of  stored,  alerts" };
    char done_text[COUNT_TEXT_MAX], total_text[COUNT_TEXT_MAX], alert_text[COUNT_TEXT_MAX];
    assert(total > 0);
    double share = done < total ? (double)done / (double)total : 1;
    int digits = (int)strlen(count_text(total, total_text));
    size_t columns = terminal->columns - INDENT - WORDS_COLUMNS - 3 * (size_t)digits;
    buf_printf(out, "%*s", INDENT, "");
    terminal_bar(terminal, STYLE_GOOD, share, columns, out);
    buf_printf(out, " %*s of %s stored,", digits, count_text(done, done_text), total_text);
    terminal_printf(terminal, STYLE_DIM, out, " %*s alerts", digits,
                    count_text(alerts, alert_text));
}

/* ---- spreads -------------------------------------------------------------------------------------- */

static void put_bar(const struct terminal *terminal, struct str name, uint64_t count,
                    uint64_t total, struct buf *out)
{
    char text[COUNT_TEXT_MAX];
    double share = total > 0 && count < total ? (double)count / (double)total : count > 0;
    size_t columns =
        terminal->columns - INDENT - NAME_COLUMNS - COUNT_COLUMNS - PERCENT_COLUMNS - 2;
    buf_printf(out, "%*s", INDENT, "");
    terminal_cell(terminal, STYLE_PLAIN, name, NAME_COLUMNS, out);
    buf_printf(out, "%*s  ", COUNT_COLUMNS, count_text(count, text));
    terminal_bar(terminal, STYLE_CHANGED, share, columns, out);
    terminal_printf(terminal, STYLE_DIM, out, "%*.1f %%", PERCENT_COLUMNS - 2, share * 100);
    buf_append_char(out, '\n');
}

void view_spread(const struct terminal *terminal, const struct demo_spread *spread, uint64_t total,
                 const char *without, struct buf *out)
{
    uint64_t rest = total;
    assert(spread->count <= DEMO_BARS_MAX);
    for (size_t i = 0; i < spread->count; i++) {
        const struct demo_bar *bar = &spread->bars[i];
        put_bar(terminal, bar->name, bar->count, total, out);
        rest -= bar->count < rest ? bar->count : rest;
    }
    put_bar(terminal, str_from(without), rest, total, out);
}

/* ---- one event ------------------------------------------------------------------------------------ */

struct difference {
    const struct terminal *terminal;
    struct buf *out;
    struct buf also; /* names of what the Beat added */
};

static void put_row(struct difference *difference, char mark, struct str key,
                    const struct value *value)
{
    const struct terminal *terminal = difference->terminal;
    enum style style = mark == '+' ? STYLE_GOOD : mark == '-' ? STYLE_BAD : STYLE_PLAIN;
    struct buf text;
    buf_init(&text, VALUE_MAX_BYTES);
    if (!json_encode_value(value, &text))
        buf_append_str(&text, STR("…"));
    buf_printf(difference->out, "%*s", INDENT, "");
    terminal_printf(terminal, style, difference->out, "%c ", mark);
    terminal_cell(terminal, style, key, KEY_COLUMNS, difference->out);
    buf_append_char(difference->out, ' ');
    terminal_cut(terminal, style, buf_str(&text), terminal->columns - INDENT - KEY_COLUMNS - 3,
                 difference->out);
    buf_append_char(difference->out, '\n');
    buf_release(&text);
}

/* What Filebeat and the beats input put into every event, whatever it is about. */
static bool is_of_the_beat(struct str key)
{
    static const char *const NAMES[] = {"@version", "agent", "ecs",  "fields", "host",
                                        "input",    "log",   "tags", "message"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (str_equal(key, str_from(NAMES[i])))
            return true;
    return false;
}

static bool is_object(const struct value *value)
{
    return value && value_type(value) == VALUE_OBJECT;
}

static void compare(struct difference *difference, struct str prefix, const struct value *before,
                    const struct value *after, unsigned depth);

/* before or after may be missing. */
static void compare_member(struct difference *difference, struct str path,
                           const struct value *before, const struct value *after, unsigned depth)
{
    assert(before || after);
    if ((!before || is_object(before)) && (!after || is_object(after)) && depth < NEST_MAX) {
        compare(difference, path, before, after, depth + 1);
    } else if (before && after && value_equal(before, after)) {
        put_row(difference, ' ', path, before);
    } else {
        if (before)
            put_row(difference, '-', path, before);
        if (after)
            put_row(difference, '+', path, after);
    }
}

static struct str join(struct str prefix, struct str key, char out[KEY_MAX_BYTES])
{
    int len = snprintf(out, KEY_MAX_BYTES, "%.*s%s%.*s", STR_FMT(prefix), prefix.len ? "." : "",
                       STR_FMT(key));
    return len > 0 && len < KEY_MAX_BYTES ? str_make(out, (size_t)len) : STR("…");
}

static void compare(struct difference *difference, struct str prefix, const struct value *before,
                    const struct value *after, unsigned depth)
{
    char path[KEY_MAX_BYTES];
    struct str key;
    for (size_t i = 0; before && i < value_object_count(before); i++) {
        const struct value *old = value_object_at(before, i, &key);
        const struct value *now = after ? value_object_get(after, key) : NULL;
        compare_member(difference, join(prefix, key, path), old, now, depth);
    }
    for (size_t i = 0; after && i < value_object_count(after); i++) {
        const struct value *now = value_object_at(after, i, &key);
        if (before && value_object_get(before, key))
            continue;
        if (depth == 0 && is_of_the_beat(key))
            buf_printf(&difference->also, "%s%.*s",
                       difference->also.len ? ", " : "also: ", STR_FMT(key));
        else
            compare_member(difference, join(prefix, key, path), NULL, now, depth);
    }
}

void view_event(const struct terminal *terminal, const struct value *before,
                const struct value *after, struct buf *out)
{
    struct difference difference = {.terminal = terminal, .out = out};
    assert(is_object(before) && is_object(after));
    buf_init(&difference.also, KEY_MAX_BYTES);
    compare(&difference, STR(""), before, after, 0);
    if (difference.also.len > 0) {
        buf_printf(out, "%*s  ", INDENT, "");
        terminal_cut(terminal, STYLE_DIM, buf_str(&difference.also), terminal->columns - INDENT - 2,
                     out);
        buf_append_char(out, '\n');
    }
    buf_release(&difference.also);
}

/* ---- alerts and the end --------------------------------------------------------------------------- */

/* HH:MM:SS.mmm of an ISO 8601 timestamp. */
static struct str time_of_day(struct str timestamp)
{
    enum { DATE_BYTES = sizeof "2026-01-01T" - 1, TIME_BYTES = sizeof "00:00:00.000" - 1 };
    bool whole = timestamp.len >= DATE_BYTES + TIME_BYTES;
    return whole ? str_make(timestamp.ptr + DATE_BYTES, TIME_BYTES) : timestamp;
}

void view_alert(const struct terminal *terminal, const struct demo_alert *alert, struct buf *out)
{
    enum { ALERT_TIME = 15, ALERT_NAME = 14, ALERT_SEVERITY = 11 };
    const size_t used = INDENT + ALERT_TIME + ALERT_NAME + ALERT_SEVERITY;
    buf_printf(out, "%*s", INDENT, "");
    terminal_cell(terminal, STYLE_DIM, time_of_day(alert->time), ALERT_TIME, out);
    terminal_cell(terminal, STYLE_BAD, alert->name, ALERT_NAME, out);
    terminal_cell(terminal, STYLE_PLAIN, alert->severity, ALERT_SEVERITY, out);
    terminal_cut(terminal, STYLE_PLAIN, alert->text, terminal->columns - used, out);
    buf_append_char(out, '\n');
}

bool demo_is_good(const struct demo_figures *figures)
{
    return figures->stored >= figures->events &&
           figures->alerts_distinct == figures->alerts_expected && figures->alerts_unknown == 0;
}

static void put_judged(const struct terminal *terminal, bool good, struct buf *out)
{
    struct str mark =
        terminal->ascii ? (good ? STR("+ ") : STR("x ")) : (good ? STR("✓ ") : STR("✗ "));
    buf_printf(out, "%*s", INDENT, "");
    terminal_text(terminal, good ? STYLE_GOOD : STYLE_BAD, mark, out);
}

static void put_events(const struct terminal *terminal, const struct demo_figures *figures,
                       struct buf *out)
{
    char sent[COUNT_TEXT_MAX], stored[COUNT_TEXT_MAX], more[COUNT_TEXT_MAX];
    uint64_t again = figures->stored > figures->events ? figures->stored - figures->events : 0;
    put_judged(terminal, figures->stored >= figures->events, out);
    buf_printf(out, "%s event%s sent, ", count_text(figures->events, sent),
               figures->events == 1 ? "" : "s");
    if (figures->stored < figures->events)
        buf_printf(out, "only %s of them stored\n", count_text(figures->stored, stored));
    else if (again > 0)
        buf_printf(out, "every one stored, %s more than once\n", count_text(again, more));
    else
        buf_append_str(out, STR("every one stored once\n"));
}

static void put_alerts(const struct terminal *terminal, const struct demo_figures *figures,
                       struct buf *out)
{
    char expected[COUNT_TEXT_MAX], got[COUNT_TEXT_MAX], text[COUNT_TEXT_MAX];
    bool all = figures->alerts_distinct == figures->alerts_expected;
    put_judged(terminal, all && figures->alerts_unknown == 0, out);
    buf_printf(out, "%s SYSTEM_ERROR events, ", count_text(figures->alerts_expected, expected));
    if (!all)
        buf_printf(out, "only %s of them alerted", count_text(figures->alerts_distinct, got));
    else
        buf_append_str(out, figures->alerts_again > 0 ? STR("every one alerted")
                                                      : STR("every one alerted once"));
    if (figures->alerts_again > 0)
        buf_printf(out, ", %s more than once", count_text(figures->alerts_again, text));
    if (figures->alerts_unknown > 0)
        buf_printf(out, ", %s alerts about something else",
                   count_text(figures->alerts_unknown, text));
    buf_append_char(out, '\n');
}

static void put_speed(const struct demo_figures *figures, struct buf *out)
{
    char rate[COUNT_TEXT_MAX];
    uint64_t elapsed_ms = figures->elapsed_ms > 0 ? figures->elapsed_ms : 1;
    buf_printf(out, "%*s  %s events/s: %.2f s until the last acknowledgement\n", INDENT, "",
               count_text(figures->events * 1000 / elapsed_ms, rate), (double)elapsed_ms / 1000);
    if (figures->memory_kib > 0)
        buf_printf(out, "%*s  the pipeline: %.1f MiB resident (at most %.1f), %.2f s of CPU\n",
                   INDENT, "", (double)figures->memory_kib / 1024, (double)figures->peak_kib / 1024,
                   (double)figures->cpu_ms / 1000);
}

void view_verdict(const struct terminal *terminal, const struct demo_figures *figures,
                  struct buf *out)
{
    put_events(terminal, figures, out);
    put_alerts(terminal, figures, out);
    put_speed(figures, out);
}
