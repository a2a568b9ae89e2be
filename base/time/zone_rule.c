/* SPDX-License-Identifier: Apache-2.0
 *
 * POSIX TZ strings ("CET-1CEST,M3.5.0,M10.5.0/3") with the extensions of RFC 8536: times from -167 to 167 hours.
 */
#include "base/text/ascii.h"
#include "base/time/clock.h"
#include "base/time/zone_data.h"

enum {
    SECONDS_PER_DAY = 86400,
    OFFSET_HOURS_MAX = 24,
    TIME_HOURS_MAX = 167,
    DEFAULT_CHANGE_SECONDS = 2 * 3600,
};

static bool take_char(struct str *text, char wanted)
{
    if (text->len == 0 || text->ptr[0] != wanted)
        return false;
    *text = str_from_offset(*text, 1);
    return true;
}

static bool take_int(struct str *text, int min, int max, int *out)
{
    int value = 0;
    size_t digits = 0;
    for (; digits < text->len && text->ptr[digits] >= '0' && text->ptr[digits] <= '9'; digits++) {
        value = value * 10 + (text->ptr[digits] - '0');
        if (value > max)
            return false;
    }
    *text = str_from_offset(*text, digits);
    *out = value;
    return digits > 0 && value >= min;
}

/* Letters, or anything between < and >. */
static bool take_name(struct str *text)
{
    size_t len = 0;
    if (take_char(text, '<')) {
        while (len < text->len && text->ptr[len] != '>')
            len++;
        *text = str_from_offset(*text, len);
        return len > 0 && take_char(text, '>');
    }
    while (len < text->len && ascii_is_letter(text->ptr[len]))
        len++;
    *text = str_from_offset(*text, len);
    return len >= 3;
}

/* [+-]hh[:mm[:ss]] */
static bool take_seconds(struct str *text, int hours_max, int32_t *out)
{
    bool negative = take_char(text, '-');
    if (!negative)
        take_char(text, '+');
    int hours, minutes = 0, seconds = 0;
    if (!take_int(text, 0, hours_max, &hours))
        return false;
    if (take_char(text, ':') && !take_int(text, 0, 59, &minutes))
        return false;
    if (take_char(text, ':') && !take_int(text, 0, 59, &seconds))
        return false;
    int32_t total = (hours * 60 + minutes) * 60 + seconds;
    *out = negative ? -total : total;
    return true;
}

static bool take_change(struct str *text, struct zone_change *out)
{
    *out = (struct zone_change){.seconds = DEFAULT_CHANGE_SECONDS};
    bool ok;
    if (take_char(text, 'J')) {
        out->form = ZONE_DAY_JULIAN;
        ok = take_int(text, 1, 365, &out->day);
    } else if (take_char(text, 'M')) {
        out->form = ZONE_DAY_OF_MONTH;
        ok = take_int(text, 1, 12, &out->month) && take_char(text, '.') &&
             take_int(text, 1, 5, &out->week) && take_char(text, '.') &&
             take_int(text, 0, 6, &out->day);
    } else {
        out->form = ZONE_DAY_OF_YEAR;
        ok = take_int(text, 0, 365, &out->day);
    }
    return ok && (!take_char(text, '/') || take_seconds(text, TIME_HOURS_MAX, &out->seconds));
}

bool zone_rule_parse(struct str text, struct zone_rule *out)
{
    struct zone_rule rule = {0};
    int32_t west;
    if (!take_name(&text) || !take_seconds(&text, OFFSET_HOURS_MAX, &west))
        return false;
    rule.standard_offset = -west;
    if (text.len > 0) {
        rule.has_summer = true;
        rule.summer_offset = rule.standard_offset + 3600;
        if (!take_name(&text))
            return false;
        if (text.len > 0 && text.ptr[0] != ',') {
            if (!take_seconds(&text, OFFSET_HOURS_MAX, &west))
                return false;
            rule.summer_offset = -west;
        }
        if (text.len == 0)
            text = STR(",M3.2.0,M11.1.0");
        if (!take_char(&text, ',') || !take_change(&text, &rule.summer_start) ||
            !take_char(&text, ',') || !take_change(&text, &rule.summer_end) || text.len > 0)
            return false;
    }
    *out = rule;
    return true;
}

/* Days since 1970 of the change in a year. */
static int64_t change_day(const struct zone_change *change, int64_t year)
{
    int64_t new_year = civil_to_days(year, 1, 1);
    bool leap = civil_days_in_month(year, 2) == 29;
    if (change->form == ZONE_DAY_JULIAN)
        return new_year + change->day - 1 + (leap && change->day >= 60);
    if (change->form == ZONE_DAY_OF_YEAR)
        return new_year + change->day;
    int64_t first = civil_to_days(year, change->month, 1);
    int first_weekday = civil_weekday(first) % 7;
    int day = (change->day - first_weekday + 7) % 7 + (change->week - 1) * 7;
    while (day >= civil_days_in_month(year, change->month))
        day -= 7;
    return first + day;
}

int32_t zone_rule_offset_at(const struct zone_rule *rule, int64_t utc_seconds)
{
    if (!rule->has_summer)
        return rule->standard_offset;
    struct instant local = {utc_seconds + rule->standard_offset, 0};
    int64_t year = civil_from_instant(local).year;
    int64_t start = change_day(&rule->summer_start, year) * SECONDS_PER_DAY +
                    rule->summer_start.seconds - rule->standard_offset;
    int64_t end = change_day(&rule->summer_end, year) * SECONDS_PER_DAY + rule->summer_end.seconds -
                  rule->summer_offset;
    bool summer = start < end ? utc_seconds >= start && utc_seconds < end
                              : utc_seconds >= start || utc_seconds < end;
    return summer ? rule->summer_offset : rule->standard_offset;
}
