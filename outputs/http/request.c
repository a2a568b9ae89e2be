/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/http/request.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>

#include "base/text/redact.h"
#include "pipeline/event/event_json.h"
#include "pipeline/event/ruby_text.h"
#include "pipeline/program/evaluate.h"

static const char *const CONTENT_TYPES[] = {
    [HTTP_FORMAT_JSON] = "application/json",
    [HTTP_FORMAT_JSON_BATCH] = "application/json",
    [HTTP_FORMAT_FORM] = "application/x-www-form-urlencoded",
    [HTTP_FORMAT_MESSAGE] = "text/plain",
};

/* ---- compiled options ---------------------------------------------------------------------------- */

static bool has_content_type(const struct option_hash *headers)
{
    for (size_t i = 0; i < headers->count; i++)
        if (str_equal_nocase(headers->pairs[i].key.text, STR("content-type")))
            return true;
    return false;
}

static void compile_headers(struct request_encoder *encoder, const struct plugin_env *env)
{
    const struct option_hash *option = &encoder->options->headers;
    struct request_header *headers = arena_alloc(env->arena, option->count * sizeof *headers);
    bool literal = true;
    for (size_t i = 0; i < option->count; i++) {
        headers[i].name = option->pairs[i].key.text;
        template_parse(env->arena, option->pairs[i].value.text, env->settings->escape,
                       &headers[i].value);
        literal &= headers[i].value.is_literal;
    }
    if (!literal && encoder->options->format != HTTP_FORMAT_JSON_BATCH) {
        encoder->headers = headers;
        encoder->header_count = option->count;
    }
}

bool request_encoder_init(struct request_encoder *encoder, const struct http_options *options,
                          const struct plugin_env *env, struct error *err)
{
    *encoder = (struct request_encoder){
        .options = options, .json = env->json, .content_type = options->content_type};
    if (!options->content_type.ptr && !has_content_type(&options->headers))
        encoder->content_type = str_from(CONTENT_TYPES[options->format]);
    encoder->verdicts = request_verdicts(env->arena, options);
    compile_headers(encoder, env);
    if (options->mapping.count == 0)
        return true;
    enum field_escape escape = env->settings->escape;
    if (options->format == HTTP_FORMAT_FORM)
        return mapping_compile_fields(env->arena, &options->mapping, escape, &encoder->fields, err);
    return mapping_compile(env->arena, &options->mapping, escape, &encoder->mapping, err);
}

/* ---- URL and headers ----------------------------------------------------------------------------- */

static bool refuse(struct error *err, struct str template)
{
    return error_set(err, ERROR_FORMAT, "no text can be made from '%.*s'", STR_FMT(template));
}

static enum encode_result append_url(const struct request_encoder *encoder,
                                     const struct event *event, struct buf *out, struct error *err)
{
    const struct template *url = &encoder->options->url;
    struct str text;
    if (url->is_literal)
        return ENCODE_DONE;
    if (!template_text(url, event, encoder->scratch, &text)) {
        refuse(err, url->text);
        return ENCODE_REFUSED;
    }
    if (!client_url_begins(text)) {
        error_set(err, ERROR_FORMAT, "'%.*s' does not begin with http:// or https://",
                  STR_FMT(text));
        return ENCODE_REFUSED;
    }
    return client_append_url(text, out) ? ENCODE_DONE : ENCODE_FULL;
}

/* A value cannot end its line. */
static bool append_header_value(struct str value, struct buf *out)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (!buf_append_char(out, c == '\r' || c == '\n' || c == 0 ? ' ' : c))
            return false;
    }
    return true;
}

static bool append_header(struct str name, struct str value, struct buf *out)
{
    return buf_append_str(out, name) && buf_append_char(out, ':') &&
           append_header_value(value, out) && buf_append_char(out, '\n');
}

static enum encode_result append_headers(const struct request_encoder *encoder,
                                         const struct event *event, struct buf *out,
                                         struct error *err)
{
    for (size_t i = 0; i < encoder->header_count; i++) {
        const struct request_header *header = &encoder->headers[i];
        struct str value;
        if (!template_text(&header->value, event, encoder->scratch, &value)) {
            refuse(err, header->value.text);
            return ENCODE_REFUSED;
        }
        if (!append_header(header->name, value, out))
            return ENCODE_FULL;
    }
    bool adds_type = encoder->header_count > 0 && encoder->content_type.ptr;
    return !adds_type || append_header(STR("Content-Type"), encoder->content_type, out)
               ? ENCODE_DONE
               : ENCODE_FULL;
}

/* ---- bodies -------------------------------------------------------------------------------------- */

static enum encode_result append_mapped(const struct request_encoder *encoder,
                                        const struct mapping *mapping, const struct event *event,
                                        struct buf *out, struct error *err)
{
    switch (mapping_append(mapping, event, encoder->scratch, out)) {
    case MAPPING_DONE:
        return ENCODE_DONE;
    case MAPPING_FULL:
        return ENCODE_FULL;
    case MAPPING_NO_TEXT:
        break;
    }
    error_set(err, ERROR_FORMAT, "no text can be made from a template of the mapping");
    return ENCODE_REFUSED;
}

static enum encode_result append_json(const struct request_encoder *encoder,
                                      const struct event *event, struct buf *out, struct error *err)
{
    if (encoder->mapping.count > 0)
        return append_mapped(encoder, &encoder->mapping, event, out, err);
    return json_encode_event(event, out) ? ENCODE_DONE : ENCODE_FULL;
}

/* As forms have it: a blank is a plus. */
static bool append_form_text(struct str text, struct buf *out)
{
    while (text.len > 0) {
        const char *blank = memchr(text.ptr, ' ', text.len);
        size_t len = blank ? (size_t)(blank - text.ptr) : text.len;
        if (!http_escape(str_make(text.ptr, len), out) || (blank && !buf_append_char(out, '+')))
            return false;
        text = str_from_offset(text, len + (blank != NULL));
    }
    return true;
}

static bool append_form_pair(struct str key, struct str value, bool first, struct buf *out)
{
    return (first || buf_append_char(out, '&')) && append_form_text(key, out) &&
           buf_append_char(out, '=') && append_form_text(value, out);
}

/* What Ruby writes of a hash or list, which Logstash puts into a form: {"a" => "b"}. The result may borrow from json. */
static struct str text_of_json(const struct request_encoder *encoder, struct str json)
{
    struct value value;
    bool read = json_decode(encoder->json, encoder->scratch, json, &value, NULL);
    return read ? ruby_text(encoder->scratch, &value) : json;
}

static enum encode_result append_mapped_field(const struct request_encoder *encoder, size_t index,
                                              const struct event *event, struct buf *out,
                                              struct error *err)
{
    const struct mapping_field *field = &encoder->fields.items[index];
    bool first = index == 0;
    struct str text;
    if (field->text) {
        if (template_text(field->text, event, encoder->scratch, &text))
            return append_form_pair(field->key, text, first, out) ? ENCODE_DONE : ENCODE_FULL;
        refuse(err, field->text->text);
        return ENCODE_REFUSED;
    }
    struct buf json;
    buf_init(&json, out->max);
    enum encode_result result = append_mapped(encoder, &field->value, event, &json, err);
    if (result == ENCODE_DONE &&
        !append_form_pair(field->key, text_of_json(encoder, buf_str(&json)), first, out))
        result = ENCODE_FULL;
    buf_release(&json);
    return result;
}

static enum encode_result append_mapped_form(const struct request_encoder *encoder,
                                             const struct event *event, struct buf *out,
                                             struct error *err)
{
    enum encode_result result = ENCODE_DONE;
    for (size_t i = 0; i < encoder->fields.count && result == ENCODE_DONE; i++)
        result = append_mapped_field(encoder, i, event, out, err);
    return result;
}

static enum encode_result append_event_form(const struct request_encoder *encoder,
                                            const struct event *event, struct buf *out)
{
    for (size_t i = 0; i < value_object_count(&event->fields); i++) {
        struct str key;
        const struct value *value = value_object_at(&event->fields, i, &key);
        if (!append_form_pair(key, ruby_text(encoder->scratch, value), i == 0, out))
            return ENCODE_FULL;
    }
    return ENCODE_DONE;
}

static enum encode_result append_message(const struct request_encoder *encoder,
                                         const struct event *event, struct buf *out,
                                         struct error *err)
{
    const struct template *message = &encoder->options->message;
    struct str text;
    if (!template_text(message, event, encoder->scratch, &text)) {
        refuse(err, message->text);
        return ENCODE_REFUSED;
    }
    return buf_append_str(out, text) ? ENCODE_DONE : ENCODE_FULL;
}

static enum encode_result append_body(const struct request_encoder *encoder,
                                      const struct event *event, struct buf *out, struct error *err)
{
    switch ((enum http_format)encoder->options->format) {
    case HTTP_FORMAT_JSON:
    case HTTP_FORMAT_JSON_BATCH:
        return append_json(encoder, event, out, err);
    case HTTP_FORMAT_FORM:
        return encoder->fields.count > 0 ? append_mapped_form(encoder, event, out, err)
                                         : append_event_form(encoder, event, out);
    case HTTP_FORMAT_MESSAGE:
        return append_message(encoder, event, out, err);
    }
    assert(!"every format has a body");
    return ENCODE_REFUSED;
}

/* ---- items --------------------------------------------------------------------------------------- */

static enum encode_result append_item(const struct request_encoder *encoder,
                                      const struct event *event, struct buf *out, struct error *err)
{
    size_t start = out->len;
    uint32_t lengths[2] = {0, 0};
    if (!buf_append(out, lengths, sizeof lengths))
        return ENCODE_FULL;
    enum encode_result result = append_url(encoder, event, out, err);
    if (result != ENCODE_DONE)
        return result;
    lengths[0] = (uint32_t)(out->len - start - sizeof lengths);
    result = append_headers(encoder, event, out, err);
    if (result != ENCODE_DONE)
        return result;
    lengths[1] = (uint32_t)(out->len - start - sizeof lengths) - lengths[0];
    memcpy(out->ptr + start, lengths, sizeof lengths);
    return append_body(encoder, event, out, err);
}

enum encode_result request_encode(struct request_encoder *encoder, const struct event *event,
                                  struct arena *scratch, struct buf *out, struct error *err)
{
    encoder->scratch = scratch;
    if (encoder->options->format != HTTP_FORMAT_JSON_BATCH)
        return append_item(encoder, event, out, err);
    return buf_append_char(out, ',') ? append_body(encoder, event, out, err) : ENCODE_FULL;
}

struct request_item request_item_read(struct str item)
{
    uint32_t lengths[2];
    assert(item.len >= sizeof lengths);
    memcpy(lengths, item.ptr, sizeof lengths);
    assert(item.len - sizeof lengths >= (size_t)lengths[0] + lengths[1]);
    struct str url = str_make(item.ptr + sizeof lengths, lengths[0]);
    struct str headers = str_make(url.ptr + url.len, lengths[1]);
    return (struct request_item){url, headers,
                                 str_from_offset(item, sizeof lengths + url.len + headers.len)};
}

enum { FORM_PARTS = 1, FORM_LIST };

uint32_t request_form(const struct request_encoder *encoder)
{
    return encoder->options->format == HTTP_FORMAT_JSON_BATCH ? FORM_LIST : FORM_PARTS;
}

struct str request_form_event(uint32_t form, struct str item)
{
    if (form == FORM_LIST)
        return item.len > 1 ? str_from_offset(item, 1) : (struct str){0}; /* behind the comma */
    return form == FORM_PARTS ? request_item_read(item).body : (struct str){0};
}

struct str request_item_event(const struct request_encoder *encoder, struct str item)
{
    if (encoder->options->mapping.count > 0)
        return (struct str){0};
    switch ((enum http_format)encoder->options->format) {
    case HTTP_FORMAT_JSON:
        return request_item_read(item).body;
    case HTTP_FORMAT_JSON_BATCH:
        return str_from_offset(item, 1); /* behind the comma */
    case HTTP_FORMAT_FORM:
    case HTTP_FORMAT_MESSAGE:
        break;
    }
    return (struct str){0};
}

struct http_headers *request_headers(struct str lines)
{
    struct http_headers *headers = http_headers_new();
    while (lines.len > 0) {
        size_t end = str_find(lines, STR("\n"));
        struct str line = str_make(lines.ptr, end);
        size_t colon = str_find(line, STR(":"));
        assert(end != SIZE_MAX && colon != SIZE_MAX);
        http_headers_add(headers, str_make(line.ptr, colon), str_from_offset(line, colon + 1));
        lines = str_from_offset(lines, end + 1);
    }
    return headers;
}

/* ---- answers ------------------------------------------------------------------------------------- */

static void add_codes(struct retry_rule *rules, size_t *count, const struct option_strings *codes,
                      enum verdict verdict)
{
    for (size_t i = 0; i < codes->count; i++) {
        int64_t code;
        if (str_to_int(codes->items[i], &code) && code >= 0 && code <= INT_MAX)
            rules[(*count)++] = (struct retry_rule){(int)code, (int)code, STR_INIT(""), verdict};
    }
}

struct retry_table request_verdicts(struct arena *arena, const struct http_options *options)
{
    static const struct retry_rule RETRYABLE[] = {{429, 429, STR_INIT(""), VERDICT_RETRY},
                                                  {500, 500, STR_INIT(""), VERDICT_RETRY},
                                                  {502, 504, STR_INIT(""), VERDICT_RETRY}};
    enum { OWN_RULES = 2 + sizeof RETRYABLE / sizeof *RETRYABLE };
    size_t most = options->ignorable_codes.count + options->retryable_codes.count + OWN_RULES;
    struct retry_rule *rules = arena_alloc(arena, most * sizeof *rules);
    size_t count = 0;
    rules[count++] = (struct retry_rule){200, 299, STR_INIT(""), VERDICT_DELIVERED};
    add_codes(rules, &count, &options->ignorable_codes, VERDICT_DELIVERED);
    if (options->retry_failed && options->retryable_codes.items)
        add_codes(rules, &count, &options->retryable_codes, VERDICT_RETRY);
    else if (options->retry_failed)
        for (size_t i = 0; i < sizeof RETRYABLE / sizeof *RETRYABLE; i++)
            rules[count++] = RETRYABLE[i];
    rules[count++] = (struct retry_rule){0, INT_MAX, STR_INIT(""), VERDICT_REFUSED};
    assert(count <= most);
    return retry_join(arena, &options->retry_rules, &(struct retry_table){rules, count});
}

/* An answer that is longer than we read is one all the same: its status was there. */
static bool has_status(const struct http_result *result)
{
    return result->outcome == HTTP_ANSWERED ||
           (result->outcome == HTTP_TOO_LARGE && result->status > 0);
}

static void describe(const struct http_result *result, char out[REQUEST_REASON_MAX])
{
    if (!has_status(result)) {
        snprintf(out, REQUEST_REASON_MAX, "%s", result->error);
        return;
    }
    struct buf reason;
    buf_init(&reason, SIZE_MAX / 2);
    redact_reason(str_trim(result->body), &reason);
    snprintf(out, REQUEST_REASON_MAX, reason.len > 0 ? "status %d: %.*s" : "status %d",
             result->status, STR_FMT(buf_str(&reason)));
    buf_release(&reason);
}

static enum verdict verdict_of(const struct request_encoder *encoder,
                               const struct http_result *result)
{
    if (result->outcome == HTTP_CANCELLED)
        return VERDICT_RETRY;
    if (has_status(result))
        return retry_verdict(&encoder->verdicts, result->status, STR(""));
    return encoder->options->retry_failed ? VERDICT_RETRY : VERDICT_REFUSED;
}

enum verdict request_verdict(const struct request_encoder *encoder,
                             const struct http_result *result, char reason_out[REQUEST_REASON_MAX])
{
    enum verdict verdict = verdict_of(encoder, result);
    *reason_out = 0;
    if (verdict != VERDICT_DELIVERED)
        describe(result, reason_out);
    return verdict;
}

enum send_cause request_cause(const struct http_result *result, enum verdict verdict, size_t events)
{
    assert(events > 0 && verdict != VERDICT_NONE);
    if (result->outcome == HTTP_CANCELLED)
        return SEND_STOPPED;
    if (verdict == VERDICT_REFUSED && events > 1)
        return result->status == 413 ? SEND_TOO_LARGE : SEND_REJECTED;
    if (verdict == VERDICT_HELD)
        return SEND_FORBIDDEN;
    if (verdict != VERDICT_RETRY)
        return SEND_ANSWERED;
    if (!has_status(result))
        return result->outcome == HTTP_TIMED_OUT ? SEND_OVERLOADED : SEND_UNREACHABLE;
    if (result->status == 429 || result->status == 503)
        return SEND_OVERLOADED;
    /* A server that fails on one event may do so because of it. */
    return result->status == 500 && events == 1 ? SEND_ANSWERED : SEND_UNREACHABLE;
}

bool request_is_alertmanager_refusal(struct str url, const struct http_result *result)
{
    if (result->outcome != HTTP_ANSWERED || result->status != 400)
        return false;
    while (str_ends_with(url, STR("/")))
        url.len--;
    return str_ends_with(url, STR("/api/v1/alerts")) || str_ends_with(url, STR("/api/v2/alerts"));
}
