/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/gelf/document.h"

#include "pipeline/event/ruby_text.h"
#include "pipeline/program/evaluate.h"

static const struct field_ref MESSAGE = FIELD_REF_TOP("message");
static const struct field_ref TAGS = FIELD_REF_TOP("tags");

static const struct {
    const char *name;
    int64_t level;
} LEVELS[] = {
    {"debug", 7},     {"d", 7},        {"info", 6}, {"i", 6},     {"informational", 6},
    {"notice", 5},    {"n", 5},        {"warn", 4}, {"w", 4},     {"warning", 4},
    {"error", 3},     {"critical", 2}, {"c", 2},    {"alert", 1}, {"a", 1},
    {"emergency", 0}, {"e", 0}, /* not error, as in Logstash */
};

/* ---- level ---------------------------------------------------------------------------------------- */

static int64_t level_number(struct arena *scratch, struct str text)
{
    for (size_t i = 0; i < sizeof LEVELS / sizeof *LEVELS; i++)
        if (str_equal_nocase(text, str_from(LEVELS[i].name)))
            return LEVELS[i].level;
    struct value number = ruby_to_i(scratch, text);
    return value_type(&number) == VALUE_INT ? value_as_int(&number) : 0;
}

/* The first entry that the event can fill in. */
static int64_t level_of(const struct gelf_document *rules, const struct event *event,
                        struct arena *scratch)
{
    for (size_t i = 0; i < rules->level.count; i++) {
        const struct template *entry = &rules->level.items[i];
        struct str text;
        if (template_text(entry, event, scratch, &text) &&
            (entry->is_literal || !str_equal(text, entry->text)))
            return level_number(scratch, text);
    }
    return 0;
}

/* ---- fields --------------------------------------------------------------------------------------- */

static void put(struct arena *scratch, struct value *document, const char *name, struct value value)
{
    value_object_set(scratch, document, str_from(name), value);
}

static bool is_ignored(const struct gelf_document *rules, struct str name)
{
    for (size_t i = 0; i < rules->ignore_metadata.count; i++)
        if (str_equal(rules->ignore_metadata.items[i], name))
            return true;
    return false;
}

static struct value joined(struct arena *scratch, const struct value *list)
{
    return value_str(ruby_join(scratch, list, STR(", ")));
}

static void ship_object(struct arena *scratch, struct value *document, struct str name,
                        const struct value *object)
{
    for (size_t i = 0; i < value_object_count(object); i++) {
        struct str key;
        const struct value *item = value_object_at(object, i, &key);
        struct str path = arena_printf(scratch, "_%.*s_%.*s", STR_FMT(name), STR_FMT(key));
        value_object_set(scratch, document, path, value_dup_shared(scratch, item));
    }
}

static void ship_field(const struct gelf_document *rules, struct arena *scratch,
                       struct value *document, struct str name, const struct value *value)
{
    if (str_starts_with(name, STR("_")))
        name = str_from_offset(name, 1);
    if (str_equal(name, STR("id")))
        name = STR("_id"); /* _id is the receiver's */
    if (is_ignored(rules, name))
        return;
    if (value_type(value) == VALUE_OBJECT) {
        ship_object(scratch, document, name, value);
        return;
    }
    struct value shown = value_type(value) == VALUE_ARRAY ? joined(scratch, value)
                                                          : value_dup_shared(scratch, value);
    value_object_set(scratch, document, arena_printf(scratch, "_%.*s", STR_FMT(name)), shown);
}

static void ship_metadata(const struct gelf_document *rules, const struct event *event,
                          struct arena *scratch, struct value *document)
{
    for (size_t i = 0; i < value_object_count(&event->fields); i++) {
        struct str name;
        const struct value *value = value_object_at(&event->fields, i, &name);
        if (value_type(value) != VALUE_NULL && !str_equal(name, STR("message")))
            ship_field(rules, scratch, document, name, value);
    }
}

static void ship_tags(const struct event *event, struct arena *scratch, struct value *document)
{
    const struct value *tags = event_get(event, &TAGS);
    if (tags && value_type(tags) == VALUE_ARRAY)
        put(scratch, document, "_tags", joined(scratch, tags));
}

/* Literal, as in Logstash. */
static void ship_custom(const struct gelf_document *rules, struct arena *scratch,
                        struct value *document)
{
    for (size_t i = 0; i < rules->custom_fields.count; i++) {
        const struct conf_pair *pair = &rules->custom_fields.pairs[i];
        if (str_equal(pair->key.text, STR("id")))
            continue;
        struct str name = arena_printf(scratch, "_%.*s", STR_FMT(pair->key.text));
        value_object_set(scratch, document, name, value_str(pair->value.text));
    }
}

/* ---- the document --------------------------------------------------------------------------------- */

static struct str short_message(const struct gelf_document *rules, const struct event *event,
                                struct arena *scratch)
{
    const struct value *value = event_get(event, &rules->short_field);
    if (!value || value_type(value) == VALUE_NULL)
        value = event_get(event, &MESSAGE);
    if (value && value_type(value) == VALUE_ARRAY && value_array_count(value) == 1)
        value = value_array_at(value, 0);
    return value && value_type(value) != VALUE_NULL ? ruby_text(scratch, value) : STR("");
}

bool gelf_document_make(const struct gelf_document *rules, const struct event *event,
                        struct arena *scratch, struct value *out, struct error *err)
{
    struct value document = value_object_new(scratch, 16);
    struct str host, full, brief = short_message(rules, event, scratch);
    struct instant at;
    if (!template_text(&rules->sender, event, scratch, &host) ||
        !template_text(&rules->full_message, event, scratch, &full))
        return error_set(err, ERROR_FORMAT, "sender or full_message cannot be filled in");
    if (brief.len == 0 || host.len == 0)
        return error_set(err, ERROR_FORMAT, "a GELF message needs a host and a text, and has no %s",
                         brief.len == 0 ? "text" : "host");
    put(scratch, &document, "version", value_str(STR("1.0")));
    put(scratch, &document, "host", value_str(host));
    put(scratch, &document, "short_message", value_str(brief));
    put(scratch, &document, "full_message", value_str(full));
    if (event_timestamp(event, &at))
        put(scratch, &document, "timestamp",
            value_float((double)at.seconds + (double)at.nanoseconds / 1e9));
    put(scratch, &document, "level", value_int(level_of(rules, event, scratch)));
    put(scratch, &document, "facility", value_str(STR("gelf-rb")));
    put(scratch, &document, "protocol", value_int(rules->protocol));
    if (rules->ship_metadata)
        ship_metadata(rules, event, scratch, &document);
    if (rules->ship_tags)
        ship_tags(event, scratch, &document);
    ship_custom(rules, scratch, &document);
    *out = document;
    return true;
}
