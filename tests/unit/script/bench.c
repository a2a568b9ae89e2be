/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/script/bench.h"

#include <check.h>
#include <stdio.h>

enum { OUTPUT_MAX = 1 << 20 };

static struct instant fixed_now(void)
{
    return (struct instant){1443701655, 250000000};
}

static void take(struct event_sink *sink, struct event *event)
{
    struct bench *bench = (struct bench *)(void *)((char *)sink - offsetof(struct bench, sink));
    value_object_remove(&event->fields, STR("@version"));
    ck_assert(json_encode_event(event, &bench->made));
    ck_assert(buf_append_char(&bench->made, '\n'));
}

void bench_init(struct bench *bench)
{
    *bench = (struct bench){.sink = {.arena = &bench->arena, .emit = take}};
    arena_init(&bench->arena, NULL);
    buf_init(&bench->made, OUTPUT_MAX);
    bench->env = (struct plugin_env){.arena = &bench->arena,
                                     .regex = regex_scratch_new(NULL),
                                     .json = json_reader_new(),
                                     .settings = &bench->settings,
                                     .now = fixed_now};
    struct error err = {.text = ""};
    ck_assert_msg(script_vm_ref(&bench->vm, &bench->env, &err) != NULL, "%s", err.text);
}

void bench_release(struct bench *bench)
{
    script_vm_unref(bench->vm);
    ck_assert_ptr_null(bench->vm);
    regex_scratch_free(bench->env.regex);
    json_reader_free(bench->env.json);
    buf_release(&bench->made);
    arena_release(&bench->arena);
}

static const char *show(struct bench *bench, struct event *event, const struct error *err)
{
    struct buf out;
    if (event->cancelled)
        return "cancelled";
    buf_init(&out, OUTPUT_MAX);
    if (err->text[0])
        ck_assert(buf_printf(&out, "raised: %s ", err->text));
    value_object_remove(&event->fields, STR("@version"));
    value_object_remove(&event->fields, STR("@timestamp"));
    ck_assert(json_encode_event(event, &out));
    char *text = arena_cstr(&bench->arena, buf_str(&out));
    buf_release(&out);
    return text;
}

const char *bench_run(struct bench *bench, const struct script_source *source,
                      const char *event_json, int times)
{
    struct error err = {.text = ""};
    struct value object;
    ck_assert_msg(json_decode(bench->env.json, &bench->arena, str_from(event_json), &object, &err),
                  "%s: %s", event_json, err.text);
    struct event *event = event_from_object(&bench->arena, object);
    struct script *script = script_open(bench->vm, &bench->env, source, &err);
    if (!script)
        return arena_printf(&bench->arena, "refused: %s", err.text).ptr;
    for (int i = 0; i < times; i++) {
        if (script_run(script, event, &bench->sink, &err) == SCRIPT_BAD_VALUE)
            error_set(&err, ERROR_FORMAT, "bad value");
    }
    script_close(script);
    return show(bench, event, &err);
}

const char *bench_code(struct bench *bench, const char *code, const char *event)
{
    const struct script_source source = {.code = str_from(code)};
    return bench_run(bench, &source, event, 1);
}

void bench_check_rows(const struct bench_row *rows, size_t count)
{
    struct bench bench;
    size_t wrong = 0;
    bench_init(&bench);
    for (size_t i = 0; i < count; i++) {
        struct str code =
            arena_printf(&bench.arena, "r = (begin\n%s\nend)\nevent.set('r', r)", rows[i].code);
        struct str expected = arena_printf(&bench.arena, "{\"r\":%s}", rows[i].json);
        const char *result = bench_code(&bench, code.ptr, "{}");
        if (strcmp(result, expected.ptr) == 0)
            continue;
        fprintf(stderr, "%s\n  gave %s\n  not  %s\n", rows[i].code, result, expected.ptr);
        wrong++;
    }
    bench_release(&bench);
    ck_assert_msg(wrong == 0, "%zu of %zu expressions differ", wrong, count);
}
