/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/text/utf8.h"
#include "cmd/shown.h"
#include "cmd/trace_words.h"

enum {
    GUTTER_COLUMNS = 5,
    INDENT_COLUMNS = 2,
    CUT_COLUMNS = 300,  /* of a value, unless all is wanted */
    LINE_COLUMNS = 100, /* a change that is longer is written on two lines */
};

void trace_put(const struct trace_writer *writer, enum style style, struct str text)
{
    bool ends = str_ends_with(text, STR("\n"));
    text.len -= ends;
    terminal_text(&writer->look->terminal, style, text, writer->out);
    if (ends)
        buf_append_char(writer->out, '\n');
}

void trace_blanks(const struct trace_writer *writer, size_t count)
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
void trace_shown_in(const struct trace_writer *writer, const struct value *value, size_t columns,
                    struct buf *out)
{
    size_t used;
    buf_init(out, TRACE_TEXT_MAX_BYTES);
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

const char *trace_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void place(const struct trace_writer *writer, const struct error_position *position)
{
    char text[256];
    if (writer->several_files)
        snprintf(text, sizeof text, "%s:%-*u", trace_base_name(position->file), GUTTER_COLUMNS - 2,
                 position->line);
    else
        snprintf(text, sizeof text, "%*u", GUTTER_COLUMNS, position->line);
    trace_put(writer, STYLE_DIM, str_from(text));
    trace_blanks(writer, 2);
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
void trace_head(const struct trace_writer *writer, const struct trace_step *step, struct str name,
                enum style style)
{
    struct error_position position = step->type == TRACE_CONDITION
                                         ? step->branch->arms[step->arm].position
                                         : step->plugin->position;
    place(writer, &position);
    trace_blanks(writer, depth(step) * INDENT_COLUMNS);
    trace_put(writer, style, name);
    size_t used = GUTTER_COLUMNS + 2 + depth(step) * INDENT_COLUMNS + columns_of(name);
    trace_blanks(writer, used + 2 < TRACE_RESULT_COLUMN ? TRACE_RESULT_COLUMN - used : 2);
}

void trace_time(const struct trace_writer *writer, uint64_t ns, char out[static TRACE_TIME_MAX])
{
    double us = (double)ns / 1000;
    const char *micro = writer->look->terminal.ascii ? "us" : "µs";
    if (us < 1000)
        snprintf(out, TRACE_TIME_MAX, "%.*f %s", us < 10 ? 1 : 0, us, micro);
    else
        snprintf(out, TRACE_TIME_MAX, "%.*f ms", us < 10000 ? 1 : 0, us / 1000);
}

void trace_number(const struct trace_writer *writer, unsigned event)
{
    terminal_printf(&writer->look->terminal, STYLE_BOLD, writer->out, "#%u", event);
}

/* ---- fields --------------------------------------------------------------------------------------- */

void trace_margin(const struct trace_writer *writer, const struct trace_step *step)
{
    trace_blanks(writer, GUTTER_COLUMNS + 2 + depth(step) * INDENT_COLUMNS + INDENT_COLUMNS);
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

static void change_line(const struct trace_writer *writer, const struct trace_step *step,
                        const struct event_change *change, size_t width)
{
    static const enum style STYLES[] = {
        [FIELD_ADDED] = STYLE_GOOD, [FIELD_REMOVED] = STYLE_BAD, [FIELD_CHANGED] = STYLE_CHANGED};
    static const char *const SIGNS[] = {
        [FIELD_ADDED] = "+ ", [FIELD_REMOVED] = "- ", [FIELD_CHANGED] = "~ "};
    struct buf path, before, after;
    enum style style = STYLES[change->change];
    bool plain = step->type == TRACE_INPUT;
    buf_init(&path, TRACE_TEXT_MAX_BYTES);
    shown_text(change->path, &path);
    trace_shown_in(writer, &change->before, CUT_COLUMNS, &before);
    trace_shown_in(writer, &change->after, CUT_COLUMNS, &after);
    size_t columns = columns_of(buf_str(&path));
    trace_margin(writer, step);
    trace_put(writer, style, str_from(plain ? "" : SIGNS[change->change]));
    trace_put(writer, plain ? STYLE_PLAIN : style, buf_str(&path));
    trace_blanks(writer, (columns < width ? width - columns : 0) + 2);
    if (change->change != FIELD_CHANGED) {
        trace_put(writer, plain ? STYLE_PLAIN : style,
                  buf_str(change->change == FIELD_ADDED ? &after : &before));
    } else {
        const char *arrow = writer->look->terminal.ascii ? "->" : "→";
        trace_put(writer, STYLE_BAD, buf_str(&before));
        if (columns_of(buf_str(&before)) + columns_of(buf_str(&after)) + width > LINE_COLUMNS) {
            buf_append_char(writer->out, '\n');
            trace_margin(writer, step);
            trace_blanks(writer, width + 1);
        }
        buf_printf(writer->out, " %s ", arrow);
        trace_put(writer, STYLE_GOOD, buf_str(&after));
    }
    buf_append_char(writer->out, '\n');
    buf_release(&path);
    buf_release(&before);
    buf_release(&after);
}

void trace_changes(const struct trace_writer *writer, const struct trace_step *step,
                   const struct event_diff *diff)
{
    size_t width = path_width(diff);
    for (size_t i = 0; i < diff->count; i++)
        change_line(writer, step, &diff->items[i], width);
}

/* Which event the lines below are about, where there are several. */
void trace_subject(const struct trace_writer *writer, const struct trace_step *step,
                   const struct trace_effect *effect)
{
    if (!step->effects->next)
        return;
    trace_margin(writer, step);
    trace_number(writer, effect->event);
    if (effect->result == TRACE_MADE && effect->of > 0)
        terminal_printf(&writer->look->terminal, STYLE_DIM, writer->out, " made from #%u",
                        effect->of);
    buf_append_char(writer->out, '\n');
}
