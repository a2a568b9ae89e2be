/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a value fits the type of its field, and what OpenSearch says when it does not.
 */
#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/ip_network.h"
#include "services/store/mapping/field_value.h"
#include "services/store/mapping/mapping_private.h"

/* ---- the words --------------------------------------------------------------------------------------- */

struct check {
    const struct field *field;
    struct str id;
    const struct value *value;
    struct api_error *err;
};

/* "failed to parse field [n] of type [long] …" with its cause. */
static bool malformed(const struct check *check, const char *cause_type, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool malformed(const struct check *check, const char *cause_type, const char *format, ...)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct str preview = value_type(check->value) == VALUE_OBJECT
                             ? value_to_java_text(&arena, check->value)
                             : value_to_text(&arena, check->value);
    api_error_set(
        check->err, 400, "mapper_parsing_exception",
        "failed to parse field [%.*s] of type [%s] in document with id '%.*s'. Preview of "
        "field's value: '%.*s'",
        STR_FMT(check->field->path), check->field->type_name, STR_FMT(check->id), STR_FMT(preview));
    arena_release(&arena);
    char text[API_REASON_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return api_error_cause(check->err, cause_type, "%s", text);
}

static const char *token_name(const struct value *value)
{
    switch (value_type(value)) {
    case VALUE_OBJECT:
        return "START_OBJECT";
    case VALUE_BOOL:
        return value_as_bool(value) ? "VALUE_TRUE" : "VALUE_FALSE";
    case VALUE_FLOAT:
        return "VALUE_NUMBER_FLOAT";
    case VALUE_INT:
    case VALUE_BIG_INT:
        return "VALUE_NUMBER_INT";
    case VALUE_NULL:
    case VALUE_STRING:
    case VALUE_TIMESTAMP:
    case VALUE_ARRAY:
        break;
    }
    return "VALUE_STRING";
}

/* ---- numbers ------------------------------------------------------------------------------------------ */

static bool out_of_range(const struct check *check, struct str digits)
{
    enum field_type type = check->field->type;
    if (type == FIELD_BYTE)
        return malformed(check, "illegal_argument_exception",
                         "Value [%.*s] is out of range for a byte", STR_FMT(digits));
    if (type == FIELD_SHORT)
        return malformed(check, "input_coercion_exception",
                         "Numeric value (%.*s) out of range of Java short", STR_FMT(digits));
    return malformed(check, "input_coercion_exception",
                     type == FIELD_LONG
                         ? "Numeric value (%.*s) out of range of long (-9223372036854775808 - "
                           "9223372036854775807)"
                         : "Numeric value (%.*s) out of range of int (-2147483648 - 2147483647)",
                     STR_FMT(digits));
}

static bool not_a_number(const struct check *check, struct str text)
{
    return malformed(check,
                     check->field->type == FIELD_LONG ? "illegal_argument_exception"
                                                      : "number_format_exception",
                     "For input string: \"%.*s\"", STR_FMT(text));
}

static bool check_integer_text(const struct check *check, struct str text)
{
    if (check->field->refuses_coercion)
        return malformed(check, "illegal_argument_exception", "%s value passed as String",
                         check->field->type == FIELD_LONG ? "Long" : "Integer");
    int64_t number;
    struct str trimmed = str_trim(text);
    if (text.len == 0)
        return true;
    if (field_text_to_integer(trimmed, &number))
        return field_integer_in_range(check->field->type, number) ||
               malformed(check, "illegal_argument_exception",
                         "Value [%.*s] is out of range for %s %s", STR_FMT(trimmed),
                         check->field->type == FIELD_INTEGER ? "an" : "a", check->field->type_name);
    return not_a_number(check, text);
}

static bool check_integer(const struct check *check)
{
    const struct value *value = check->value;
    char digits[INT_TEXT_MAX];
    if (value_type(value) == VALUE_INT) {
        int64_t number = value_as_int(value);
        return field_integer_in_range(check->field->type, number) ||
               out_of_range(check, str_make(digits, int_format(number, digits)));
    }
    if (value_type(value) == VALUE_BIG_INT)
        return out_of_range(check, value_as_str(value));
    if (value_type(value) == VALUE_STRING)
        return check_integer_text(check, value_as_str(value));
    if (value_type(value) != VALUE_FLOAT)
        return malformed(check, "json_parse_exception",
                         "Current token (%s) not numeric, can not use numeric value accessors",
                         token_name(value));
    char text[FLOAT_TEXT_MAX];
    double real = value_as_float(value);
    struct str written = str_make(text, float_format(real, text));
    if (check->field->refuses_coercion && real != trunc(real))
        return malformed(check, "illegal_argument_exception",
                         "%.*s cannot be converted to %s without data loss", STR_FMT(written),
                         check->field->type == FIELD_LONG ? "Long" : "Integer");
    return (fabs(real) < 9.2e18 && field_integer_in_range(check->field->type, (int64_t)real)) ||
           out_of_range(check, written);
}

static bool check_real(const struct check *check)
{
    const struct value *value = check->value;
    double real;
    if (value_type(value) == VALUE_STRING) {
        struct str text = value_as_str(value);
        if (check->field->refuses_coercion)
            return malformed(check, "illegal_argument_exception", "Double value passed as String");
        if (text.len == 0)
            return true;
        if (str_equal(text, STR("NaN")) || str_equal(text, STR("Infinity")) ||
            str_equal(text, STR("-Infinity")))
            return malformed(check, "illegal_argument_exception",
                             "[%s] supports only finite values, but got [%.*s]",
                             check->field->type_name, STR_FMT(text));
        if (!str_to_double(str_trim(text), &real))
            return malformed(check, "number_format_exception", "For input string: \"%.*s\"",
                             STR_FMT(text));
    } else if (!value_number(value, &real)) {
        return malformed(check, "json_parse_exception",
                         "Current token (%s) not numeric, can not use numeric value accessors",
                         token_name(value));
    }
    if (field_real_in_range(check->field->type, real))
        return true;
    char text[FLOAT_TEXT_MAX];
    return malformed(check, "illegal_argument_exception",
                     "[%s] supports only finite values, but got [%.*s]", check->field->type_name,
                     (int)float_format(real, text), text);
}

/* ---- the other types ---------------------------------------------------------------------------------- */

static bool check_boolean(const struct check *check)
{
    bool flag;
    if (field_value_boolean(check->value, &flag))
        return true;
    if (value_is_str(check->value))
        return malformed(check, "illegal_argument_exception",
                         "Failed to parse value [%.*s] as only [true] or [false] are allowed.",
                         STR_FMT(value_as_str(check->value)));
    return malformed(check, "json_parse_exception", "Current token (%s) not of boolean type",
                     token_name(check->value));
}

static bool is_object(const struct check *check)
{
    return value_type(check->value) == VALUE_OBJECT;
}

static bool no_text_in_object(const struct check *check)
{
    return malformed(check, "illegal_state_exception", "Can't get text on a START_OBJECT");
}

static bool check_date(const struct check *check)
{
    int64_t ms;
    if (is_object(check))
        return no_text_in_object(check);
    if (field_value_date(check->field, check->value, &ms))
        return true;
    if (value_is_str(check->value) && value_as_str(check->value).len == 0)
        return malformed(check, "illegal_argument_exception", "cannot parse empty date");
    struct arena arena;
    arena_init(&arena, NULL);
    struct str text = value_to_text(&arena, check->value);
    struct str format = date_layout_text(check->field->format);
    malformed(check, "illegal_argument_exception",
              "failed to parse date field [%.*s] with format [%.*s]", STR_FMT(text),
              STR_FMT(format));
    arena_release(&arena);
    return false;
}

static bool check_ip(const struct check *check)
{
    struct ip_network address;
    if (is_object(check))
        return no_text_in_object(check);
    if (field_value_ip(check->value, &address))
        return true;
    struct arena arena;
    arena_init(&arena, NULL);
    struct str text = value_to_text(&arena, check->value);
    malformed(check, "illegal_argument_exception", "'%.*s' is not an IP string literal.",
              STR_FMT(text));
    arena_release(&arena);
    return false;
}

static bool check_type(const struct check *check)
{
    switch (check->field->type) {
    case FIELD_BYTE:
    case FIELD_SHORT:
    case FIELD_INTEGER:
    case FIELD_LONG:
        return check_integer(check);
    case FIELD_HALF_FLOAT:
    case FIELD_FLOAT:
    case FIELD_DOUBLE:
        return check_real(check);
    case FIELD_BOOLEAN:
        return check_boolean(check);
    case FIELD_DATE:
        return check_date(check);
    case FIELD_IP:
        return check_ip(check);
    case FIELD_KEYWORD:
    case FIELD_TEXT:
        return !is_object(check) || no_text_in_object(check);
    case FIELD_OPAQUE:
    case FIELD_OBJECT:
        return true;
    }
    return true;
}

bool mapping_check_leaf(const struct field *field, struct str id, const struct value *value,
                        struct api_error *err)
{
    assert(field->type != FIELD_OBJECT);
    struct check check = {field, id, value, err};
    bool tolerated = field->ignores_malformed && value_type(value) != VALUE_OBJECT;
    if (!check_type(&check) && !tolerated)
        return false;
    for (size_t i = 0; i < field->count; i++) {
        if (!mapping_check_leaf(field->children[i], id, value, err))
            return false;
    }
    return true;
}
