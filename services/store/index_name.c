/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/index_name.h"

#include <assert.h>

#include "base/text/utf8.h"
#include "base/time/clock.h"
#include "services/store/glob.h"

enum { DATE_BYTES = 10, MS_PER_DAY = 86400000 };

static bool invalid(struct str name, const char *why, struct api_error *err)
{
    return api_error_set(err, 400, "invalid_index_name_exception", "Invalid index name [%.*s], %s",
                         name.len > INDEX_NAME_MAX ? INDEX_NAME_MAX : (int)name.len, name.ptr, why);
}

static bool has_upper_case(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] >= 'A' && name.ptr[i] <= 'Z')
            return true;
    return false;
}

static bool has_bad_byte(struct str name)
{
    static const char BAD[] = " \"*\\<|,>/?";
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] < 0x20 ? (unsigned char)name.ptr[i] < 0x20
                               : strchr(BAD, name.ptr[i]) != NULL)
            return true;
    return false;
}

bool index_name_check(struct str name, struct api_error *err)
{
    if (name.len == 0)
        return invalid(STR(""), "must not be empty", err);
    if (!utf8_valid(name))
        return invalid(STR("?"), "must be UTF-8", err);
    if (has_bad_byte(name))
        return invalid(name,
                       "must not contain the following characters [ , \", *, \\, <, |, ,, >, /, ?]",
                       err);
    if (memchr(name.ptr, '#', name.len))
        return invalid(name, "must not contain '#'", err);
    if (memchr(name.ptr, ':', name.len))
        return invalid(name, "must not contain ':'", err);
    if (name.ptr[0] == '_' || name.ptr[0] == '-' || name.ptr[0] == '+')
        return invalid(name, "must not start with '_', '-', or '+'", err);
    if (name.len > INDEX_NAME_MAX)
        return invalid(name, "index name is too long, (more than 255 bytes)", err);
    if (str_equal(name, STR(".")) || str_equal(name, STR("..")))
        return invalid(name, "must not be '.' or '..'", err);
    if (has_upper_case(name))
        return invalid(name, "must be lowercase", err);
    return true;
}

bool index_expression_is_name(struct str expression)
{
    return expression.len > 0 && !memchr(expression.ptr, ',', expression.len) &&
           !memchr(expression.ptr, '*', expression.len) && !str_equal(expression, STR("_all"));
}

bool index_expression_next(struct str *expression, struct str *part_out)
{
    while (expression->len > 0) {
        const char *comma = memchr(expression->ptr, ',', expression->len);
        size_t len = comma ? (size_t)(comma - expression->ptr) : expression->len;
        *part_out = str_make(expression->ptr, len);
        *expression = str_from_offset(*expression, len + 1);
        if (len > 0)
            return true;
    }
    return false;
}

bool index_expression_has(struct str expression, struct str name)
{
    struct str part;
    bool has = str_trim(expression).len == 0, after_wildcard = false;
    while (index_expression_next(&expression, &part)) {
        bool excludes = after_wildcard && part.ptr[0] == '-';
        struct str pattern = excludes ? str_from_offset(part, 1) : part;
        bool all = str_equal(pattern, STR("_all"));
        after_wildcard = after_wildcard || all || memchr(pattern.ptr, '*', pattern.len);
        if (all || glob_match(pattern, name))
            has = !excludes;
    }
    return has;
}

static bool read_digits(struct str text, size_t at, size_t count, int *out)
{
    *out = 0;
    for (size_t i = at; i < at + count; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        *out = *out * 10 + (text.ptr[i] - '0');
    }
    return true;
}

static bool read_date(struct str text, int64_t *end_ms_out)
{
    int year, month, day;
    if (text.len < DATE_BYTES || (text.ptr[4] != '.' && text.ptr[4] != '-') ||
        text.ptr[7] != text.ptr[4] || !read_digits(text, 0, 4, &year) ||
        !read_digits(text, 5, 2, &month) || !read_digits(text, 8, 2, &day) || year < 1970 ||
        month < 1 || month > 12 || day < 1 || day > civil_days_in_month(year, month))
        return false;
    *end_ms_out = (civil_to_days(year, month, day) + 1) * MS_PER_DAY;
    return true;
}

bool index_name_date(struct str name, int64_t *end_ms_out)
{
    for (size_t at = 0; at + DATE_BYTES <= name.len; at++) {
        bool starts = at == 0 || name.ptr[at - 1] < '0' || name.ptr[at - 1] > '9';
        bool ends = at + DATE_BYTES == name.len || name.ptr[at + DATE_BYTES] < '0' ||
                    name.ptr[at + DATE_BYTES] > '9';
        if (starts && ends && read_date(str_from_offset(name, at), end_ms_out))
            return true;
    }
    return false;
}
