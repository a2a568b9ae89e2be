/* SPDX-License-Identifier: Apache-2.0
 *
 * What the store says of itself: the root, the health of its one node, and the tables of _cat.
 *
 * The version is that of the REST API it follows, the last one that Elasticsearch and OpenSearch have in common, which
 * clients of both know. It says that it is neither of the two.
 */
#include <assert.h>
#include <stdlib.h>

#include "services/store/rest/rest.h"

void rest_root(struct worker *worker, struct rest_request *request)
{
    sqlite3_stmt *row =
        database_prepare(&worker->database, "SELECT value FROM meta WHERE name = 'uuid'");
    struct str uuid = database_step(&worker->database, row)
                          ? arena_dup(&worker->scratch, database_text(row, 0))
                          : STR("");
    sqlite3_finalize(row);
    buf_printf(&request->answer,
               "{\"name\":\"millrace\",\"cluster_name\":\"millrace\",\"cluster_uuid\":\"%.*s\","
               "\"version\":{\"distribution\":\"millrace\",\"number\":\"7.10.2\","
               "\"build_version\":\"" MILLRACE_VERSION "\",\"build_flavor\":\"oss\","
               "\"minimum_wire_compatibility_version\":\"6.8.0\","
               "\"minimum_index_compatibility_version\":\"6.0.0-beta1\"},"
               "\"tagline\":\"The document store of millrace\"}",
               STR_FMT(uuid));
}

void rest_health(struct worker *worker, struct rest_request *request)
{
    struct index_list indices;
    if (!rest_indices(worker, request, &indices))
        return;
    buf_printf(&request->answer,
               "{\"cluster_name\":\"millrace\",\"status\":\"green\",\"timed_out\":false,"
               "\"number_of_nodes\":1,\"number_of_data_nodes\":1,\"discovered_master\":true,"
               "\"active_primary_shards\":%zu,\"active_shards\":%zu,\"relocating_shards\":0,"
               "\"initializing_shards\":0,\"unassigned_shards\":0,\"delayed_unassigned_shards\":0,"
               "\"number_of_pending_tasks\":0,\"number_of_in_flight_fetch\":0,"
               "\"task_max_waiting_in_queue_millis\":0,\"active_shards_percent_as_number\":100.0}",
               indices.count, indices.count);
}

/* ---- tables ---- */

enum { CAT_COLUMNS_MAX = 16 };

struct cat_column {
    const char *name, *alias;
    bool right;  /* numbers */
    bool hidden; /* only when h= asks for it */
};

struct cat_table {
    const struct cat_column *columns;
    size_t column_count;
    struct str *cells; /* row by row */
    size_t row_count;
    size_t shown[CAT_COLUMNS_MAX];
    size_t shown_count;
};

static size_t find_column(const struct cat_table *table, struct str name)
{
    size_t i = 0;
    while (i < table->column_count && !str_equal(name, str_from(table->columns[i].name)) &&
           !str_equal(name, str_from(table->columns[i].alias)))
        i++;
    return i;
}

static void choose_columns(struct cat_table *table, struct str wanted)
{
    for (size_t i = 0; wanted.len == 0 && i < table->column_count; i++)
        if (!table->columns[i].hidden)
            table->shown[table->shown_count++] = i;
    struct str part;
    while (index_expression_next(&wanted, &part)) {
        size_t column = find_column(table, str_trim(part));
        if (column < table->column_count && table->shown_count < CAT_COLUMNS_MAX)
            table->shown[table->shown_count++] = column;
    }
}

static struct str cell(const struct cat_table *table, size_t row, size_t column)
{
    return table->cells[row * table->column_count + column];
}

static void write_json(const struct cat_table *table, struct buf *out)
{
    buf_append_char(out, '[');
    for (size_t row = 0; row < table->row_count; row++) {
        rest_comma(out);
        buf_append_char(out, '{');
        for (size_t i = 0; i < table->shown_count; i++) {
            rest_comma(out);
            json_encode_str(str_from(table->columns[table->shown[i]].name), out);
            buf_append_char(out, ':');
            json_encode_str(cell(table, row, table->shown[i]), out);
        }
        buf_append_char(out, '}');
    }
    buf_append_char(out, ']');
}

static size_t width_of(const struct cat_table *table, size_t column, bool heading)
{
    size_t width = heading ? strlen(table->columns[column].name) : 0;
    for (size_t row = 0; row < table->row_count; row++)
        if (cell(table, row, column).len > width)
            width = cell(table, row, column).len;
    return width;
}

static void write_row(const struct cat_table *table, const size_t *widths, size_t row, bool heading,
                      struct buf *out)
{
    for (size_t i = 0; i < table->shown_count; i++) {
        const struct cat_column *column = &table->columns[table->shown[i]];
        struct str text = heading ? str_from(column->name) : cell(table, row, table->shown[i]);
        size_t pad = widths[i] - text.len;
        bool last = i + 1 == table->shown_count;
        for (size_t k = 0; column->right && k < pad; k++)
            buf_append_char(out, ' ');
        buf_append_str(out, text);
        for (size_t k = 0; !column->right && !last && k < pad; k++)
            buf_append_char(out, ' ');
        buf_append_char(out, last ? '\n' : ' ');
    }
}

static void write_text(const struct cat_table *table, bool heading, struct buf *out)
{
    size_t widths[CAT_COLUMNS_MAX];
    for (size_t i = 0; i < table->shown_count; i++)
        widths[i] = width_of(table, table->shown[i], heading);
    if (heading)
        write_row(table, widths, 0, true, out);
    for (size_t row = 0; row < table->row_count; row++)
        write_row(table, widths, row, false, out);
}

static void finish(struct rest_request *request, struct cat_table *table)
{
    struct str format = rest_param(request, STR("format"));
    choose_columns(table, rest_param(request, STR("h")));
    if (str_equal(format, STR("json"))) {
        write_json(table, &request->answer);
        return;
    }
    request->content_type = "text/plain; charset=UTF-8";
    write_text(table, rest_flag(request, STR("v")), &request->answer);
}

/* ---- _cat/indices ---- */

static const struct cat_column INDICES[] = {
    {"health", "h", false, false},       {"status", "s", false, false},
    {"index", "i", false, false},        {"uuid", "id", false, false},
    {"pri", "p", true, false},           {"rep", "r", true, false},
    {"docs.count", "dc", true, false},   {"docs.deleted", "dd", true, false},
    {"store.size", "ss", true, false},   {"pri.store.size", "pri.store.size", true, false},
    {"creation.date", "cd", true, true}, {"creation.date.string", "cds", false, true},
};

static struct str number(struct arena *arena, int64_t value)
{
    return arena_printf(arena, "%lld", (long long)value);
}

static struct str byte_size(struct arena *arena, int64_t bytes, bool plain)
{
    static const char *const UNITS[] = {"b", "kb", "mb", "gb", "tb"};
    if (plain)
        return number(arena, bytes);
    double size = (double)bytes;
    size_t unit = 0;
    while (size >= 1024 && unit + 1 < sizeof UNITS / sizeof *UNITS) {
        size /= 1024;
        unit++;
    }
    return unit == 0 ? arena_printf(arena, "%lldb", (long long)bytes)
                     : arena_printf(arena, "%.1f%s", size, UNITS[unit]);
}

static void fill_index(struct arena *arena, const struct store_index *index, bool plain,
                       struct str *cells)
{
    char created[INSTANT_TEXT_MAX];
    struct instant at = {index->created_ms / 1000, (uint32_t)(index->created_ms % 1000 * 1000000)};
    const struct str row[] = {
        STR("green"),
        STR("open"),
        index->name,
        str_from(index->uuid),
        STR("1"),
        STR("0"),
        number(arena, index->docs),
        number(arena, index->deleted),
        byte_size(arena, index->bytes, plain),
        byte_size(arena, index->bytes, plain),
        number(arena, index->created_ms),
        arena_dup(arena, str_make(created, instant_format(at, created))),
    };
    memcpy(cells, row, sizeof row);
}

struct sorting {
    struct store_index *index;
    size_t column;
    bool descending;
};

static int64_t sort_number(const struct store_index *index, const char *column)
{
    struct str name = str_from(column);
    if (str_starts_with(name, STR("docs.c")))
        return index->docs;
    if (str_equal(name, STR("docs.deleted")))
        return index->deleted;
    if (str_starts_with(name, STR("creation")))
        return index->created_ms;
    return index->bytes;
}

static int compare(const void *a, const void *b)
{
    const struct sorting *left = a, *right = b;
    const struct cat_column *column = &INDICES[left->column];
    int order = str_compare(left->index->name, right->index->name);
    if (column->right || column->hidden) {
        int64_t x = sort_number(left->index, column->name),
                y = sort_number(right->index, column->name);
        if (x != y)
            order = x < y ? -1 : 1;
    }
    return left->descending ? -order : order;
}

/* s=docs.count:desc, one column. */
static void sort(struct rest_request *request, struct arena *arena, struct store_index **indices,
                 size_t count)
{
    struct str by = rest_param(request, STR("s"));
    struct cat_table table = {.columns = INDICES, .column_count = sizeof INDICES / sizeof *INDICES};
    bool descending = str_ends_with(by, STR(":desc"));
    size_t colon = str_find(by, STR(":"));
    size_t column = find_column(&table, colon == SIZE_MAX ? by : str_make(by.ptr, colon));
    if (column == table.column_count)
        return;
    struct sorting *items = arena_alloc(arena, (count + 1) * sizeof *items);
    for (size_t i = 0; i < count; i++)
        items[i] = (struct sorting){indices[i], column, descending};
    qsort(items, count, sizeof *items, compare);
    for (size_t i = 0; i < count; i++)
        indices[i] = items[i].index;
}

void rest_cat_indices(struct worker *worker, struct rest_request *request)
{
    struct arena *arena = &worker->scratch;
    struct index_list indices;
    if (!rest_indices(worker, request, &indices))
        return;
    sort(request, arena, indices.items, indices.count);
    struct cat_table table = {.columns = INDICES,
                              .column_count = sizeof INDICES / sizeof *INDICES,
                              .row_count = indices.count};
    table.cells =
        arena_alloc(arena, (indices.count + 1) * table.column_count * sizeof *table.cells);
    bool plain = str_equal(rest_param(request, STR("bytes")), STR("b"));
    for (size_t i = 0; i < indices.count; i++)
        fill_index(arena, indices.items[i], plain, &table.cells[i * table.column_count]);
    finish(request, &table);
}

/* ---- tables of one row ---- */

static void finish_row(struct rest_request *request, const struct cat_column *columns,
                       struct str *cells, size_t count)
{
    struct cat_table table = {
        .columns = columns, .column_count = count, .cells = cells, .row_count = 1};
    finish(request, &table);
}

static struct instant fill_now(struct arena *arena, struct str *cells)
{
    struct instant now = clock_now();
    struct civil civil = civil_from_instant(now);
    cells[0] = number(arena, now.seconds);
    cells[1] = arena_printf(arena, "%02d:%02d:%02d", civil.hour, civil.minute, civil.second);
    return now;
}

void rest_cat_health(struct worker *worker, struct rest_request *request)
{
    static const struct cat_column HEALTH[] = {
        {"epoch", "t", true, false},       {"timestamp", "ts", false, false},
        {"cluster", "cl", false, false},   {"status", "st", false, false},
        {"node.total", "nt", true, false}, {"node.data", "nd", true, false},
        {"shards", "sh", true, false},     {"pri", "p", true, false},
        {"relo", "r", true, false},        {"init", "i", true, false},
        {"unassign", "u", true, false},    {"pending_tasks", "pt", true, false},
    };
    struct str shards = number(&worker->scratch, (int64_t)worker->catalog.indices.count);
    struct str cells[] = {{0},    {0},    STR("millrace"), STR("green"), STR("1"), STR("1"),
                          shards, shards, STR("0"),        STR("0"),     STR("0"), STR("0")};
    fill_now(&worker->scratch, cells);
    finish_row(request, HEALTH, cells, sizeof HEALTH / sizeof *HEALTH);
}

void rest_cat_count(struct worker *worker, struct rest_request *request)
{
    static const struct cat_column COUNT[] = {{"epoch", "t", true, false},
                                              {"timestamp", "ts", false, false},
                                              {"count", "dc", true, false}};
    struct index_list indices;
    if (!rest_indices(worker, request, &indices))
        return;
    struct str cells[] = {{0}, {0}, number(&worker->scratch, index_list_documents(&indices))};
    fill_now(&worker->scratch, cells);
    finish_row(request, COUNT, cells, sizeof COUNT / sizeof *COUNT);
}
