/* SPDX-License-Identifier: Apache-2.0
 *
 * _template and _index_template: kept as they were sent, apart from a composable one's settings.
 */
#include "services/store/glob.h"
#include "services/store/rest/rest.h"
#include "services/store/template.h"

static enum template_kind kind_of(const struct rest_request *request)
{
    return str_equal(request->exchange->target.segments[0], STR("_template")) ? TEMPLATE_LEGACY
                                                                              : TEMPLATE_COMPOSABLE;
}

static sqlite3_stmt *rows_of(struct worker *worker, const struct rest_request *request)
{
    return database_prepare(&worker->database,
                            "SELECT name, body FROM templates WHERE kind = %d ORDER BY name",
                            kind_of(request));
}

static bool is_named(const struct rest_request *request, struct str name)
{
    struct str rest = request->name, part;
    if (rest.len == 0)
        return true;
    while (index_expression_next(&rest, &part))
        if (glob_match(part, name))
            return true;
    return false;
}

static bool exists(struct worker *worker, const struct rest_request *request)
{
    sqlite3_stmt *rows = rows_of(worker, request);
    bool found = false;
    while (!found && database_step(&worker->database, rows))
        found = is_named(request, database_text(rows, 0));
    sqlite3_finalize(rows);
    return found;
}

static void missing(struct rest_request *request)
{
    struct api_error err;
    if (kind_of(request) == TEMPLATE_LEGACY)
        api_error_set(&err, 404, "index_template_missing_exception",
                      "index_template [%.*s] missing", STR_FMT(request->name));
    else
        api_error_set(&err, 404, "resource_not_found_exception",
                      "index template matching [%.*s] not found", STR_FMT(request->name));
    rest_error(request, &err);
}

void rest_put_template(struct worker *worker, struct rest_request *request)
{
    struct value body;
    struct api_error err;
    if (!rest_body(worker, request, &body))
        return;
    bool is_new = rest_flag(request, STR("create"));
    if (is_new && exists(worker, request)) {
        api_error_set(&err, 400, "illegal_argument_exception",
                      "index_template [%.*s] already exists", STR_FMT(request->name));
        rest_error(request, &err);
        return;
    }
    if (!template_check(kind_of(request), &worker->scratch, request->name, &body, &err)) {
        rest_error(request, &err);
        return;
    }
    sqlite3_stmt *statement = database_prepare(
        &worker->database, "INSERT OR REPLACE INTO templates VALUES (%d, ?, ?)", kind_of(request));
    database_bind_text(statement, 1, request->name);
    database_bind_text(statement, 2, request->exchange->body);
    database_execute(&worker->database, statement);
    sqlite3_finalize(statement);
    rest_acknowledge(request);
}

/* What a client finds that looks for a setting: the names under "index", values as text. */
static void normalize(struct worker *worker, struct value *content, bool legacy)
{
    struct arena *arena = &worker->scratch;
    struct api_error err;
    const struct value *given = value_object_get(content, STR("settings"));
    struct value settings = value_object_new(arena, 4), outer = value_object_new(arena, 1);
    if (given && value_type(given) == VALUE_OBJECT && settings_add(arena, &settings, given, &err)) {
        value_object_set(arena, &outer, STR("index"), settings);
        value_object_set(arena, content, STR("settings"),
                         value_object_count(&settings) > 0 ? outer : settings);
    }
    static const char *const PARTS[] = {"settings", "mappings", "aliases"};
    for (size_t i = 0; legacy && i < sizeof PARTS / sizeof *PARTS; i++)
        if (!value_object_get(content, str_from(PARTS[i])))
            value_object_set(arena, content, str_from(PARTS[i]), value_object_new(arena, 0));
}

static void write_template(struct worker *worker, struct str text, enum template_kind kind,
                           struct buf *out)
{
    struct value body;
    struct arena *arena = &worker->scratch;
    if (!json_decode(worker->catalog.json, arena, arena_dup(arena, text), &body, NULL))
        return;
    struct value *patterns = value_object_get(&body, STR("index_patterns"));
    if (value_is_str(patterns)) {
        struct value list = value_array_new(arena, 1);
        value_array_push(arena, &list, *patterns);
        *patterns = list;
    }
    if (kind == TEMPLATE_LEGACY && !value_object_get(&body, STR("order")))
        value_object_set(arena, &body, STR("order"), value_int(0));
    struct value *inner = value_object_get(&body, STR("template"));
    if (kind == TEMPLATE_LEGACY)
        normalize(worker, &body, true);
    else if (inner && value_type(inner) == VALUE_OBJECT)
        normalize(worker, inner, false);
    if (kind == TEMPLATE_COMPOSABLE && !value_object_get(&body, STR("composed_of")))
        value_object_set(arena, &body, STR("composed_of"), value_array_new(arena, 0));
    json_encode_value(&body, out);
}

static size_t write_all(struct worker *worker, struct rest_request *request, struct buf *out)
{
    enum template_kind kind = kind_of(request);
    sqlite3_stmt *rows = rows_of(worker, request);
    size_t count = 0;
    buf_append_str(out, kind == TEMPLATE_LEGACY ? STR("{") : STR("{\"index_templates\":["));
    while (database_step(&worker->database, rows)) {
        struct str name = database_text(rows, 0);
        if (!is_named(request, name))
            continue;
        rest_comma(out);
        if (kind == TEMPLATE_COMPOSABLE)
            buf_append_str(out, STR("{\"name\":"));
        json_encode_str(name, out);
        buf_append_str(out, kind == TEMPLATE_COMPOSABLE ? STR(",\"index_template\":") : STR(":"));
        write_template(worker, database_text(rows, 1), kind, out);
        if (kind == TEMPLATE_COMPOSABLE)
            buf_append_char(out, '}');
        count++;
    }
    sqlite3_finalize(rows);
    buf_append_str(out, kind == TEMPLATE_LEGACY ? STR("}") : STR("]}"));
    return count;
}

void rest_get_template(struct worker *worker, struct rest_request *request)
{
    bool named = request->name.len > 0 && !memchr(request->name.ptr, '*', request->name.len);
    if (write_all(worker, request, &request->answer) > 0 || !named)
        return;
    if (kind_of(request) == TEMPLATE_COMPOSABLE)
        missing(request);
    else
        request->status = 404; /* with {}, as it is */
}

void rest_has_template(struct worker *worker, struct rest_request *request)
{
    if (!exists(worker, request))
        request->status = 404;
}

static struct value matching_names(struct worker *worker, const struct rest_request *request)
{
    struct value names = value_array_new(&worker->scratch, 0);
    sqlite3_stmt *rows = rows_of(worker, request);
    while (database_step(&worker->database, rows))
        if (is_named(request, database_text(rows, 0)))
            value_array_push(&worker->scratch, &names,
                             value_str_dup(&worker->scratch, database_text(rows, 0)));
    sqlite3_finalize(rows);
    return names;
}

void rest_delete_template(struct worker *worker, struct rest_request *request)
{
    struct value names = matching_names(worker, request);
    if (value_array_count(&names) == 0) {
        missing(request);
        return;
    }
    sqlite3_stmt *statement = database_prepare(
        &worker->database, "DELETE FROM templates WHERE kind = %d AND name = ?", kind_of(request));
    for (size_t i = 0; i < value_array_count(&names); i++) {
        database_bind_text(statement, 1, value_as_str(value_array_at(&names, i)));
        database_execute(&worker->database, statement);
    }
    sqlite3_finalize(statement);
    rest_acknowledge(request);
}
