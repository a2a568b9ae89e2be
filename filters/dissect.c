/* SPDX-License-Identifier: Apache-2.0
 *
 * dissect: text into fields by the literal text between them, without expressions. A template is a literal front and then
 * fields, each with the delimiter that ends it; the last one may have none and takes the rest.
 */
#include <assert.h>

#include "filters/filters.h"

enum { DISSECT_MAX_FIELDS = 256 };

enum dissect_kind { DISSECT_SET, DISSECT_SKIP, DISSECT_APPEND, DISSECT_INDIRECT };

struct dissect_field {
    enum dissect_kind kind;
    struct str name;
    struct field_ref ref;
    struct str before; /* the delimiter in front, which joins an appended value */
    struct str after;  /* the delimiter that ends it; empty: the rest of the text */
    bool is_padded;    /* "->": the delimiter may be repeated */
    int64_t order;     /* of an append */
};

struct dissect_mapping {
    struct field_ref source;
    struct str front;
    struct dissect_field *fields;
    size_t *apply_order; /* plain fields first, then appends by their number */
    size_t count;
};

struct dissect_conversion {
    struct field_ref field;
    bool to_int;
    struct str uncoercible_tag, null_tag;
};

struct dissect {
    struct option_hash mapping;
    struct option_hash convert_datatype;
    struct option_strings tag_on_failure;

    const struct plugin_env *env;
    struct dissect_mapping *mappings;
    struct dissect_conversion *conversions;
    struct counter *matches, *failures;
};

static const struct option OPTIONS[] = {
    {
        .name = "mapping",
        .doc = "Field => template of %{name} and the text between, e.g. \"%{ts} %{+ts} %{src}:%{}\".",
        OPTION_IN_HASH(struct dissect, mapping),
    },
    {
        .name = "convert_datatype",
        .doc = "Field => int or float.",
        OPTION_IN_HASH(struct dissect, convert_datatype),
    },
    {
        .name = "tag_on_failure",
        .doc = "Tags for an event whose text does not fit.",
        OPTION_IN_STRINGS(struct dissect, tag_on_failure),
        .def = "_dissectfailure",
    },
    OPTION_END,
};

/* ---- templates ------------------------------------------------------------------------------------ */

/* Reads what stands inside %{…}. */
static bool read_field(const struct plugin_env *env, struct str text, struct dissect_field *out,
                       struct error *err)
{
    if (str_ends_with(text, STR("->"))) {
        out->is_padded = true;
        text.len -= 2;
    }
    out->kind = text.len == 0 ? DISSECT_SKIP : DISSECT_SET;
    if (text.len > 0 && (text.ptr[0] == '?' || text.ptr[0] == '+' || text.ptr[0] == '&')) {
        out->kind = text.ptr[0] == '?' ? DISSECT_SKIP
                    : text.ptr[0] == '+' ? DISSECT_APPEND
                                         : DISSECT_INDIRECT;
        text = str_from_offset(text, 1);
    }
    for (size_t at = text.len; out->kind == DISSECT_APPEND && at-- > 0;)
        if (text.ptr[at] == '/' && str_to_int(str_from_offset(text, at + 1), &out->order)) {
            text.len = at;
            break;
        }
    out->name = text;
    if (out->kind == DISSECT_SKIP || out->kind == DISSECT_INDIRECT)
        return true;
    return field_ref_parse(env->arena, text, env->settings->escape, &out->ref, err);
}

/* The next %{…} at or after from: its start, and the offset behind it. */
static bool find_field(struct str text, size_t from, size_t *start_out, size_t *end_out)
{
    size_t open = str_find(str_from_offset(text, from), STR("%{"));
    if (open == SIZE_MAX)
        return false;
    *start_out = from + open;
    size_t close = str_find(str_from_offset(text, *start_out), STR("}"));
    *end_out = *start_out + close + 1;
    return close != SIZE_MAX;
}

static bool comes_before(const struct dissect_field *a, const struct dissect_field *b)
{
    bool a_appends = a->kind == DISSECT_APPEND, b_appends = b->kind == DISSECT_APPEND;
    if (a_appends != b_appends)
        return b_appends;
    return a_appends && a->order < b->order;
}

/* An insertion sort keeps the order of the text among equals. */
static void sort_fields(struct arena *arena, struct dissect_mapping *mapping)
{
    mapping->apply_order = arena_zero(arena, mapping->count * sizeof *mapping->apply_order);
    for (size_t i = 0; i < mapping->count; i++) {
        size_t at = i;
        while (at > 0 && comes_before(&mapping->fields[i],
                                      &mapping->fields[mapping->apply_order[at - 1]])) {
            mapping->apply_order[at] = mapping->apply_order[at - 1];
            at--;
        }
        mapping->apply_order[at] = i;
    }
}

static bool read_template(const struct plugin_env *env, struct str text,
                          struct dissect_mapping *out, struct error *err)
{
    size_t start, end, next_start, next_end;
    bool more = find_field(text, 0, &start, &end);
    if (!more)
        return error_set(err, ERROR_CONFIG, "the template '%.*s' has no field %%{…}", STR_FMT(text));
    out->fields = arena_zero(env->arena, DISSECT_MAX_FIELDS * sizeof *out->fields);
    out->front = str_make(text.ptr, start);
    struct str before = STR("");
    for (; more; start = next_start, end = next_end) {
        if (out->count == DISSECT_MAX_FIELDS)
            return error_set(err, ERROR_LIMIT, "a template has at most %d fields", DISSECT_MAX_FIELDS);
        struct dissect_field *field = &out->fields[out->count++];
        if (!read_field(env, str_make(text.ptr + start + 2, end - start - 3), field, err))
            return false;
        more = find_field(text, end, &next_start, &next_end);
        field->before = before;
        field->after = str_make(text.ptr + end, (more ? next_start : text.len) - end);
        before = field->after;
        if (more && field->after.len == 0)
            return error_set(err, ERROR_CONFIG, "fields '%.*s' and the next one have no text between them",
                             STR_FMT(field->name));
    }
    sort_fields(env->arena, out);
    return true;
}

/* ---- opening -------------------------------------------------------------------------------------- */

static bool read_conversion(struct dissect *dissect, const struct conf_pair *pair,
                            struct dissect_conversion *out, struct error *err)
{
    struct arena *arena = dissect->env->arena;
    struct str name = pair->key.text, type = pair->value.text;
    out->to_int = str_equal(type, STR("int"));
    if (!out->to_int && !str_equal(type, STR("float"))) {
        err->position = pair->value.position;
        return error_set(err, ERROR_CONFIG, "convert_datatype of '%.*s' is '%.*s', expected int or float",
                         STR_FMT(name), STR_FMT(type));
    }
    out->uncoercible_tag = arena_printf(arena, "_dataconversionuncoercible_%.*s_%.*s", STR_FMT(name),
                                        STR_FMT(type));
    out->null_tag =
        arena_printf(arena, "_dataconversionnullvalue_%.*s_%.*s", STR_FMT(name), STR_FMT(type));
    return field_ref_parse(arena, name, dissect->env->settings->escape, &out->field, err);
}

static bool compile(struct dissect *dissect, const struct plugin_env *env, struct error *err)
{
    dissect->env = env;
    dissect->mappings = arena_zero(env->arena, dissect->mapping.count * sizeof *dissect->mappings);
    dissect->conversions =
        arena_zero(env->arena, dissect->convert_datatype.count * sizeof *dissect->conversions);
    for (size_t i = 0; i < dissect->mapping.count; i++) {
        const struct conf_pair *pair = &dissect->mapping.pairs[i];
        if (field_ref_parse(env->arena, pair->key.text, env->settings->escape,
                            &dissect->mappings[i].source, err) &&
            read_template(env, pair->value.text, &dissect->mappings[i], err))
            continue;
        err->position = pair->value.position;
        return false;
    }
    for (size_t i = 0; i < dissect->convert_datatype.count; i++)
        if (!read_conversion(dissect, &dissect->convert_datatype.pairs[i],
                             &dissect->conversions[i], err))
            return false;
    return true;
}

static bool dissect_check(void *self, const struct plugin_env *env, struct error *err)
{
    struct dissect copy = *(struct dissect *)self;
    return compile(&copy, env, err);
}

static bool dissect_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct dissect *dissect = self;
    dissect->matches = env->counter(env, "matches");
    dissect->failures = env->counter(env, "failures");
    return compile(dissect, env, err);
}

/* ---- on events ------------------------------------------------------------------------------------ */

/* Finds the text of every field; false when a delimiter is missing. */
static bool cut(const struct dissect_mapping *mapping, struct str text, struct str *values)
{
    if (!str_starts_with(text, mapping->front))
        return false;
    size_t at = mapping->front.len;
    for (size_t i = 0; i < mapping->count; i++) {
        const struct dissect_field *field = &mapping->fields[i];
        struct str rest = str_from_offset(text, at);
        size_t len = field->after.len == 0 ? rest.len : str_find(rest, field->after);
        if (len == SIZE_MAX)
            return false;
        values[i] = str_make(rest.ptr, len);
        at += len + field->after.len;
        while (field->is_padded && field->after.len > 0 &&
               str_starts_with(str_from_offset(text, at), field->after))
            at += field->after.len;
    }
    return true;
}

static void append(struct event *event, const struct dissect_field *field, struct str value)
{
    const struct value *old = event_get(event, &field->ref);
    if (!value_is_str(old)) {
        event_set(event, &field->ref, value_str(value), NULL);
        return;
    }
    struct str joint = field->before.len > 0 ? field->before : STR(" ");
    struct str text = arena_printf(event->arena, "%.*s%.*s%.*s", STR_FMT(value_as_str(old)),
                                   STR_FMT(joint), STR_FMT(value));
    event_set(event, &field->ref, value_str(text), NULL);
}

/* %{&name}: the field is named by what %{?name} found. */
static void set_indirect(const struct dissect *dissect, const struct dissect_mapping *mapping,
                         struct event *event, const struct str *values, size_t index)
{
    for (size_t i = 0; i < mapping->count; i++) {
        if (i == index || !str_equal(mapping->fields[i].name, mapping->fields[index].name))
            continue;
        struct field_ref ref;
        if (field_ref_parse(event->arena, values[i], dissect->env->settings->escape, &ref, NULL))
            event_set(event, &ref, value_str(values[index]), NULL);
        return;
    }
}

/* The first append to a field of this template replaces what the event had there. */
static bool is_first_of_name(const struct dissect_mapping *mapping, size_t position)
{
    const struct dissect_field *field = &mapping->fields[mapping->apply_order[position]];
    for (size_t i = 0; i < position; i++) {
        const struct dissect_field *other = &mapping->fields[mapping->apply_order[i]];
        if (other->kind != DISSECT_SKIP && str_equal(other->name, field->name))
            return false;
    }
    return true;
}

static void store(const struct dissect *dissect, const struct dissect_mapping *mapping,
                  struct event *event, const struct str *values)
{
    for (size_t i = 0; i < mapping->count; i++) {
        size_t index = mapping->apply_order[i];
        const struct dissect_field *field = &mapping->fields[index];
        switch (field->kind) {
        case DISSECT_SKIP:
            break;
        case DISSECT_SET:
            event_set(event, &field->ref, value_str(values[index]), NULL);
            break;
        case DISSECT_APPEND:
            if (is_first_of_name(mapping, i))
                event_set(event, &field->ref, value_str(values[index]), NULL);
            else
                append(event, field, values[index]);
            break;
        case DISSECT_INDIRECT:
            set_indirect(dissect, mapping, event, values, index);
            break;
        }
    }
}

enum outcome { OUTCOME_NOTHING, OUTCOME_MATCHED, OUTCOME_FAILED };

static enum outcome apply_mapping(struct dissect *dissect, const struct dissect_mapping *mapping,
                                  struct event *event)
{
    struct str values[DISSECT_MAX_FIELDS];
    const struct value *source = event_get(event, &mapping->source);
    if (!source || value_type(source) == VALUE_NULL)
        return OUTCOME_NOTHING;
    struct str text = value_to_text(event->arena, source);
    if (text.len == 0 || !cut(mapping, text, values))
        return OUTCOME_FAILED;
    store(dissect, mapping, event, values);
    return OUTCOME_MATCHED;
}

static bool converted(const struct dissect_conversion *conversion, const struct value *value,
                      struct arena *arena, struct value *out)
{
    double real;
    int64_t integer;
    if (!value_number(value, &real) && !str_to_double(value_to_text(arena, value), &real))
        return false;
    if (!conversion->to_int) {
        *out = value_float(real);
        return true;
    }
    if (!str_to_int(value_to_text(arena, value), &integer)) {
        if (!(real > -9.2e18 && real < 9.2e18))
            return false;
        integer = (int64_t)real;
    }
    *out = value_int(integer);
    return true;
}

static void convert(const struct dissect *dissect, struct event *event)
{
    for (size_t i = 0; i < dissect->convert_datatype.count; i++) {
        const struct dissect_conversion *conversion = &dissect->conversions[i];
        const struct value *value = event_get(event, &conversion->field);
        struct value result;
        if (!value)
            continue;
        if (value_type(value) == VALUE_NULL)
            event_add_tag(event, conversion->null_tag);
        else if (converted(conversion, value, event->arena, &result))
            event_set(event, &conversion->field, result, NULL);
        else
            event_add_tag(event, conversion->uncoercible_tag);
    }
}

static enum filter_result dissect_apply(void *self, struct event *event, struct event_sink *more)
{
    (void)more;
    struct dissect *dissect = self;
    bool matched = dissect->mapping.count == 0, failed = false;
    for (size_t i = 0; i < dissect->mapping.count; i++) {
        enum outcome outcome = apply_mapping(dissect, &dissect->mappings[i], event);
        matched |= outcome == OUTCOME_MATCHED;
        failed |= outcome == OUTCOME_FAILED;
    }
    for (size_t i = 0; failed && i < dissect->tag_on_failure.count; i++)
        event_add_tag(event, dissect->tag_on_failure.items[i]);
    convert(dissect, event);
    counter_add(failed ? dissect->failures : dissect->matches, 1);
    return matched && !failed ? FILTER_MATCHED : FILTER_SKIPPED;
}

const struct filter filter_dissect = {
    .plugin = {.name = "dissect",
               .summary = "Text into fields by the text between them.",
               .options = OPTIONS,
               .size = sizeof(struct dissect),
               .check = dissect_check},
    .open = dissect_open,
    .apply = dissect_apply,
};
