/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/kafka/record.h"

#include <assert.h>

#include "outputs/item_parts.h"
#include "pipeline/program/evaluate.h"

#define NO_KEY UINT32_MAX

bool record_headers_compile(struct record_encoder *encoder, const struct option_hash *option,
                            const struct plugin_env *env, struct error *err)
{
    if (option->count > RECORD_HEADERS_MAX)
        return error_set(err, ERROR_CONFIG, "message_headers: more than %d", RECORD_HEADERS_MAX);
    encoder->headers = arena_alloc(env->arena, (option->count + 1) * sizeof *encoder->headers);
    encoder->header_count = option->count;
    for (size_t i = 0; i < option->count; i++) {
        struct str text = option->pairs[i].value.text;
        if (!text.ptr)
            return error_set(err, ERROR_CONFIG, "message_headers: '%.*s' needs a text",
                             STR_FMT(option->pairs[i].key.text));
        encoder->headers[i].name = option->pairs[i].key.text;
        template_parse(env->arena, text, env->settings->escape, &encoder->headers[i].value);
    }
    return true;
}

/* DONE: go on. */
static enum encode_result append_template(const struct template *template,
                                          const struct event *event, struct arena *scratch,
                                          struct buf *out, struct error *err)
{
    struct str text;
    if (!template_text(template, event, scratch, &text)) {
        error_set(err, ERROR_FORMAT, "'%.*s' cannot be filled in", STR_FMT(template->text));
        return ENCODE_REFUSED;
    }
    return item_append_part(out, text) ? ENCODE_DONE : ENCODE_FULL;
}

static enum encode_result append_topic(const struct record_encoder *encoder,
                                       const struct event *event, struct arena *scratch,
                                       struct buf *out, struct error *err)
{
    struct str topic;
    if (!template_text(encoder->topic, event, scratch, &topic) || !kafka_topic_is_valid(topic)) {
        error_set(err, ERROR_FORMAT, "'%.*s' gives no name that a topic can have",
                  STR_FMT(encoder->topic->text));
        return ENCODE_REFUSED;
    }
    return item_append_part(out, topic) ? ENCODE_DONE : ENCODE_FULL;
}

static enum encode_result append_headers(const struct record_encoder *encoder,
                                         const struct event *event, struct arena *scratch,
                                         struct buf *out, struct error *err)
{
    if (!item_append_number(out, (uint32_t)encoder->header_count))
        return ENCODE_FULL;
    for (size_t i = 0; i < encoder->header_count; i++) {
        if (!item_append_part(out, encoder->headers[i].name))
            return ENCODE_FULL;
        enum encode_result result =
            append_template(&encoder->headers[i].value, event, scratch, out, err);
        if (result != ENCODE_DONE)
            return result;
    }
    return ENCODE_DONE;
}

enum encode_result record_encode(struct record_encoder *encoder, const struct event *event,
                                 struct arena *scratch, struct buf *out, struct error *err)
{
    enum encode_result result = append_topic(encoder, event, scratch, out, err);
    if (result != ENCODE_DONE)
        return result;
    if (encoder->key->parts)
        result = append_template(encoder->key, event, scratch, out, err);
    else
        result = item_append_number(out, NO_KEY) ? ENCODE_DONE : ENCODE_FULL;
    if (result == ENCODE_DONE)
        result = append_headers(encoder, event, scratch, out, err);
    if (result != ENCODE_DONE)
        return result;
    return codec_encode(&encoder->codec, event, scratch, out, err);
}

struct kafka_record record_read(struct str item, struct kafka_header *headers)
{
    struct kafka_record record = {.headers = headers};
    record.topic = item_take_part(&item);
    uint32_t key = item_take_number(&item);
    if (key != NO_KEY)
        record.key = item_take_bytes(&item, key);
    record.header_count = item_take_number(&item);
    assert(record.header_count <= RECORD_HEADERS_MAX);
    for (size_t i = 0; i < record.header_count; i++) {
        headers[i].name = item_take_part(&item);
        headers[i].value = item_take_part(&item);
    }
    record.value = item;
    return record;
}
