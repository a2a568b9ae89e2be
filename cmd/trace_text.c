/* SPDX-License-Identifier: Apache-2.0
 *
 * A trace for people. On the left the lines of the configuration; plugins are indented as their conditions are:
 *
 *    12  if [status] >= 500                       no   ([status] is 404)
 *    15  grok                                     84 µs
 *          + verb  "GET"
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text/utf8.h"
#include "cmd/shown.h"
#include "cmd/trace.h"
#include "conf/source.h"

enum {
    GUTTER_COLUMNS = 5,
    INDENT_COLUMNS = 2,
    RESULT_COLUMN = 48,
    CUT_COLUMNS = 300, /* of a value, unless all is wanted */
    TESTED_COLUMNS = 60,
    LINE_COLUMNS = 100, /* a change that is longer is written on two lines */
    TIME_TEXT_MAX = 32,
    TEXT_MAX_BYTES = 1024 * 1024 * 1024,
};

struct writer {
    const struct trace *trace;
    const struct trace_look *look;
    struct buf *out;
    bool several_files, numbered;
};

/* ---- words ---------------------------------------------------------------------------------------- */

static void put(const struct writer *writer, enum style style, struct str text)
{
    bool ends = str_ends_with(text, STR("\n"));
    text.len -= ends;
    terminal_text(&writer->look->terminal, style, text, writer->out);
    if (ends)
        buf_append_char(writer->out, '\n');
}

static void blanks(const struct writer *writer, size_t count)
{
    buf_printf(writer->out, "%*s", (int)count, "");
}

static size_t columns_of(struct str text)
{
    size_t columns;
    utf8_cut_to_columns(text, SIZE_MAX, &columns);
    return columns;
}

/* A value in so many columns at most; 0: as many as it needs. */
static void shown_in(const struct writer *writer, const struct value *value, size_t columns,
                     struct buf *out)
{
    size_t used;
    buf_init(out, TEXT_MAX_BYTES);
    shown_value(value, out);
    if (columns == 0 || writer->look->full)
        return;
    struct str part = utf8_cut_to_columns(buf_str(out), columns, &used);
    if (part.len == out->len)
        return;
    out->len = part.len;
    buf_printf(out, "%s (%zu bytes)", writer->look->terminal.ascii ? "..." : "…",
               value_is_str(value) ? value_as_str(value).len : out->len);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void place(const struct writer *writer, const struct error_position *position)
{
    char text[256];
    if (writer->several_files)
        snprintf(text, sizeof text, "%s:%-*u", base_name(position->file), GUTTER_COLUMNS - 2,
                 position->line);
    else
        snprintf(text, sizeof text, "%*u", GUTTER_COLUMNS, position->line);
    put(writer, STYLE_DIM, str_from(text));
    blanks(writer, 2);
}

static size_t depth_of(const struct plan_step *step)
{
    size_t depth = 0;
    for (; step && step->block->branch; step = step->block->branch)
        depth++;
    return depth;
}

static size_t depth(const struct trace_step *step)
{
    if (step->type == TRACE_CONDITION)
        return depth_of(step->branch);
    return depth_of(step->plugin->step);
}

/* The head of a step, up to the column of its results. */
static void head(const struct writer *writer, const struct trace_step *step, struct str name,
                 enum style style)
{
    struct error_position position = step->type == TRACE_CONDITION
                                         ? step->branch->arms[step->arm].position
                                         : step->plugin->position;
    place(writer, &position);
    blanks(writer, depth(step) * INDENT_COLUMNS);
    put(writer, style, name);
    size_t used = GUTTER_COLUMNS + 2 + depth(step) * INDENT_COLUMNS + columns_of(name);
    blanks(writer, used + 2 < RESULT_COLUMN ? RESULT_COLUMN - used : 2);
}

static void time_text(const struct writer *writer, uint64_t ns, char out[TIME_TEXT_MAX])
{
    double us = (double)ns / 1000;
    const char *micro = writer->look->terminal.ascii ? "us" : "µs";
    if (us < 1000)
        snprintf(out, TIME_TEXT_MAX, "%.*f %s", us < 10 ? 1 : 0, us, micro);
    else
        snprintf(out, TIME_TEXT_MAX, "%.*f ms", us < 10000 ? 1 : 0, us / 1000);
}

static void number(const struct writer *writer, unsigned event)
{
    terminal_printf(&writer->look->terminal, STYLE_BOLD, writer->out, "#%u", event);
}

/* ---- fields --------------------------------------------------------------------------------------- */

static void margin(const struct writer *writer, const struct trace_step *step)
{
    blanks(writer, GUTTER_COLUMNS + 2 + depth(step) * INDENT_COLUMNS + INDENT_COLUMNS);
}

static size_t path_width(const struct event_diff *diff)
{
    enum { WIDTH_MAX = 28 };
    size_t width = 0;
    for (size_t i = 0; i < diff->count; i++) {
        size_t columns = columns_of(diff->items[i].path);
        if (columns > width && columns <= WIDTH_MAX)
            width = columns;
    }
    return width;
}

static void change_line(const struct writer *writer, const struct trace_step *step,
                        const struct event_change *change, size_t width)
{
    static const enum style STYLES[] = {
        [FIELD_ADDED] = STYLE_GOOD, [FIELD_REMOVED] = STYLE_BAD, [FIELD_CHANGED] = STYLE_CHANGED};
    static const char *const SIGNS[] = {
        [FIELD_ADDED] = "+ ", [FIELD_REMOVED] = "- ", [FIELD_CHANGED] = "~ "};
    struct buf path, before, after;
    enum style style = STYLES[change->change];
    bool plain = step->type == TRACE_INPUT;
    buf_init(&path, TEXT_MAX_BYTES);
    shown_text(change->path, &path);
    shown_in(writer, &change->before, CUT_COLUMNS, &before);
    shown_in(writer, &change->after, CUT_COLUMNS, &after);
    size_t columns = columns_of(buf_str(&path));
    margin(writer, step);
    put(writer, style, str_from(plain ? "" : SIGNS[change->change]));
    put(writer, plain ? STYLE_PLAIN : style, buf_str(&path));
    blanks(writer, (columns < width ? width - columns : 0) + 2);
    if (change->change != FIELD_CHANGED) {
        put(writer, plain ? STYLE_PLAIN : style,
            buf_str(change->change == FIELD_ADDED ? &after : &before));
    } else {
        const char *arrow = writer->look->terminal.ascii ? "->" : "→";
        put(writer, STYLE_BAD, buf_str(&before));
        if (columns_of(buf_str(&before)) + columns_of(buf_str(&after)) + width > LINE_COLUMNS) {
            buf_append_char(writer->out, '\n');
            margin(writer, step);
            blanks(writer, width + 1);
        }
        buf_printf(writer->out, " %s ", arrow);
        put(writer, STYLE_GOOD, buf_str(&after));
    }
    buf_append_char(writer->out, '\n');
    buf_release(&path);
    buf_release(&before);
    buf_release(&after);
}

static void changes(const struct writer *writer, const struct trace_step *step,
                    const struct event_diff *diff)
{
    size_t width = path_width(diff);
    for (size_t i = 0; i < diff->count; i++)
        change_line(writer, step, &diff->items[i], width);
}

/* Which event the lines below are about, where there are several. */
static void subject(const struct writer *writer, const struct trace_step *step,
                    const struct trace_effect *effect)
{
    if (!step->effects->next)
        return;
    margin(writer, step);
    number(writer, effect->event);
    if (effect->result == TRACE_MADE && effect->of > 0)
        terminal_printf(&writer->look->terminal, STYLE_DIM, writer->out, " made from #%u",
                        effect->of);
    buf_append_char(writer->out, '\n');
}

/* ---- steps ---------------------------------------------------------------------------------------- */

static void write_input(const struct writer *writer, const struct trace_step *step)
{
    head(writer, step, str_from(step->plugin->as.plugin->name), STYLE_BOLD);
    for (const struct trace_effect *effect = step->effects; effect; effect = effect->next) {
        put(writer, STYLE_DIM, STR("event "));
        number(writer, effect->event);
        if (effect->next)
            buf_append_char(writer->out, ' ');
    }
    put(writer, STYLE_DIM, STR(" as it arrives\n"));
    for (const struct trace_effect *effect = step->effects; effect; effect = effect->next) {
        subject(writer, step, effect);
        changes(writer, step, &effect->changes);
    }
}

/* Why the answer is what it is: the fields that the condition names, each once. */
static void tested(const struct writer *writer, const struct conf_expr *expr,
                   const struct trace_effect *effect, struct str *said, size_t *count)
{
    enum { SAID_MAX = 8 };
    if (!expr || *count == SAID_MAX)
        return;
    tested(writer, expr->left, effect, said, count);
    tested(writer, expr->right, effect, said, count);
    if (*count == SAID_MAX || expr->type != CONF_OPERAND || expr->operand != CONF_OPERAND_FIELD)
        return;
    for (size_t i = 0; i < *count; i++)
        if (str_equal(said[i], expr->text))
            return;
    const struct value *value = value_object_get(&effect->values, expr->text);
    struct buf text, shown;
    buf_init(&text, TEXT_MAX_BYTES);
    buf_printf(&text, "%s", *count == 0 ? "  (" : ", ");
    shown_text(expr->text, &text);
    if (value) {
        shown_in(writer, value, TESTED_COLUMNS, &shown);
        buf_printf(&text, " is %.*s", STR_FMT(buf_str(&shown)));
        buf_release(&shown);
    } else {
        buf_append_str(&text, STR(" is not there"));
    }
    put(writer, STYLE_DIM, buf_str(&text));
    buf_release(&text);
    said[(*count)++] = expr->text;
}

static void write_test(const struct writer *writer, const struct trace_step *step,
                       const struct trace_effect *effect)
{
    enum { SAID_ROOM = 8 };
    const struct plan_arm *arm = &step->branch->arms[step->arm];
    struct str said[SAID_ROOM];
    size_t count = 0;
    if (writer->numbered) {
        number(writer, effect->event);
        buf_append_char(writer->out, ' ');
    }
    if (effect->result == TRACE_TRUE)
        put(writer, STYLE_GOOD, STR("yes"));
    else if (effect->result == TRACE_FALSE)
        put(writer, STYLE_BAD, STR("no"));
    else
        put(writer, STYLE_BAD, STR("cannot be tested: the event is dropped"));
    tested(writer, arm->expr, effect, said, &count);
    if (count > 0)
        put(writer, STYLE_DIM, STR(")"));
    buf_append_char(writer->out, '\n');
}

static void write_condition(const struct writer *writer, const struct trace_step *step)
{
    const struct plan_arm *arm = &step->branch->arms[step->arm];
    struct buf text;
    buf_init(&text, TEXT_MAX_BYTES);
    shown_text(arm->text, &text);
    head(writer, step, buf_str(&text), STYLE_PLAIN);
    for (const struct trace_effect *effect = step->effects; effect; effect = effect->next) {
        if (effect != step->effects)
            blanks(writer, RESULT_COLUMN);
        write_test(writer, step, effect);
    }
    buf_release(&text);
}

/* #1 becomes #2 #3, or #1 makes #2: one after the other, for each that others were made from. */
static void write_made(const struct writer *writer, const struct trace_effect *from)
{
    bool is_gone = from->result == TRACE_CANCELLED, first = true;
    for (const struct trace_effect *effect = from->next; effect; effect = effect->next) {
        if (effect->result != TRACE_MADE || effect->of != from->event)
            continue;
        buf_append_str(writer->out, first ? STR("  ") : STR(" "));
        if (first) {
            number(writer, from->event);
            put(writer, STYLE_GOOD, is_gone ? STR(" becomes ") : STR(" makes "));
        }
        number(writer, effect->event);
        first = false;
    }
    if (!is_gone || !first)
        return;
    put(writer, STYLE_BAD, writer->numbered ? STR("  drops ") : STR("  drops the event"));
    if (writer->numbered)
        number(writer, from->event);
}

static bool is_unremarkable(const struct trace_step *step)
{
    bool same = true;
    for (const struct trace_effect *effect = step->effects; effect; effect = effect->next)
        same = same && effect->result == TRACE_KEPT && effect->changes.count == 0;
    return same;
}

static void write_filter_line(const struct writer *writer, const struct trace_step *step)
{
    char time[TIME_TEXT_MAX];
    const struct trace_effect *first = step->effects;
    head(writer, step, str_from(step->plugin->as.plugin->name), STYLE_BOLD);
    if (first->result == TRACE_LEFT_OUT) {
        put(writer, STYLE_CHANGED, STR("left out: --offline\n"));
        return;
    }
    if (first->result == TRACE_MADE && first->of == 0) {
        put(writer, STYLE_GOOD, STR("makes an event of its own accord: "));
        number(writer, first->event);
        buf_append_char(writer->out, '\n');
        return;
    }
    time_text(writer, step->took_ns, time);
    put(writer, STYLE_DIM, str_from(time));
    for (const struct trace_effect *effect = first; effect; effect = effect->next)
        write_made(writer, effect);
    if (is_unremarkable(step))
        put(writer, STYLE_DIM, STR("  changes nothing"));
    if (trace_keeps_state(step->plugin))
        put(writer, STYLE_DIM, STR("  (keeps state: here it begins empty)"));
    buf_append_char(writer->out, '\n');
}

static void write_filter(const struct writer *writer, const struct trace_step *step)
{
    write_filter_line(writer, step);
    for (const struct trace_effect *effect = step->effects; effect; effect = effect->next) {
        if (effect->changes.count == 0)
            continue;
        subject(writer, step, effect);
        changes(writer, step, &effect->changes);
    }
}

/* Bytes line by line. */
static void write_bytes(const struct writer *writer, const struct trace_step *step,
                        struct str bytes)
{
    while (bytes.len > 0) {
        const char *end = memchr(bytes.ptr, '\n', bytes.len);
        size_t len = end ? (size_t)(end - bytes.ptr) : bytes.len;
        struct buf line;
        buf_init(&line, TEXT_MAX_BYTES);
        shown_text(str_make(bytes.ptr, len), &line);
        margin(writer, step);
        put(writer, STYLE_PLAIN, buf_str(&line));
        buf_append_char(writer->out, '\n');
        buf_release(&line);
        bytes = str_from_offset(bytes, end ? len + 1 : len);
    }
}

static void write_request(const struct writer *writer, const struct trace_step *step,
                          const struct value *request)
{
    for (size_t i = 0; i < value_object_count(request); i++) {
        struct str name;
        const struct value *value = value_object_at(request, i, &name);
        struct buf shown;
        buf_init(&shown, TEXT_MAX_BYTES);
        if (value_is_str(value))
            shown_text(value_as_str(value), &shown);
        else
            shown_value(value, &shown);
        margin(writer, step);
        terminal_printf(&writer->look->terminal, STYLE_DIM, writer->out, "%-9.*s ", STR_FMT(name));
        put(writer, STYLE_CHANGED, buf_str(&shown));
        buf_append_char(writer->out, '\n');
        buf_release(&shown);
    }
}

static void write_output(const struct writer *writer, const struct trace_step *step)
{
    const struct trace_effect *effect = step->effects;
    struct buf reason;
    head(writer, step, str_from(step->plugin->as.plugin->name), STYLE_BOLD);
    if (writer->numbered) {
        number(writer, effect->event);
        buf_append_char(writer->out, ' ');
    }
    if (effect->result == TRACE_NOT_SENT)
        put(writer, STYLE_DIM, STR("nothing to send of it\n"));
    if (effect->result == TRACE_SENT)
        put(writer, STYLE_GOOD, STR("would be sent\n"));
    if (effect->result == TRACE_REFUSED) {
        buf_init(&reason, TEXT_MAX_BYTES);
        buf_append_str(&reason, STR("cannot be sent: "));
        shown_text(effect->reason, &reason);
        put(writer, STYLE_BAD, buf_str(&reason));
        buf_append_char(writer->out, '\n');
        buf_release(&reason);
    }
    write_request(writer, step, &effect->request);
    write_bytes(writer, step, effect->bytes);
}

/* ---- the end -------------------------------------------------------------------------------------- */

/* "grok (line 12)", with its file where there are several. */
static void put_named(const struct writer *writer, enum style style, const char *name,
                      const struct error_position *position)
{
    struct buf text;
    buf_init(&text, TEXT_MAX_BYTES);
    if (writer->several_files)
        buf_printf(&text, "%s (%s:%u)", name, base_name(position->file), position->line);
    else
        buf_printf(&text, "%s (line %u)", name, position->line);
    put(writer, style, buf_str(&text));
    buf_release(&text);
}

static void write_outputs_of(const struct writer *writer, const struct trace_end *end)
{
    bool first = true;
    for (const struct trace_step *step = writer->trace->steps; step; step = step->next) {
        if (step->type != TRACE_OUTPUT || step->effects->event != end->event ||
            step->effects->result != TRACE_SENT)
            continue;
        buf_append_str(writer->out, first ? STR(" goes to ") : STR(", "));
        put_named(writer, STYLE_GOOD, step->plugin->as.plugin->name, &step->plugin->position);
        first = false;
    }
}

/* What others were made of and is gone lives on in them. */
static bool write_successors(const struct writer *writer, const struct trace_end *end)
{
    bool first = true;
    for (const struct trace_effect *effect = end->by->effects; effect; effect = effect->next) {
        if (effect->result != TRACE_MADE || effect->of != end->event)
            continue;
        buf_append_str(writer->out, first ? STR(" becomes ") : STR(" "));
        number(writer, effect->event);
        first = false;
    }
    return !first;
}

static void write_cancelled(const struct writer *writer, const struct trace_end *end)
{
    const struct trace_step *by = end->by;
    if (by->type == TRACE_CONDITION) {
        put(writer, STYLE_BAD, STR(" is dropped: it cannot be tested by the "));
        put_named(writer, STYLE_BAD, "condition", &by->branch->arms[by->arm].position);
        return;
    }
    bool lives_on = write_successors(writer, end);
    put(writer, STYLE_BAD, lives_on ? STR(" in ") : STR(" is dropped by "));
    put_named(writer, STYLE_BAD, by->plugin->as.plugin->name, &by->plugin->position);
}

static void write_end(const struct writer *writer, const struct trace_end *end)
{
    put(writer, STYLE_DIM, STR("event "));
    number(writer, end->event);
    if (end->cancelled)
        write_cancelled(writer, end);
    else if (end->sent > 0)
        write_outputs_of(writer, end);
    else
        put(writer, STYLE_BAD,
            end->refused > 0 ? STR(" goes nowhere: no output can send it")
                             : STR(" goes nowhere: no output takes it"));
    buf_append_char(writer->out, '\n');
}

static bool has_several_files(const struct trace *trace)
{
    return trial_source(trace->trial)->count > 1;
}

void trace_write_text(const struct trace *trace, const struct trace_look *look, struct buf *out)
{
    struct writer writer = {.trace = trace,
                            .look = look,
                            .out = out,
                            .several_files = has_several_files(trace),
                            .numbered = trace->ends && trace->ends->next};
    assert(trace->steps);
    for (const struct trace_step *step = trace->steps; step; step = step->next) {
        switch (step->type) {
        case TRACE_INPUT:
            write_input(&writer, step);
            break;
        case TRACE_CONDITION:
            write_condition(&writer, step);
            break;
        case TRACE_FILTER:
            write_filter(&writer, step);
            break;
        case TRACE_OUTPUT:
            write_output(&writer, step);
            break;
        }
    }
    buf_append_char(out, '\n');
    for (const struct trace_end *end = trace->ends; end; end = end->next)
        write_end(&writer, end);
}
