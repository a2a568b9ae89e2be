/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/elasticsearch/encode.h"

#include <assert.h>

#include "base/text/ascii.h"
#include "outputs/elasticsearch/document.h"
#include "pipeline/event/origin.h"
#include "pipeline/program/evaluate.h"

enum { SECONDS_PER_DAY = 86400, KEPT_NAME_MAX_BYTES = 4096 };

static const struct str ACTION_NAMES[] = {
    [BULK_INDEX] = STR_INIT("index"),
    [BULK_CREATE] = STR_INIT("create"),
    [BULK_UPDATE] = STR_INIT("update"),
    [BULK_DELETE] = STR_INIT("delete"),
};
FIELD_REF_METADATA_AS(INGEST_DOCUMENT, "_ingest_document");
FIELD_REF_METADATA_AS(TARGET_PIPELINE, "target_ingest_pipeline");
FIELD_REF_TOP_AS(DATA_STREAM, "data_stream");

/* One event on its way; full and *err say why it stopped. */
struct encoding {
    struct bulk_encoder *encoder;
    const struct event *event;
    struct buf *out;
    struct error *err;
    const struct value *control; /* [@metadata][_ingest_document], an object or NULL */
    enum bulk_action action;
    bool own_id; /* made from the event's provenance */
    char id[ORIGIN_ID_CHARS];
    bool refused; /* false and stopped: the buffer is full */
};

static bool find_action(struct str name, enum bulk_action *out)
{
    for (size_t i = 0; i < sizeof ACTION_NAMES / sizeof *ACTION_NAMES; i++) {
        if (str_equal(ACTION_NAMES[i], name)) {
            *out = (enum bulk_action)i;
            return true;
        }
    }
    return false;
}

/* ---- the index name ---------------------------------------------------------------------------- */

/* The finest unit among a pattern's letters; text in quotes does not count. Joda's and java.time's letters for days and
 * more: anything else is taken for finer. */
static enum index_period date_period(struct str placeholder)
{
    static const char day_letters[] = "GCxyYuUwWMLdDFEeQq";
    static const char second_letters[] = "aBhHkKms";
    enum index_period period = INDEX_EACH_DAY;
    bool quoted = false;
    for (size_t i = 0; i < placeholder.len; i++) {
        char c = placeholder.ptr[i];
        bool letter = ascii_is_letter(c);
        if (c == '\'')
            quoted = !quoted;
        if (quoted || !letter || strchr(day_letters, c))
            continue;
        if (!strchr(second_letters, c))
            return INDEX_EACH_EVENT;
        period = INDEX_EACH_SECOND;
    }
    return period;
}

enum index_period bulk_index_period(const struct template *index)
{
    enum index_period longest = INDEX_CONSTANT;
    for (size_t i = 0; i < index->count; i++) {
        const struct template_part *part = &index->parts[i];
        enum index_period period = INDEX_EACH_EVENT;
        switch (part->type) {
        case TEMPLATE_LITERAL:
            period = INDEX_CONSTANT;
            break;
        case TEMPLATE_DATE:
            period = date_period(part->text);
            break;
        case TEMPLATE_EPOCH:
            period = INDEX_EACH_SECOND;
            break;
        case TEMPLATE_FIELD:
        case TEMPLATE_NOW:
        case TEMPLATE_BAD_DATE:
            break;
        }
        if (period > longest)
            longest = period;
    }
    return longest;
}

/* Which period the event is in; false when that cannot be told. */
static bool period_of(const struct bulk_encoder *encoder, const struct event *event, int64_t *out)
{
    struct instant at = {0};
    *out = 0;
    if (encoder->index_period == INDEX_CONSTANT)
        return true;
    if (encoder->index_period == INDEX_EACH_EVENT || !event_timestamp(event, &at))
        return false;
    *out = at.seconds;
    if (encoder->index_period == INDEX_EACH_DAY)
        *out = (at.seconds - (at.seconds < 0 ? SECONDS_PER_DAY - 1 : 0)) / SECONDS_PER_DAY;
    return true;
}

static bool is_unresolved(struct str name)
{
    size_t open = str_find(name, STR("%{"));
    return open != SIZE_MAX && str_find(str_from_offset(name, open), STR("}")) != SIZE_MAX;
}

static bool refuse(struct encoding *encoding, const char *what, struct str text)
{
    encoding->refused = true;
    return error_set(encoding->err, ERROR_FORMAT, "%s '%.*s'", what, STR_FMT(text));
}

static bool append_index(struct encoding *encoding, struct buf *out)
{
    const struct template *index = &encoding->encoder->index;
    struct str name;
    if (!template_text(index, encoding->event, encoding->encoder->scratch, &name))
        return refuse(encoding, "the index name cannot be made from", index->text);
    if (is_unresolved(name))
        return refuse(encoding, "a field of the index name is missing:", name);
    return buf_append_str(out, STR("\"_index\":")) && json_encode_str(name, out);
}

static struct kept_index *keep(struct bulk_encoder *encoder, int64_t period)
{
    struct kept_index *kept = &encoder->kept[encoder->kept_next];
    encoder->kept_next = (encoder->kept_next + 1) % KEPT_INDEX_NAMES;
    if (encoder->kept_count < KEPT_INDEX_NAMES) {
        encoder->kept_count++;
        buf_init(&kept->text, KEPT_NAME_MAX_BYTES);
    }
    assert(encoder->kept_count <= KEPT_INDEX_NAMES && encoder->kept_next < KEPT_INDEX_NAMES);
    kept->period = period;
    kept->text.len = 0;
    return kept;
}

static bool append_kept_index(struct encoding *encoding, int64_t period)
{
    struct bulk_encoder *encoder = encoding->encoder;
    for (size_t i = 0; i < encoder->kept_count; i++)
        if (encoder->kept[i].period == period && encoder->kept[i].text.len > 0)
            return buf_append_str(encoding->out, buf_str(&encoder->kept[i].text));
    struct kept_index *kept = keep(encoder, period);
    if (!append_index(encoding, &kept->text)) {
        kept->text.len = 0;
        return !encoding->refused && append_index(encoding, encoding->out);
    }
    return buf_append_str(encoding->out, buf_str(&kept->text));
}

/* ---- data streams ------------------------------------------------------------------------------ */

static struct str stream_part(const struct value *routed, struct str key, struct str fallback)
{
    const struct value *part = routed ? value_object_get(routed, key) : NULL;
    return value_is_str(part) ? value_as_str(part) : fallback;
}

/* [data_stream] of the event when it takes part in the routing, else NULL. */
static const struct value *routing_fields(const struct encoding *encoding)
{
    const struct value *fields = event_get(encoding->event, &DATA_STREAM);
    bool routes = encoding->encoder->options->data_stream_auto_routing == 0;
    return routes && fields && value_type(fields) == VALUE_OBJECT ? fields : NULL;
}

static bool append_stream_index(struct encoding *encoding)
{
    const struct bulk_encoder *encoder = encoding->encoder;
    const struct value *routed = routing_fields(encoding);
    if (!routed)
        return buf_append_str(encoding->out, encoder->stream_index);
    struct str type = stream_part(routed, STR("type"), encoder->stream_type);
    struct str dataset = stream_part(routed, STR("dataset"), encoder->stream_dataset);
    struct str namespace = stream_part(routed, STR("namespace"), encoder->stream_namespace);
    struct str name = arena_printf(encoding->encoder->scratch, "%.*s-%.*s-%.*s", STR_FMT(type),
                                   STR_FMT(dataset), STR_FMT(namespace));
    return buf_append_str(encoding->out, STR("\"_index\":")) &&
           json_encode_str(name, encoding->out);
}

/* ---- the action line --------------------------------------------------------------------------- */

static bool append_text(struct encoding *encoding, const char *name, struct str text)
{
    return buf_append_str(encoding->out, STR(",\"")) &&
           buf_append_str(encoding->out, str_from(name)) &&
           buf_append_str(encoding->out, STR("\":")) && json_encode_str(text, encoding->out);
}

/* The member of [@metadata][_ingest_document], NULL when absent or null. */
static const struct value *control(const struct encoding *encoding, const char *name)
{
    if (!encoding->control)
        return NULL;
    const struct value *value = value_object_get(encoding->control, str_from(name));
    return value && value_type(value) != VALUE_NULL ? value : NULL;
}

static bool append_value(struct encoding *encoding, const char *name, const struct value *value)
{
    return append_text(encoding, name, value_to_text(encoding->encoder->scratch, value));
}

static bool evaluate(struct encoding *encoding, const struct template *template, struct str *out)
{
    if (template_text(template, encoding->event, encoding->encoder->scratch, out))
        return true;
    return refuse(encoding, "no text can be made from", template->text);
}

/* The option, else what the event's metadata says. */
static bool append_option(struct encoding *encoding, const char *name, const char *control_name,
                          const struct template *option)
{
    struct str text;
    if (option->parts)
        return evaluate(encoding, option, &text) && append_text(encoding, name, text);
    const struct value *value = control(encoding, control_name);
    return !value || append_value(encoding, name, value);
}

static bool append_pipeline(struct encoding *encoding)
{
    const struct template *option = &encoding->encoder->options->pipeline;
    struct arena *arena = encoding->encoder->scratch;
    const struct value *value = control(encoding, "pipeline");
    if (!option->parts && !value)
        value = event_get(encoding->event, &TARGET_PIPELINE);
    struct str text = STR("");
    if (option->parts && !evaluate(encoding, option, &text))
        return false;
    if (!option->parts && value && value_type(value) != VALUE_NULL)
        text = value_to_text(arena, value);
    return text.len == 0 || append_text(encoding, "pipeline", text);
}

static bool append_routing(struct encoding *encoding)
{
    const struct elasticsearch_options *options = encoding->encoder->options;
    if (options->parent.parts && options->join_field.count > 0)
        return append_option(encoding, "routing", "", &options->parent);
    if (!append_option(encoding, "routing", "routing", &options->routing))
        return false;
    return !options->parent.parts || append_option(encoding, "parent", "", &options->parent);
}

/* An id with a field that is missing would be the same for all such events: each would take the place of the one before. */
static bool append_id(struct encoding *encoding)
{
    const struct template *option = &encoding->encoder->options->document_id;
    struct str id;
    if (encoding->own_id)
        return append_text(encoding, "_id", str_make(encoding->id, ORIGIN_ID_CHARS));
    if (!option->parts || option->is_literal)
        return append_option(encoding, "_id", "id", option);
    if (!evaluate(encoding, option, &id))
        return false;
    if (is_unresolved(id))
        return refuse(encoding, "a field of document_id is missing:", option->text);
    return append_text(encoding, "_id", id);
}

static bool append_parameters(struct encoding *encoding)
{
    const struct elasticsearch_options *options = encoding->encoder->options;
    if (!append_id(encoding) || !append_routing(encoding) || !append_pipeline(encoding) ||
        !append_option(encoding, "version", "version", &options->version) ||
        !append_option(encoding, "version_type", "version_type", &options->version_type))
        return false;
    if (encoding->action != BULK_UPDATE || options->retry_on_conflict == 0)
        return true;
    return buf_printf(encoding->out, ",\"retry_on_conflict\":%lld",
                      (long long)options->retry_on_conflict);
}

static bool append_target(struct encoding *encoding)
{
    struct bulk_encoder *encoder = encoding->encoder;
    const struct value *named = control(encoding, "index");
    if (named && encoder->index_is_default)
        return buf_append_str(encoding->out, STR("\"_index\":")) &&
               json_encode_str(value_to_text(encoding->encoder->scratch, named), encoding->out);
    if (encoder->options->streams)
        return append_stream_index(encoding);
    int64_t period;
    if (period_of(encoder, encoding->event, &period))
        return append_kept_index(encoding, period);
    return append_index(encoding, encoding->out);
}

static bool choose_action(struct encoding *encoding)
{
    const struct template *option = &encoding->encoder->options->action;
    encoding->action = encoding->encoder->action;
    if (!option->parts || option->is_literal)
        return true;
    struct str name;
    return evaluate(encoding, option, &name) &&
           (find_action(name, &encoding->action) || refuse(encoding, "there is no action", name));
}

/* An id of the event's own makes a document that is there already a conflict instead of a second one. */
static void make_id(struct encoding *encoding)
{
    int wanted = encoding->encoder->options->deduplicate;
    if (wanted == DEDUPLICATE_NOT || control(encoding, "id"))
        return;
    encoding->own_id =
        origin_id(encoding->event, wanted == DEDUPLICATE_BY_CONTENT_TOO, encoding->id);
    if (encoding->own_id)
        encoding->action = BULK_CREATE;
}

static bool append_action_line(struct encoding *encoding)
{
    if (!choose_action(encoding))
        return false;
    const struct value *named = event_get(encoding->event, &INGEST_DOCUMENT);
    encoding->control = named && value_type(named) == VALUE_OBJECT ? named : NULL;
    make_id(encoding);
    bool bare = encoding->encoder->plain && !encoding->control && !encoding->own_id &&
                !event_get(encoding->event, &TARGET_PIPELINE);
    return buf_append_str(encoding->out, STR("{\"")) &&
           buf_append_str(encoding->out, ACTION_NAMES[encoding->action]) &&
           buf_append_str(encoding->out, STR("\":{")) && append_target(encoding) &&
           (bare || append_parameters(encoding)) && buf_append_str(encoding->out, STR("}}\n"));
}

/* ---- whole items ------------------------------------------------------------------------------- */

static bool append_source_line(struct encoding *encoding)
{
    struct bulk_encoder *encoder = encoding->encoder;
    const struct elasticsearch_options *options = encoder->options;
    bool ok;
    if (encoding->action == BULK_UPDATE) {
        struct update_source update = {options, encoder->json, encoder->scratch, &encoding->refused,
                                       encoding->err};
        ok = append_update(&update, encoding->event, encoding->out);
    } else if (options->streams && options->data_stream_sync_fields == 0) {
        ok = append_stream_document(encoder, encoding->event, encoding->out);
    } else {
        ok = append_document(options, encoding->event, encoder->scratch, encoding->out);
    }
    return ok && buf_append_char(encoding->out, '\n');
}

enum encode_result bulk_encode(struct bulk_encoder *encoder, const struct event *event,
                               struct arena *scratch, struct buf *out, struct error *err)
{
    encoder->scratch = scratch;
    struct encoding encoding = {.encoder = encoder, .event = event, .out = out, .err = err};
    size_t start = out->len;
    if (append_action_line(&encoding) &&
        (encoding.action == BULK_DELETE || append_source_line(&encoding)))
        return encoding.own_id ? ENCODE_OWN_ID : ENCODE_DONE;
    assert(out->len >= start);
    out->len = start;
    return encoding.refused ? ENCODE_REFUSED : ENCODE_FULL;
}

static struct str or_default(struct str option, const char *fallback)
{
    return option.ptr ? option : str_from(fallback);
}

static void prepare_streams(struct bulk_encoder *encoder, struct arena *arena)
{
    const struct elasticsearch_options *options = encoder->options;
    encoder->stream_type = or_default(options->data_stream_type, "logs");
    encoder->stream_dataset = or_default(options->data_stream_dataset, "generic");
    encoder->stream_namespace = or_default(options->data_stream_namespace, "default");
    /* check_stream_name let nothing through that JSON would escape but bytes below a blank. */
    struct buf text;
    buf_init(&text, SIZE_MAX / 2);
    struct str name =
        arena_printf(arena, "%.*s-%.*s-%.*s", STR_FMT(encoder->stream_type),
                     STR_FMT(encoder->stream_dataset), STR_FMT(encoder->stream_namespace));
    buf_append_str(&text, STR("\"_index\":"));
    json_encode_str(name, &text);
    encoder->stream_index = arena_dup(arena, buf_str(&text));
    text.len = 0;
    const struct {
        const char *head;
        struct str part;
    } parts[] = {{"{\"data_stream\":{\"type\":", encoder->stream_type},
                 {",\"dataset\":", encoder->stream_dataset},
                 {",\"namespace\":", encoder->stream_namespace}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        buf_append_str(&text, str_from(parts[i].head));
        json_encode_str(parts[i].part, &text);
    }
    buf_append_char(&text, '}');
    encoder->stream_prefix = arena_dup(arena, buf_str(&text));
    buf_release(&text);
}

void bulk_encoder_init(struct bulk_encoder *encoder, const struct elasticsearch_options *options,
                       const struct plugin_env *env)
{
    *encoder = (struct bulk_encoder){.options = options, .json = env->json};
    encoder->index = options->index;
    encoder->index_is_default = !options->index.parts;
    if (encoder->index_is_default)
        template_parse(env->arena,
                       env->ecs == ECS_DISABLED ? STR("logstash-%{+yyyy.MM.dd}")
                                                : STR("ecs-logstash-%{+yyyy.MM.dd}"),
                       env->settings->escape, &encoder->index);
    encoder->index_period = bulk_index_period(&encoder->index);
    encoder->action = options->streams ? BULK_CREATE : BULK_INDEX;
    if (options->action.parts && options->action.is_literal) {
        bool known = find_action(options->action.text, &encoder->action);
        assert(known); /* elasticsearch_check */
        (void)known;
    }
    encoder->plain =
        !options->document_id.parts && !options->routing.parts && !options->pipeline.parts &&
        !options->version.parts && !options->version_type.parts && !options->parent.parts &&
        (!options->action.parts || options->action.is_literal) && encoder->action != BULK_UPDATE;
    if (options->streams)
        prepare_streams(encoder, env->arena);
}

void bulk_encoder_release(struct bulk_encoder *encoder)
{
    for (size_t i = 0; i < encoder->kept_count; i++)
        buf_release(&encoder->kept[i].text);
    encoder->kept_count = 0;
}

struct str bulk_document(const void *self, struct str item)
{
    (void)self;
    struct str index = STR("{\"index\":"), create = STR("{\"create\":");
    size_t end = str_find(item, STR("\n"));
    assert(end != SIZE_MAX && item.ptr[item.len - 1] == '\n');
    if (!str_starts_with(item, index) && !str_starts_with(item, create))
        return (struct str){0};
    return str_make(item.ptr + end + 1, item.len - end - 2);
}
