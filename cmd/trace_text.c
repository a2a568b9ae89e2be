/* SPDX-License-Identifier: Apache-2.0
 *
 * A trace for people. On the left the lines of the configuration; plugins are indented as their conditions are:
 *
 *    12  if [status] >= 500                       no   ([status] is 404)
 *    15  grok                                     84 µs
 *          + verb  "GET"
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cmd/shown.h"
#include "cmd/trace_words.h"
#include "conf/source.h"

enum { TESTED_COLUMNS = 60 };

/* ---- steps ---------------------------------------------------------------------------------------- */

static void write_input(const struct trace_writer *writer, const struct trace_step *step)
{
    trace_head(writer, step, str_from(step->plugin->as.plugin->name), STYLE_BOLD);
    for (const struct trace_effect *effect = step->effects; effect; effect = effect->next) {
        trace_put(writer, STYLE_DIM, STR("event "));
        trace_number(writer, effect->event);
        if (effect->next)
            buf_append_char(writer->out, ' ');
    }
    trace_put(writer, STYLE_DIM, STR(" as it arrives\n"));
    for (const struct trace_effect *effect = step->effects; effect; effect = effect->next) {
        trace_subject(writer, step, effect);
        trace_changes(writer, step, &effect->changes);
    }
}

/* Why the answer is what it is: the fields that the condition names, each once. */
static void tested(const struct trace_writer *writer, const struct conf_expr *expr,
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
    buf_init(&text, TRACE_TEXT_MAX_BYTES);
    buf_printf(&text, "%s", *count == 0 ? "  (" : ", ");
    shown_text(expr->text, &text);
    if (value) {
        trace_shown_in(writer, value, TESTED_COLUMNS, &shown);
        buf_printf(&text, " is %.*s", STR_FMT(buf_str(&shown)));
        buf_release(&shown);
    } else {
        buf_append_str(&text, STR(" is not there"));
    }
    trace_put(writer, STYLE_DIM, buf_str(&text));
    buf_release(&text);
    said[(*count)++] = expr->text;
}

static void write_test(const struct trace_writer *writer, const struct trace_step *step,
                       const struct trace_effect *effect)
{
    enum { SAID_ROOM = 8 };
    const struct plan_arm *arm = &step->branch->arms[step->arm];
    struct str said[SAID_ROOM];
    size_t count = 0;
    if (writer->numbered) {
        trace_number(writer, effect->event);
        buf_append_char(writer->out, ' ');
    }
    if (effect->result == TRACE_TRUE)
        trace_put(writer, STYLE_GOOD, STR("yes"));
    else if (effect->result == TRACE_FALSE)
        trace_put(writer, STYLE_BAD, STR("no"));
    else
        trace_put(writer, STYLE_BAD, STR("cannot be tested: the event is dropped"));
    tested(writer, arm->expr, effect, said, &count);
    if (count > 0)
        trace_put(writer, STYLE_DIM, STR(")"));
    buf_append_char(writer->out, '\n');
}

static void write_condition(const struct trace_writer *writer, const struct trace_step *step)
{
    const struct plan_arm *arm = &step->branch->arms[step->arm];
    struct buf text;
    buf_init(&text, TRACE_TEXT_MAX_BYTES);
    shown_text(arm->text, &text);
    trace_head(writer, step, buf_str(&text), STYLE_PLAIN);
    for (const struct trace_effect *effect = step->effects; effect; effect = effect->next) {
        if (effect != step->effects)
            trace_blanks(writer, TRACE_RESULT_COLUMN);
        write_test(writer, step, effect);
    }
    buf_release(&text);
}

/* #1 becomes #2 #3, or #1 makes #2: one after the other, for each that others were made from. */
static void write_made(const struct trace_writer *writer, const struct trace_effect *from)
{
    bool is_gone = from->result == TRACE_CANCELLED, first = true;
    for (const struct trace_effect *effect = from->next; effect; effect = effect->next) {
        if (effect->result != TRACE_MADE || effect->of != from->event)
            continue;
        buf_append_str(writer->out, first ? STR("  ") : STR(" "));
        if (first) {
            trace_number(writer, from->event);
            trace_put(writer, STYLE_GOOD, is_gone ? STR(" becomes ") : STR(" makes "));
        }
        trace_number(writer, effect->event);
        first = false;
    }
    if (!is_gone || !first)
        return;
    trace_put(writer, STYLE_BAD, writer->numbered ? STR("  drops ") : STR("  drops the event"));
    if (writer->numbered)
        trace_number(writer, from->event);
}

static bool is_unremarkable(const struct trace_step *step)
{
    bool same = true;
    for (const struct trace_effect *effect = step->effects; effect; effect = effect->next)
        same = same && effect->result == TRACE_KEPT && effect->changes.count == 0;
    return same;
}

static void write_filter_line(const struct trace_writer *writer, const struct trace_step *step)
{
    char time[TRACE_TIME_MAX];
    const struct trace_effect *first = step->effects;
    trace_head(writer, step, str_from(step->plugin->as.plugin->name), STYLE_BOLD);
    if (first->result == TRACE_LEFT_OUT) {
        trace_put(writer, STYLE_CHANGED, STR("left out: --offline\n"));
        return;
    }
    if (first->result == TRACE_MADE && first->of == 0) {
        trace_put(writer, STYLE_GOOD, STR("makes an event of its own accord: "));
        trace_number(writer, first->event);
        buf_append_char(writer->out, '\n');
        return;
    }
    trace_time(writer, step->took_ns, time);
    trace_put(writer, STYLE_DIM, str_from(time));
    for (const struct trace_effect *effect = first; effect; effect = effect->next)
        write_made(writer, effect);
    if (is_unremarkable(step))
        trace_put(writer, STYLE_DIM, STR("  changes nothing"));
    if (trace_keeps_state(step->plugin))
        trace_put(writer, STYLE_DIM, STR("  (keeps state: here it begins empty)"));
    buf_append_char(writer->out, '\n');
}

static void write_filter(const struct trace_writer *writer, const struct trace_step *step)
{
    write_filter_line(writer, step);
    for (const struct trace_effect *effect = step->effects; effect; effect = effect->next) {
        if (effect->changes.count == 0)
            continue;
        trace_subject(writer, step, effect);
        trace_changes(writer, step, &effect->changes);
    }
}

/* Bytes line by line. */
static void write_bytes(const struct trace_writer *writer, const struct trace_step *step,
                        struct str bytes)
{
    while (bytes.len > 0) {
        const char *end = memchr(bytes.ptr, '\n', bytes.len);
        size_t len = end ? (size_t)(end - bytes.ptr) : bytes.len;
        struct buf line;
        buf_init(&line, TRACE_TEXT_MAX_BYTES);
        shown_text(str_make(bytes.ptr, len), &line);
        trace_margin(writer, step);
        trace_put(writer, STYLE_PLAIN, buf_str(&line));
        buf_append_char(writer->out, '\n');
        buf_release(&line);
        bytes = str_from_offset(bytes, end ? len + 1 : len);
    }
}

static void write_request(const struct trace_writer *writer, const struct trace_step *step,
                          const struct value *request)
{
    for (size_t i = 0; i < value_object_count(request); i++) {
        struct str name;
        const struct value *value = value_object_at(request, i, &name);
        struct buf shown;
        buf_init(&shown, TRACE_TEXT_MAX_BYTES);
        if (value_is_str(value))
            shown_text(value_as_str(value), &shown);
        else
            shown_value(value, &shown);
        trace_margin(writer, step);
        terminal_printf(&writer->look->terminal, STYLE_DIM, writer->out, "%-9.*s ", STR_FMT(name));
        trace_put(writer, STYLE_CHANGED, buf_str(&shown));
        buf_append_char(writer->out, '\n');
        buf_release(&shown);
    }
}

static void write_output(const struct trace_writer *writer, const struct trace_step *step)
{
    const struct trace_effect *effect = step->effects;
    struct buf reason;
    trace_head(writer, step, str_from(step->plugin->as.plugin->name), STYLE_BOLD);
    if (writer->numbered) {
        trace_number(writer, effect->event);
        buf_append_char(writer->out, ' ');
    }
    if (effect->result == TRACE_NOT_SENT)
        trace_put(writer, STYLE_DIM, STR("nothing to send of it\n"));
    if (effect->result == TRACE_SENT)
        trace_put(writer, STYLE_GOOD, STR("would be sent\n"));
    if (effect->result == TRACE_REFUSED) {
        buf_init(&reason, TRACE_TEXT_MAX_BYTES);
        buf_append_str(&reason, STR("cannot be sent: "));
        shown_text(effect->reason, &reason);
        trace_put(writer, STYLE_BAD, buf_str(&reason));
        buf_append_char(writer->out, '\n');
        buf_release(&reason);
    }
    write_request(writer, step, &effect->request);
    write_bytes(writer, step, effect->bytes);
}

/* ---- the end -------------------------------------------------------------------------------------- */

/* "grok (line 12)", with its file where there are several. */
static void put_named(const struct trace_writer *writer, enum style style, const char *name,
                      const struct error_position *position)
{
    struct buf text;
    buf_init(&text, TRACE_TEXT_MAX_BYTES);
    if (writer->several_files)
        buf_printf(&text, "%s (%s:%u)", name, trace_base_name(position->file), position->line);
    else
        buf_printf(&text, "%s (line %u)", name, position->line);
    trace_put(writer, style, buf_str(&text));
    buf_release(&text);
}

static void write_outputs_of(const struct trace_writer *writer, const struct trace_end *end)
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
static bool write_successors(const struct trace_writer *writer, const struct trace_end *end)
{
    bool first = true;
    for (const struct trace_effect *effect = end->by->effects; effect; effect = effect->next) {
        if (effect->result != TRACE_MADE || effect->of != end->event)
            continue;
        buf_append_str(writer->out, first ? STR(" becomes ") : STR(" "));
        trace_number(writer, effect->event);
        first = false;
    }
    return !first;
}

static void write_cancelled(const struct trace_writer *writer, const struct trace_end *end)
{
    const struct trace_step *by = end->by;
    if (by->type == TRACE_CONDITION) {
        trace_put(writer, STYLE_BAD, STR(" is dropped: it cannot be tested by the "));
        put_named(writer, STYLE_BAD, "condition", &by->branch->arms[by->arm].position);
        return;
    }
    bool lives_on = write_successors(writer, end);
    trace_put(writer, STYLE_BAD, lives_on ? STR(" in ") : STR(" is dropped by "));
    put_named(writer, STYLE_BAD, by->plugin->as.plugin->name, &by->plugin->position);
}

static void write_end(const struct trace_writer *writer, const struct trace_end *end)
{
    trace_put(writer, STYLE_DIM, STR("event "));
    trace_number(writer, end->event);
    if (end->cancelled)
        write_cancelled(writer, end);
    else if (end->sent > 0)
        write_outputs_of(writer, end);
    else
        trace_put(writer, STYLE_BAD,
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
    struct trace_writer writer = {.trace = trace,
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
