/* SPDX-License-Identifier: Apache-2.0
 *
 * dissect: text into fields by the literal text between them, without expressions. A template is a literal front and then
 * fields, each with the delimiter that ends it; the last one may have none and takes the rest.
 */
#include <assert.h>
#include <string.h>

#include "filters/filters.h"
#include "pipeline/event/ruby_text.h"

enum { EXPONENT_MAX = 10000 }; /* of a text that becomes an integer */

/* In the order in which they are stored. */
enum dissect_kind { DISSECT_SKIP, DISSECT_SET, DISSECT_APPEND, DISSECT_INDIRECT };

struct dissect_field {
    enum dissect_kind kind;
    struct str name;
    struct field_ref ref;
    struct str before; /* the delimiter in front, which joins an appended value */
    struct str after;  /* the delimiter that ends it; an empty one is never found, as in Logstash */
    bool is_last;      /* takes the rest of the text */
    bool is_padded;    /* "->": the delimiter may be repeated */
    int64_t order;     /* of an append */
};

struct dissect_mapping {
    struct field_ref source;
    struct str front;
    struct dissect_field *fields;
    size_t *apply_order; /* plain fields, then appends by their number, then indirect ones */
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
    struct str *values; /* what the fields of the longest template found in an event */
    size_t most_fields;
    struct dissect_conversion *conversions;
    struct counter *matches, *failures;
};

static const struct option OPTIONS[] = {
    {
        .name = "mapping",
        .doc =
            "Field => template of %{name} and the text between, e.g. \"%{ts} %{+ts} %{src}:%{}\".",
        OPTION_IN_HASH(struct dissect, mapping),
        .flags = OPTION_PATTERNS,
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

/* "/12" at the end: the number of an append. */
static bool take_order(struct str *text, int64_t *order_out)
{
    for (size_t digits = 1; digits <= 2 && digits < text->len; digits++) {
        size_t at = text->len - digits;
        if (text->ptr[at - 1] != '/' || text->ptr[at] < '0' || text->ptr[at] > '9')
            continue;
        if (!str_to_int(str_from_offset(*text, at), order_out))
            return false;
        text->len = at - 1;
        return true;
    }
    return false;
}

static bool take_arrow(struct str *text)
{
    bool found = str_ends_with(*text, STR("->"));
    text->len -= found ? 2 : 0;
    return found;
}

/* "->" and "/NUMBER", each once and in any order; every kind of field may have them. */
static void take_suffixes(struct str *text, struct dissect_field *out)
{
    out->is_padded = take_arrow(text);
    bool ordered = take_order(text, &out->order);
    if (ordered && !out->is_padded)
        out->is_padded = take_arrow(text);
}

static enum dissect_kind kind_of(struct str text)
{
    switch (text.len > 0 ? text.ptr[0] : '?') {
    case '?':
        return DISSECT_SKIP;
    case '+':
        return DISSECT_APPEND;
    case '&':
        return DISSECT_INDIRECT;
    default:
        return DISSECT_SET;
    }
}

/* Reads what stands inside %{…}. */
static bool read_field(const struct plugin_env *env, struct str text, struct dissect_field *out,
                       struct error *err)
{
    struct str whole = text;
    if (str_starts_with(text, STR("+&")) || str_starts_with(text, STR("&+")))
        return error_set(err, ERROR_CONFIG, "field '%.*s' cannot have both + and &",
                         STR_FMT(whole));
    out->kind = kind_of(text);
    if (out->kind != DISSECT_SET)
        text = str_from_offset(text, text.len > 0);
    take_suffixes(&text, out);
    if (text.len == 0 && (out->kind == DISSECT_APPEND || out->kind == DISSECT_INDIRECT))
        return error_set(err, ERROR_CONFIG, "field '%.*s' needs a name", STR_FMT(whole));
    out->name = text;
    if (out->kind == DISSECT_SET && text.len == 0) { /* %{->}: a field whose name is nothing */
        struct field_part *part = arena_zero(env->arena, sizeof *part);
        part->name = STR("");
        out->ref = (struct field_ref){.text = STR("[]"), .parts = part, .count = 1};
        return true;
    }
    /* Logstash finds out about a wrong name when it stores a match. */
    if (out->kind != DISSECT_SKIP &&
        !field_ref_parse(env->arena, text, env->settings->escape, &out->ref, NULL))
        out->ref = (struct field_ref){.text = {NULL, 0}};
    return true;
}

static bool is_unusable(const struct dissect_field *field)
{
    return field->kind != DISSECT_SKIP && !field->ref.text.ptr;
}

static void warn_of_names(const struct plugin_env *env, const struct dissect_mapping *mapping,
                          struct error_position position)
{
    for (size_t i = 0; i < mapping->count && env->warnings; i++)
        if (is_unusable(&mapping->fields[i]))
            error_list_warn_at(env->warnings, position,
                               "filter 'dissect': '%.*s' is not a field reference: what this "
                               "template fits fails there and gets the failure tags",
                               STR_FMT(mapping->fields[i].name));
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
    return a->kind != b->kind ? a->kind < b->kind
                              : a->kind == DISSECT_APPEND && a->order < b->order;
}

/* An insertion sort keeps the order of the text among equals. */
static void sort_fields(struct arena *arena, struct dissect_mapping *mapping)
{
    mapping->apply_order = arena_zero(arena, mapping->count * sizeof *mapping->apply_order);
    for (size_t i = 0; i < mapping->count; i++) {
        size_t at = i;
        while (at > 0 &&
               comes_before(&mapping->fields[i], &mapping->fields[mapping->apply_order[at - 1]])) {
            mapping->apply_order[at] = mapping->apply_order[at - 1];
            at--;
        }
        mapping->apply_order[at] = i;
    }
}

/* What follows the last field counts from the last } on: so does Logstash. */
static struct str last_delimiter(struct str text)
{
    size_t from = text.len;
    while (from > 0 && text.ptr[from - 1] != '}')
        from--;
    return str_from_offset(text, from);
}

static size_t count_fields(struct str text)
{
    size_t count = 0, start, end;
    for (size_t at = 0; find_field(text, at, &start, &end); at = end)
        count++;
    return count;
}

static bool read_template(const struct plugin_env *env, struct str text,
                          struct dissect_mapping *out, struct error *err)
{
    size_t start, end, next_start, next_end;
    bool more = find_field(text, 0, &start, &end);
    if (text.len == 0)
        return true;
    if (!more)
        return error_set(err, ERROR_CONFIG, "the template '%.*s' has no field %%{…}",
                         STR_FMT(text));
    out->fields = arena_zero(env->arena, count_fields(text) * sizeof *out->fields);
    out->front = str_make(text.ptr, start);
    struct str before = STR("");
    for (; more; start = next_start, end = next_end) {
        struct dissect_field *field = &out->fields[out->count++];
        if (!read_field(env, str_make(text.ptr + start + 2, end - start - 3), field, err))
            return false;
        more = find_field(text, end, &next_start, &next_end);
        field->before = before;
        field->after = more ? str_make(text.ptr + end, next_start - end)
                            : last_delimiter(str_from_offset(text, end));
        field->is_last = !more && field->after.len == 0;
        before = field->after;
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
    out->to_int = str_equal_nocase(type, STR("int"));
    if (!out->to_int && !str_equal_nocase(type, STR("float"))) {
        err->position = pair->value.position;
        return error_set(err, ERROR_CONFIG,
                         "convert_datatype of '%.*s' is '%.*s', expected int or float",
                         STR_FMT(name), STR_FMT(type));
    }
    out->uncoercible_tag =
        arena_printf(arena, "_dataconversionuncoercible_%.*s_%.*s", STR_FMT(name), STR_FMT(type));
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
            read_template(env, pair->value.text, &dissect->mappings[i], err)) {
            warn_of_names(env, &dissect->mappings[i], pair->value.position);
            if (dissect->mappings[i].count > dissect->most_fields)
                dissect->most_fields = dissect->mappings[i].count;
            continue;
        }
        err->position = pair->value.position;
        return false;
    }
    dissect->values = arena_alloc(env->arena, dissect->most_fields * sizeof *dissect->values);
    for (size_t i = 0; i < dissect->convert_datatype.count; i++)
        if (!read_conversion(dissect, &dissect->convert_datatype.pairs[i], &dissect->conversions[i],
                             err))
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

/* Finds the text of every field; false when a delimiter is missing. A delimiter at the very start of the text ends an
 * empty field and stays in the next one, as in Logstash. */
static bool cut(const struct dissect_mapping *mapping, struct str text, struct str *values)
{
    if (!str_starts_with(text, mapping->front))
        return false;
    size_t at = mapping->front.len;
    for (size_t i = 0; i < mapping->count; i++) {
        const struct dissect_field *field = &mapping->fields[i];
        struct str rest = str_from_offset(text, at);
        if (field->is_last) {
            values[i] = rest;
            return true;
        }
        size_t len = field->after.len == 0 ? SIZE_MAX : str_find(rest, field->after);
        if (len == SIZE_MAX)
            return false;
        values[i] = str_make(rest.ptr, len);
        if (at + len > 0)
            at += len + field->after.len;
        while (field->is_padded && str_starts_with(str_from_offset(text, at), field->after))
            at += field->after.len;
    }
    return true;
}

/* To what the field holds, from this text or from before it. */
static bool append(struct event *event, const struct dissect_field *field, struct str value)
{
    const struct value *old = event_get(event, &field->ref);
    if (!old || value_type(old) == VALUE_NULL)
        return event_set(event, &field->ref, value_str(value), NULL);
    struct str joint = field->before.len > 0 ? field->before : STR(" ");
    struct str text =
        arena_printf(event->arena, "%.*s%.*s%.*s", STR_FMT(value_to_java_text(event->arena, old)),
                     STR_FMT(joint), STR_FMT(value));
    return event_set(event, &field->ref, value_str(text), NULL);
}

/* The name that %{&key} stands for: what the event's field holds, or what another field of the template found. */
static struct str indirect_name(const struct dissect_mapping *mapping, const struct event *event,
                                const struct str *values, size_t index)
{
    const struct dissect_field *field = &mapping->fields[index];
    const struct value *named = event_get(event, &field->ref);
    if (named)
        return value_to_java_text(event->arena, named);
    for (size_t i = 0; i < mapping->count; i++)
        if (i != index && str_equal(mapping->fields[i].name, field->name))
            return values[i];
    return STR("");
}

static bool set_indirect(const struct dissect *dissect, const struct dissect_mapping *mapping,
                         struct event *event, const struct str *values, size_t index)
{
    struct field_ref ref;
    struct str name = indirect_name(mapping, event, values, index);
    if (name.len == 0)
        return true;
    return field_ref_parse(event->arena, name, dissect->env->settings->escape, &ref, NULL) &&
           event_set(event, &ref, value_str(values[index]), NULL);
}

static bool store_field(const struct dissect *dissect, const struct dissect_mapping *mapping,
                        struct event *event, size_t index)
{
    const struct dissect_field *field = &mapping->fields[index];
    if (is_unusable(field))
        return false;
    switch (field->kind) {
    case DISSECT_SKIP:
        break;
    case DISSECT_SET:
        return event_set(event, &field->ref, value_str(dissect->values[index]), NULL);
    case DISSECT_APPEND:
        return append(event, field, dissect->values[index]);
    case DISSECT_INDIRECT:
        return set_indirect(dissect, mapping, event, dissect->values, index);
    }
    return true;
}

/* False at the first field that cannot be set; those before it stay. */
static bool store(const struct dissect *dissect, const struct dissect_mapping *mapping,
                  struct event *event)
{
    for (size_t i = 0; i < mapping->count; i++)
        if (!store_field(dissect, mapping, event, mapping->apply_order[i]))
            return false;
    return true;
}

enum dissect_outcome { DISSECT_FITS, DISSECT_DIFFERS, DISSECT_BREAKS };

/* Each template that fits gets the common options, and each that does not the failure tags. One whose values cannot be
 * stored breaks off what the filter does with this event. */
static enum dissect_outcome
apply_mapping(struct dissect *dissect, const struct dissect_mapping *mapping, struct event *event)
{
    const struct value *source = event_get(event, &mapping->source);
    if (mapping->count == 0)
        return DISSECT_FITS;
    if (!source)
        return DISSECT_DIFFERS;
    struct str text = ruby_text(event->arena, source);
    bool fits =
        value_type(source) != VALUE_NULL && text.len > 0 && cut(mapping, text, dissect->values);
    bool stored = fits && store(dissect, mapping, event);
    if (stored && filter_decorate(dissect->env, event))
        return DISSECT_FITS;
    event_add_tags(event, &dissect->tag_on_failure);
    return fits && !stored ? DISSECT_BREAKS : DISSECT_DIFFERS;
}

/* As Java's BigDecimal reads it: no blanks, no hexadecimal, no names. */
static bool is_decimal(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!strchr("0123456789+-.eE", text.ptr[i]) || text.ptr[i] == '\0')
            return false;
    return text.len > 0;
}

static bool is_digits(struct str text)
{
    size_t i = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+');
    for (; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return true;
}

static bool strip_sign(struct str *text)
{
    bool negative = str_starts_with(*text, STR("-"));
    *text = str_from_offset(*text, negative || str_starts_with(*text, STR("+")));
    return negative;
}

/* What "e" in number stands before; number is then the digits and the point in front of it. */
static bool split_exponent(struct str *number, int64_t *exponent_out)
{
    size_t mark = 0;
    while (mark < number->len && (number->ptr[mark] | 0x20) != 'e')
        mark++;
    struct str exponent = str_from_offset(*number, mark + (mark < number->len));
    *exponent_out = 0;
    number->len = mark;
    return exponent.len == 0 || (str_to_int(exponent, exponent_out) &&
                                 *exponent_out <= EXPONENT_MAX && *exponent_out >= -EXPONENT_MAX);
}

/* What stands before the point of a number that is_decimal, all of its digits: 1.25e1 is 12. False: more of them than an
 * exponent may ask for. */
static bool to_integer(struct arena *arena, struct str number, struct value *out)
{
    int64_t exponent, integer;
    if (!split_exponent(&number, &exponent))
        return false;
    bool negative = strip_sign(&number);
    size_t point = str_find(number, STR(".")), len = 1;
    int64_t whole = (int64_t)(point == SIZE_MAX ? number.len : point) + exponent;
    char *digits = arena_bytes(arena, whole > 0 ? (size_t)whole + 1 : 1);
    digits[0] = negative ? '-' : '0';
    for (int64_t i = 0, at = 0; i < whole; i++, at++) {
        at += (size_t)at == point;
        char digit = (size_t)at < number.len ? number.ptr[at] : '0';
        if (digit != '0' || len > 1)
            digits[len++] = digit;
    }
    struct str text = str_make(digits + !negative, len - !negative);
    bool is_zero = len == 1;
    *out = is_zero                      ? value_int(0)
           : str_to_int(text, &integer) ? value_int(integer)
                                        : value_big_int(text);
    return true;
}

/* A text without a fraction is a whole number as a float, too. */
static bool converted(const struct dissect_conversion *conversion, const struct value *value,
                      struct arena *arena, struct value *out)
{
    double real;
    struct str text = value_to_text(arena, value);
    if (!is_decimal(text) || !str_to_double(text, &real))
        return false;
    if (conversion->to_int || is_digits(text))
        return to_integer(arena, text, out);
    if (!value_decimal(arena, text, out))
        *out = value_float(real);
    return true;
}

static void convert(const struct dissect *dissect, struct event *event)
{
    for (size_t i = 0; i < dissect->convert_datatype.count; i++) {
        const struct dissect_conversion *conversion = &dissect->conversions[i];
        const struct value *value = event_get(event, &conversion->field);
        struct value result;
        if (!value || value_type(value) == VALUE_NULL)
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
    bool all = true, breaks = false;
    for (size_t i = 0; i < dissect->mapping.count && !breaks; i++) {
        enum dissect_outcome outcome = apply_mapping(dissect, &dissect->mappings[i], event);
        all = all && outcome == DISSECT_FITS;
        breaks = outcome == DISSECT_BREAKS;
    }
    if (!breaks)
        convert(dissect, event);
    counter_add(all ? dissect->matches : dissect->failures, 1);
    return FILTER_SKIPPED;
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
