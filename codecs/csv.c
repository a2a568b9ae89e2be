/* SPDX-License-Identifier: Apache-2.0
 *
 * csv: a line of separated values is one event, and the other way round. Columns are named by the option, by the first line when
 * autodetect_column_names is on, or by their number. A value with a line break in it is possible only where messages
 * arrive whole.
 */
#include <assert.h>

#include "base/text/csv_line.h"
#include "codecs/charset.h"
#include "codecs/codecs.h"
#include "codecs/csv_convert.h"
#include "codecs/text_event.h"
#include "codecs/tokenizer.h"
#include "pipeline/event/ruby_text.h"

struct csv_codec {
    struct option_strings columns;
    struct option_hash convert;
    struct str separator, quote_char;
    struct field_ref target;
    int charset_choice;
    bool autodetect_column_names, autogenerate_column_names, include_headers, skip_empty_columns;

    const struct plugin_env *env;
    struct csv_style style;
    struct charset charset;
    struct long_lines long_lines;
    struct tokenizer tokenizer;
    struct field_ref *column_fields; /* of columns, for encoding */
    atomic_bool began_alone, *began; /* the headers are written */
};

static bool parse_columns(struct csv_codec *csv, struct error *err)
{
    size_t count = csv->columns.count;
    csv->column_fields = arena_zero(csv->env->arena, count * sizeof *csv->column_fields);
    for (size_t i = 0; i < count; i++) {
        if (!field_ref_parse(csv->env->arena, csv->columns.items[i], csv->env->settings->escape,
                             &csv->column_fields[i], err))
            return error_prefix(err, "columns");
    }
    for (size_t i = 0; i < csv->convert.count; i++) {
        enum csv_type type;
        struct str name = csv->convert.pairs[i].value.text;
        if (!csv_type_parse(name, &type))
            return error_set(
                err, ERROR_CONFIG,
                "convert to '%.*s', expected integer, float, date, date_time or boolean",
                STR_FMT(name));
    }
    return true;
}

static bool csv_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct csv_codec *csv = self;
    csv->env = env;
    struct codec_shared *shared = env->codec_shared;
    csv->began = shared ? &shared->began : &csv->began_alone;
    if (csv->separator.len == 0)
        return error_set(err, ERROR_CONFIG, "separator is empty");
    csv->style = (struct csv_style){csv->separator, csv->quote_char};
    if (csv->quote_char.len == 0) /* nothing is quoted */
        csv->style.quote = STR("\0");
    if (!parse_columns(csv, err) || !charset_open(&csv->charset, csv->charset_choice, err))
        return false;
    struct str delimiter = charset_encode(&csv->charset, env->arena, STR("\n"));
    long_lines_init(&csv->long_lines, env);
    tokenizer_init(&csv->tokenizer, delimiter, csv->charset.unit, env->settings->max_event_bytes);
    return true;
}

/* ---- decoding ----------------------------------------------------------------------------------- */

static enum csv_type type_of(const struct csv_codec *csv, struct str column)
{
    enum csv_type type = CSV_TEXT;
    for (size_t i = 0; i < csv->convert.count; i++) {
        if (str_equal(csv->convert.pairs[i].key.text, column))
            (void)csv_type_parse(csv->convert.pairs[i].value.text, &type);
    }
    return type;
}

/* ptr NULL: the value has no place. */
static struct str column_name(const struct csv_codec *csv, size_t index, struct arena *arena)
{
    if (index < csv->columns.count)
        return csv->columns.items[index];
    if (!csv->autogenerate_column_names)
        return (struct str){0};
    return arena_printf(arena, "column%zu", index + 1);
}

static void take_columns(struct csv_codec *csv, const struct csv_row *row)
{
    struct arena *arena = csv->env->arena;
    csv->columns.items = arena_zero(arena, row->count * sizeof *csv->columns.items);
    csv->columns.count = row->count;
    csv->column_fields = arena_zero(arena, row->count * sizeof *csv->column_fields);
    for (size_t i = 0; i < row->count; i++) {
        csv->columns.items[i] = arena_dup(arena, row->values[i]);
        if (!field_ref_parse(arena, csv->columns.items[i], csv->env->settings->escape,
                             &csv->column_fields[i], NULL))
            csv->column_fields[i] = (struct field_ref){0};
    }
}

static struct event *event_of_row(const struct csv_codec *csv, const struct csv_row *row,
                                  struct arena *arena)
{
    struct value object = value_object_new(arena, row->count + 2);
    for (size_t i = 0; i < row->count; i++) {
        struct str text = row->values[i], name = column_name(csv, i, arena);
        struct value value;
        if (!name.ptr || (csv->skip_empty_columns && text.len == 0))
            continue;
        if (csv_convert(arena, type_of(csv, name), text, &value))
            value_object_set(arena, &object, name, value);
    }
    if (csv->target.count == 0 && csv->target.root == FIELD_ROOT_EVENT)
        return event_from_object(arena, object);
    struct event *event = event_new(arena);
    (void)event_set(event, &csv->target, object, NULL);
    return event;
}

static void take_line(struct csv_codec *csv, struct str bytes, struct event_sink *sink)
{
    struct str text = charset_to_utf8(&csv->charset, sink->arena, bytes);
    bool original = csv->env->ecs != ECS_DISABLED;
    struct csv_row row;
    struct event *event;
    switch (csv_line_parse(sink->arena, &csv->style, text, &row, NULL)) {
    case CSV_NO_ROW:
        return;
    case CSV_MALFORMED:
        event = text_event_new(sink->arena, text, original);
        event_add_tag(event, STR("_csvparsefailure"));
        sink->emit(sink, event);
        return;
    case CSV_ROW:
        break;
    }
    if (csv->autodetect_column_names && csv->columns.count == 0) {
        take_columns(csv, &row);
        return;
    }
    event = event_of_row(csv, &row, sink->arena);
    if (original)
        text_event_keep_original(event, text);
    sink->emit(sink, event);
}

static void csv_decode(void *self, struct str bytes, struct event_sink *sink)
{
    struct csv_codec *csv = self;
    if (!csv->env->stream) {
        take_line(csv, bytes, sink);
        return;
    }
    for (;;) {
        struct str line;
        switch (tokenizer_next(&csv->tokenizer, sink->arena, &bytes, &line)) {
        case TOKEN_LINE:
            event_sink_record(sink, line, bytes.len);
            take_line(csv, line, sink);
            break;
        case TOKEN_TOO_LONG:
            text_event_emit_too_long(sink, &csv->long_lines, csv->tokenizer.max_bytes);
            break;
        case TOKEN_NEED_MORE:
            return;
        }
    }
}

static void csv_flush(void *self, struct event_sink *sink)
{
    struct csv_codec *csv = self;
    struct str line;
    if (!tokenizer_flush(&csv->tokenizer, sink->arena, &line))
        return;
    event_sink_record(sink, line, 0);
    take_line(csv, line, sink);
}

static size_t csv_pending(const void *self)
{
    const struct csv_codec *csv = self;
    return tokenizer_pending(&csv->tokenizer);
}

/* ---- encoding ----------------------------------------------------------------------------------- */

static bool needs_quotes(const struct csv_codec *csv, struct str text)
{
    return text.len == 0 || memchr(text.ptr, '\n', text.len) || memchr(text.ptr, '\r', text.len) ||
           str_find(text, csv->separator) != SIZE_MAX ||
           str_find(text, csv->quote_char) != SIZE_MAX;
}

static bool append_text(const struct csv_codec *csv, struct str text, struct buf *out)
{
    struct str quote = csv->quote_char;
    if (quote.len == 0 || !needs_quotes(csv, text))
        return buf_append_str(out, text);
    if (!buf_append_str(out, quote))
        return false;
    for (;;) {
        size_t at = str_find(text, quote);
        struct str part = str_make(text.ptr, at == SIZE_MAX ? text.len : at);
        if (!buf_append_str(out, part))
            return false;
        if (at == SIZE_MAX)
            return buf_append_str(out, quote);
        if (!buf_append_str(out, quote) || !buf_append_str(out, quote))
            return false;
        text = str_from_offset(text, at + quote.len);
    }
}

static bool append_value(const struct csv_codec *csv, const struct value *value,
                         struct arena *scratch, struct buf *out)
{
    if (!value || value_type(value) == VALUE_NULL)
        return true;
    return append_text(csv, ruby_text(scratch, value), out);
}

static bool append_separator(const struct csv_codec *csv, size_t index, struct buf *out)
{
    return index == 0 || buf_append_str(out, csv->separator);
}

static bool append_headers(const struct csv_codec *csv, const struct event *event, struct buf *out)
{
    bool given = csv->columns.count > 0;
    size_t count = given ? csv->columns.count : value_object_count(&event->fields);
    for (size_t i = 0; i < count; i++) {
        struct str name;
        if (given)
            name = csv->columns.items[i];
        else
            (void)value_object_at(&event->fields, i, &name);
        if (!append_separator(csv, i, out) || !append_text(csv, name, out))
            return false;
    }
    return buf_append_char(out, '\n');
}

static bool append_row(const struct csv_codec *csv, const struct event *event,
                       struct arena *scratch, struct buf *out)
{
    bool given = csv->columns.count > 0;
    size_t count = given ? csv->columns.count : value_object_count(&event->fields);
    for (size_t i = 0; i < count; i++) {
        struct str key;
        const struct value *value = given ? event_get(event, &csv->column_fields[i])
                                          : value_object_at(&event->fields, i, &key);
        if (!append_separator(csv, i, out) || !append_value(csv, value, scratch, out))
            return false;
    }
    return buf_append_char(out, '\n');
}

static bool csv_encode(void *self, const struct event *event, struct arena *scratch,
                       struct buf *out)
{
    struct csv_codec *csv = self;
    size_t start = out->len;
    bool headers =
        csv->include_headers && !atomic_exchange_explicit(csv->began, true, memory_order_relaxed);
    if ((!headers || append_headers(csv, event, out)) && append_row(csv, event, scratch, out))
        return true;
    if (headers)
        atomic_store_explicit(csv->began, false, memory_order_relaxed);
    out->len = start;
    return false;
}

static void csv_close(void *self)
{
    struct csv_codec *csv = self;
    tokenizer_release(&csv->tokenizer);
    charset_close(&csv->charset);
}

static const struct option csv_options[] = {
    {
        .name = "columns",
        .doc = "Names of the columns, in order; when writing, the fields to write.",
        OPTION_IN_STRINGS(struct csv_codec, columns),
    },
    {
        .name = "autodetect_column_names",
        .doc = "Whether the first line names the columns.",
        OPTION_IN_BOOL(struct csv_codec, autodetect_column_names),
        .def = "false",
    },
    {
        .name = "autogenerate_column_names",
        .doc = "Whether columns without a name become column1, column2, …; else they are left out.",
        OPTION_IN_BOOL(struct csv_codec, autogenerate_column_names),
        .def = "true",
    },
    {
        .name = "charset",
        .doc = "Encoding of the bytes that are decoded.",
        OPTION_IN_CHOICE(struct csv_codec, charset_choice),
        .choices = charset_names,
        .def = "UTF-8",
    },
    {
        .name = "convert",
        .doc = "Column => integer, float, date, date_time or boolean.",
        OPTION_IN_HASH(struct csv_codec, convert),
    },
    {
        .name = "include_headers",
        .doc = "When writing, begin with a line of column names.",
        OPTION_IN_BOOL(struct csv_codec, include_headers),
        .def = "false",
    },
    {
        .name = "quote_char",
        .doc = "What values with separators in them are quoted by.",
        OPTION_IN_STRING(struct csv_codec, quote_char),
        .def = "\"",
    },
    {
        .name = "separator",
        .doc = "What stands between values.",
        OPTION_IN_STRING(struct csv_codec, separator),
        .def = ",",
    },
    {
        .name = "skip_empty_columns",
        .doc = "Whether empty values are left out.",
        OPTION_IN_BOOL(struct csv_codec, skip_empty_columns),
        .def = "false",
    },
    {
        .name = "target",
        .doc = "Field that gets the columns; without it, they are the event.",
        OPTION_IN_FIELD(struct csv_codec, target),
    },
    OPTION_END,
};

const struct codec codec_csv = {
    .plugin = {.name = "csv",
               .summary = "lines of separated values",
               .options = csv_options,
               .size = sizeof(struct csv_codec)},
    .open = csv_open,
    .decode = csv_decode,
    .flush = csv_flush,
    .encode = csv_encode,
    .close = csv_close,
    .pending = csv_pending,
};
