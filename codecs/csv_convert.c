/* SPDX-License-Identifier: Apache-2.0 */
#include "codecs/csv_convert.h"

#include <math.h>

#include "base/text/ascii.h"
#include "base/text/case_map.h"
#include "base/time/date_names.h"
#include "base/time/zone.h"

enum {
    TWO_DIGIT_YEARS_1900 = 69, /* and above */
    MONTH_LETTERS = 3,
    NAME_LETTERS_MIN = 3,
};

bool csv_type_parse(struct str name, enum csv_type *out)
{
    static const struct {
        struct str name;
        enum csv_type type;
    } TYPES[] = {
        {STR_INIT("integer"), CSV_INTEGER}, {STR_INIT("float"), CSV_FLOAT},
        {STR_INIT("date"), CSV_DATE},       {STR_INIT("date_time"), CSV_DATE_TIME},
        {STR_INIT("boolean"), CSV_BOOLEAN},
    };
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        if (str_equal(name, TYPES[i].name)) {
            *out = TYPES[i].type;
            return true;
        }
    }
    return false;
}

/* ---- numbers, as Ruby's Integer() and Float() read them --------------------------------------------- */

static bool is_alphanumeric(char c)
{
    return ascii_is_digit(c) || ascii_is_letter(c);
}

/* Without the underscores, each of which must stand between two digits or letters. False: one does not. */
static bool without_underscores(struct arena *arena, struct str text, struct str *out)
{
    *out = text;
    if (text.len == 0 || !memchr(text.ptr, '_', text.len))
        return true;
    char *bytes = arena_bytes(arena, text.len);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '_') {
            bytes[len++] = text.ptr[i];
            continue;
        }
        if (i == 0 || i + 1 == text.len || !is_alphanumeric(text.ptr[i - 1]) ||
            !is_alphanumeric(text.ptr[i + 1]))
            return false;
    }
    *out = str_make(bytes, len);
    return true;
}

/* Takes 0x, 0b, 0o, 0d or a leading 0 (octal) off the digits. */
static unsigned take_base(struct str *digits)
{
    if (digits->len < 2 || digits->ptr[0] != '0')
        return 10;
    char mark = (char)(digits->ptr[1] | 0x20);
    unsigned base = mark == 'x' ? 16 : mark == 'b' ? 2 : mark == 'o' ? 8 : mark == 'd' ? 10 : 0;
    *digits = str_from_offset(*digits, base ? 2 : 1);
    return base ? base : 8;
}

static bool digits_to_int(struct str digits, unsigned base, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.ptr[i];
        unsigned digit =
            ascii_is_digit(c) ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a') + 10;
        if (!is_alphanumeric(c) || digit >= base || value > ((uint64_t)INT64_MAX - digit) / base)
            return false;
        value = value * base + digit;
    }
    *out = value;
    return digits.len > 0;
}

static bool all_digits(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!ascii_is_digit(text.ptr[i]))
            return false;
    }
    return text.len > 0;
}

static bool to_integer(struct arena *arena, struct str text, struct value *out)
{
    struct str number;
    if (!without_underscores(arena, str_trim(text), &number) || number.len == 0)
        return false;
    bool negative = number.ptr[0] == '-';
    struct str digits = str_from_offset(number, negative || number.ptr[0] == '+');
    uint64_t value;
    struct str rest = digits;
    unsigned base = take_base(&rest);
    if (digits_to_int(rest, base, &value)) {
        *out = value_int(negative ? -(int64_t)value : (int64_t)value);
        return true;
    }
    if (base != 10 || !all_digits(rest))
        return false;
    *out = value_big_int(arena_printf(arena, "%s%.*s", negative ? "-" : "", STR_FMT(rest)));
    return true;
}

static bool to_float(struct arena *arena, struct str text, struct value *out)
{
    struct str number;
    double real;
    if (!without_underscores(arena, str_trim(text), &number))
        return false;
    size_t point = str_find(number, STR("."));
    if (point != SIZE_MAX && (point + 1 == number.len || !ascii_is_digit(number.ptr[point + 1])))
        return false;
    if (!str_to_double(number, &real) || !isfinite(real))
        return false;
    *out = value_float(real);
    return true;
}

/* ---- dates ------------------------------------------------------------------------------------------ */

static bool take_blanks(struct str *text)
{
    struct str trimmed = *text;
    while (trimmed.len > 0 && (trimmed.ptr[0] == ' ' || trimmed.ptr[0] == '\t'))
        trimmed = str_from_offset(trimmed, 1);
    bool taken = trimmed.len < text->len;
    *text = trimmed;
    return taken;
}

static bool take_number(struct str *text, size_t digits_min, size_t digits_max, int *out)
{
    size_t digits = 0;
    int value = 0;
    for (; digits < digits_max && digits < text->len && ascii_is_digit(text->ptr[digits]); digits++)
        value = value * 10 + (text->ptr[digits] - '0');
    *text = str_from_offset(*text, digits);
    *out = value;
    return digits >= digits_min;
}

static bool take_char(struct str *text, char wanted)
{
    if (text->len == 0 || text->ptr[0] != wanted)
        return false;
    *text = str_from_offset(*text, 1);
    return true;
}

static struct str take_word(struct str *text)
{
    struct str word = str_make(text->ptr, 0);
    while (word.len < text->len && is_alphanumeric(text->ptr[word.len]))
        word.len++;
    *text = str_from_offset(*text, word.len);
    return word;
}

/* A name is known by its first three letters. */
static int find_name(struct str word, const char *const *names, int count)
{
    for (int i = 0; i < count && word.len >= NAME_LETTERS_MIN; i++) {
        if (str_equal_nocase(str_make(word.ptr, MONTH_LETTERS), str_make(names[i], MONTH_LETTERS)))
            return i;
    }
    return -1;
}

/* [Weekday[,] ]Month day, before the year or the time. */
static bool take_month_day(struct str *text, struct civil *civil)
{
    const struct date_names *names = date_names_english();
    struct str word = take_word(text);
    if (find_name(word, names->weekdays, 7) >= 0) {
        take_char(text, ',');
        if (!take_blanks(text))
            return false;
        word = take_word(text);
    }
    civil->month = find_name(word, names->months, 12) + 1;
    return civil->month > 0 && take_blanks(text) && take_number(text, 1, 2, &civil->day);
}

static bool take_clock(struct str *text, struct civil *civil)
{
    return take_number(text, 1, 2, &civil->hour) && take_char(text, ':') &&
           take_number(text, 1, 2, &civil->minute) && take_char(text, ':') &&
           take_number(text, 1, 2, &civil->second) && civil->hour <= 23 && civil->minute <= 59 &&
           civil->second <= 59;
}

/* [,] year at the end; two digits are of 1969 to 2068. */
static bool take_last_year(struct str *text, struct civil *civil)
{
    int year;
    take_char(text, ',');
    if (!take_blanks(text))
        return false;
    size_t digits = text->len;
    if (!take_number(text, 2, 4, &year) || text->len > 0)
        return false;
    if (digits == 2)
        year += year >= TWO_DIGIT_YEARS_1900 ? 1900 : 2000;
    civil->year = year;
    return civil->day >= 1 && civil->day <= civil_days_in_month(civil->year, civil->month);
}

static bool starts_with_iso_date(struct str text)
{
    return text.len >= 10 && ascii_is_digit(text.ptr[0]) && text.ptr[4] == '-' &&
           text.ptr[7] == '-';
}

static bool to_date(struct str text, struct value *out)
{
    struct civil civil = {0};
    struct instant at;
    if (starts_with_iso_date(text)) {
        if (text.len != 10 || !instant_parse_iso8601(text, &at))
            return false;
    } else {
        if (!take_month_day(&text, &civil) || !take_last_year(&text, &civil))
            return false;
        at = (struct instant){civil_to_seconds(&civil), 0};
    }
    if (!zone_local_to_utc(zone_host(), at.seconds, &at.seconds))
        return false;
    *out = value_timestamp(at);
    return true;
}

static bool to_date_time(struct str text, struct value *out)
{
    struct civil civil = {0};
    struct instant at;
    if (starts_with_iso_date(text)) {
        if (str_ends_with(text, STR(" UTC")))
            text.len -= 4;
        else if (str_ends_with(text, STR(" Z")))
            text.len -= 2;
        if (!instant_parse_iso8601(text, &at))
            return false;
    } else {
        if (!take_month_day(&text, &civil) || !take_blanks(&text) || !take_clock(&text, &civil) ||
            !take_last_year(&text, &civil))
            return false;
        at = (struct instant){civil_to_seconds(&civil), 0};
    }
    *out = value_timestamp(at);
    return true;
}

/* ---- all -------------------------------------------------------------------------------------------- */

/* true and false in any case; anything else comes back in lower case without blanks around it. */
static struct value to_boolean(struct arena *arena, struct str text)
{
    struct str trimmed = str_trim(text);
    if (str_equal_nocase(trimmed, STR("true")))
        return value_bool(true);
    if (str_equal_nocase(trimmed, STR("false")))
        return value_bool(false);
    return value_str(case_lower(arena, trimmed));
}

bool csv_convert(struct arena *arena, enum csv_type type, struct str text, struct value *out)
{
    bool converted = false;
    *out = text.ptr ? value_str(text) : value_null();
    if (!text.ptr)
        return type != CSV_BOOLEAN;
    switch (type) {
    case CSV_TEXT:
        return true;
    case CSV_BOOLEAN:
        *out = to_boolean(arena, text);
        return true;
    case CSV_INTEGER:
        converted = to_integer(arena, text, out);
        break;
    case CSV_FLOAT:
        converted = to_float(arena, text, out);
        break;
    case CSV_DATE:
        converted = to_date(text, out);
        break;
    case CSV_DATE_TIME:
        converted = to_date_time(text, out);
        break;
    }
    if (!converted)
        *out = value_str(text);
    return true;
}
