/* SPDX-License-Identifier: Apache-2.0
 *
 * A test of what a pipeline does today. Values are written as JSON, which is
 * YAML too.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text/utf8.h"
#include "cmd/check_pipeline.h"
#include "cmd/trace_flags.h"
#include "pipeline/event/event_json.h"

enum { TEXT_MAX_BYTES = 256 * 1024 * 1024, NAME_COLUMNS = 60 };

static void put_text(struct str text, struct buf *out)
{
    struct arena arena;
    arena_init(&arena, NULL);
    json_encode_str(utf8_repair(&arena, text), out);
    arena_release(&arena);
}

static void put_input(const struct check_input *input, struct buf *out)
{
    buf_append_str(out, STR("      - "));
    if (input->line.ptr)
        put_text(input->line, out);
    else
        json_encode_value(&input->fields, out);
    buf_append_char(out, '\n');
}

static void put_fields(const struct value *fields, struct buf *out)
{
    for (size_t i = 0; i < value_object_count(fields); i++) {
        struct str name;
        const struct value *value = value_object_at(fields, i, &name);
        buf_append_str(out, STR("            "));
        put_text(name, out);
        buf_append_str(out, STR(": "));
        json_encode_value(value, out);
        buf_append_char(out, '\n');
    }
}

static void put_made(const struct check_made *made, struct buf *out)
{
    buf_append_str(out, STR("        - event:\n"));
    put_fields(&made->fields.fields, out);
    buf_append_str(out, STR("          routes: ["));
    for (size_t i = 0; i < made->route_count; i++) {
        const struct check_route *route = &made->routes[i];
        buf_append_str(out, i > 0 ? STR(", ") : STR(""));
        put_text(route->name, out);
    }
    buf_append_str(out, STR("]\n"));
}

static void put_name(const struct check_case *what, struct buf *out)
{
    struct arena arena;
    struct value line = value_str(STR(""));
    size_t columns;
    arena_init(&arena, NULL);
    if (what->input_count > 0 && what->inputs[0].line.ptr)
        line = value_str(utf8_repair(&arena, what->inputs[0].line));
    else if (what->input_count > 0)
        line = what->inputs[0].fields;
    struct str text = value_to_text(&arena, &line);
    buf_append_str(out, STR("  - name: "));
    json_encode_str(utf8_cut_to_columns(text, NAME_COLUMNS, &columns), out);
    buf_append_char(out, '\n');
    arena_release(&arena);
}

static void put_case(const struct check_case *what, const struct check_world *world,
                     struct buf *out)
{
    put_name(what, out);
    if (what->input_name.len > 0) {
        buf_append_str(out, STR("    to: "));
        put_text(what->input_name, out);
        buf_append_char(out, '\n');
    }
    buf_append_str(out, STR("    input:\n"));
    for (size_t i = 0; i < what->input_count; i++)
        put_input(&what->inputs[i], out);
    buf_append_str(out, STR("    expect:\n"));
    buf_printf(out, "      dropped: %zu\n", world->dropped);
    buf_append_str(out, world->count > 0 ? STR("      events:\n") : STR("      events: []\n"));
    for (size_t i = 0; i < world->count; i++)
        put_made(&world->made[i], out);
}

static void put_head(const char *pipeline, struct instant now, struct buf *out)
{
    char time[INSTANT_TEXT_MAX];
    size_t len = instant_format(now, time);
    if (pipeline) {
        buf_append_str(out, STR("pipeline: "));
        put_text(str_from(pipeline), out);
        buf_append_char(out, '\n');
    }
    buf_printf(out, "now: %.*s\ntests:\n", (int)len, time);
}

/* The pipeline as seen from the file: as it is where one of them is absolute,
 * else by the way up. */
static struct str seen_from(struct arena *arena, const char *path, const char *pipeline)
{
    struct str up = STR("");
    size_t common = 0;
    if (pipeline[0] == '/' || path[0] == '/')
        return str_from(pipeline);
    for (size_t i = 0; path[i] && path[i] == pipeline[i]; i++)
        if (path[i] == '/')
            common = i + 1;
    for (size_t i = common; path[i]; i++)
        if (path[i] == '/')
            up = arena_printf(arena, "%.*s../", STR_FMT(up));
    return arena_printf(arena, "%.*s%s", STR_FMT(up), pipeline + common);
}

static bool write_to(const char *path, struct str text)
{
    FILE *file = fopen(path, "ae");
    bool ok = file && fwrite(text.ptr, 1, text.len, file) == text.len;
    if (file)
        ok = fclose(file) == 0 && ok;
    if (!ok)
        fprintf(stderr, "millrace: cannot write '%s': %s\n", path, strerror(errno));
    return ok;
}

void check_case_of(struct arena *arena, struct json_reader *reader, struct str text,
                   struct check_case *out)
{
    struct check_input *input = arena_zero(arena, sizeof *input);
    *out = (struct check_case){.inputs = input, .input_count = 1};
    if (!sample_is_event(reader, arena, text, &input->fields))
        input->line = text;
}

bool check_record(struct trial *trial, const char *pipeline, const char *path,
                  const struct check_case *cases, size_t count, struct instant now)
{
    struct check_world world;
    struct arena arena;
    struct buf out;
    struct error err = {0};
    FILE *there = fopen(path, "re");
    bool ok = true;
    if (there)
        fclose(there);
    arena_init(&arena, NULL);
    buf_init(&out, TEXT_MAX_BYTES);
    if (!there)
        put_head(pipeline ? seen_from(&arena, path, pipeline).ptr : NULL, now, &out);
    check_world_init(&world);
    clock_stand(&now);
    for (size_t i = 0; ok && i < count; i++) {
        ok = check_world_run(&world, trial, &cases[i], false, &err);
        if (ok)
            put_case(&cases[i], &world, &out);
        else
            fprintf(stderr, "millrace: %s\n", err.text);
    }
    ok = ok && write_to(path, buf_str(&out));
    check_world_release(&world);
    buf_release(&out);
    arena_release(&arena);
    return ok;
}
