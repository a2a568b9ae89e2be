/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/rabbitmq/properties.h"

#include "base/murmur3.h"
#include "outputs/describe.h"
#include "outputs/item_parts.h"
#include "pipeline/program/evaluate.h"

enum {
    FORM_LIMIT = (1 << 24) - 1,
    HEADERS_BYTES_MAX = 64 * 1024, /* so that they fit into a frame */
    PROPERTIES_MAX = RABBIT_TEXT_PROPERTIES + 3 + RABBIT_TABLE_MAX,
};

/* One of enum rabbit_property, or these. */
enum { SET_DELIVERY_MODE = RABBIT_TEXT_PROPERTIES, SET_PRIORITY, SET_TIMESTAMP, SET_HEADER };

struct property {
    int which;
    struct str header; /* its name */
    bool is_number;    /* a header that stays one when it is written as one */
    struct template text;
};

static const struct {
    const char *name;
    int which;
} NAMES[] = {
    {"app_id", RABBIT_APP_ID},
    {"cluster_id", RABBIT_CLUSTER_ID},
    {"content_encoding", RABBIT_CONTENT_ENCODING},
    {"content_type", RABBIT_CONTENT_TYPE},
    {"correlation_id", RABBIT_CORRELATION_ID},
    {"expiration", RABBIT_EXPIRATION},
    {"message_id", RABBIT_MESSAGE_ID},
    {"reply_to", RABBIT_REPLY_TO},
    {"type", RABBIT_TYPE},
    {"user_id", RABBIT_USER_ID},
    {"delivery_mode", SET_DELIVERY_MODE},
    {"priority", SET_PRIORITY},
    {"timestamp", SET_TIMESTAMP},
};

static int which_of(struct str name)
{
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (str_equal(name, str_from(NAMES[i].name)))
            return NAMES[i].which;
    return -1;
}

static bool add_property(struct properties *properties, const struct plugin_env *env, int which,
                         struct str header, const struct conf_value *value, struct error *err)
{
    if (properties->count == PROPERTIES_MAX)
        return error_set(err, ERROR_CONFIG, "message_properties: too many");
    if (!value->text.ptr)
        return error_set(err, ERROR_CONFIG, "message_properties needs texts and numbers");
    struct property *property = &properties->list[properties->count++];
    *property = (struct property){
        .which = which, .header = header, .is_number = value->type == CONF_NUMBER};
    template_parse(env->arena, value->text, env->settings->escape, &property->text);
    return true;
}

static bool add_headers(struct properties *properties, const struct plugin_env *env,
                        const struct conf_value *value, struct error *err)
{
    if (value->type != CONF_HASH || value->count > RABBIT_TABLE_MAX)
        return error_set(err, ERROR_CONFIG,
                         "message_properties: headers is a hash of at most %d entries",
                         RABBIT_TABLE_MAX);
    for (size_t i = 0; i < value->count; i++)
        if (!add_property(properties, env, SET_HEADER, value->pairs[i].key.text,
                          &value->pairs[i].value, err))
            return false;
    return true;
}

bool properties_compile(const struct plugin_env *env, const struct option_hash *hash,
                        struct properties *out, struct error *err)
{
    *out = (struct properties){.list = arena_zero(env->arena, PROPERTIES_MAX * sizeof *out->list)};
    for (size_t i = 0; i < hash->count; i++) {
        const struct conf_pair *pair = &hash->pairs[i];
        int which = which_of(pair->key.text);
        bool is_headers = str_equal(pair->key.text, STR("headers"));
        if (which < 0 && !is_headers)
            return error_set(err, ERROR_CONFIG, "message_properties: '%.*s' is none",
                             STR_FMT(pair->key.text));
        if (is_headers ? !add_headers(out, env, &pair->value, err)
                       : !add_property(out, env, which, STR(""), &pair->value, err))
            return false;
    }
    return true;
}

/* ---- items ---------------------------------------------------------------------------------------- */

bool properties_fill_in(const struct template *template, size_t max_bytes,
                        const struct event *event, struct arena *scratch, struct str *text_out,
                        struct error *err)
{
    return (template_text(template, event, scratch, text_out) && text_out->len <= max_bytes) ||
           error_set(err, ERROR_FORMAT, "'%.*s' cannot be filled in, or is longer than %zu bytes",
                     STR_FMT(template->text), max_bytes);
}

enum encode_result properties_append(const struct properties *properties, const struct event *event,
                                     struct arena *scratch, struct buf *out, struct error *err)
{
    size_t left = HEADERS_BYTES_MAX;
    for (size_t i = 0; i < properties->count; i++) {
        const struct property *property = &properties->list[i];
        bool is_header = property->which == SET_HEADER;
        struct str text;
        if (!properties_fill_in(&property->text, is_header ? left : PROPERTY_SHORT_TEXT_MAX, event,
                                scratch, &text, err))
            return ENCODE_REFUSED;
        left -= is_header ? text.len : 0;
        if (!item_append_part(out, text))
            return ENCODE_FULL;
    }
    return ENCODE_DONE;
}

uint32_t properties_form(const struct properties *properties)
{
    uint32_t form = 1;
    for (size_t i = 0; i < properties->count; i++) {
        const struct property *property = &properties->list[i];
        form = form * 31 + (uint32_t)property->which * 2 + property->is_number;
        form = murmur3_32(property->header, form);
    }
    return form % FORM_LIMIT + 1;
}

static struct rabbit_value header_value(const struct property *property, struct str text)
{
    struct rabbit_value value = {.kind = RABBIT_TEXT, .text = text};
    if (property->is_number && str_to_int(text, &value.integer))
        value.kind = RABBIT_INT;
    else if (property->is_number && str_to_double(text, &value.real))
        value.kind = RABBIT_FLOAT;
    return value;
}

static void set_number(int64_t *number, struct str text, int64_t max)
{
    int64_t value;
    if (str_to_int(text, &value) && value >= 0 && value <= max)
        *number = value;
}

void properties_read(const struct properties *properties, struct str *item,
                     struct rabbit_pair *headers, struct rabbit_properties *out)
{
    out->send_headers = headers;
    for (size_t i = 0; i < properties->count; i++) {
        const struct property *property = &properties->list[i];
        struct str text = item_take_part(item);
        if (property->which < RABBIT_TEXT_PROPERTIES)
            out->texts[property->which] = text;
        else if (property->which == SET_DELIVERY_MODE)
            set_number(&out->delivery_mode, text, 255);
        else if (property->which == SET_PRIORITY)
            set_number(&out->priority, text, 255);
        else if (property->which == SET_TIMESTAMP)
            set_number(&out->timestamp, text, INT64_MAX);
        else
            headers[out->send_header_count++] =
                (struct rabbit_pair){property->header, header_value(property, text)};
    }
}

void properties_describe(const struct properties *properties, struct str *item, struct arena *arena,
                         struct value *object)
{
    for (size_t i = 0; i < properties->count; i++) {
        struct str text = item_take_part(item);
        struct str header = properties->list[i].header;
        for (size_t n = 0; header.len == 0 && n < sizeof NAMES / sizeof *NAMES; n++)
            if (NAMES[n].which == properties->list[i].which)
                header = str_from(NAMES[n].name);
        describe_text(arena, object, arena_cstr(arena, header), text);
    }
}
