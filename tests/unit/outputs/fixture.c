/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/outputs/fixture.h"

#include <check.h>

void fixture_open(struct fixture *fixture)
{
    *fixture = (struct fixture){0};
    arena_init(&fixture->arena, NULL);
    buf_init(&fixture->out, 1 << 20);
    fixture->env = (struct plugin_env){
        .arena = &fixture->arena, .settings = &fixture->settings, .json = json_reader_new()};
}

void fixture_close(struct fixture *fixture)
{
    json_reader_free(fixture->env.json);
    buf_release(&fixture->out);
    arena_release(&fixture->arena);
}

struct event *fixture_event(struct fixture *fixture, const char *json)
{
    struct value object;
    ck_assert(
        json_decode(fixture->env.json, &fixture->arena, str_from(json), &object, &fixture->err));
    return event_from_object(&fixture->arena, object);
}

struct template fixture_template(struct fixture *fixture, const char *text)
{
    struct template template;
    template_parse(&fixture->arena, str_from(text), FIELD_ESCAPE_NONE, &template);
    return template;
}

const char *fixture_taken(struct fixture *fixture)
{
    const char *text = arena_cstr(&fixture->arena, buf_str(&fixture->out));
    fixture->out.len = 0;
    return text;
}
