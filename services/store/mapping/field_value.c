/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/mapping/field_value.h"

#include <math.h>

bool field_integer_in_range(enum field_type type, int64_t number)
{
    switch ((int)type) {
    case FIELD_BYTE:
        return number >= INT8_MIN && number <= INT8_MAX;
    case FIELD_SHORT:
        return number >= INT16_MIN && number <= INT16_MAX;
    case FIELD_INTEGER:
        return number >= INT32_MIN && number <= INT32_MAX;
    default:
        return true;
    }
}

bool field_real_in_range(enum field_type type, double number)
{
    static const double FLOAT_MAX = 3.4028235677973366e38, HALF_MAX = 65520;
    double max = type == FIELD_FLOAT ? FLOAT_MAX : type == FIELD_HALF_FLOAT ? HALF_MAX : INFINITY;
    return fabs(number) < max;
}

bool field_text_to_integer(struct str text, int64_t *out)
{
    double real;
    if (str_to_int(text, out))
        return true;
    if (!str_to_double(text, &real) || fabs(real) >= 9.2e18)
        return false;
    *out = (int64_t)real;
    return true;
}

bool field_value_boolean(const struct value *value, bool *out)
{
    if (value_type(value) == VALUE_BOOL) {
        *out = value_as_bool(value);
        return true;
    }
    if (!value_is_str(value))
        return false;
    struct str text = value_as_str(value);
    *out = str_equal(text, STR("true"));
    return *out || text.len == 0 || str_equal(text, STR("false"));
}

bool field_value_date(const struct field *field, const struct value *value, int64_t *ms_out)
{
    _Static_assert((int)FLOAT_TEXT_MAX >= (int)INT_TEXT_MAX, "one buffer for both");
    char number[FLOAT_TEXT_MAX];
    struct str text;
    if (value_is_str(value))
        text = value_as_str(value);
    else if (value_type(value) == VALUE_INT)
        text = str_make(number, int_format(value_as_int(value), number));
    else if (value_type(value) == VALUE_FLOAT)
        text = str_make(number, float_format(value_as_float(value), number));
    else
        return false;
    return date_layout_parse(field->format, text, NULL, ms_out, NULL);
}

bool field_value_ip(const struct value *value, struct ip_network *out)
{
    static const unsigned char V4_PREFIX[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (!value_is_str(value) || !ip_network_parse(value_as_str(value), out) ||
        memchr(value_as_str(value).ptr, '/', value_as_str(value).len))
        return false;
    if (out->bytes == 16 && memcmp(out->address, V4_PREFIX, sizeof V4_PREFIX) == 0) {
        memmove(out->address, out->address + 12, 4);
        memset(out->address + 4, 0, 12);
        out->bytes = 4;
        out->prefix = 32;
    }
    return true;
}
