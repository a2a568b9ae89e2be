/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <inttypes.h>

#include "base/text/utf8.h"
#include "cmd/diff.h"
#include "cmd/shown.h"
#include "pipeline/event/event_json.h"

enum { COUNT_COLUMN = 48, VALUE_COLUMNS = 100, TEXT_MAX_BYTES = 256 * 1024 * 1024 };

/* ---- for people ---------------------------------------------------------------------------------- */

static enum style style_of(enum diff_kind kind)
{
    switch (kind) {
    case DIFF_DROPPED:
    case DIFF_FEWER:
    case DIFF_FIELD_REMOVED:
    case DIFF_ROUTE_REMOVED:
    case DIFF_REFUSED:
        return STYLE_BAD;
    case DIFF_LET_THROUGH:
    case DIFF_MORE:
    case DIFF_FIELD_ADDED:
    case DIFF_ROUTE_ADDED:
    case DIFF_TAKEN:
        return STYLE_GOOD;
    case DIFF_FIELD_CHANGED:
    case DIFF_REQUEST:
    case DIFF_BYTES:
        break;
    }
    return STYLE_CHANGED;
}

static void put_title(const struct diff_change *change, struct buf *out)
{
    static const char *const WORDS[] = {
        [DIFF_DROPPED] = "dropped now",
        [DIFF_LET_THROUGH] = "no longer dropped",
        [DIFF_MORE] = "more events of it",
        [DIFF_FEWER] = "fewer events of it",
        [DIFF_FIELD_ADDED] = "+ ",
        [DIFF_FIELD_REMOVED] = "- ",
        [DIFF_FIELD_CHANGED] = "~ ",
        [DIFF_ROUTE_ADDED] = "goes to ",
        [DIFF_ROUTE_REMOVED] = "no longer goes to ",
        [DIFF_REFUSED] = "can no longer be sent by ",
        [DIFF_TAKEN] = "can be sent now by ",
        [DIFF_REQUEST] = "sent otherwise by ",
        [DIFF_BYTES] = "written otherwise by ",
    };
    buf_append_str(out, str_from(WORDS[change->kind]));
    shown_text(change->output, out);
    if (change->kind == DIFF_REQUEST)
        buf_append_str(out, STR(": "));
    shown_text(change->field, out);
}

static void put_value(const struct value *value, struct buf *out)
{
    struct buf shown;
    size_t columns;
    buf_init(&shown, TEXT_MAX_BYTES);
    shown_value(value, &shown);
    struct str part = utf8_cut_to_columns(buf_str(&shown), VALUE_COLUMNS, &columns);
    buf_append_str(out, part);
    if (part.len < shown.len)
        buf_append_str(out, STR("…"));
    buf_release(&shown);
}

static void put_example(const struct diff_change *change, const struct diff_example *example,
                        const struct terminal *terminal, struct buf *out)
{
    struct buf text;
    buf_init(&text, TEXT_MAX_BYTES);
    if (example->line > 0)
        terminal_printf(terminal, STYLE_DIM, out, "    line %-6" PRIu64 " ", example->line);
    else
        terminal_printf(terminal, STYLE_DIM, out, "    at the end  ");
    bool both = change->kind == DIFF_FIELD_CHANGED || change->kind == DIFF_REQUEST ||
                change->kind == DIFF_BYTES;
    if (both) {
        put_value(&example->before, &text);
        buf_append_str(&text, STR(" → "));
    }
    put_value(change->kind == DIFF_FIELD_REMOVED ? &example->before : &example->after, &text);
    terminal_text(terminal, STYLE_PLAIN, buf_str(&text), out);
    buf_append_char(out, '\n');
    buf_release(&text);
}

static void put_change(const struct diff_change *change, const struct terminal *terminal,
                       struct buf *out)
{
    char count[COUNT_TEXT_MAX];
    size_t columns;
    struct buf title;
    buf_init(&title, TEXT_MAX_BYTES);
    put_title(change, &title);
    utf8_cut_to_columns(buf_str(&title), SIZE_MAX, &columns);
    terminal_text(terminal, style_of(change->kind), buf_str(&title), out);
    buf_printf(out, "%*s", columns + 2 < COUNT_COLUMN ? (int)(COUNT_COLUMN - columns) : 2, "");
    terminal_printf(terminal, STYLE_BOLD, out, "%s", count_text(change->count, count));
    buf_append_char(out, '\n');
    for (size_t i = 0; i < change->count && i < DIFF_EXAMPLES; i++)
        put_example(change, &change->examples[i], terminal, out);
    buf_release(&title);
}

void diff_show_text(const struct diff *diff, const struct terminal *terminal, struct buf *out)
{
    char lines[COUNT_TEXT_MAX], different[COUNT_TEXT_MAX];
    for (const struct diff_change *change = diff->first; change; change = change->next)
        put_change(change, terminal, out);
    if (diff->first)
        buf_append_char(out, '\n');
    assert(diff->same <= diff->lines);
    terminal_printf(terminal, diff->first ? STYLE_BOLD : STYLE_GOOD, out,
                    "%s of %s events of the sample come out different",
                    count_text(diff->lines - diff->same, different),
                    count_text(diff->lines, lines));
    buf_append_char(out, '\n');
}

/* ---- as JSON ------------------------------------------------------------------------------------- */

static const char *const KINDS[] = {
    [DIFF_DROPPED] = "dropped",
    [DIFF_LET_THROUGH] = "let_through",
    [DIFF_MORE] = "more_events",
    [DIFF_FEWER] = "fewer_events",
    [DIFF_FIELD_ADDED] = "field_added",
    [DIFF_FIELD_REMOVED] = "field_removed",
    [DIFF_FIELD_CHANGED] = "field_changed",
    [DIFF_ROUTE_ADDED] = "route_added",
    [DIFF_ROUTE_REMOVED] = "route_removed",
    [DIFF_REFUSED] = "refused",
    [DIFF_TAKEN] = "taken",
    [DIFF_REQUEST] = "request_changed",
    [DIFF_BYTES] = "bytes_changed",
};

static void set(struct arena *arena, struct value *object, const char *name, struct value value)
{
    value_object_set(arena, object, str_from(name), value);
}

static struct value example_value(struct arena *arena, const struct diff_change *change,
                                  const struct diff_example *example)
{
    struct value object = value_object_new(arena, 3);
    bool has_before = change->kind == DIFF_FIELD_REMOVED || change->kind == DIFF_FIELD_CHANGED ||
                      change->kind == DIFF_REQUEST || change->kind == DIFF_BYTES;
    if (example->line > 0)
        set(arena, &object, "line", value_int((int64_t)example->line));
    if (has_before)
        set(arena, &object, "before", example->before);
    if (change->kind != DIFF_FIELD_REMOVED)
        set(arena, &object, "after", example->after);
    return object;
}

void diff_show_json(const struct diff *diff, struct buf *out)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct value document = value_object_new(&arena, 4), changes = value_array_new(&arena, 8);
    for (const struct diff_change *change = diff->first; change; change = change->next) {
        struct value object = value_object_new(&arena, 5), examples = value_array_new(&arena, 3);
        set(&arena, &object, "kind", value_str(str_from(KINDS[change->kind])));
        if (change->output.len > 0)
            set(&arena, &object, "output", value_str(change->output));
        if (change->field.len > 0)
            set(&arena, &object, "field", value_str(change->field));
        set(&arena, &object, "count", value_int((int64_t)change->count));
        for (size_t i = 0; i < change->count && i < DIFF_EXAMPLES; i++)
            value_array_push(&arena, &examples,
                             example_value(&arena, change, &change->examples[i]));
        set(&arena, &object, "examples", examples);
        value_array_push(&arena, &changes, object);
    }
    set(&arena, &document, "events", value_int((int64_t)diff->lines));
    set(&arena, &document, "same", value_int((int64_t)diff->same));
    set(&arena, &document, "different", value_int((int64_t)(diff->lines - diff->same)));
    set(&arena, &document, "changes", changes);
    json_encode_value(&document, out);
    buf_append_char(out, '\n');
    arena_release(&arena);
}
