/* SPDX-License-Identifier: Apache-2.0
 *
 * aggregate_maps_path: the maps that are open when the pipeline ends, of all its aggregate filters, for the next start. A JSON
 * object a line: {"pattern": …, "id": …, "began": ns, "seen": ns, "map": {…}}. Logstash's own file is Ruby's Marshal and is
 * neither read nor overwritten.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "filters/aggregate/aggregate.h"

enum { FILE_MAX = 1024 * 1024 * 1024, READ_BYTES = 64 * 1024 };

/* ---- reading -------------------------------------------------------------------------------------- */

static bool read_file(FILE *file, const char *path, struct buf *out, struct error *err)
{
    bool fits = true;
    for (size_t got = 1; got > 0 && fits;) {
        fits = buf_reserve(out, READ_BYTES);
        got = fits ? fread(out->ptr + out->len, 1, READ_BYTES, file) : 0;
        out->len += got;
    }
    if (!fits)
        return error_set(err, ERROR_LIMIT, "'%s' is too large", path);
    return !ferror(file) || error_set(err, ERROR_IO, "cannot read '%s': %s", path, strerror(errno));
}

static int64_t int_member(const struct value *object, struct str name)
{
    const struct value *value = value_object_get(object, name);
    return value && value_type(value) == VALUE_INT ? value_as_int(value) : 0;
}

static bool load_task(struct aggregate *self, struct arena *arena, struct str line)
{
    struct value row;
    if (!json_decode(self->env->json, arena, line, &row, NULL) || value_type(&row) != VALUE_OBJECT)
        return false;
    const struct value *pattern = value_object_get(&row, STR("pattern"));
    const struct value *id = value_object_get(&row, STR("id"));
    const struct value *map = value_object_get(&row, STR("map"));
    if (!value_is_str(pattern) || value_as_str(pattern).len == 0 || !value_is_str(id) || !map ||
        value_type(map) != VALUE_OBJECT)
        return false;
    struct aggregate_pattern *of = aggregate_maps_pattern(self->maps, value_as_str(pattern));
    if (tasks_find(&of->tasks, value_as_str(id)))
        return false;
    if (!aggregate_ruby_put(self, of, value_as_str(id), *map, arena))
        return true; /* it has been said why */
    struct task *task = tasks_add(&of->tasks, value_as_str(id));
    task->began_ns = task->began_at_ns = int_member(&row, STR("began"));
    task->seen_ns = task->seen_at_ns = int_member(&row, STR("seen"));
    return true;
}

static bool load_text(struct aggregate *self, struct str text)
{
    struct arena arena;
    bool ok = true;
    arena_init(&arena, NULL);
    while (text.len > 0 && ok) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t)(end - text.ptr) : text.len;
        ok = load_task(self, &arena, str_make(text.ptr, len));
        text = str_from_offset(text, len + 1);
        arena_reset(&arena);
    }
    arena_release(&arena);
    return ok;
}

bool aggregate_load(struct aggregate *self, struct error *err)
{
    const char *path = self->aggregate_maps_path.ptr;
    FILE *file = fopen(path, "rb");
    struct buf text;
    if (!file)
        return errno == ENOENT ||
               error_set(err, ERROR_IO, "cannot open '%s': %s", path, strerror(errno));
    buf_init(&text, FILE_MAX);
    bool ok = read_file(file, path, &text, err);
    fclose(file);
    if (ok && !load_text(self, buf_str(&text)))
        ok = error_set(err, ERROR_FORMAT,
                       "'%s' is no file of saved maps of millrace (that of Logstash cannot be "
                       "read); move it away",
                       path);
    buf_release(&text);
    if (ok && unlink(path) != 0)
        return error_set(err, ERROR_IO, "cannot remove '%s', which has been read: %s", path,
                         strerror(errno));
    return ok;
}

/* ---- writing -------------------------------------------------------------------------------------- */

static bool write_task(struct aggregate *self, const struct aggregate_pattern *pattern,
                       const struct task *task, struct buf *out)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct value row = value_object_new(&arena, 5);
    value_object_set(&arena, &row, STR("pattern"), value_str(pattern->text));
    value_object_set(&arena, &row, STR("id"), value_str(task->id));
    value_object_set(&arena, &row, STR("began"), value_int(task->began_ns));
    value_object_set(&arena, &row, STR("seen"), value_int(task->seen_ns));
    value_object_set(&arena, &row, STR("map"),
                     aggregate_ruby_peek(self, pattern, task->id, &arena));
    bool fits = json_encode_value(&row, out) && buf_append_char(out, '\n');
    arena_release(&arena);
    return fits;
}

void aggregate_save(struct aggregate *self)
{
    struct aggregate_pattern *pattern = NULL;
    struct buf text;
    struct error err = {.text = "there is too much in them"};
    bool fits = true;
    buf_init(&text, FILE_MAX);
    while (fits && (pattern = aggregate_maps_next(self->maps, pattern)))
        for (struct task *task = pattern->tasks.oldest; task && fits; task = task->next)
            fits = write_task(self, pattern, task, &text);
    if (text.len > 0 &&
        (!fits || !file_write_private(self->aggregate_maps_path.ptr, buf_str(&text), &err)))
        log_error(self->env->log, "aggregate_save", "the open maps cannot be saved",
                  LOG_CSTR("error", err.text));
    buf_release(&text);
}
