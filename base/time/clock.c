/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time/clock.h"

#include <assert.h>
#include <string.h>
#include <time.h>

enum {
    SECONDS_PER_DAY = 86400,
    DAYS_PER_ERA = 146097, /* 400 years */
    YEARS_PER_ERA = 400,
    DAYS_0000_03_01_TO_EPOCH = 719468,
    NANOSECOND_DIGITS = 9,
    YEAR_DIGITS_MAX = 9,
    YEAR_TEXT_MAX = 12, /* that any 64-bit instant needs */
    DAY_TEXT_MAX = 1 + YEAR_TEXT_MAX + 7,
};

static struct instant standing;
static bool stands;

void clock_stand(const struct instant *at)
{
    stands = at != NULL;
    if (at)
        standing = *at;
}

struct instant clock_now(void)
{
    if (stands)
        return standing;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (struct instant){now.tv_sec, (uint32_t)now.tv_nsec};
}

static uint64_t milliseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t clock_monotonic_ms(void)
{
    return milliseconds(CLOCK_MONOTONIC);
}

uint64_t clock_coarse_ms(void)
{
    return milliseconds(CLOCK_MONOTONIC_COARSE);
}

static int64_t floor_divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

/* The calendar is counted in years that start on 1 March, so that the leap day is the last of its year. */
int64_t civil_to_days(int64_t year, int month, int day)
{
    assert(month >= 1 && month <= 12);
    int64_t shifted = year - (month <= 2);
    int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    if (shifted >= 0 && shifted <= 9999) { /* the same in fewer divisions */
        uint32_t years = (uint32_t)shifted;
        return (int64_t)(years * 365 + years / 4 - years / 100 + years / 400) + day_of_year -
               DAYS_0000_03_01_TO_EPOCH;
    }
    int64_t era = floor_divide(shifted, YEARS_PER_ERA);
    int64_t year_of_era = shifted - era * YEARS_PER_ERA;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - DAYS_0000_03_01_TO_EPOCH;
}

void civil_from_days(int64_t days, int64_t *year_out, int *month_out, int *day_out)
{
    int64_t shifted = days + DAYS_0000_03_01_TO_EPOCH;
    int64_t era = floor_divide(shifted, DAYS_PER_ERA);
    unsigned day_of_era = (unsigned)(shifted - era * DAYS_PER_ERA);
    unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned month = (5 * day_of_year + 2) / 153; /* 0 is March */
    *day_out = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    *month_out = (int)(month < 10 ? month + 3 : month - 9);
    *year_out = era * YEARS_PER_ERA + year_of_era + (*month_out <= 2);
}

/* In unsigned numbers: days * SECONDS_PER_DAY does not fit for the first day of all. */
static int second_of_day(int64_t seconds, int64_t days)
{
    return (int)((uint64_t)seconds - (uint64_t)days * SECONDS_PER_DAY);
}

struct civil civil_from_instant(struct instant at)
{
    assert(at.nanoseconds < 1000000000);
    int64_t days = floor_divide(at.seconds, SECONDS_PER_DAY);
    int of_day = second_of_day(at.seconds, days);
    struct civil civil = {
        .hour = of_day / 3600,
        .minute = of_day / 60 % 60,
        .second = of_day % 60,
        .nanosecond = at.nanoseconds,
    };
    civil_from_days(days, &civil.year, &civil.month, &civil.day);
    return civil;
}

int64_t civil_to_seconds(const struct civil *civil)
{
    return civil_to_days(civil->year, civil->month, civil->day) * SECONDS_PER_DAY +
           civil->hour * 3600 + civil->minute * 60 + civil->second;
}

int civil_weekday(int64_t days)
{
    int64_t since_monday = days + 3; /* 1970-01-01 was a Thursday */
    return (int)(since_monday - floor_divide(since_monday, 7) * 7) + 1;
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int civil_days_in_month(int64_t year, int month)
{
    static const signed char DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    assert(month >= 1 && month <= 12);
    return DAYS[month - 1] + (month == 2 && is_leap(year));
}

int civil_day_of_year(int64_t year, int month, int day)
{
    static const short BEFORE[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    assert(month >= 1 && month <= 12);
    return BEFORE[month - 1] + day + (month > 2 && is_leap(year));
}

static char *put_two(char *at, unsigned value)
{
    at[0] = (char)('0' + value / 10);
    at[1] = (char)('0' + value % 10);
    return at + 2;
}

static char *put_three(char *at, unsigned value)
{
    *at = (char)('0' + value / 100);
    return put_two(at + 1, value % 100);
}

/* At least four digits, with a sign when four are not enough or the year is before 0. */
static char *put_year(char *at, int64_t year)
{
    if (year >= 0 && year <= 9999)
        return put_two(put_two(at, (unsigned)year / 100), (unsigned)year % 100);
    char digits[YEAR_TEXT_MAX];
    size_t count = 0;
    for (uint64_t left = year < 0 ? 0 - (uint64_t)year : (uint64_t)year; left > 0 || count < 4;
         left /= 10) {
        assert(count < sizeof digits);
        digits[count++] = (char)('0' + left % 10);
    }
    *at++ = year < 0 ? '-' : '+';
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

static char *put_fraction(char *at, uint32_t nanoseconds)
{
    *at++ = '.';
    at = put_three(at, nanoseconds / 1000000);
    if (nanoseconds % 1000000 != 0)
        at = put_three(at, nanoseconds / 1000 % 1000);
    if (nanoseconds % 1000 != 0)
        at = put_three(at, nanoseconds % 1000);
    return at;
}

/* The day that this thread wrote last: most times are of the same one as those before. */
struct written_day {
    int64_t days;
    size_t len;              /* 0: none yet */
    char text[DAY_TEXT_MAX]; /* with the 'T' */
};

static void write_day(int64_t days, struct written_day *out)
{
    int64_t year;
    int month, day;
    civil_from_days(days, &year, &month, &day);
    char *end = put_year(out->text, year);
    *end++ = '-';
    end = put_two(end, (unsigned)month);
    *end++ = '-';
    end = put_two(end, (unsigned)day);
    *end++ = 'T';
    out->days = days;
    out->len = (size_t)(end - out->text);
}

/* Writes DAY_TEXT_MAX bytes, of which those before the end count. */
static inline char *put_day(char *at, int64_t days)
{
    static _Thread_local struct written_day last;
    if (__builtin_expect(last.days != days || last.len == 0, 0))
        write_day(days, &last);
    memcpy(at, last.text, sizeof last.text);
    return at + last.len;
}

size_t instant_format(struct instant at, char out[INSTANT_TEXT_MAX])
{
    static_assert(DAY_TEXT_MAX <= (size_t)INSTANT_TEXT_MAX, "what put_day writes fits");
    int64_t days = floor_divide(at.seconds, SECONDS_PER_DAY);
    unsigned of_day = (unsigned)second_of_day(at.seconds, days);
    char *end = put_day(out, days);
    end = put_two(end, of_day / 3600);
    *end++ = ':';
    end = put_two(end, of_day / 60 % 60);
    *end++ = ':';
    end = put_two(end, of_day % 60);
    end = put_fraction(end, at.nanoseconds);
    *end++ = 'Z';
    assert(end <= out + INSTANT_TEXT_MAX);
    return (size_t)(end - out);
}

/* What is left to read. The take_ functions move it on only when they succeed. */
struct reader {
    const char *at;
    const char *end;
    bool is_timestamp; /* read as Logstash reads @timestamp; otherwise as people write times */
};

static bool take_char(struct reader *reader, char wanted)
{
    if (reader->at == reader->end || *reader->at != wanted)
        return false;
    reader->at++;
    return true;
}

static bool take_two(struct reader *reader, int max, int *out)
{
    if (reader->end - reader->at < 2)
        return false;
    unsigned tens = (unsigned char)reader->at[0] - '0';
    unsigned ones = (unsigned char)reader->at[1] - '0';
    int value = (int)(tens * 10 + ones);
    if (tens > 9 || ones > 9 || value > max)
        return false;
    reader->at += 2;
    *out = value;
    return true;
}

/* Four digits; more need a sign before them, fewer are not a year. */
static bool take_year(struct reader *reader, int64_t *out)
{
    bool negative = take_char(reader, '-');
    bool is_signed = negative || take_char(reader, '+');
    int64_t year = 0;
    unsigned count = 0;
    for (; reader->at < reader->end && (unsigned char)(*reader->at - '0') <= 9; count++) {
        if (count == (is_signed ? YEAR_DIGITS_MAX : 4))
            return false;
        year = year * 10 + (*reader->at++ - '0');
    }
    *out = negative ? -year : year;
    return count >= 4;
}

/* In a timestamp a day that its month does not have is the month's last one, as in Java. */
static bool take_day(struct reader *reader, struct civil *civil)
{
    int days = civil_days_in_month(civil->year, civil->month);
    if (!take_two(reader, reader->is_timestamp ? 31 : days, &civil->day) || civil->day < 1)
        return false;
    if (civil->day > days)
        civil->day = days;
    return true;
}

static bool take_date(struct reader *reader, struct civil *civil)
{
    return take_year(reader, &civil->year) && take_char(reader, '-') &&
           take_two(reader, 12, &civil->month) && civil->month >= 1 && take_char(reader, '-') &&
           take_day(reader, civil);
}

/* Digits after the ninth are read and dropped, or not taken in a timestamp, where a fraction may be empty. */
static bool take_fraction(struct reader *reader, uint32_t *out)
{
    uint32_t value = 0;
    unsigned count = 0;
    for (; reader->at < reader->end && (unsigned char)(*reader->at - '0') <= 9; count++) {
        if (count < NANOSECOND_DIGITS)
            value = value * 10 + (uint32_t)(*reader->at - '0');
        else if (reader->is_timestamp)
            return false;
        reader->at++;
    }
    for (unsigned i = count; i < NANOSECOND_DIGITS; i++)
        value *= 10;
    *out = value;
    return count > 0 || reader->is_timestamp;
}

/* 24:00:00 is the midnight behind the day; no other time of hour 24 exists. */
static bool is_time_of_day(const struct civil *civil)
{
    return civil->hour < 24 || (civil->minute == 0 && civil->second == 0 && civil->nanosecond == 0);
}

static bool take_time(struct reader *reader, struct civil *civil)
{
    if (!take_two(reader, reader->is_timestamp ? 24 : 23, &civil->hour) ||
        !take_char(reader, ':') || !take_two(reader, 59, &civil->minute))
        return false;
    if (!take_char(reader, ':'))
        return true;
    if (!take_two(reader, 59, &civil->second))
        return false;
    if (!take_char(reader, '.') && (reader->is_timestamp || !take_char(reader, ',')))
        return true;
    return take_fraction(reader, &civil->nanosecond);
}

static void take_utc_name(struct reader *reader)
{
    static const char *const NAMES[] = {"UTC", "GMT", "UT"};
    struct str rest = str_make(reader->at, (size_t)(reader->end - reader->at));
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        struct str name = str_from(NAMES[i]);
        if (rest.len >= name.len && str_equal_nocase(str_make(rest.ptr, name.len), name)) {
            reader->at += name.len;
            return;
        }
    }
}

/* Nothing at all is UTC. Minutes and seconds have ':' before each or before none; only timestamps have names and seconds. */
static bool take_offset(struct reader *reader, int *seconds_out)
{
    *seconds_out = 0;
    if (take_char(reader, 'Z') || take_char(reader, 'z'))
        return true;
    if (reader->is_timestamp)
        take_utc_name(reader);
    if (reader->at == reader->end)
        return true;
    bool west = take_char(reader, '-');
    int hours = 0, minutes = 0, seconds = 0;
    if ((!west && !take_char(reader, '+')) || !take_two(reader, 18, &hours))
        return false;
    bool colon = take_char(reader, ':');
    if ((colon || reader->at < reader->end) && !take_two(reader, 59, &minutes))
        return false;
    if (reader->is_timestamp && reader->at < reader->end &&
        (take_char(reader, ':') != colon || !take_two(reader, 59, &seconds)))
        return false;
    *seconds_out = (hours * 3600 + minutes * 60 + seconds) * (west ? -1 : 1);
    return true;
}

static bool take_instant(struct reader *reader, struct instant *out)
{
    struct civil civil = {0};
    int offset = 0;
    if (reader->at == reader->end || !take_date(reader, &civil))
        return false;
    bool timed = take_char(reader, 'T') || take_char(reader, 't') ||
                 (!reader->is_timestamp && take_char(reader, ' '));
    if ((timed && !take_time(reader, &civil)) || !is_time_of_day(&civil))
        return false;
    if ((timed || reader->is_timestamp) && !take_offset(reader, &offset))
        return false;
    if (reader->at != reader->end)
        return false;
    *out = (struct instant){civil_to_seconds(&civil) - offset, civil.nanosecond};
    return true;
}

/* ---- the usual form, eight bytes at a time ---- */

/* The first one lowest. */
static inline uint64_t eight_bytes(const char *at)
{
    uint64_t bytes;
    memcpy(&bytes, at, sizeof bytes);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    bytes = __builtin_bswap64(bytes);
#endif
    return bytes;
}

/* The digits of a text in this form, and 0 in place of what is no digit in it. most: 9 for each digit. False: it has another
 * form. */
static inline bool take_digits(const char *at, uint64_t form, uint64_t most, uint64_t *out)
{
    uint64_t high = UINT64_C(0x8080808080808080), below = UINT64_C(0x7f7f7f7f7f7f7f7f);
    *out = eight_bytes(at) ^ form;
    return ((*out | (*out + (below - most))) & high) == 0;
}

/* The number that the digit at this byte and the one behind it make. */
static inline unsigned two_at(uint64_t digits, unsigned byte)
{
    return (unsigned)((digits * 10 + (digits >> 8)) >> (8 * byte)) & 0xff;
}

/* The days up to this year and month, which are digits, and this day of the month. False: there is no such day. The last one that
 * this thread read is kept. */
static inline bool days_of(uint64_t date, unsigned day, int64_t *out)
{
    static _Thread_local struct {
        uint64_t date;
        unsigned day; /* 0: none yet */
        int64_t days;
    } last;
    if (__builtin_expect(last.date != date || last.day != day || day == 0, 0)) {
        int64_t year = two_at(date, 0) * 100 + two_at(date, 2);
        int month = (int)two_at(date, 5);
        if (month < 1 || month > 12 || day < 1 || (int)day > civil_days_in_month(year, month))
            return false;
        last.date = date;
        last.day = day;
        last.days = civil_to_days(year, month, (int)day);
    }
    *out = last.days;
    return true;
}

bool instant_parse_usual(struct str text, struct instant *out)
{
    enum { USUAL_BYTES = 24, EIGHT = 8, MILLIS_PER_TEN = 10 };
    const char *at = text.ptr;
    uint64_t date, hour, second;
    if (text.len != USUAL_BYTES ||
        !take_digits(at, UINT64_C(0x2d30302d30303030), UINT64_C(0x0009090009090909), &date) ||
        !take_digits(at + EIGHT, UINT64_C(0x30303a3030543030), UINT64_C(0x0909000909000909),
                     &hour) ||
        !take_digits(at + 2 * EIGHT, UINT64_C(0x5a3030302e30303a), UINT64_C(0x0009090900090900),
                     &second))
        return false;
    unsigned hours = two_at(hour, 3), minutes = two_at(hour, 6), seconds = two_at(second, 1);
    unsigned millis = two_at(second, 4) * MILLIS_PER_TEN + (unsigned)(second >> 48 & 0xff);
    int64_t days;
    if (hours > 23 || minutes > 59 || seconds > 59 || !days_of(date, two_at(hour, 0), &days))
        return false;
    *out = (struct instant){days * SECONDS_PER_DAY + hours * 3600 + minutes * 60 + seconds,
                            millis * 1000000};
    return true;
}

/* The usual form is the same in both. */
static inline bool parse(struct str text, bool is_timestamp, struct instant *out)
{
    if (instant_parse_usual(text, out))
        return true;
    struct reader reader = {text.ptr, text.ptr + text.len, is_timestamp};
    return take_instant(&reader, out);
}

bool instant_parse_iso8601(struct str text, struct instant *out)
{
    return parse(text, false, out);
}

bool instant_parse_timestamp(struct str text, struct instant *out)
{
    return parse(text, true, out);
}
