/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/program/common_options.h"

#include "conf/bind.h"
#include "pipeline/program/evaluate.h"

FIELD_REF_TOP_AS(TYPE, "type");

#define COMMON_ROWS                                                                                \
    {                                                                                              \
        .name = "id",                                                                              \
        .doc = "Name of this plugin in logs and counters; unique in the pipeline.",                \
        OPTION_IN_STRING(struct common_options, id),                                               \
    },                                                                                             \
        {                                                                                          \
            .name = "enable_metric",                                                               \
            .doc = "Count what this plugin does.",                                                 \
            OPTION_IN_BOOL(struct common_options, enable_metric),                                  \
            .def = "true",                                                                         \
        },                                                                                         \
    {                                                                                              \
        .name = "ecs_compatibility", .doc = "disabled, v1 or v8; default: the pipeline's.",        \
        OPTION_IN_STRING(struct common_options, ecs_compatibility),                                \
    }

#define COMMON_ADD_FIELD                                                                           \
    {                                                                                              \
        .name = "add_field", .doc = "Fields to add; names and values take %{}.",                   \
        OPTION_IN_HASH(struct common_options, add_field),                                          \
    }

/* How Logstash 1 chose the events of a plugin. Left out they would change what happens to all others. */
#define CHOICE_ROW(row_name, row_doc, row_note)                                                    \
    {                                                                                              \
        .name = row_name, .doc = row_doc, .note = row_note, OPTION_NOWHERE,                        \
        .flags = OPTION_UNSUPPORTED,                                                               \
    }
#define CHOICE_ROWS                                                                                \
    CHOICE_ROW("type", "Only events of this type.", "write if [type] == \"…\" { … } around it"),   \
        CHOICE_ROW("tags", "Only events with these tags.",                                         \
                   "write if \"…\" in [tags] { … } around it"),                                    \
        CHOICE_ROW("exclude_tags", "Only events without these tags.",                              \
                   "write if \"…\" not in [tags] { … } around it")

static const struct option INPUT_OPTIONS[] = {
    COMMON_ROWS,
    COMMON_ADD_FIELD,
    {
        .name = "codec",
        .doc = "How bytes become events.",
        OPTION_IN_CODEC(struct common_options, codec),
    },
    {
        .name = "tags",
        .doc = "Tags for every event.",
        OPTION_IN_STRINGS(struct common_options, tags),
    },
    {
        .name = "type",
        .doc = "Value of the field 'type' for events that have none.",
        OPTION_IN_STRING(struct common_options, type),
    },
    OPTION_END,
};

static const char *const ON_ERROR[] = {"tag", "dead_letter", "drop", NULL};

static const struct option FILTER_OPTIONS[] = {
    COMMON_ROWS,
    COMMON_ADD_FIELD,
    {
        .name = "remove_field",
        .doc = "Fields to remove on success; names take %{}.",
        OPTION_IN_TEMPLATES(struct common_options, remove_field),
    },
    {
        .name = "add_tag",
        .doc = "Tags to add on success; they take %{}.",
        OPTION_IN_TEMPLATES(struct common_options, add_tag),
    },
    {
        .name = "remove_tag",
        .doc = "Tags to remove on success; they take %{}.",
        OPTION_IN_TEMPLATES(struct common_options, remove_tag),
    },
    {
        .name = "periodic_flush",
        .doc = "Call the filter's flush at regular intervals.",
        OPTION_IN_BOOL(struct common_options, periodic_flush),
        .def = "false",
    },
    {
        .name = "on_error",
        .doc =
            "What becomes of an event that the filter fails on: tag, it goes on with the filter's "
            "tag; dead_letter, it is kept on disk as the filter left it and goes no further; drop "
            "(ours).",
        OPTION_IN_CHOICE(struct common_options, on_error),
        .choices = ON_ERROR,
        .def = "tag",
    },
    CHOICE_ROWS,
    OPTION_END,
};

static const char *const ON_FULL[] = {"block", "spool", "drop_oldest", "dead_letter", NULL};

static const struct option OUTPUT_OPTIONS[] = {
    COMMON_ROWS,
    {
        .name = "hold_max",
        .doc = "How long an event may wait for its destination before on_full decides.",
        OPTION_IN_DURATION_MS(struct common_options, hold_max_ms),
        .min = 100,
        .max = 86400000,
        .def = "2",
    },
    {
        .name = "on_full",
        .doc =
            "What becomes of events that wait longer than hold_max: block, they wait on, and so do "
            "their inputs; spool, they go to disk and are sent by themselves later; drop_oldest, "
            "they are dropped and counted; dead_letter, they are kept until somebody sends them "
            "again. But for block, inputs and other outputs go on.",
        OPTION_IN_CHOICE(struct common_options, on_full),
        .choices = ON_FULL,
        .def = "block",
    },
    {
        .name = "spool_max_bytes",
        .doc = "Largest spool of on_full => spool; at it, events wait as with block.",
        OPTION_IN_BYTES(struct common_options, spool_max_bytes),
        .min = 64 * 1024,
        .max = 1e18,
        .def = "1024mb",
    },
    {
        .name = "codec",
        .doc = "How events become bytes, for outputs that write plain bytes.",
        OPTION_IN_CODEC(struct common_options, codec),
    },
    {
        .name = "workers",
        .doc = "Workers of one output.",
        .note = "outputs run on every lane; use pipeline.workers",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    CHOICE_ROWS,
    OPTION_END,
};

static const struct option CODEC_OPTIONS[] = {
    COMMON_ROWS,
    OPTION_END,
};

const struct option *common_options_table(enum conf_section section)
{
    switch (section) {
    case CONF_INPUT:
        return INPUT_OPTIONS;
    case CONF_FILTER:
        return FILTER_OPTIONS;
    case CONF_OUTPUT:
        return OUTPUT_OPTIONS;
    case CONF_CODEC:
        return CODEC_OPTIONS;
    }
    return CODEC_OPTIONS;
}

bool common_options_ecs(const struct common_options *common, struct error_position position,
                        struct error_list *errors, enum ecs_mode *mode)
{
    static const struct {
        const char *name;
        enum ecs_mode mode;
    } MODES[] = {{"disabled", ECS_DISABLED}, {"v1", ECS_V1}, {"v8", ECS_V8}};
    struct str text = common->ecs_compatibility;
    if (!text.ptr)
        return true;
    for (size_t i = 0; i < sizeof MODES / sizeof *MODES; i++)
        if (str_equal(text, str_from(MODES[i].name))) {
            *mode = MODES[i].mode;
            return true;
        }
    error_list_at(errors, position, "ecs_compatibility is '%.*s', expected disabled, v1 or v8",
                  STR_FMT(text));
    return false;
}

/* The texts that a value stands for, as Ruby's Array(): each item of a list, each [key, value] of a hash, else itself.
 * A list or hash inside becomes its text. */
static struct str *value_texts(struct arena *arena, const struct conf_value *value, size_t *count)
{
    bool is_list = value->type == CONF_ARRAY, is_hash = value->type == CONF_HASH;
    *count = is_list || is_hash ? value->count : 1;
    struct str *texts = arena_zero(arena, *count * sizeof *texts);
    for (size_t i = 0; i < *count; i++) {
        struct conf_value both[2], entry = {.type = CONF_ARRAY, .items = both, .count = 2};
        if (is_hash) {
            both[0] = value->pairs[i].key;
            both[1] = value->pairs[i].value;
        }
        texts[i] = bind_text(arena, is_list ? &value->items[i] : is_hash ? &entry : value);
    }
    return texts;
}

static void compile_field(struct common_field *field, struct arena *arena,
                          const struct conf_pair *pair, enum field_escape escape)
{
    template_parse(arena, pair->key.text, escape, &field->name);
    struct str *texts = value_texts(arena, &pair->value, &field->count);
    field->values = arena_zero(arena, field->count * sizeof *field->values);
    for (size_t i = 0; i < field->count; i++)
        template_parse(arena, texts[i], escape, &field->values[i]);
}

void common_options_compile(struct common_options *common, struct arena *arena,
                            enum field_escape escape)
{
    common->escape = escape;
    common->field_count = common->add_field.count;
    common->fields = arena_zero(arena, common->field_count * sizeof *common->fields);
    for (size_t i = 0; i < common->field_count; i++)
        compile_field(&common->fields[i], arena, &common->add_field.pairs[i], escape);
    common->decorates = common->field_count || common->remove_field.count ||
                        common->add_tag.count || common->remove_tag.count;
}

/* The functions below return false where Logstash raises; the rest of the options is then left out. */
static bool add_field(const struct common_options *common, const struct common_field *field,
                      struct event *event)
{
    struct field_ref ref;
    if (!template_field(&field->name, event, common->escape, &ref))
        return false;
    for (size_t i = 0; i < field->count; i++) {
        struct str text;
        if (!template_filter_text(&field->values[i], event, event->arena, &text) ||
            !event_append_field(event, &ref, value_str(text), NULL))
            return false;
    }
    return true;
}

static bool add_fields(const struct common_options *common, struct event *event)
{
    for (size_t i = 0; i < common->field_count; i++)
        if (!add_field(common, &common->fields[i], event))
            return false;
    return true;
}

static bool remove_fields(const struct common_options *common, struct event *event)
{
    for (size_t i = 0; i < common->remove_field.count; i++) {
        struct field_ref ref;
        if (!template_field(&common->remove_field.items[i], event, common->escape, &ref))
            return false;
        event_remove(event, &ref, NULL);
    }
    return true;
}

/* add_tag keeps duplicates, unlike the tags that plugins add. */
static bool add_tag(struct event *event, struct str tag)
{
    event_append_tag(event, tag);
    return true;
}

static bool remove_tag(struct event *event, struct str tag)
{
    event_remove_tag(event, tag);
    return true;
}

static bool each_tag(const struct option_templates *tags, struct event *event,
                     bool (*apply)(struct event *, struct str))
{
    for (size_t i = 0; i < tags->count; i++) {
        struct str text;
        if (!template_filter_text(&tags->items[i], event, event->arena, &text) ||
            !apply(event, text))
            return false;
    }
    return true;
}

bool common_options_decorate(const struct common_options *common, struct event *event)
{
    return !common->decorates || (add_fields(common, event) && remove_fields(common, event) &&
                                  each_tag(&common->add_tag, event, add_tag) &&
                                  each_tag(&common->remove_tag, event, remove_tag));
}

void common_options_decorate_input(const struct common_options *common, struct event *event)
{
    if (common->type.ptr)
        event_set_missing(event, &TYPE, value_str(common->type));
    add_fields(common, event);
    for (size_t i = 0; i < common->tags.count; i++)
        event_add_tag(event, common->tags.items[i]);
}
