/* SPDX-License-Identifier: Apache-2.0
 *
 * Time#strftime with Ruby's flags (- 0 ^ # _ :) and widths; English names.
 */
#include <ctype.h>
#include <stdio.h>

#include "script/time.h"

enum { STRFTIME_MAX_BYTES = 64 * 1024, STRFTIME_MAX_WIDTH = 1024 };

static const char *const DAYS[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};
static const char *const MONTHS[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};

struct directive {
    char pad;     /* '0', ' ', '-' none, or NUL: the letter's own */
    bool upper;   /* ^ */
    bool swapped; /* # */
    unsigned colons;
    unsigned width; /* 0: the letter's own */
    char letter;
};

struct formatter {
    const struct script_time *time;
    struct civil civil;
    int weekday; /* 0 Sunday */
    int yearday; /* 1.. */
    struct buf *out;
};

static bool format_text(struct formatter *formatter, struct str format);

static bool put_text(struct formatter *formatter, const struct directive *directive,
                     const char *text)
{
    size_t len = strlen(text);
    char pad = directive->pad == '0' ? '0' : ' ';
    for (size_t i = len; i < directive->width; i++) {
        if (!buf_append_char(formatter->out, pad))
            return false;
    }
    for (size_t i = 0; i < len; i++) {
        int c = (unsigned char)text[i];
        c = directive->upper || directive->swapped ? toupper(c) : c;
        if (!buf_append_char(formatter->out, (char)c))
            return false;
    }
    return true;
}

static bool put_number(struct formatter *formatter, const struct directive *directive,
                       int64_t number, unsigned width, char pad)
{
    char sign = number < 0 ? '-' : '\0', digits[24];
    uint64_t magnitude = number < 0 ? -(uint64_t)number : (uint64_t)number;
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)magnitude);
    pad = directive->pad ? directive->pad : pad;
    width = directive->width ? directive->width : width;
    unsigned taken = (unsigned)len + (sign != '\0');
    unsigned fill = pad != '-' && width > taken ? width - taken : 0;
    bool ok = pad == ' ' || !sign || buf_append_char(formatter->out, sign);
    for (unsigned i = 0; i < fill; i++)
        ok = ok && buf_append_char(formatter->out, pad);
    ok = ok && (pad != ' ' || !sign || buf_append_char(formatter->out, sign));
    return ok && buf_append(formatter->out, digits, (size_t)len);
}

static bool put_fraction(struct formatter *formatter, const struct directive *directive,
                         unsigned digits)
{
    char text[16];
    digits = directive->width ? directive->width : digits;
    snprintf(text, sizeof text, "%09u", formatter->time->nanoseconds);
    for (unsigned i = 0; i < digits; i++) {
        if (!buf_append_char(formatter->out, i < 9 ? text[i] : '0'))
            return false;
    }
    return true;
}

/* %z +hhmm, %:z +hh:mm, %::z +hh:mm:ss */
static bool put_offset(struct formatter *formatter, unsigned colons)
{
    int offset = formatter->time->offset_seconds;
    unsigned seconds = (unsigned)(offset < 0 ? -offset : offset);
    bool ok = buf_printf(formatter->out, "%c%02u%s%02u", offset < 0 ? '-' : '+', seconds / 3600,
                         colons > 0 ? ":" : "", seconds / 60 % 60);
    return ok && (colons < 2 || buf_printf(formatter->out, ":%02u", seconds % 60));
}

/* Week number of a year whose weeks begin on Monday, by ISO 8601, and that year. */
static int iso_week(const struct formatter *formatter, int64_t *year_out)
{
    int weekday = formatter->weekday == 0 ? 7 : formatter->weekday;
    int week = (formatter->yearday - weekday + 10) / 7;
    int64_t year = formatter->civil.year;
    if (week < 1) {
        year--;
        int yearday = formatter->yearday + civil_day_of_year(year, 12, 31);
        week = (yearday - weekday + 10) / 7;
    } else if (week == 53) {
        int last_weekday = civil_weekday(civil_to_days(year, 12, 31));
        if (last_weekday < 4) {
            week = 1;
            year++;
        }
    }
    *year_out = year;
    return week;
}

static bool put_calendar(struct formatter *formatter, const struct directive *directive)
{
    const struct civil *civil = &formatter->civil;
    int64_t iso_year;
    int week = iso_week(formatter, &iso_year);
    switch (directive->letter) {
    case 'Y':
        return put_number(formatter, directive, civil->year, civil->year < 0 ? 5 : 4, '0');
    case 'C':
        return put_number(formatter, directive, civil->year / 100, 2, '0');
    case 'y':
        return put_number(formatter, directive, (civil->year % 100 + 100) % 100, 2, '0');
    case 'm':
        return put_number(formatter, directive, civil->month, 2, '0');
    case 'd':
        return put_number(formatter, directive, civil->day, 2, '0');
    case 'e':
        return put_number(formatter, directive, civil->day, 2, ' ');
    case 'j':
        return put_number(formatter, directive, formatter->yearday, 3, '0');
    case 'G':
        return put_number(formatter, directive, iso_year, 4, '0');
    case 'g':
        return put_number(formatter, directive, iso_year % 100, 2, '0');
    case 'V':
        return put_number(formatter, directive, week, 2, '0');
    case 'U':
        return put_number(formatter, directive, (formatter->yearday + 6 - formatter->weekday) / 7,
                          2, '0');
    case 'W':
        return put_number(formatter, directive,
                          (formatter->yearday + 6 - (formatter->weekday + 6) % 7) / 7, 2, '0');
    case 'u':
        return put_number(formatter, directive, formatter->weekday ? formatter->weekday : 7, 1,
                          '0');
    default:
        return put_number(formatter, directive, formatter->weekday, 1, '0'); /* w */
    }
}

static bool put_clock(struct formatter *formatter, const struct directive *directive)
{
    const struct civil *civil = &formatter->civil;
    int twelve = civil->hour % 12 == 0 ? 12 : civil->hour % 12;
    switch (directive->letter) {
    case 'H':
        return put_number(formatter, directive, civil->hour, 2, '0');
    case 'k':
        return put_number(formatter, directive, civil->hour, 2, ' ');
    case 'I':
        return put_number(formatter, directive, twelve, 2, '0');
    case 'l':
        return put_number(formatter, directive, twelve, 2, ' ');
    case 'M':
        return put_number(formatter, directive, civil->minute, 2, '0');
    case 'S':
        return put_number(formatter, directive, civil->second, 2, '0');
    case 'L':
        return put_fraction(formatter, directive, 3);
    case 'N':
        return put_fraction(formatter, directive, 9);
    case 's':
        return put_number(formatter, directive, formatter->time->seconds, 1, '0');
    default:
        return put_offset(formatter, directive->colons); /* z */
    }
}

static const char *zone_text(const struct formatter *formatter)
{
    return formatter->time->zone == SCRIPT_ZONE_UTC ? "UTC" : "";
}

static bool put_name(struct formatter *formatter, const struct directive *directive)
{
    char text[16];
    const struct civil *civil = &formatter->civil;
    switch (directive->letter) {
    case 'A':
        return put_text(formatter, directive, DAYS[formatter->weekday]);
    case 'B':
        return put_text(formatter, directive, MONTHS[civil->month - 1]);
    case 'Z':
        return put_text(formatter, directive, zone_text(formatter));
    case 'P':
        return put_text(formatter, directive, civil->hour < 12 ? "am" : "pm");
    case 'p':
        if (directive->swapped)
            return put_text(formatter, &(struct directive){.letter = 'p'},
                            civil->hour < 12 ? "am" : "pm");
        return put_text(formatter, directive, civil->hour < 12 ? "AM" : "PM");
    case 'a':
        snprintf(text, sizeof text, "%.3s", DAYS[formatter->weekday]);
        break;
    default:
        snprintf(text, sizeof text, "%.3s", MONTHS[civil->month - 1]);
        break; /* b, h */
    }
    return put_text(formatter, directive, text);
}

/* Letters that stand for other directives. */
static const char *shorthand(char letter)
{
    switch (letter) {
    case 'c':
        return "%a %b %e %H:%M:%S %Y";
    case 'D':
    case 'x':
        return "%m/%d/%y";
    case 'F':
        return "%Y-%m-%d";
    case 'T':
    case 'X':
        return "%H:%M:%S";
    case 'R':
        return "%H:%M";
    case 'r':
        return "%I:%M:%S %p";
    case 'v':
        return "%e-%^b-%Y";
    case '+':
        return "%a %b %e %H:%M:%S %Z %Y";
    case 'n':
        return "\n";
    case 't':
        return "\t";
    case '%':
        return "%";
    default:
        return NULL;
    }
}

/* False when out is full; *known_out says whether the letter is one. */
static bool put_directive(struct formatter *formatter, const struct directive *directive,
                          bool *known_out)
{
    const char *longer = shorthand(directive->letter);
    *known_out = true;
    if (longer && (longer[0] != '%' || longer[1] == '\0'))
        return put_text(formatter, directive, longer);
    if (longer)
        return format_text(formatter,
                           str_from(longer)); /* one level: they name no other shorthand */
    if (directive->letter && strchr("YCymdejGgVUWuw", directive->letter))
        return put_calendar(formatter, directive);
    if (directive->letter && strchr("HkIlMSLNsz", directive->letter))
        return put_clock(formatter, directive);
    if (directive->letter && strchr("AaBbhPpZ", directive->letter))
        return put_name(formatter, directive);
    *known_out = false;
    return true;
}

/* Reads flags, width and letter behind a '%'; how many bytes. */
static size_t read_directive(struct str rest, struct directive *out)
{
    size_t at = 0;
    *out = (struct directive){.letter = '\0'};
    for (; at < rest.len && strchr("-0^#_:", rest.ptr[at]) && rest.ptr[at]; at++) {
        char flag = rest.ptr[at];
        if (flag == '^')
            out->upper = true;
        else if (flag == '#')
            out->swapped = true;
        else if (flag == ':')
            out->colons++;
        else
            out->pad = flag == '_' ? ' ' : flag;
    }
    for (; at < rest.len && isdigit((unsigned char)rest.ptr[at]); at++) {
        if (out->width < STRFTIME_MAX_WIDTH)
            out->width = out->width * 10 + (unsigned)(rest.ptr[at] - '0');
    }
    if (at < rest.len && (rest.ptr[at] == 'E' || rest.ptr[at] == 'O') && at + 1 < rest.len)
        at++;
    if (at < rest.len)
        out->letter = rest.ptr[at++];
    return at;
}

static bool format_text(struct formatter *formatter, struct str format)
{
    for (size_t i = 0; i < format.len; i++) {
        struct directive directive;
        bool known;
        if (format.ptr[i] != '%') {
            if (!buf_append_char(formatter->out, format.ptr[i]))
                return false;
            continue;
        }
        size_t taken = read_directive(str_from_offset(format, i + 1), &directive);
        if (!put_directive(formatter, &directive, &known) ||
            (!known && !buf_append(formatter->out, format.ptr + i, taken + 1)))
            return false;
        i += taken;
    }
    return true;
}

mrb_value script_strftime(mrb_state *mrb, const struct script_time *time, struct str format)
{
    struct buf out;
    struct civil civil = script_civil(time);
    struct formatter formatter = {
        .time = time,
        .civil = civil,
        .weekday = civil_weekday(civil_to_days(civil.year, civil.month, civil.day)) % 7,
        .yearday = civil_day_of_year(civil.year, civil.month, civil.day),
        .out = &out,
    };
    buf_init(&out, STRFTIME_MAX_BYTES);
    bool ok = format_text(&formatter, format);
    struct str text = arena_dup(script_arena(script_vm_of(mrb)), buf_str(&out));
    buf_release(&out); /* before anything can raise */
    if (!ok)
        script_raise(mrb, "ArgumentError", "strftime result too long");
    return script_new_str(mrb, text);
}
