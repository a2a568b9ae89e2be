/* SPDX-License-Identifier: Apache-2.0
 *
 * csv: a line of separated values into fields. Columns are named by the option, by the first line when
 * autodetect_column_names is on, or by their number.
 *
 * A detected header belongs to the plugin, not to one lane: until it is there all events go through one lane, in order
 * (wants_first), and whoever reads the first line publishes it for all by one compare-and-swap; the last instance to close
 * frees it. Each instance keeps its own parsed field references.
 */
#include <assert.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "base/text/csv_line.h"
#include "codecs/csv_convert.h"
#include "filters/filters.h"

enum { NUMBERED_COLUMNS_KEPT = 256, COLUMN_NAME_BYTES = 32 };

/* A header from the data, on the heap, never changed. */
struct csv_header {
    size_t count;
    struct str names[]; /* ptr NULL: a column without a name; the bytes follow the array */
};

struct csv_shared {
    _Atomic(struct csv_header *) header;
    atomic_uint users; /* instances */
};

struct csv_column {
    struct str name; /* ptr NULL: none */
    struct field_ref ref;
    bool has_ref; /* false: the name is not a legal field reference */
    enum csv_type type;
};

struct csv_columns {
    struct csv_column *items;
    size_t count;
};

struct csv_filter {
    struct field_ref source;
    struct option_strings columns;
    struct str separator, quote_char, target;
    bool autogenerate_column_names, skip_header, skip_empty_columns, skip_empty_rows;
    bool autodetect_column_names;
    struct option_hash convert;

    const struct plugin_env *env;
    struct csv_shared *shared;
    struct csv_style style;
    struct csv_columns named;
    struct csv_columns numbered; /* column1, column2, … */
    struct counter *failures;
};

static const struct option OPTIONS[] = {
    {
        .name = "source",
        .doc = "Field with the line.",
        OPTION_IN_FIELD(struct csv_filter, source),
        .def = "message",
    },
    {
        .name = "columns",
        .doc = "Names of the columns, in order.",
        OPTION_IN_STRINGS(struct csv_filter, columns),
    },
    {
        .name = "separator",
        .doc = "What stands between two values.",
        OPTION_IN_STRING(struct csv_filter, separator),
        .def = ",",
    },
    {
        .name = "quote_char",
        .doc = "The character around values that contain separators.",
        OPTION_IN_STRING(struct csv_filter, quote_char),
        .def = "\"",
    },
    {
        .name = "target",
        .doc = "Field that the columns go below.",
        OPTION_IN_STRING(struct csv_filter, target),
    },
    {
        .name = "autogenerate_column_names",
        .doc = "Name columns without a name column1, column2, …; else leave them out.",
        OPTION_IN_BOOL(struct csv_filter, autogenerate_column_names),
        .def = "true",
    },
    {
        .name = "autodetect_column_names",
        .doc = "Take the names from the first line.",
        OPTION_IN_BOOL(struct csv_filter, autodetect_column_names),
        .def = "false",
    },
    {
        .name = "skip_header",
        .doc = "Drop lines that are the names of the columns.",
        OPTION_IN_BOOL(struct csv_filter, skip_header),
        .def = "false",
    },
    {
        .name = "skip_empty_columns",
        .doc = "Do not set columns without a value.",
        OPTION_IN_BOOL(struct csv_filter, skip_empty_columns),
        .def = "false",
    },
    {
        .name = "skip_empty_rows",
        .doc = "Tag empty lines with _csvskippedemptyfield instead of _csvparsefailure.",
        OPTION_IN_BOOL(struct csv_filter, skip_empty_rows),
        .def = "false",
    },
    {
        .name = "convert",
        .doc = "Column => integer, float, date, date_time or boolean.",
        OPTION_IN_HASH(struct csv_filter, convert),
    },
    OPTION_END,
};

/* ---- columns ---------------------------------------------------------------------------------------- */

static enum csv_type type_of(const struct csv_filter *filter, struct str name)
{
    enum csv_type type = CSV_TEXT;
    for (size_t i = 0; i < filter->convert.count; i++) {
        const struct conf_pair *pair = &filter->convert.pairs[i];
        if (str_equal(pair->key.text, name))
            csv_type_parse(pair->value.text, &type);
    }
    return type;
}

/* name below target; both may be written with or without brackets. */
static struct csv_column make_column(const struct csv_filter *filter, struct arena *arena,
                                     struct str name)
{
    struct csv_column column = {.name = name, .type = type_of(filter, name)};
    bool path = name.len > 0 && name.ptr[0] == '[';
    bool target_path = filter->target.len > 0 && filter->target.ptr[0] == '[';
    bool wrap_target = filter->target.len > 0 && !target_path;
    struct str text =
        arena_printf(arena, "%s%.*s%s%s%.*s%s", wrap_target ? "[" : "", STR_FMT(filter->target),
                     wrap_target ? "]" : "", path ? "" : "[", STR_FMT(name), path ? "" : "]");
    column.has_ref = field_ref_parse(arena, text, filter->env->settings->escape, &column.ref, NULL);
    return column;
}

static struct csv_columns make_columns(const struct csv_filter *filter, const struct str *names,
                                       size_t count)
{
    struct arena *arena = filter->env->arena;
    struct csv_columns columns = {arena_zero(arena, count * sizeof *columns.items), count};
    for (size_t i = 0; i < count; i++) {
        if (names[i].ptr)
            columns.items[i] = make_column(filter, arena, names[i]);
    }
    return columns;
}

static struct csv_column numbered_column(const struct csv_filter *filter, struct arena *arena,
                                         size_t index)
{
    return make_column(filter, arena, arena_printf(arena, "column%zu", index + 1));
}

/* The column for a value; false when it has none. Columns past the kept ones are made in the event's arena. */
static bool find_column(const struct csv_filter *filter, struct arena *arena, size_t index,
                        struct csv_column *out)
{
    if (index < filter->named.count && filter->named.items[index].name.ptr) {
        *out = filter->named.items[index];
        return true;
    }
    if (!filter->autogenerate_column_names)
        return false;
    *out = index < filter->numbered.count ? filter->numbered.items[index]
                                          : numbered_column(filter, arena, index);
    return true;
}

/* ---- the header in the data ------------------------------------------------------------------------- */

static struct csv_header *header_new(const struct csv_row *row)
{
    size_t bytes = 0;
    for (size_t i = 0; i < row->count; i++)
        bytes += row->values[i].len;
    struct csv_header *header =
        mem_alloc(sizeof *header + row->count * sizeof *header->names + bytes + 1);
    char *at = (char *)&header->names[row->count];
    header->count = row->count;
    for (size_t i = 0; i < row->count; i++) {
        header->names[i] = row->values[i];
        if (!row->values[i].ptr)
            continue;
        memcpy(at, row->values[i].ptr, row->values[i].len);
        header->names[i].ptr = at;
        at += row->values[i].len;
    }
    return header;
}

/* Another lane may have been faster: then its header counts and this line is data. True when the row is the header. */
static bool publish_header(struct csv_filter *filter, const struct csv_row *row)
{
    struct csv_header *header = header_new(row), *expected = NULL;
    bool first = atomic_compare_exchange_strong(&filter->shared->header, &expected, header);
    if (first) {
        filter_has_first(filter->env);
    } else {
        mem_free(header);
        header = expected;
    }
    filter->named = make_columns(filter, header->names, header->count);
    return first;
}

/* Makes sure that the names are known. True when this row says them, and is thereby no data. */
static bool detect_header(struct csv_filter *filter, const struct csv_row *row)
{
    if (!filter->autodetect_column_names || filter->named.count > 0)
        return false;
    const struct csv_header *known = atomic_load(&filter->shared->header);
    if (known) {
        filter->named = make_columns(filter, known->names, known->count);
        return false;
    }
    return row->count == 0 || publish_header(filter, row);
}

static bool is_header(const struct csv_filter *filter, const struct csv_row *row)
{
    if (filter->named.count == 0 || filter->named.count != row->count)
        return false;
    for (size_t i = 0; i < row->count; i++) {
        struct str name = filter->named.items[i].name, value = row->values[i];
        if (!name.ptr != !value.ptr || !str_equal(name, value))
            return false;
    }
    return true;
}

/* ---- the plugin ------------------------------------------------------------------------------------- */

/* One character of UTF-8. */
static bool is_one_character(struct str text)
{
    size_t starts = 0;
    for (size_t i = 0; i < text.len; i++)
        starts += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    return starts == 1;
}

static bool csv_check(void *self, const struct plugin_env *env, struct error *err)
{
    (void)env;
    const struct csv_filter *filter = self;
    enum csv_type type;
    for (size_t i = 0; i < filter->convert.count; i++) {
        const struct conf_value *value = &filter->convert.pairs[i].value;
        if (!csv_type_parse(value->text, &type))
            return error_set_at(err, value->position,
                                "convert: '%.*s' is not one of integer, float, date, date_time, "
                                "boolean",
                                STR_FMT(value->text));
    }
    if (filter->separator.len == 0)
        return error_set(err, ERROR_CONFIG, "separator cannot be empty");
    if (!is_one_character(filter->quote_char) && !str_equal(filter->quote_char, STR("\\x00")))
        return error_set(err, ERROR_CONFIG, "quote_char must be one character");
    return true;
}

static bool csv_open(void *self, const struct plugin_env *env, struct error *err)
{
    (void)err;
    struct csv_filter *filter = self;
    filter->env = env;
    filter->shared = env->shared;
    filter->failures = env->counter(env, "failures");
    atomic_fetch_add(&filter->shared->users, 1);
    filter->style = (struct csv_style){filter->separator, filter->quote_char};
    if (str_equal(filter->quote_char, STR("\\x00")))
        filter->style.quote = STR("\0");
    filter->named = make_columns(filter, filter->columns.items, filter->columns.count);
    filter->numbered.items =
        arena_zero(env->arena, NUMBERED_COLUMNS_KEPT * sizeof *filter->numbered.items);
    for (size_t i = 0; i < NUMBERED_COLUMNS_KEPT; i++)
        filter->numbered.items[i] = numbered_column(filter, env->arena, i);
    filter->numbered.count = NUMBERED_COLUMNS_KEPT;
    return true;
}

static void csv_close(void *self)
{
    struct csv_filter *filter = self;
    unsigned users = atomic_fetch_sub(&filter->shared->users, 1);
    assert(users > 0);
    if (users == 1)
        mem_free(atomic_exchange(&filter->shared->header, NULL));
}

static enum filter_result fail(const struct csv_filter *filter, struct event *event)
{
    counter_add(filter->failures, 1);
    event_add_tag(event, STR("_csvparsefailure"));
    return FILTER_SKIPPED;
}

static bool set_columns(const struct csv_filter *filter, struct event *event,
                        const struct csv_row *row)
{
    for (size_t i = 0; i < row->count; i++) {
        struct csv_column column;
        struct value value;
        if (filter->skip_empty_columns && row->values[i].len == 0)
            continue;
        if (!find_column(filter, event->arena, i, &column))
            continue;
        if (!column.has_ref || !csv_convert(event->arena, column.type, row->values[i], &value) ||
            !event_set(event, &column.ref, value, NULL))
            return false;
    }
    return true;
}

static enum filter_result csv_apply(void *self, struct event *event, struct event_sink *more)
{
    (void)more;
    struct csv_filter *filter = self;
    struct csv_row row;
    const struct value *source = event_get(event, &filter->source);
    if (!source || value_type(source) == VALUE_NULL ||
        (value_type(source) == VALUE_BOOL && !value_as_bool(source)))
        return FILTER_SKIPPED;
    if (!value_is_str(source))
        return fail(filter, event);
    enum csv_result result =
        csv_line_parse(event->arena, &filter->style, value_as_str(source), &row, NULL);
    if (result == CSV_MALFORMED)
        return fail(filter, event);
    if (detect_header(filter, &row) || (filter->skip_header && is_header(filter, &row)))
        return FILTER_CANCELLED;
    if (result == CSV_NO_ROW && filter->skip_empty_rows) {
        event_add_tag(event, STR("_csvskippedemptyfield"));
        return FILTER_SKIPPED;
    }
    if (result == CSV_NO_ROW || !set_columns(filter, event, &row))
        return fail(filter, event);
    return FILTER_MATCHED;
}

static bool csv_wants_first(const void *self)
{
    const struct csv_filter *filter = self;
    return filter->autodetect_column_names && filter->columns.count == 0;
}

const struct filter filter_csv = {
    .plugin = {.name = "csv",
               .summary = "A line of separated values into fields.",
               .options = OPTIONS,
               .size = sizeof(struct csv_filter),
               .shared_size = sizeof(struct csv_shared),
               .check = csv_check},
    .open = csv_open,
    .apply = csv_apply,
    .close = csv_close,
    .wants_first = csv_wants_first,
};
