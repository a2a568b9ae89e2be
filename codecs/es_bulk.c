/* SPDX-License-Identifier: Apache-2.0
 *
 * es_bulk: the body of an Elasticsearch bulk request. An action line is kept for the document that follows; a deletion
 * has none. A line that is no JSON object is passed over, and what was expected is expected still.
 */
#include "codecs/codecs.h"
#include "codecs/target.h"
#include "codecs/text_event.h"
#include "codecs/tokenizer.h"

struct es_bulk_codec {
    struct field_ref target;

    const struct plugin_env *env;
    struct long_lines long_lines;
    struct tokenizer tokenizer;
    struct buf action; /* the action line that waits for its document */
    struct field_ref metadata;
    struct log_limit log_limit;
};

static const struct option es_bulk_options[] = {
    {
        .name = "target",
        .doc = "Field that gets the document; without it, the document is the event.",
        OPTION_IN_FIELD(struct es_bulk_codec, target),
    },
    OPTION_END,
};

static bool es_bulk_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct es_bulk_codec *bulk = self;
    struct str metadata =
        env->ecs == ECS_DISABLED ? STR("[@metadata]") : STR("[@metadata][codec][es_bulk]");
    bulk->env = env;
    bulk->log_limit = (struct log_limit){.window_ms = 10000, .burst = 5};
    long_lines_init(&bulk->long_lines, env);
    tokenizer_init(&bulk->tokenizer, STR("\n"), 1, env->settings->max_event_bytes);
    buf_init(&bulk->action, env->settings->max_event_bytes);
    return field_ref_parse(env->arena, metadata, FIELD_ESCAPE_NONE, &bulk->metadata, err);
}

static void es_bulk_close(void *self)
{
    struct es_bulk_codec *bulk = self;
    tokenizer_release(&bulk->tokenizer);
    buf_release(&bulk->action);
}

/* {"index":{"_id":1}} as {"action":"index","_id":1}; null when the line is no action. */
static struct value action_of(const struct es_bulk_codec *bulk, struct str line,
                              struct arena *arena)
{
    struct value object;
    struct str name;
    if (!json_decode(bulk->env->json, arena, line, &object, NULL) ||
        value_type(&object) != VALUE_OBJECT || value_object_count(&object) == 0)
        return value_null();
    const struct value *members = value_object_at(&object, 0, &name);
    struct value action = value_object_new(arena, 4);
    for (size_t i = 0; value_type(members) == VALUE_OBJECT && i < value_object_count(members);
         i++) {
        struct str key;
        struct value *item = value_object_at(members, i, &key);
        value_object_set(arena, &action, key, *item);
    }
    value_object_set(arena, &action, STR("action"), value_str(name));
    return action;
}

static void emit(const struct es_bulk_codec *bulk, struct event *event, struct value action,
                 struct event_sink *sink)
{
    if (bulk->env->ecs == ECS_DISABLED)
        event->metadata = action; /* all of it */
    else
        (void)event_set(event, &bulk->metadata, action, NULL);
    sink->emit(sink, event);
}

static void say_broken(struct es_bulk_codec *bulk)
{
    uint64_t suppressed;
    if (log_limit_allow(&bulk->log_limit, clock_monotonic_ms(), &suppressed))
        log_warn(bulk->env->log, "bulk_line", "a line of a bulk request is no JSON object",
                 LOG_INT_IF("not_logged_before", suppressed));
}

static void decode_action(struct es_bulk_codec *bulk, struct str line, struct event_sink *sink)
{
    struct value action = action_of(bulk, line, sink->arena);
    if (value_type(&action) != VALUE_OBJECT) {
        say_broken(bulk);
        return;
    }
    const struct value *name = value_object_get(&action, STR("action"));
    if (str_equal(value_as_str(name), STR("delete")))
        emit(bulk, target_event(&bulk->target, value_object_new(sink->arena, 0), sink->arena),
             action, sink);
    else
        (void)buf_append_str(&bulk->action, line); /* it fits: a line is no longer than that */
}

static void decode_line(struct es_bulk_codec *bulk, struct str line, struct event_sink *sink)
{
    struct value document;
    if (bulk->action.len == 0) {
        decode_action(bulk, line, sink);
        return;
    }
    struct event *event = NULL;
    if (json_decode(bulk->env->json, sink->arena, line, &document, NULL))
        event = target_event(&bulk->target, document, sink->arena);
    if (!event) {
        say_broken(bulk);
        return;
    }
    struct str kept = arena_dup(sink->arena, buf_str(&bulk->action));
    buf_clear(&bulk->action, 0);
    emit(bulk, event, action_of(bulk, kept, sink->arena), sink);
}

static void es_bulk_decode(void *self, struct str bytes, struct event_sink *sink)
{
    struct es_bulk_codec *bulk = self;
    for (;;) {
        struct str line;
        switch (tokenizer_next(&bulk->tokenizer, sink->arena, &bytes, &line)) {
        case TOKEN_LINE:
            event_sink_record(sink, line, bytes.len);
            decode_line(bulk, line, sink);
            break;
        case TOKEN_TOO_LONG:
            text_event_emit_too_long(sink, &bulk->long_lines, bulk->tokenizer.max_bytes);
            break;
        case TOKEN_NEED_MORE:
            return;
        }
    }
}

static size_t es_bulk_pending(const void *self)
{
    const struct es_bulk_codec *bulk = self;
    return tokenizer_pending(&bulk->tokenizer) + (bulk->action.len ? bulk->action.len + 1 : 0);
}

const struct codec codec_es_bulk = {
    .plugin = {.name = "es_bulk",
               .summary = "the body of an Elasticsearch bulk request",
               .options = es_bulk_options,
               .size = sizeof(struct es_bulk_codec)},
    .open = es_bulk_open,
    .decode = es_bulk_decode,
    .close = es_bulk_close,
    .pending = es_bulk_pending,
};
