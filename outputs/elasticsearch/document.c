/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/elasticsearch/document.h"

#include "pipeline/program/evaluate.h"

FIELD_REF_TOP_AS(DATA_STREAM, "data_stream");

/* A child document: its join field becomes an object that also names the parent. */
static const struct event *with_join_field(const struct elasticsearch_options *options,
                                           const struct event *event, struct arena *arena)
{
    struct str parent;
    if (!template_text(&options->parent, event, arena, &parent))
        return event;
    struct event *child = event_clone(arena, event);
    const struct value *name = event_get(child, &options->join_field);
    struct value join = value_object_new(arena, 2);
    value_object_set(arena, &join, STR("name"), name ? *name : value_null());
    value_object_set(arena, &join, STR("parent"), value_str(parent));
    return event_set(child, &options->join_field, join, NULL) ? child : event;
}

bool append_document(const struct elasticsearch_options *options, const struct event *event,
                     struct arena *scratch, struct buf *out)
{
    if (options->join_field.count > 0 && options->parent.parts)
        event = with_join_field(options, event, scratch);
    return json_encode_event(event, out);
}

/* ---- data streams ------------------------------------------------------------------------------ */

/* {"a":1} after {"data_stream":{…} : the brace between becomes a comma. */
static bool append_after_prefix(const struct bulk_encoder *encoder, const struct event *event,
                                struct buf *out)
{
    if (!buf_append_str(out, encoder->stream_prefix))
        return false;
    size_t brace = out->len;
    if (!json_encode_event(event, out))
        return false;
    if (out->len == brace + 2)
        out->ptr[--out->len - 1] = '}';
    else
        out->ptr[brace] = ',';
    return true;
}

/* What [data_stream] becomes: its own members win when the event takes part in the routing. */
static struct value synced(const struct bulk_encoder *encoder, struct arena *arena,
                           const struct value *fields)
{
    const struct {
        struct str key, configured;
    } parts[] = {{STR_INIT("type"), encoder->stream_type},
                 {STR_INIT("dataset"), encoder->stream_dataset},
                 {STR_INIT("namespace"), encoder->stream_namespace}};
    struct value copy = value_dup(arena, fields);
    bool routes = encoder->options->data_stream_auto_routing == 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!routes || !value_is_str(value_object_get(&copy, parts[i].key)))
            value_object_set(arena, &copy, parts[i].key, value_str(parts[i].configured));
    return copy;
}

bool append_stream_document(const struct bulk_encoder *encoder, const struct event *event,
                            struct buf *out)
{
    const struct value *fields = event_get(event, &DATA_STREAM);
    if (!fields)
        return append_after_prefix(encoder, event, out);
    if (value_type(fields) != VALUE_OBJECT) /* not ours to change */
        return json_encode_event(event, out);
    struct arena *arena = encoder->scratch;
    struct value document = value_object_new(arena, value_object_count(&event->fields));
    for (size_t i = 0; i < value_object_count(&event->fields); i++) {
        struct str key;
        struct value *member = value_object_at(&event->fields, i, &key);
        bool is_stream = str_equal(key, STR("data_stream"));
        value_object_set(arena, &document, key,
                         is_stream ? synced(encoder, arena, fields) : *member);
    }
    return json_encode_value(&document, out);
}

/* ---- updates ----------------------------------------------------------------------------------- */

/* The upsert option is JSON as text: read and written again, so that it cannot break the line. */
static bool append_upsert(const struct update_source *source, const struct event *event,
                          struct buf *out)
{
    struct str text;
    struct value document;
    bool ok = template_text(&source->options->upsert, event, source->scratch, &text);
    if (!ok)
        error_set(source->err, ERROR_FORMAT, "no text can be made from '%.*s'",
                  STR_FMT(source->options->upsert.text));
    ok = ok && json_decode(source->json, source->scratch, text, &document, source->err);
    if (!ok) {
        *source->refused = true;
        return error_prefix(source->err, "upsert");
    }
    return buf_append_str(out, STR(",\"upsert\":")) && json_encode_value(&document, out);
}

static bool append_upsert_if_any(const struct update_source *source, const struct event *event,
                                 struct buf *out)
{
    const struct template *upsert = &source->options->upsert;
    return !upsert->parts || upsert->text.len == 0 || append_upsert(source, event, out);
}

static bool append_script_members(const struct update_source *source, const struct event *event,
                                  struct buf *out)
{
    static const char *const members[] = {
        [SCRIPT_INLINE] = "\"inline\":", [SCRIPT_INDEXED] = "\"id\":", [SCRIPT_FILE] = "\"file\":"};
    const struct elasticsearch_options *options = source->options;
    struct str text;
    if (!template_text(&options->script, event, source->scratch, &text)) {
        *source->refused = true;
        return error_set(source->err, ERROR_FORMAT, "no text can be made from '%.*s'",
                         STR_FMT(options->script.text));
    }
    if (!buf_append_str(out, str_from(members[options->script_type])) ||
        !json_encode_str(text, out))
        return false;
    /* A stored script knows its language; servers refuse a second one. */
    if (options->script_lang.len > 0 && options->script_type != SCRIPT_INDEXED &&
        !(buf_append_str(out, STR(",\"lang\":")) && json_encode_str(options->script_lang, out)))
        return false;
    return buf_append_str(out, STR(",\"params\":{")) &&
           json_encode_str(options->script_var_name, out) && buf_append_char(out, ':') &&
           append_document(options, event, source->scratch, out) && buf_append_char(out, '}');
}

static bool append_script_update(const struct update_source *source, const struct event *event,
                                 struct buf *out)
{
    const struct elasticsearch_options *options = source->options;
    if (!buf_append_str(out, STR("{\"script\":{")) || !append_script_members(source, event, out) ||
        !buf_append_char(out, '}'))
        return false;
    bool ok;
    if (options->scripted_upsert)
        ok = buf_append_str(out, STR(",\"scripted_upsert\":true,\"upsert\":{}"));
    else if (options->doc_as_upsert)
        ok = buf_append_str(out, STR(",\"upsert\":")) &&
             append_document(options, event, source->scratch, out);
    else
        ok = append_upsert_if_any(source, event, out);
    return ok && buf_append_char(out, '}');
}

bool append_update(const struct update_source *source, const struct event *event, struct buf *out)
{
    const struct elasticsearch_options *options = source->options;
    if (options->script.parts && options->script.text.len > 0)
        return append_script_update(source, event, out);
    if (!buf_append_str(out, STR("{\"doc\":")) ||
        !append_document(options, event, source->scratch, out))
        return false;
    bool ok = options->doc_as_upsert ? buf_append_str(out, STR(",\"doc_as_upsert\":true"))
                                     : append_upsert_if_any(source, event, out);
    return ok && buf_append_char(out, '}');
}
