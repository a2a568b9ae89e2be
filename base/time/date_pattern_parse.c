/* SPDX-License-Identifier: Apache-2.0
 *
 * Text to field values, part by part and without going back, as Joda-Time's parser does it. What the values mean
 * together is date_pattern_resolve.c.
 */
#include <assert.h>

#include "base/text/ascii.h"
#include "base/text/utf8.h"
#include "base/time/date_names.h"
#include "base/time/date_pattern.h"
#include "base/time/date_pattern_parts.h"
#include "base/time/zone.h"

enum {
    NUMBER_DIGITS_MAX = 9, /* fits an int32_t */
    ZONE_ID_BYTES_MAX = 40,
    PIVOT_YEARS_BACK =
        30, /* two digits mean a year from 80 back to 19 ahead of this many years ago */
    HALF_CENTURY = 50,
};

static inline char fold_ascii(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline size_t left_of(const struct date_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

void date_store(struct date_reader *reader, enum date_field field, int32_t value)
{
    assert(field < DATE_FIELDS_PARSED);
    reader->out->present |= 1u << field;
    reader->out->values[field] = value;
}

bool date_take_char(struct date_reader *reader, char wanted)
{
    if (reader->at == reader->end || fold_ascii(*reader->at) != fold_ascii(wanted))
        return false;
    reader->at++;
    return true;
}

bool date_take_number(struct date_reader *reader, enum date_field field, unsigned max_digits,
                      bool is_signed)
{
    const char *at = reader->at;
    bool negative = false;
    if (is_signed && left_of(reader) > 1 && (*at == '-' || *at == '+'))
        negative = *at++ == '-';
    const char *first = at, *end = reader->end;
    unsigned digit, most = max_digits < NUMBER_DIGITS_MAX ? max_digits : NUMBER_DIGITS_MAX;
    int32_t value = 0;
    if ((size_t)(end - at) > most)
        end = at + most;
    for (; at < end && (digit = (unsigned char)*at - (unsigned)'0') <= 9; at++)
        value = value * 10 + (int32_t)digit;
    bool goes_on = at == first + most && most < max_digits && at < reader->end;
    if (at == first || (goes_on && ascii_is_digit(*at)))
        return false;
    reader->at = at;
    date_store(reader, field, negative ? -value : value);
    return true;
}

/* The year with these last two digits that is nearest to the pivot. */
static int32_t year_near(int64_t pivot, int two_digits)
{
    int64_t low = pivot - HALF_CENTURY;
    int64_t past_low = two_digits - (low % 100 + 100) % 100;
    return (int32_t)(low + (past_low < 0 ? past_low + 100 : past_low));
}

static int64_t local_year(const struct date_parse_context *ctx)
{
    struct instant now = ctx->now;
    now.seconds += zone_offset_at(zone_host(), now.seconds);
    return civil_from_instant(now).year;
}

static bool take_two_digit_year(struct date_reader *reader, const struct date_part *part)
{
    size_t digits = 0;
    while (digits < left_of(reader) && ascii_is_digit(reader->at[digits]))
        digits++;
    if (part->lenient && digits != 2)
        return date_take_number(reader, part->field, DATE_LETTERS_MAX, true);
    if (digits < 2)
        return false;
    int value = (reader->at[0] - '0') * 10 + (reader->at[1] - '0');
    date_store(reader, part->field, year_near(local_year(reader->ctx) - PIVOT_YEARS_BACK, value));
    reader->at += 2;
    return true;
}

bool date_take_fraction(struct date_reader *reader, unsigned max_digits)
{
    int32_t value = 0, unit = 100;
    unsigned digits = 0;
    for (; digits < max_digits && reader->at < reader->end && ascii_is_digit(*reader->at);
         digits++) {
        value += (*reader->at++ - '0') * unit;
        unit /= 10;
    }
    date_store(reader, DATE_FRACTION, value);
    return digits > 0;
}

static bool starts_nocase(struct str text, struct str wanted)
{
    if (text.len < wanted.len)
        return false;
    for (size_t i = 0; i < wanted.len; i++) {
        if (fold_ascii(text.ptr[i]) != fold_ascii(wanted.ptr[i]))
            return false;
    }
    return true;
}

static bool take_literal(struct date_reader *reader, struct str literal)
{
    if (!starts_nocase(str_make(reader->at, left_of(reader)), literal))
        return false;
    reader->at += literal.len;
    return true;
}

/* Upper case of the letters that names are made of: ASCII and Latin-1 (as UTF-8, C3 A0..BE). */
static void upper_name(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];
        bool latin = i > 0 && (unsigned char)text[i - 1] == 0xC3 && byte >= 0xA0 && byte != 0xB7;
        if ((byte >= 'a' && byte <= 'z') || latin)
            text[i] = (char)(byte - 0x20);
    }
}

static void lower_name(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];
        bool latin = i > 0 && (unsigned char)text[i - 1] == 0xC3 && byte >= 0x80 && byte < 0x9F &&
                     byte != 0x97;
        if ((byte >= 'A' && byte <= 'Z') || latin)
            text[i] = (char)(byte + 0x20);
    }
}

/* A name is known as it is written, in lower case and in upper case; mixtures are not. */
static bool starts_with_name(struct str text, struct str name)
{
    enum { NAME_BYTES_MAX = 32 };
    char variant[NAME_BYTES_MAX];
    assert(name.len > 0 && name.len <= sizeof variant);
    if (text.len < name.len)
        return false;
    if (memcmp(text.ptr, name.ptr, name.len) == 0)
        return true;
    memcpy(variant, name.ptr, name.len);
    lower_name(variant, name.len);
    if (memcmp(text.ptr, variant, name.len) == 0)
        return true;
    upper_name(variant, name.len);
    return memcmp(text.ptr, variant, name.len) == 0;
}

/* Remembers the longest name that the text starts with. */
struct name_match {
    size_t len;
    int index;
};

enum { CASE_BIT = 0x20 };

/* Whether the text may begin with the name in one of its cases, which change one bit of a letter. */
static bool may_start_with(struct str text, const char *name)
{
    for (size_t i = 0; name[i]; i++)
        if (i == text.len || (text.ptr[i] | CASE_BIT) != (name[i] | CASE_BIT))
            return false;
    return true;
}

static void match_names(struct str text, const char *const *names, int count,
                        struct name_match *match)
{
    int first = text.len > 0 ? text.ptr[0] | CASE_BIT : 0;
    for (int i = 0; i < count; i++) {
        /* Most names are ruled out by their first byte, nearly all others by their next ones. */
        if ((names[i][0] | CASE_BIT) != first || !may_start_with(text, names[i]))
            continue;
        struct str name = str_from(names[i]);
        if (name.len > match->len && starts_with_name(text, name))
            *match = (struct name_match){name.len, i};
    }
}

/* Short and full names are taken whichever the pattern asks for. */
static bool take_name(struct date_reader *reader, enum date_field field)
{
    static const char *const ERAS[] = {"BC", "AD", "BCE", "CE"};
    const struct date_names *names = reader->ctx->names ? reader->ctx->names : date_names_english();
    struct str text = str_make(reader->at, left_of(reader));
    struct name_match match = {0, 0};
    int32_t value = 0;
    if (field == DATE_MONTH) {
        match_names(text, names->months, 12, &match);
        match_names(text, names->short_months, 12, &match);
        value = match.index + 1;
    } else if (field == DATE_WEEKDAY) {
        match_names(text, names->weekdays, 7, &match);
        match_names(text, names->short_weekdays, 7, &match);
        value = match.index + 1;
    } else if (field == DATE_HALF_DAY) {
        match_names(text, names->half_days, 2, &match);
        value = match.index;
    } else {
        match_names(text, ERAS, 4, &match);
        value = match.index % 2;
    }
    if (match.len == 0)
        return false;
    date_store(reader, field, value);
    reader->at += match.len;
    return true;
}

/* Exactly two digits. */
static bool take_two(struct date_reader *reader, int max, int *out)
{
    if (left_of(reader) < 2 || !ascii_is_digit(reader->at[0]) || !ascii_is_digit(reader->at[1]))
        return false;
    *out = (reader->at[0] - '0') * 10 + (reader->at[1] - '0');
    reader->at += 2;
    return *out <= max;
}

/* Milliseconds of an offset, at most three digits. */
static bool take_offset_fraction(struct date_reader *reader, int32_t *offset_ms)
{
    int32_t unit = 100;
    const char *start = reader->at;
    for (; unit > 0 && reader->at < reader->end && ascii_is_digit(*reader->at); unit /= 10)
        *offset_ms += (*reader->at++ - '0') * unit;
    return reader->at > start;
}

/* The next part of an offset goes on when its separator is there (or, without separators, a digit). False when the
 * offset ends here. */
static bool offset_goes_on(struct date_reader *reader, bool separated, const char *separators)
{
    if (reader->at == reader->end)
        return false;
    if (!separated)
        return ascii_is_digit(*reader->at);
    if (!strchr(separators, *reader->at) || *reader->at == 0)
        return false;
    reader->at++;
    return true;
}

bool date_take_offset(struct date_reader *reader)
{
    reader->out->has_offset = true;
    if (date_take_char(reader, 'Z')) {
        reader->out->offset_ms = 0;
        return true;
    }
    if (left_of(reader) < 2 || (*reader->at != '-' && *reader->at != '+'))
        return false;
    bool west = *reader->at++ == '-';
    int hours = 0, minutes = 0, seconds = 0;
    int32_t fraction_ms = 0;
    if (!take_two(reader, 23, &hours))
        return false;
    bool separated = reader->at < reader->end && *reader->at == ':';
    bool ok = true;
    if (offset_goes_on(reader, separated, ":")) {
        ok = take_two(reader, 59, &minutes);
        if (ok && offset_goes_on(reader, separated, ":")) {
            ok = take_two(reader, 59, &seconds);
            if (ok && offset_goes_on(reader, separated, ".,"))
                ok = take_offset_fraction(reader, &fraction_ms);
        }
    }
    int32_t offset_ms = ((hours * 60 + minutes) * 60 + seconds) * 1000 + fraction_ms;
    reader->out->offset_ms = west ? -offset_ms : offset_ms;
    return ok;
}

/* The longest prefix of the text that is the name of a zone. */
static bool take_zone_id(struct date_reader *reader)
{
    size_t len = 0;
    while (len < left_of(reader) && len < ZONE_ID_BYTES_MAX && zone_id_byte(reader->at[len]))
        len++;
    for (; len > 0; len--) {
        const struct zone *zone = zone_find_region(str_make(reader->at, len));
        if (zone) {
            reader->out->zone = zone;
            reader->at += len;
            return true;
        }
    }
    return false;
}

/* The few abbreviations that Joda-Time reads; others are ambiguous. */
static bool take_zone_name(struct date_reader *reader)
{
    static const struct {
        struct str name;
        struct str id;
    } NAMES[] = {
        {STR_INIT("UTC"), STR_INIT("UTC")},
        {STR_INIT("UT"), STR_INIT("UTC")},
        {STR_INIT("GMT"), STR_INIT("UTC")},
        {STR_INIT("EST"), STR_INIT("America/New_York")},
        {STR_INIT("EDT"), STR_INIT("America/New_York")},
        {STR_INIT("CST"), STR_INIT("America/Chicago")},
        {STR_INIT("CDT"), STR_INIT("America/Chicago")},
        {STR_INIT("MST"), STR_INIT("America/Denver")},
        {STR_INIT("MDT"), STR_INIT("America/Denver")},
        {STR_INIT("PST"), STR_INIT("America/Los_Angeles")},
        {STR_INIT("PDT"), STR_INIT("America/Los_Angeles")},
    };
    struct str text = str_make(reader->at, left_of(reader));
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (!str_starts_with(text, NAMES[i].name))
            continue;
        reader->out->zone = zone_find(NAMES[i].id, NULL);
        reader->at += NAMES[i].name.len;
        return reader->out->zone != NULL;
    }
    return false;
}

static bool take_part(struct date_reader *reader, const struct date_part *part)
{
    if (part->field == DATE_LITERAL)
        return take_literal(reader, part->literal);
    if (part->field == DATE_ZONE_OFFSET)
        return date_take_offset(reader);
    if (part->field == DATE_ZONE_ID)
        return take_zone_id(reader);
    if (part->field == DATE_ZONE_NAME)
        return take_zone_name(reader);
    if (part->field == DATE_FRACTION)
        return date_take_fraction(reader, part->max_digits);
    if (part->form == DATE_NUMBER)
        return date_take_number(reader, part->field, part->max_digits, part->is_signed);
    if (part->form == DATE_TWO_DIGITS)
        return take_two_digit_year(reader, part);
    return take_name(reader, part->field);
}

bool date_pattern_parse(const struct date_pattern *pattern, const struct date_parse_context *ctx,
                        struct str text, struct instant *out)
{
    struct date_parsed parsed = {0};
    struct date_reader reader = {text.ptr, text.ptr + text.len, ctx, &parsed};
    if (!pattern->can_parse || text.len == 0)
        return false;
    for (size_t i = 0; i < pattern->count; i++) {
        if (!take_part(&reader, &pattern->parts[i]))
            return false;
    }
    return reader.at == reader.end && date_resolve(!pattern->has_year, ctx, &parsed, out);
}
