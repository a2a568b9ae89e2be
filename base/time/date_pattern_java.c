/* SPDX-License-Identifier: Apache-2.0
 *
 * java.time's letters, for formatting only. The zone is always UTC, so zone letters become literals here. Weeks of
 * the "localized" letters (Y, w, W, e, c) start on Sunday and the first is the one with 1 January in it, as in the
 * English locale of the United States that Logstash runs with.
 */
#include "base/time/date_pattern_parts.h"

enum { JAVA_YEAR_PAD_EXCEEDED = 4, JAVA_FRACTION_MAX = 9, JAVA_NUMBER_WIDTH_MAX = 19 };

static bool too_many(struct date_compiler *compiler, char letter)
{
    return error_set(compiler->err, ERROR_CONFIG, "wrong number of letters '%c'", letter);
}

static void add_number(struct date_compiler *compiler, enum date_field field, size_t count)
{
    date_add_part(compiler, (struct date_part){.field = field, .min_digits = (unsigned char)count});
}

static bool add_year(struct date_compiler *compiler, enum date_field field, char letter,
                     size_t count)
{
    if (count > JAVA_NUMBER_WIDTH_MAX)
        return too_many(compiler, letter);
    date_add_part(compiler, (struct date_part){
                                .field = field,
                                .form = count == 2 ? DATE_TWO_DIGITS : DATE_NUMBER,
                                .min_digits = (unsigned char)count,
                                .plus_when_longer = count >= JAVA_YEAR_PAD_EXCEEDED,
                            });
    return true;
}

/* One or two letters are a number, three the short text, four the full, five one letter of it. */
static bool add_text(struct date_compiler *compiler, enum date_field number, enum date_field text,
                     char letter, size_t count)
{
    static const enum date_form FORMS[] = {DATE_SHORT_TEXT, DATE_FULL_TEXT, DATE_NARROW_TEXT};
    if (count > 5)
        return too_many(compiler, letter);
    if (count <= 2)
        add_number(compiler, number, count);
    else
        date_add_part(compiler, (struct date_part){.field = text, .form = FORMS[count - 3]});
    return true;
}

static bool add_always_text(struct date_compiler *compiler, enum date_field field, char letter,
                            size_t count)
{
    return add_text(compiler, field, field, letter, count < 3 ? 3 : count);
}

/* How an offset of zero is written. NULL: not that many letters. */
static const char *zone_text(char letter, size_t count)
{
    static const char *const OFFSETS[] = {NULL, "+00", "+0000", "+00:00", "+0000", "+00:00"};
    if (letter == 'V')
        return count == 2 ? "Z" : NULL;
    if (letter == 'v')
        return count == 1 || count == 4 ? "Z" : NULL;
    if (letter == 'z')
        return count <= 4 ? "Z" : NULL;
    if (letter == 'O')
        return count == 1 || count == 4 ? "GMT" : NULL;
    if (count > 5)
        return NULL;
    if (letter == 'X')
        return "Z";
    if (letter == 'x')
        return OFFSETS[count];
    return count <= 3 ? "+0000" : count == 4 ? "GMT" : "Z";
}

/* Letters that are a plain number, with the most of them allowed. */
static const struct {
    char letter;
    unsigned char max_count;
    enum date_field field;
} NUMBERS[] = {
    {'D', 3, DATE_DAY_OF_YEAR},
    {'d', 2, DATE_DAY_OF_MONTH},
    {'F', 1, DATE_ALIGNED_WEEK},
    {'h', 2, DATE_CLOCK_HALF_HOUR},
    {'H', 2, DATE_HOUR},
    {'k', 2, DATE_CLOCK_HOUR},
    {'K', 2, DATE_HALF_HOUR},
    {'m', 2, DATE_MINUTE},
    {'s', 2, DATE_SECOND},
    {'S', JAVA_FRACTION_MAX, DATE_FRACTION},
    {'w', 2, DATE_LOCAL_WEEK},
    {'W', 1, DATE_WEEK_OF_MONTH},
    {'A', JAVA_NUMBER_WIDTH_MAX, DATE_MILLISECOND_OF_DAY},
    {'n', JAVA_NUMBER_WIDTH_MAX, DATE_NANOSECOND},
    {'N', JAVA_NUMBER_WIDTH_MAX, DATE_NANOSECOND_OF_DAY},
};

static bool add_letter(struct date_compiler *compiler, char letter, size_t count)
{
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
        if (NUMBERS[i].letter != letter)
            continue;
        if (count > NUMBERS[i].max_count)
            return too_many(compiler, letter);
        add_number(compiler, NUMBERS[i].field, count);
        return true;
    }
    switch (letter) {
    case 'u':
        return add_year(compiler, DATE_YEAR, letter, count);
    case 'y':
        return add_year(compiler, DATE_YEAR_OF_ERA, letter, count);
    case 'Y':
        return add_year(compiler, DATE_LOCAL_WEEK_YEAR, letter, count);
    case 'M':
    case 'L':
        return add_text(compiler, DATE_MONTH, DATE_MONTH, letter, count);
    case 'Q':
    case 'q':
        return add_text(compiler, DATE_QUARTER, DATE_QUARTER, letter, count);
    case 'c':
        if (count == 2)
            return too_many(compiler, letter);
        return add_text(compiler, DATE_LOCAL_WEEKDAY, DATE_WEEKDAY, letter, count);
    case 'e':
        return add_text(compiler, DATE_LOCAL_WEEKDAY, DATE_WEEKDAY, letter, count);
    case 'E':
        return add_always_text(compiler, DATE_WEEKDAY, letter, count);
    case 'G':
        return add_always_text(compiler, DATE_ERA, letter, count);
    case 'a':
        return count > 1 ? too_many(compiler, letter)
                         : add_always_text(compiler, DATE_HALF_DAY, letter, count);
    case 'V':
    case 'v':
    case 'z':
    case 'O':
    case 'X':
    case 'x':
    case 'Z':
        if (!zone_text(letter, count))
            return too_many(compiler, letter);
        date_add_literal(compiler, str_from(zone_text(letter, count)));
        return true;
    default:
        return error_set(compiler->err, ERROR_CONFIG, "'%c' is not a letter of java.time patterns",
                         letter);
    }
}

/* After the opening quote. '' inside and on its own is a quote. */
static bool take_quoted(struct date_compiler *compiler)
{
    struct str pattern = compiler->pattern;
    size_t start = ++compiler->at;
    for (; compiler->at < pattern.len; compiler->at++) {
        const char *at = pattern.ptr + compiler->at;
        if (*at != '\'') {
            date_add_literal(compiler, str_make(at, 1));
            continue;
        }
        bool doubled = compiler->at + 1 < pattern.len && at[1] == '\'';
        if (!doubled) {
            if (compiler->at == start)
                date_add_literal(compiler, str_make(at, 1));
            compiler->at++;
            return true;
        }
        date_add_literal(compiler, str_make(at, 1));
        compiler->at++;
    }
    return error_set(compiler->err, ERROR_CONFIG, "a quote is not closed");
}

/* An optional section is always written: an instant has every field. */
static bool take_mark(struct date_compiler *compiler, unsigned *depth)
{
    const char *at = compiler->pattern.ptr + compiler->at;
    if (*at == '{' || *at == '}' || *at == '#')
        return error_set(compiler->err, ERROR_CONFIG, "'%c' is reserved", *at);
    if (*at == ']' && *depth == 0)
        return error_set(compiler->err, ERROR_CONFIG, "']' without '['");
    if (*at == '[')
        (*depth)++;
    else if (*at == ']')
        (*depth)--;
    else
        date_add_literal(compiler, str_make(at, 1));
    compiler->at++;
    return true;
}

bool date_compile_java_time(struct date_compiler *compiler)
{
    struct str pattern = compiler->pattern;
    unsigned depth = 0;
    while (compiler->at < pattern.len) {
        char letter = pattern.ptr[compiler->at];
        bool ok;
        if (date_is_letter(letter)) {
            size_t count = date_run_length(compiler, compiler->at);
            ok = count > DATE_LETTERS_MAX ? too_many(compiler, letter)
                                          : add_letter(compiler, letter, count);
            compiler->at += count;
        } else if (letter == '\'') {
            ok = take_quoted(compiler);
        } else {
            ok = take_mark(compiler, &depth);
        }
        if (!ok)
            return false;
    }
    return true;
}
