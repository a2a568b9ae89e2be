/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: one byte that picks how field names are escaped; the template in the first line; an event as JSON, or a message.
 * Any template must be parsed, and give valid text for any event, the same in both ways of asking for it.
 */
#include <assert.h>

#include "base/text/utf8.h"
#include "pipeline/event/event_json.h"
#include "pipeline/program/evaluate.h"
#include "tests/fuzz/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { OUTPUT_MAX = 1 << 24 };

static const struct field_ref MESSAGE = FIELD_REF_TOP("message");

static struct event *make_event(struct arena *arena, struct json_reader *reader, struct str text)
{
    struct value value;
    struct error err;
    if (json_decode(reader, arena, text, &value, &err) && value_type(&value) == VALUE_OBJECT)
        return event_from_object(arena, value);
    struct event *event = event_new(arena);
    event_set(event, &MESSAGE, value_str(utf8_repair(arena, text)), NULL);
    return event;
}

static bool tells_time(const struct template *template)
{
    for (size_t i = 0; i < template->count; i++)
        if (template->parts[i].type == TEMPLATE_NOW)
            return true;
    return false;
}

static void evaluate(const struct template *template, struct event *event, enum field_escape escape)
{
    struct buf out;
    struct str text;
    struct field_ref ref;
    buf_init(&out, OUTPUT_MAX);
    bool appended = template_append(template, event, &out);
    bool given = template_text(template, event, event->arena, &text);
    assert(appended == given || out.len > OUTPUT_MAX / 2);
    if (given)
        assert(utf8_valid(text));
    if (appended && given && !tells_time(template))
        assert(str_equal(buf_str(&out), text));
    buf_release(&out);
    if (template_field(template, event, escape, &ref))
        event_set(event, &ref, value_int(1), NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const enum field_escape ESCAPES[] = {FIELD_ESCAPE_NONE, FIELD_ESCAPE_PERCENT,
                                                FIELD_ESCAPE_AMPERSAND};
    struct arena arena;
    struct template template;
    if (len < 1)
        return 0;
    struct str rest = str_make((const char *)data + 1, len - 1);
    enum field_escape escape = ESCAPES[data[0] % 3];
    arena_init(&arena, NULL);
    struct json_reader *reader = json_reader_new();
    template_parse(&arena, fuzz_line(&arena, &rest), escape, &template);
    evaluate(&template, make_event(&arena, reader, rest), escape);
    json_reader_free(reader);
    arena_release(&arena);
    return 0;
}
