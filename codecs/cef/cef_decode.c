/* SPDX-License-Identifier: Apache-2.0
 *
 * A message is seven header fields that a bar ends each, then key=value pairs. A value goes on until a blank that stands
 * before the next key, so it may hold blanks and, escaped, anything.
 */
#include "codecs/cef/cef_decode.h"

#include <assert.h>

#include "base/text/ascii.h"
#include "base/text/utf8.h"
#include "codecs/cef/cef_time.h"
#include "codecs/text_event.h"

enum { HEADER_FIELDS = 7, HEADER_SYSLOG = HEADER_FIELDS };

static const char *const HEADER_PLAIN[] = {
    "cefVersion",         "deviceVendor", "deviceProduct", "deviceVersion",
    "deviceEventClassId", "name",         "severity",      "syslog",
};
static const char *const HEADER_ECS[] = {
    "[cef][version]", "[observer][vendor]", "[observer][product]", "[observer][version]",
    "[event][code]",  "[cef][name]",        "[event][severity]",   "[log][syslog][header]",
};

bool cef_decoder_open(struct cef_decoder *decoder, struct error *err)
{
    struct arena *arena = decoder->env->arena;
    for (size_t i = 0; i <= HEADER_SYSLOG; i++) {
        struct str name = str_from(decoder->ecs ? HEADER_ECS[i] : HEADER_PLAIN[i]);
        if (!field_ref_parse(arena, name, FIELD_ESCAPE_NONE, &decoder->header[i], err))
            return false;
    }
    return !decoder->raw_data_field.ptr ||
           field_ref_parse(arena, decoder->raw_data_field, decoder->env->settings->escape,
                           &decoder->raw_data, err);
}

/* ---- header --------------------------------------------------------------------------------------- */

/* Where the bar is that ends the field: the first that no backslash escapes, else the last one. */
static size_t header_end(struct str text)
{
    size_t escaped = SIZE_MAX;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '|')
            return i;
        if (text.ptr[i] != '\\' || i + 1 == text.len)
            continue;
        if (text.ptr[i + 1] == '|')
            escaped = i + 1;
        if (text.ptr[i + 1] == '|' || text.ptr[i + 1] == '\\')
            i++;
    }
    return escaped;
}

/* Removes the backslash before the characters of `escapable`; n and r are line breaks where newlines is true. */
static struct str unescape(struct arena *arena, struct str text, const char *escapable,
                           bool newlines)
{
    if (text.len == 0 || !memchr(text.ptr, '\\', text.len))
        return text;
    char *out = arena_bytes(arena, text.len);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char next = i + 1 < text.len && text.ptr[i] == '\\' ? text.ptr[i + 1] : '\0';
        bool line_break = newlines && (next == 'n' || next == 'r');
        if (line_break || (next && strchr(escapable, next)))
            i++;
        out[len++] = !line_break ? text.ptr[i] : next == 'n' ? '\n' : '\r';
    }
    return str_make(out, len);
}

/* "<134>Jan 1 00:00:00 host CEF:0": what stands before the last blank came with the transport. */
static bool set_version(struct cef_decoder *decoder, struct event *event, struct str text)
{
    size_t blank = text.len;
    while (blank > 0 && text.ptr[blank - 1] != ' ')
        blank--;
    if (blank > 0 && !event_set(event, &decoder->header[HEADER_SYSLOG],
                                value_str(str_make(text.ptr, blank - 1)), NULL))
        return false;
    text = str_from_offset(text, blank);
    if (str_starts_with(text, STR("CEF:")))
        text = str_from_offset(text, 4);
    return event_set(event, &decoder->header[0], value_str(text), NULL);
}

/* Takes the header off *text. */
static bool decode_header(struct cef_decoder *decoder, struct event *event, struct str *text)
{
    for (size_t i = 0; i < HEADER_FIELDS; i++) {
        size_t end = header_end(*text);
        if (end == SIZE_MAX)
            return false;
        struct str field = unescape(event->arena, str_make(text->ptr, end), "\\|", false);
        bool set = i == 0 ? set_version(decoder, event, field)
                          : event_set(event, &decoder->header[i], value_str(field), NULL);
        if (!set)
            return false;
        *text = str_from_offset(*text, end + 1);
    }
    return true;
}

/* ---- extensions ----------------------------------------------------------------------------------- */

struct extension {
    struct str key, value;
    const struct cef_field *known; /* NULL: CEF has no such field */
    bool legacy;
};

static bool is_word(char c)
{
    return ascii_is_digit(c) || ascii_is_letter(c) || c == '_';
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_subkey(char c)
{
    return c != '\0' && !is_blank(c) && !strchr(".=|\\[]", c);
}

/* The length of the key that text begins with and '=' follows; 0: there is none. Words, subkeys behind points, and at
 * most one index in brackets. */
static size_t key_length(struct str text)
{
    size_t at = 0;
    while (at < text.len && is_word(text.ptr[at]))
        at++;
    if (at == 0)
        return 0;
    while (at + 1 < text.len && text.ptr[at] == '.' && is_subkey(text.ptr[at + 1]))
        for (at++; at < text.len && is_subkey(text.ptr[at]);)
            at++;
    if (at + 1 < text.len && text.ptr[at] == '[' && text.ptr[at + 1] >= '0' &&
        text.ptr[at + 1] <= '9') {
        for (at++; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9';)
            at++;
        if (at == text.len || text.ptr[at++] != ']')
            return 0;
    }
    return at < text.len && text.ptr[at] == '=' ? at : 0;
}

/* Takes a value, and the blanks behind it, off *text. */
static struct str take_value(struct str *text)
{
    size_t end = 0;
    for (size_t at = 0; at < text->len;) {
        size_t blanks = at;
        while (blanks < text->len && is_blank(text->ptr[blanks]))
            blanks++;
        if (blanks > at && key_length(str_from_offset(*text, blanks)) > 0)
            break;
        at = blanks > at ? blanks : at + 1;
        end = at;
    }
    struct str value = str_make(text->ptr, end);
    while (end < text->len && is_blank(text->ptr[end]))
        end++;
    *text = str_from_offset(*text, end);
    return value;
}

/* False when something that is no pair is left. */
static bool split_extensions(struct arena *arena, struct str text, struct extension **out,
                             size_t *count_out)
{
    size_t capacity = 0;
    *out = NULL;
    *count_out = 0;
    for (size_t key; text.len > 0; (*count_out)++) {
        key = key_length(text);
        if (key == 0)
            return false;
        if (*count_out == capacity) {
            size_t more = capacity ? capacity * 2 : 16;
            *out = arena_grow(arena, *out, capacity * sizeof **out, more * sizeof **out);
            capacity = more;
        }
        struct extension *extension = &(*out)[*count_out];
        extension->key = str_make(text.ptr, key);
        text = str_from_offset(text, key + 1);
        extension->value = unescape(arena, take_value(&text), "\\=", true);
        extension->known = cef_field_find(extension->key, &extension->legacy);
    }
    return true;
}

/* ---- fields --------------------------------------------------------------------------------------- */

static const struct field_ref *known_ref(struct cef_decoder *decoder, const struct cef_field *field)
{
    size_t row = (size_t)(field - cef_fields);
    assert(row < CEF_FIELD_COUNT);
    if (!decoder->known[row]) {
        const char *name =
            decoder->ecs ? cef_field_ecs(field, decoder->device_is_host) : field->name;
        struct error err;
        decoder->known[row] = arena_zero(decoder->env->arena, sizeof **decoder->known);
        bool parsed = field_ref_parse(decoder->env->arena, str_from(name), FIELD_ESCAPE_NONE,
                                      decoder->known[row], &err);
        assert(parsed);
        (void)parsed;
    }
    return decoder->known[row];
}

/* A key as it stands, a point and all; arr[0] is [arr][0]. */
static bool set_unknown(struct event *event, const struct extension *extension)
{
    struct field_ref ref;
    struct str key = extension->key;
    if (key.ptr[key.len - 1] == ']') {
        size_t bracket = str_find(key, STR("["));
        struct str path = arena_printf(event->arena, "[%.*s]%.*s", (int)bracket, key.ptr,
                                       STR_FMT(str_from_offset(key, bracket)));
        return field_ref_parse(event->arena, path, FIELD_ESCAPE_NONE, &ref, NULL) &&
               event_set(event, &ref, value_str(extension->value), NULL);
    }
    struct field_part part = {.name = key};
    ref = (struct field_ref){.text = key, .parts = &part, .count = 1};
    return event_set(event, &ref, value_str(extension->value), NULL);
}

static bool set_extension(struct cef_decoder *decoder, struct event *event,
                          const struct extension *extension)
{
    if (!extension->known || (extension->legacy && !decoder->ecs))
        return set_unknown(event, extension);
    return event_set(event, known_ref(decoder, extension->known), value_str(extension->value),
                     NULL);
}

static bool is_time(const struct cef_decoder *decoder, const struct extension *extension)
{
    return decoder->ecs && extension->known && (extension->known->flags & CEF_TIME);
}

/* The zone that the device says it has, else the option's. */
static bool find_zone(const struct cef_decoder *decoder, const struct extension *extensions,
                      size_t count, const struct zone **out)
{
    static const char TIME_ZONE[] = "[event][timezone]";
    struct error err;
    *out = decoder->zone;
    for (size_t i = 0; i < count; i++)
        if (extensions[i].known && strcmp(extensions[i].known->ecs, TIME_ZONE) == 0)
            *out = zone_find(extensions[i].value, &err);
    return *out != NULL;
}

static bool set_times(struct cef_decoder *decoder, struct event *event,
                      const struct extension *extensions, size_t count)
{
    struct cef_time time = {.names = decoder->names, .now = decoder->env->now()};
    bool zone_known = find_zone(decoder, extensions, count, &time.zone);
    for (size_t i = 0; i < count; i++) {
        struct instant at;
        if (!is_time(decoder, &extensions[i]))
            continue;
        bool blank = str_trim(extensions[i].value).len == 0;
        if (!blank && (!zone_known || !cef_time_parse(&time, extensions[i].value, &at)))
            return false;
        if (!event_set(event, known_ref(decoder, extensions[i].known),
                       blank ? value_null() : value_timestamp(at), NULL))
            return false;
    }
    return true;
}

static bool decode_extensions(struct cef_decoder *decoder, struct event *event, struct str text)
{
    struct extension *extensions;
    size_t count;
    if (!split_extensions(event->arena, str_trim(text), &extensions, &count) ||
        (decoder->ecs && !set_times(decoder, event, extensions, count)))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!is_time(decoder, &extensions[i]) && !set_extension(decoder, event, &extensions[i]))
            return false;
    return true;
}

/* ---- message -------------------------------------------------------------------------------------- */

/* One pair of quotes around all of it, which some senders add. */
static struct str without_quotes(struct str text)
{
    if (text.len == 0 || text.ptr[0] != '"')
        return text;
    text = str_from_offset(text, 1);
    while (text.len > 0 && ((unsigned char)text.ptr[text.len - 1] & 0xC0) == 0x80)
        text.len--;
    text.len -= text.len > 0;
    return text;
}

static struct str without_line_end(struct str text)
{
    bool newline = text.len > 0 && text.ptr[text.len - 1] == '\n';
    text.len -= newline;
    text.len -= text.len > 0 && text.ptr[text.len - 1] == '\r';
    return text;
}

static bool decode_text(struct cef_decoder *decoder, struct event *event, struct str text)
{
    text = without_line_end(text);
    if (text.len > 0 && memchr(text.ptr, '\n', text.len))
        return false;
    return decode_header(decoder, event, &text) && decode_extensions(decoder, event, text);
}

void cef_decode_message(struct cef_decoder *decoder, struct str bytes, struct event_sink *sink)
{
    bool valid = utf8_valid(bytes);
    struct str all = valid ? bytes : utf8_repair(sink->arena, bytes);
    struct str text = valid ? without_quotes(all) : all;
    struct event *event = event_new(sink->arena);
    bool decoded = valid && (!decoder->raw_data_field.ptr ||
                             event_set(event, &decoder->raw_data, value_str(all), NULL));
    if (!decoded || !decode_text(decoder, event, text)) {
        event = text_event_new(sink->arena, text, false);
        event_add_tag(event, STR("_cefparsefailure"));
    }
    sink->emit(sink, event);
}
