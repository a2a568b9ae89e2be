/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/demo_metrics.h"

#include <stdio.h>

enum { INDENT = 4, KIND_COLUMNS = 9, NAME_COLUMNS = 16, COUNT_COLUMNS = 11, REPORT_COLUMNS = 34 };

static const struct value *member(const struct value *object, struct str key)
{
    return object && value_type(object) == VALUE_OBJECT ? value_object_get(object, key) : NULL;
}

static uint64_t number(const struct value *object, struct str key)
{
    const struct value *value = member(object, key);
    return value && value_type(value) == VALUE_INT && value_as_int(value) > 0
               ? (uint64_t)value_as_int(value)
               : 0;
}

static void put_count(uint64_t count, const char *word, struct buf *out)
{
    char text[COUNT_TEXT_MAX];
    buf_printf(out, "%*s %s", COUNT_COLUMNS, count_text(count, text), word);
}

static void put_plugin(const struct terminal *terminal, const char *kind,
                       const struct value *plugin, struct buf *out)
{
    const struct value *events = member(plugin, STR("events"));
    const struct value *name = member(plugin, STR("name"));
    uint64_t in = number(events, STR("in")), made = number(events, STR("out"));
    uint64_t spent_ms = number(events, STR("duration_in_millis"));
    buf_printf(out, "%*s", INDENT, "");
    terminal_cell(terminal, STYLE_DIM, str_from(kind), KIND_COLUMNS, out);
    terminal_cell(terminal, STYLE_PLAIN, value_is_str(name) ? value_as_str(name) : STR("?"),
                  NAME_COLUMNS, out);
    put_count(in > 0 ? in : made, in > 0 ? "in " : "out", out);
    if (in > 0)
        put_count(made, "out", out);
    if (in > 0 && spent_ms > 0)
        terminal_printf(terminal, STYLE_DIM, out, "  %6.1f µs each",
                        (double)spent_ms * 1000 / (double)in);
    buf_append_char(out, '\n');
}

bool view_metrics(const struct terminal *terminal, const struct value *answer, struct buf *out)
{
    static const struct {
        const char *kind, *list;
    } KINDS[] = {{"input", "inputs"}, {"filter", "filters"}, {"output", "outputs"}};
    const struct value *pipeline = member(member(answer, STR("pipelines")), STR("main"));
    const struct value *plugins = member(pipeline, STR("plugins"));
    bool any = false;
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        const struct value *list = member(plugins, str_from(KINDS[i].list));
        size_t count = list && value_type(list) == VALUE_ARRAY ? value_array_count(list) : 0;
        for (size_t at = 0; at < count; at++)
            put_plugin(terminal, KINDS[i].kind, value_array_at(list, at), out);
        any |= count > 0;
    }
    return any;
}

/* ---- the report ----------------------------------------------------------------------------------- */

/* The next cell of "| a | b |"; false at the end. */
static bool take_cell(struct str *rest, struct str *out)
{
    size_t bar = str_find(*rest, STR("|"));
    if (bar == SIZE_MAX)
        return false;
    *out = str_trim(str_make(rest->ptr, bar));
    *rest = str_from_offset(*rest, bar + 1);
    return true;
}

void view_report_line(const struct terminal *terminal, struct str line, unsigned *tables,
                      struct buf *out)
{
    struct str name, value, rest = str_from_offset(line, 1);
    bool row =
        str_starts_with(line, STR("|")) && take_cell(&rest, &name) && take_cell(&rest, &value);
    if (!row) {
        *tables += *tables == 1; /* the first one has ended */
        return;
    }
    if (str_starts_with(value, STR("---"))) {
        ++*tables; /* what stood above were its headings */
        return;
    }
    if (*tables != 1)
        return;
    buf_printf(out, "%*s", INDENT, "");
    terminal_cell(terminal, STYLE_PLAIN, name, REPORT_COLUMNS, out);
    terminal_cut(terminal, STYLE_CHANGED, value, terminal->columns - INDENT - REPORT_COLUMNS, out);
    buf_append_char(out, '\n');
}

/* ---- the alert ------------------------------------------------------------------------------------ */

void view_alarm(const struct terminal *terminal, bool fired, bool resolved, uint64_t events,
                uint64_t elapsed_ms, struct buf *out)
{
    char text[COUNT_TEXT_MAX];
    buf_printf(out, "%*s", INDENT, "");
    if (!fired) {
        buf_append_str(out, STR("none came within the time\n"));
        return;
    }
    terminal_cell(terminal, STYLE_BAD, STR("firing"), KIND_COLUMNS + 2, out);
    buf_printf(out, "PaymentErrors, for %s event%s\n%*s", count_text(events, text),
               events == 1 ? "" : "s", INDENT, "");
    terminal_cell(terminal, resolved ? STYLE_GOOD : STYLE_BAD,
                  resolved ? STR("resolved") : STR("firing"), KIND_COLUMNS + 2, out);
    if (resolved)
        buf_printf(out, "PaymentErrors, %.1f s later: no further error came\n",
                   (double)elapsed_ms / 1000);
    else
        buf_append_str(out, STR("PaymentErrors, still\n"));
}
