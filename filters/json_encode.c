/* SPDX-License-Identifier: Apache-2.0
 *
 * json_encode: writes a field as JSON text. A field that is missing is written as null, as in Logstash.
 */
#include "base/buf.h"
#include "filters/filters.h"

enum { TEXT_BYTES_MAX = 256 * 1024 * 1024 };

struct json_encode {
    struct field_ref source;
    struct field_ref target;

    struct counter *failures;
};

static const struct option OPTIONS[] = {
    {
        .name = "source",
        .doc = "Field to write, with everything below it.",
        OPTION_IN_FIELD(struct json_encode, source),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "target",
        .doc = "Field that gets the text; without it the field itself.",
        OPTION_IN_FIELD(struct json_encode, target),
    },
    OPTION_END,
};

static bool json_encode_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct json_encode *self = plugin;
    (void)err;
    self->failures = env->counter(env, "failures");
    if (self->target.count == 0 && self->target.root == FIELD_ROOT_EVENT)
        self->target = self->source;
    return true;
}

static void json_encode_failed(void *plugin, struct event *event)
{
    struct json_encode *self = plugin;
    counter_add(self->failures, 1);
    event_add_tag(event, STR("_jsongeneratefailure"));
}

static enum filter_result json_encode_apply(void *plugin, struct event *event,
                                            struct event_sink *more)
{
    static const struct value NOTHING = {.type = VALUE_NULL};
    struct json_encode *self = plugin;
    const struct value *value = event_get(event, &self->source);
    struct buf text;
    (void)more;
    buf_init(&text, TEXT_BYTES_MAX);
    bool written =
        json_encode_value(value ? value : &NOTHING, &text) &&
        event_set(event, &self->target, value_str_dup(event->arena, buf_str(&text)), NULL);
    buf_release(&text);
    if (written)
        return FILTER_MATCHED;
    json_encode_failed(self, event);
    return FILTER_SKIPPED;
}

const struct filter filter_json_encode = {
    .plugin =
        {
            .name = "json_encode",
            .summary = "Writes a field as JSON text.",
            .options = OPTIONS,
            .size = sizeof(struct json_encode),
        },
    .open = json_encode_open,
    .apply = json_encode_apply,
    .decorate_failed = json_encode_failed,
};
