/* SPDX-License-Identifier: Apache-2.0
 *
 * cef: ArcSight's Common Event Format, read (cef_decode.c) and written. With ECS the fields are those of ECS, else the long
 * names of CEF.
 */
#include "base/text/ascii.h"
#include "codecs/cef/cef_decode.h"
#include "codecs/codecs.h"
#include "codecs/text_event.h"
#include "codecs/tokenizer.h"
#include "pipeline/event/ruby_text.h"
#include "pipeline/program/evaluate.h"

enum { HEADER_TEMPLATES = 5, SEVERITY_DEFAULT = 6, SEVERITY_MAX = 10 };
enum cef_device { DEVICE_OBSERVER, DEVICE_HOST };

struct cef_codec {
    struct template vendor, product, version, signature, name, severity;
    struct option_strings fields;
    bool reverse_mapping;
    struct str delimiter;
    struct str default_timezone, locale, raw_data_field;
    int device;

    struct cef_decoder decoder;
    struct long_lines long_lines;
    struct tokenizer tokenizer; /* with a delimiter */
    struct field_ref *refs;     /* of fields */
    struct str *keys;           /* what each is written as */
    size_t max_bytes;
    struct arena *scratch; /* of the event that is written */
};

static const char *const DEVICES[] = {"observer", "host", NULL};

static const struct option cef_options[] = {
    {
        .name = "vendor",
        .doc = "Device vendor in the header that is written.",
        OPTION_IN_TEMPLATE(struct cef_codec, vendor),
        .def = "Elasticsearch",
    },
    {
        .name = "product",
        .doc = "Device product in the header that is written.",
        OPTION_IN_TEMPLATE(struct cef_codec, product),
        .def = "Logstash",
    },
    {
        .name = "version",
        .doc = "Device version in the header that is written.",
        OPTION_IN_TEMPLATE(struct cef_codec, version),
        .def = "1.0",
    },
    {
        .name = "signature",
        .doc = "Event class in the header that is written.",
        OPTION_IN_TEMPLATE(struct cef_codec, signature),
        .def = "Logstash",
    },
    {
        .name = "name",
        .doc = "Name of the event in the header that is written.",
        OPTION_IN_TEMPLATE(struct cef_codec, name),
        .def = "Logstash",
    },
    {
        .name = "severity",
        .doc = "Severity in the header that is written: a whole number from 0 to 10, else 6.",
        OPTION_IN_TEMPLATE(struct cef_codec, severity),
        .def = "6",
    },
    {
        .name = "fields",
        .doc = "Fields to write as extensions.",
        OPTION_IN_STRINGS(struct cef_codec, fields),
    },
    {
        .name = "reverse_mapping",
        .doc = "Write the short keys (src) instead of the long names (sourceAddress).",
        OPTION_IN_BOOL(struct cef_codec, reverse_mapping),
        .def = "false",
    },
    {
        .name = "delimiter",
        .doc =
            "What ends a message; \\r and \\n stand for line breaks. Without it a message is what "
            "arrives at once.",
        OPTION_IN_STRING(struct cef_codec, delimiter),
    },
    {
        .name = "default_timezone",
        .doc = "Zone of times that name none, with ECS; default the machine's.",
        OPTION_IN_STRING(struct cef_codec, default_timezone),
    },
    {
        .name = "locale",
        .doc = "Language of the names of months, with ECS.",
        OPTION_IN_STRING(struct cef_codec, locale),
    },
    {
        .name = "raw_data_field",
        .doc = "Field that gets the message as it came.",
        OPTION_IN_STRING(struct cef_codec, raw_data_field),
    },
    {
        .name = "device",
        .doc = "What the fields of the device describe, with ECS: the observer or the host.",
        OPTION_IN_CHOICE(struct cef_codec, device),
        .choices = DEVICES,
        .def = "observer",
    },
    OPTION_END,
};

/* ---- opening -------------------------------------------------------------------------------------- */

/* `\r` and `\n` written with a backslash, as the option's text has them where escapes are not read. */
static struct str line_breaks(struct arena *arena, struct str text)
{
    char *out = arena_bytes(arena, text.len);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char next = i + 1 < text.len && text.ptr[i] == '\\' ? text.ptr[i + 1] : '\0';
        bool escape = next == 'r' || next == 'n';
        out[len++] = !escape ? text.ptr[i] : next == 'r' ? '\r' : '\n';
        i += escape;
    }
    return str_make(out, len);
}

static struct str only_alphanumeric(struct arena *arena, struct str text)
{
    char *out = arena_bytes(arena, text.len);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (ascii_is_digit(c) || ascii_is_letter(c))
            out[len++] = c;
    }
    return str_make(out, len);
}

/* The key that a field is written as: by its ECS name where ECS is used, by its name in CEF in any case. */
static struct str key_of(const struct cef_codec *cef, struct str field)
{
    bool legacy = false;
    const struct cef_field *known =
        cef->decoder.ecs ? cef_field_find_ecs(field, cef->device == DEVICE_HOST) : NULL;
    if (!known) {
        known = cef_field_find(field, &legacy);
        if (known && !legacy && !str_equal(str_from(known->name), field))
            known = NULL; /* a short key is no field of an event */
    }
    if (!known)
        return field;
    if (cef->reverse_mapping)
        return str_from(known->key ? known->key : known->name);
    return legacy ? field : str_from(known->name);
}

static bool open_fields(struct cef_codec *cef, const struct plugin_env *env, struct error *err)
{
    cef->refs = arena_zero(env->arena, cef->fields.count * sizeof *cef->refs);
    cef->keys = arena_zero(env->arena, cef->fields.count * sizeof *cef->keys);
    for (size_t i = 0; i < cef->fields.count; i++) {
        if (!field_ref_parse(env->arena, cef->fields.items[i], env->settings->escape, &cef->refs[i],
                             err))
            return error_prefix(err, "fields");
        cef->keys[i] = only_alphanumeric(env->arena, key_of(cef, cef->fields.items[i]));
    }
    return true;
}

static bool find_locale(const struct cef_codec *cef, const struct date_names **out,
                        struct error *err)
{
    *out = cef->locale.ptr ? date_names_find(cef->locale) : date_names_english();
    return *out || error_set(err, ERROR_CONFIG, "locale '%.*s' is not known", STR_FMT(cef->locale));
}

static bool cef_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct cef_codec *cef = self;
    cef->decoder = (struct cef_decoder){
        .env = env,
        .ecs = env->ecs != ECS_DISABLED,
        .device_is_host = cef->device == DEVICE_HOST,
        .raw_data_field = cef->raw_data_field,
        .zone = cef->default_timezone.ptr ? zone_find(cef->default_timezone, err) : zone_host(),
    };
    long_lines_init(&cef->long_lines, env);
    cef->max_bytes = env->settings->max_event_bytes;
    if (!cef->decoder.zone || !find_locale(cef, &cef->decoder.names, err) ||
        !open_fields(cef, env, err) || !cef_decoder_open(&cef->decoder, err))
        return false;
    cef->delimiter = line_breaks(env->arena, cef->delimiter);
    if (cef->delimiter.len > 0)
        tokenizer_init(&cef->tokenizer, cef->delimiter, 1, cef->max_bytes);
    return true;
}

static void cef_close(void *self)
{
    struct cef_codec *cef = self;
    if (cef->delimiter.len > 0)
        tokenizer_release(&cef->tokenizer);
}

/* ---- decoding ------------------------------------------------------------------------------------- */

static void cef_decode(void *self, struct str bytes, struct event_sink *sink)
{
    struct cef_codec *cef = self;
    if (cef->delimiter.len == 0) {
        cef_decode_message(&cef->decoder, bytes, sink);
        return;
    }
    for (;;) {
        struct str message;
        switch (tokenizer_next(&cef->tokenizer, sink->arena, &bytes, &message)) {
        case TOKEN_LINE:
            event_sink_record(sink, message, bytes.len);
            cef_decode_message(&cef->decoder, message, sink);
            break;
        case TOKEN_TOO_LONG:
            text_event_emit_too_long(sink, &cef->long_lines, cef->tokenizer.max_bytes);
            break;
        case TOKEN_NEED_MORE:
            return;
        }
    }
}

static void cef_flush(void *self, struct event_sink *sink)
{
    struct cef_codec *cef = self;
    struct str message;
    if (cef->delimiter.len > 0 && tokenizer_flush(&cef->tokenizer, sink->arena, &message) &&
        message.len > 0) {
        event_sink_record(sink, message, 0);
        cef_decode_message(&cef->decoder, message, sink);
    }
}

static size_t cef_pending(const void *self)
{
    const struct cef_codec *cef = self;
    return cef->delimiter.len > 0 ? tokenizer_pending(&cef->tokenizer) : 0;
}

/* ---- encoding ------------------------------------------------------------------------------------- */

/* Escapes `special`; a line break (\r\n is one) becomes `line_break`. */
static bool append_escaped(struct buf *out, struct str text, const char *special,
                           const char *line_break)
{
    bool fits = true;
    for (size_t i = 0; i < text.len && fits; i++) {
        char c = text.ptr[i];
        if (c == '\r' && i + 1 < text.len && text.ptr[i + 1] == '\n')
            continue;
        if (c == '\n' || c == '\r')
            fits = buf_append_str(out, str_from(line_break));
        else
            fits = (!(c && strchr(special, c)) || buf_append_char(out, '\\')) &&
                   buf_append_char(out, c);
    }
    return fits;
}

static struct str header_text(struct cef_codec *cef, const struct template *template,
                              const struct event *event)
{
    struct str text;
    return template_text(template, event, cef->scratch, &text) ? text : template->text;
}

/* A whole number from 0 to 10 is written as Ruby's to_i reads it: of 1e1 that is 1. */
static int severity_of(struct arena *arena, struct str text)
{
    double number;
    struct str trimmed = str_trim(text);
    if (!str_to_double(trimmed, &number) || number < 0 || number > SEVERITY_MAX ||
        (double)(int)number != number || str_ends_with(trimmed, STR(".")))
        return SEVERITY_DEFAULT;
    struct value read = ruby_to_i(arena, trimmed);
    return value_type(&read) == VALUE_INT ? (int)value_as_int(&read) : SEVERITY_DEFAULT;
}

static bool append_header(struct cef_codec *cef, const struct event *event, struct buf *out)
{
    const struct template *templates[HEADER_TEMPLATES] = {
        &cef->vendor, &cef->product, &cef->version, &cef->signature, &cef->name};
    static const char *const WHEN_EMPTY[HEADER_TEMPLATES] = {"Elasticsearch", "Logstash", "1.0",
                                                             "Logstash", "Logstash"};
    if (!buf_append_str(out, STR("CEF:0|")))
        return false;
    for (size_t i = 0; i < HEADER_TEMPLATES; i++) {
        struct str text = header_text(cef, templates[i], event);
        if (text.len == 0)
            text = str_from(WHEN_EMPTY[i]);
        if (!append_escaped(out, text, "\\|", " ") || !buf_append_char(out, '|'))
            return false;
    }
    return buf_printf(out, "%d|",
                      severity_of(cef->scratch, header_text(cef, &cef->severity, event)));
}

static bool append_value(struct cef_codec *cef, const struct value *value, struct buf *out)
{
    if (value_type(value) == VALUE_TIMESTAMP)
        return value_append_text(value, out);
    if (value_type(value) != VALUE_ARRAY && value_type(value) != VALUE_OBJECT)
        return append_escaped(out, ruby_text(cef->scratch, value), "\\=", "\\n");
    struct buf json;
    buf_init(&json, cef->max_bytes);
    bool fits =
        json_encode_value(value, &json) && append_escaped(out, buf_str(&json), "\\=", "\\n");
    buf_release(&json);
    return fits;
}

static bool cef_encode(void *self, const struct event *event, struct arena *scratch,
                       struct buf *out)
{
    struct cef_codec *cef = self;
    bool first = true;
    cef->scratch = scratch;
    if (!append_header(cef, event, out))
        return false;
    for (size_t i = 0; i < cef->fields.count; i++) {
        const struct value *value = event_get(event, &cef->refs[i]);
        if (!value || value_type(value) == VALUE_NULL)
            continue;
        if ((!first && !buf_append_char(out, ' ')) || !buf_append_str(out, cef->keys[i]) ||
            !buf_append_char(out, '=') || !append_value(cef, value, out))
            return false;
        first = false;
    }
    return buf_append_str(out, cef->delimiter);
}

const struct codec codec_cef = {
    .plugin = {.name = "cef",
               .summary = "ArcSight's Common Event Format",
               .options = cef_options,
               .size = sizeof(struct cef_codec)},
    .open = cef_open,
    .decode = cef_decode,
    .flush = cef_flush,
    .encode = cef_encode,
    .close = cef_close,
    .pending = cef_pending,
};
