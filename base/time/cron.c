/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time/cron.h"

#include <assert.h>

#include "base/time/clock.h"

enum {
    FIELDS_MAX = 7, /* with seconds and zone */
    DAYS_AHEAD = 366 * 40,
    TRIES_MAX = 100000, /* seconds of an hour that comes twice, many times over */
    DAY_SECONDS = 86400,
};

static const char *const MONTHS[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                     "jul", "aug", "sep", "oct", "nov", "dec"};
static const char *const WEEKDAYS[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct field_kind {
    const char *name;
    int64_t min, max;
    const char *const *names; /* the first one is min */
    size_t name_count;
};

static const struct field_kind SECOND = {"seconds", 0, 59, NULL, 0};
static const struct field_kind MINUTE = {"minutes", 0, 59, NULL, 0};
static const struct field_kind HOUR = {"hours", 0, 24, NULL, 0};
static const struct field_kind DAY = {"days", 1, 31, NULL, 0};
static const struct field_kind MONTH = {"months", 1, 12, MONTHS, 12};
static const struct field_kind WEEKDAY = {"weekdays", 0, 7, WEEKDAYS, 7};

/* ---- reading -------------------------------------------------------------------------------------- */

/* The part before `separator`, which is taken off *rest with it. */
static struct str cut(struct str *rest, char separator)
{
    const char *at = memchr(rest->ptr, separator, rest->len);
    struct str part = *rest;
    if (at)
        part.len = (size_t)(at - rest->ptr);
    *rest = str_from_offset(*rest, at ? part.len + 1 : part.len);
    return part;
}

static bool parse_number(const struct field_kind *kind, struct str text, int64_t *out)
{
    for (size_t i = 0; i < kind->name_count; i++)
        if (str_equal_nocase(text, str_from(kind->names[i]))) {
            *out = kind->min + (int64_t)i;
            return true;
        }
    return text.len > 0 && text.ptr[0] >= '0' && text.ptr[0] <= '9' && str_to_int(text, out) &&
           *out >= kind->min && *out <= kind->max;
}

/* The last number that a wrapped range counts on to: 24 o'clock and the second Sunday are the first again. */
static int64_t last_of(const struct field_kind *kind)
{
    return kind == &HOUR ? 23 : kind == &WEEKDAY ? 6 : kind->max;
}

static void set_bits(const struct field_kind *kind, int64_t from, int64_t to, int64_t step,
                     uint64_t *bits)
{
    int64_t turn = last_of(kind) - kind->min + 1;
    int64_t end = from <= to ? to : to + turn;
    for (int64_t at = from; at <= end; at += step)
        *bits |= UINT64_C(1) << (kind->min + (at - kind->min) % turn);
}

static bool parse_item(const struct field_kind *kind, struct str item, uint64_t *bits)
{
    struct str rest = item;
    struct str range = cut(&rest, '/');
    bool has_step = range.len < item.len;
    int64_t step = 1, from = kind->min, to = last_of(kind);
    if (has_step && (!str_to_int(rest, &step) || step < 1 || step > 60))
        return false;
    if (!str_equal(range, STR("*"))) {
        struct str high = range;
        struct str low = cut(&high, '-');
        bool is_range = low.len < range.len;
        if (!parse_number(kind, low, &from) || (is_range && !parse_number(kind, high, &to)))
            return false;
        if (!is_range && !has_step)
            to = from;
    }
    set_bits(kind, from, to, step, bits);
    return true;
}

static bool parse_field(const struct field_kind *kind, struct str text, uint64_t *bits,
                        struct cron *cron)
{
    struct str rest = text;
    *bits = 0;
    while (rest.len > 0) {
        struct str item = cut(&rest, ',');
        if (kind == &DAY && str_equal_nocase(item, STR("L")))
            cron->last_day = true;
        else if (!parse_item(kind, item, bits))
            return false;
    }
    return text.len > 0 && text.ptr[text.len - 1] != ',';
}

static bool parse_fields(const struct str *fields, struct cron *cron, struct error *err)
{
    const struct field_kind *kinds[] = {&SECOND, &MINUTE, &HOUR, &DAY, &MONTH, &WEEKDAY};
    uint64_t *bits[] = {&cron->seconds, &cron->minutes, &cron->hours,
                        &cron->days,    &cron->months,  &cron->weekdays};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!parse_field(kinds[i], fields[i], bits[i], cron))
            return error_set(err, ERROR_CONFIG, "'%.*s' cannot be %s of a schedule",
                             STR_FMT(fields[i]), kinds[i]->name);
    cron->every_day = str_equal(fields[3], STR("*"));
    cron->every_weekday = str_equal(fields[5], STR("*"));
    return true;
}

static size_t split(struct str text, struct str fields[FIELDS_MAX + 1])
{
    size_t count = 0;
    for (struct str rest = str_trim(text); rest.len > 0 && count <= FIELDS_MAX;
         rest = str_trim(rest)) {
        size_t len = 0;
        while (len < rest.len && rest.ptr[len] != ' ' && rest.ptr[len] != '\t')
            len++;
        fields[count++] = str_make(rest.ptr, len);
        rest = str_from_offset(rest, len);
    }
    return count;
}

static const struct zone *zone_behind(struct str text)
{
    struct error ignored;
    uint64_t bits;
    struct cron other;
    return parse_field(&WEEKDAY, text, &bits, &other) ? NULL : zone_find(text, &ignored);
}

bool cron_parse(struct str text, struct cron *out, struct error *err)
{
    struct str fields[FIELDS_MAX + 1], all[FIELDS_MAX - 1] = {STR("0")};
    size_t count = split(text, fields);
    struct cron cron = {.zone = NULL};
    if (count >= 6 && count <= FIELDS_MAX && (cron.zone = zone_behind(fields[count - 1])))
        count--;
    if (!cron.zone)
        cron.zone = zone_host();
    if (count != 5 && count != 6)
        return error_set(err, ERROR_CONFIG,
                         "schedule '%.*s' needs five fields as cron has them, or six with seconds "
                         "in front, and perhaps a time zone",
                         STR_FMT(text));
    memcpy(all + 6 - count, fields, count * sizeof *fields);
    if (!parse_fields(all, &cron, err))
        return error_prefix(err, "schedule '%.*s'", STR_FMT(text));
    *out = cron;
    return true;
}

/* ---- the next time -------------------------------------------------------------------------------- */

static bool has(uint64_t bits, int64_t number)
{
    assert(number >= 0 && number < 64);
    return bits >> number & 1;
}

static bool day_fits(const struct cron *cron, int64_t days)
{
    int64_t year;
    int month, day;
    civil_from_days(days, &year, &month, &day);
    if (!has(cron->months, month))
        return false;
    bool by_day =
        has(cron->days, day) || (cron->last_day && day == civil_days_in_month(year, month));
    bool by_weekday = has(cron->weekdays, civil_weekday(days) % 7);
    if (cron->every_day || cron->every_weekday)
        return by_day && by_weekday;
    return by_day || by_weekday;
}

/* The first that fits from `second` of a day on. */
static bool time_of_day(const struct cron *cron, int64_t second, int64_t *out)
{
    for (int64_t minute = second / 60; minute < DAY_SECONDS / 60; minute++) {
        if (!has(cron->hours, minute / 60) || !has(cron->minutes, minute % 60))
            continue;
        for (int64_t at = minute * 60 > second ? 0 : second % 60; at < 60; at++)
            if (has(cron->seconds, at)) {
                *out = minute * 60 + at;
                return true;
            }
    }
    return false;
}

/* The first local time that fits, from *local on. */
static bool next_local(const struct cron *cron, int64_t *local)
{
    int64_t second = *local % DAY_SECONDS;
    second += second < 0 ? DAY_SECONDS : 0;
    int64_t day = (*local - second) / DAY_SECONDS;
    for (int64_t ahead = 0; ahead < DAYS_AHEAD; ahead++, day++, second = 0)
        if (day_fits(cron, day) && time_of_day(cron, second, &second)) {
            *local = day * DAY_SECONDS + second;
            return true;
        }
    return false;
}

bool cron_next(const struct cron *cron, int64_t after, int64_t *at_out)
{
    int64_t local = after + zone_offset_at(cron->zone, after) + 1;
    for (int tries = 0; tries < TRIES_MAX && next_local(cron, &local); tries++, local++)
        if (zone_local_to_utc(cron->zone, local, at_out) && *at_out > after)
            return true;
    return false;
}
