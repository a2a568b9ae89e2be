/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/mapping/date_layout.h"

#include <assert.h>

#include "base/text/ascii.h"
#include "base/time/clock.h"
#include "base/time/date_pattern.h"
#include "services/store/mapping/date_optional_time.h"

enum { FORMAT_PARTS_MAX = 8, FORMAT_TEXT_MAX = 512, EPOCH_DIGITS_MAX = 18 };

enum part_kind { PART_OPTIONAL_TIME, PART_EPOCH_MILLIS, PART_EPOCH_SECOND, PART_PATTERN };

struct part {
    enum part_kind kind;
    bool is_fixed; /* a pattern of digits whose text has always the same length */
    enum date_unit finest;
    size_t length;
    const struct date_pattern *parse, *format;
};

struct date_layout {
    struct str text;
    size_t count;
    struct part parts[FORMAT_PARTS_MAX];
};

static const struct date_layout DEFAULT = {
    .text = STR_INIT("strict_date_optional_time||epoch_millis"),
    .count = 2,
    .parts = {{.kind = PART_OPTIONAL_TIME}, {.kind = PART_EPOCH_MILLIS}},
};

const struct date_layout *date_layout_default(void)
{
    return &DEFAULT;
}

struct str date_layout_text(const struct date_layout *format)
{
    return format->text;
}

/* ---- compiling ------------------------------------------------------------------------------------ */

/* Those that are patterns by another name; "strict_" in front changes nothing. */
static const struct {
    struct str name, pattern;
} NAMED[] = {
    {STR_INIT("date"), STR_INIT("yyyy-MM-dd")},
    {STR_INIT("year_month_day"), STR_INIT("yyyy-MM-dd")},
    {STR_INIT("year_month"), STR_INIT("yyyy-MM")},
    {STR_INIT("year"), STR_INIT("yyyy")},
    {STR_INIT("basic_date"), STR_INIT("yyyyMMdd")},
    {STR_INIT("basic_date_time"), STR_INIT("yyyyMMdd'T'HHmmss.SSSX")},
    {STR_INIT("basic_date_time_no_millis"), STR_INIT("yyyyMMdd'T'HHmmssX")},
    {STR_INIT("date_hour"), STR_INIT("yyyy-MM-dd'T'HH")},
    {STR_INIT("date_hour_minute"), STR_INIT("yyyy-MM-dd'T'HH:mm")},
    {STR_INIT("date_hour_minute_second"), STR_INIT("yyyy-MM-dd'T'HH:mm:ss")},
    {STR_INIT("date_hour_minute_second_millis"), STR_INIT("yyyy-MM-dd'T'HH:mm:ss.SSS")},
    {STR_INIT("date_time"), STR_INIT("yyyy-MM-dd'T'HH:mm:ss.SSSXXX")},
    {STR_INIT("date_time_no_millis"), STR_INIT("yyyy-MM-dd'T'HH:mm:ssXXX")},
    {STR_INIT("hour_minute_second"), STR_INIT("HH:mm:ss")},
    {STR_INIT("hour_minute"), STR_INIT("HH:mm")},
};

static struct str pattern_of_name(struct str name)
{
    struct str plain = str_starts_with(name, STR("strict_")) ? str_from_offset(name, 7) : name;
    for (size_t i = 0; i < sizeof NAMED / sizeof *NAMED; i++) {
        if (str_equal(NAMED[i].name, plain))
            return NAMED[i].pattern;
    }
    return name;
}

static enum date_unit unit_of_letter(char letter)
{
    switch (letter) {
    case 'S':
    case 'n':
        return DATE_MILLISECOND;
    case 's':
        return DATE_SECOND;
    case 'm':
        return DATE_MINUTE;
    case 'H':
    case 'h':
    case 'k':
    case 'K':
        return DATE_HOUR;
    case 'M':
    case 'L':
        return DATE_MONTH;
    case 'y':
    case 'u':
        return DATE_YEAR;
    default:
        return DATE_DAY;
    }
}

static bool is_letter(char c)
{
    return ascii_is_letter(c);
}

/* The finest unit of the pattern, and whether its texts have all the pattern's length: digits of two and more. */
static void pattern_shape(struct str pattern, struct part *part)
{
    part->finest = DATE_YEAR;
    part->is_fixed = true;
    bool quoted = false;
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.ptr[i];
        if (c == '\'') {
            quoted = !quoted;
            continue;
        }
        part->length++;
        if (quoted || !is_letter(c))
            continue;
        if (!memchr("yuMdHhmsS", c, 9)) {
            part->is_fixed = false;
            continue;
        }
        size_t run = 1;
        while (i + run < pattern.len && pattern.ptr[i + run] == c)
            run++;
        part->is_fixed = part->is_fixed && run > 1 && !(c == 'M' && run > 2);
        if (unit_of_letter(c) < part->finest)
            part->finest = unit_of_letter(c);
        part->length += run - 1;
        i += run - 1;
    }
}

/* The same in Joda-Time's letters: X and x are its ZZ, u its y. */
static struct str joda_pattern(struct arena *arena, struct str pattern)
{
    char *to = arena_bytes(arena, pattern.len * 2 + 1);
    size_t len = 0;
    bool quoted = false;
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.ptr[i];
        quoted ^= c == '\'';
        if (!quoted && (c == 'X' || c == 'x')) {
            while (i + 1 < pattern.len && pattern.ptr[i + 1] == c)
                i++;
            to[len++] = 'Z';
            to[len++] = 'Z';
        } else {
            to[len++] = !quoted && c == 'u' ? 'y' : c;
        }
    }
    return str_make(to, len);
}

static bool compile_pattern(struct arena *arena, struct str pattern, struct part *part,
                            struct error *err)
{
    pattern_shape(pattern, part);
    part->parse = date_pattern_compile(arena, joda_pattern(arena, pattern), DATE_JODA, err);
    if (!part->parse)
        return false;
    part->format = date_pattern_compile(arena, pattern, DATE_JAVA_TIME, err);
    return part->format && (date_pattern_can_parse(part->parse) ||
                            error_set(err, ERROR_FORMAT, "a zone's full name cannot be read"));
}

static bool compile_part(struct arena *arena, struct str text, struct part *part, struct error *err)
{
    *part = (struct part){.kind = PART_PATTERN};
    if (str_equal(text, STR("strict_date_optional_time")) ||
        str_equal(text, STR("date_optional_time")) ||
        str_equal(text, STR("strict_date_optional_time_nanos")) || str_equal(text, STR("iso8601")))
        part->kind = PART_OPTIONAL_TIME;
    else if (str_equal(text, STR("epoch_millis")))
        part->kind = PART_EPOCH_MILLIS;
    else if (str_equal(text, STR("epoch_second")))
        part->kind = PART_EPOCH_SECOND;
    else
        return compile_pattern(arena, pattern_of_name(text), part, err);
    return true;
}

const struct date_layout *date_layout_compile(struct arena *arena, struct str text,
                                              struct error *err)
{
    if (text.len == 0 || text.len > FORMAT_TEXT_MAX) {
        error_set(err, ERROR_FORMAT, "No date pattern provided");
        return NULL;
    }
    struct date_layout *format = arena_zero(arena, sizeof *format);
    format->text = arena_dup(arena, text);
    for (struct str rest = format->text; rest.len > 0;) {
        size_t end = str_find(rest, STR("||"));
        struct str part = end == SIZE_MAX ? rest : str_make(rest.ptr, end);
        if (format->count == FORMAT_PARTS_MAX) {
            error_set(err, ERROR_LIMIT, "more than %d alternatives", FORMAT_PARTS_MAX);
            return NULL;
        }
        if (!compile_part(arena, part, &format->parts[format->count++], err))
            return NULL;
        rest = end == SIZE_MAX ? STR("") : str_from_offset(rest, end + 2);
    }
    return format;
}

/* ---- reading -------------------------------------------------------------------------------------- */

/* Digits with an optional fraction, which is cut. */
static bool parse_epoch(struct str text, int64_t factor, int64_t *ms_out)
{
    const char *point = text.len ? memchr(text.ptr, '.', text.len) : NULL;
    struct str whole = point ? str_make(text.ptr, (size_t)(point - text.ptr)) : text;
    int64_t number;
    if (whole.len == 0 || whole.len > EPOCH_DIGITS_MAX + 1 || whole.ptr[0] == '+' ||
        !str_to_int(whole, &number) || number > INT64_MAX / factor || number < INT64_MIN / factor)
        return false;
    int64_t fraction = 0, scale = factor;
    for (size_t i = whole.len + 1; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        scale /= 10;
        fraction += (text.ptr[i] - '0') * scale;
    }
    if (point && text.len == whole.len + 1)
        return false;
    *ms_out = number * factor + (whole.ptr[0] == '-' ? -fraction : fraction);
    return true;
}

static bool parse_pattern(const struct part *part, struct str text, const struct zone *zone,
                          int64_t *ms_out)
{
    struct date_parse_context context = {.zone = zone, .now = {0, 0}};
    struct instant at;
    if ((part->is_fixed && text.len != part->length) ||
        !date_pattern_parse(part->parse, &context, text, &at))
        return false;
    *ms_out = at.seconds * 1000 + at.nanoseconds / 1000000;
    return true;
}

static bool parse_part(const struct part *part, struct str text, const struct zone *zone,
                       int64_t *ms_out, enum date_unit *finest_out)
{
    switch (part->kind) {
    case PART_OPTIONAL_TIME:
        return date_optional_time_parse(text, zone, ms_out, finest_out);
    case PART_EPOCH_MILLIS:
        *finest_out = DATE_MILLISECOND;
        return parse_epoch(text, 1, ms_out);
    case PART_EPOCH_SECOND:
        *finest_out = DATE_MILLISECOND;
        return parse_epoch(text, 1000, ms_out);
    case PART_PATTERN:
        *finest_out = part->finest;
        return parse_pattern(part, text, zone, ms_out);
    }
    return false;
}

bool date_layout_parse(const struct date_layout *format, struct str text, const struct zone *zone,
                       int64_t *ms_out, enum date_unit *finest_out)
{
    enum date_unit finest;
    for (size_t i = 0; i < format->count; i++) {
        if (!parse_part(&format->parts[i], text, zone, ms_out, &finest))
            continue;
        if (finest_out)
            *finest_out = finest;
        return true;
    }
    return false;
}

/* ---- writing -------------------------------------------------------------------------------------- */

static struct instant instant_of_ms(int64_t ms)
{
    int64_t seconds = ms / 1000, rest = ms % 1000;
    if (rest < 0) {
        rest += 1000;
        seconds--;
    }
    return (struct instant){seconds, (uint32_t)rest * 1000000};
}

static bool write_iso(struct instant local, int32_t offset, struct buf *out)
{
    char text[INSTANT_TEXT_MAX];
    size_t len = instant_format(local, text);
    if (offset == 0)
        return buf_append(out, text, len);
    int32_t size = offset < 0 ? -offset : offset;
    return buf_append(out, text, len - 1) &&
           buf_printf(out, "%c%02d:%02d", offset < 0 ? '-' : '+', size / 3600, size / 60 % 60);
}

bool date_layout_write(const struct date_layout *format, int64_t ms, const struct zone *zone,
                       struct buf *out)
{
    const struct part *part = &format->parts[0];
    struct instant at = instant_of_ms(ms);
    int32_t offset = zone ? zone_offset_at(zone, at.seconds) : 0;
    at.seconds += offset;
    switch (part->kind) {
    case PART_OPTIONAL_TIME:
        return write_iso(at, offset, out);
    case PART_EPOCH_MILLIS:
        return buf_printf(out, "%lld", (long long)ms);
    case PART_EPOCH_SECOND:
        return ms % 1000 ? buf_printf(out, "%lld.%03d", (long long)(ms / 1000), (int)(ms % 1000))
                         : buf_printf(out, "%lld", (long long)(ms / 1000));
    case PART_PATTERN:
        return date_pattern_format(part->format, at, out);
    }
    return false;
}
