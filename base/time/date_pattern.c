/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads patterns. Joda-Time's letters are here; java.time's are in date_pattern_java.c.
 */
#include "base/time/date_pattern.h"

#include <assert.h>

#include "base/time/date_pattern_parts.h"

void date_add_part(struct date_compiler *compiler, struct date_part part)
{
    struct date_pattern *out = compiler->out;
    assert(out->count < compiler->pattern.len);
    out->parts[out->count++] = part;
}

void date_add_literal(struct date_compiler *compiler, struct str literal)
{
    if (literal.len == 0)
        return;
    struct date_pattern *out = compiler->out;
    struct date_part *last = out->count > 0 ? &out->parts[out->count - 1] : NULL;
    if (last && last->field == DATE_LITERAL &&
        last->literal.ptr + last->literal.len == literal.ptr) {
        last->literal.len += literal.len;
        return;
    }
    date_add_part(compiler, (struct date_part){.field = DATE_LITERAL, .literal = literal});
}

size_t date_run_length(const struct date_compiler *compiler, size_t from)
{
    struct str pattern = compiler->pattern;
    assert(from < pattern.len);
    size_t end = from + 1;
    while (end < pattern.len && pattern.ptr[end] == pattern.ptr[from])
        end++;
    return end - from;
}

/* True when the letter at `from` stands for digits: a number before it cannot have an open length. */
static bool number_follows(const struct date_compiler *compiler, size_t from)
{
    if (from >= compiler->pattern.len)
        return false;
    char letter = compiler->pattern.ptr[from];
    if (letter == 'M')
        return date_run_length(compiler, from) <= 2;
    return letter != 0 && strchr("cCxyYdhHmsSeDFwWkK", letter) != NULL;
}

static void add_number(struct date_compiler *compiler, enum date_field field, size_t count,
                       unsigned max_digits)
{
    date_add_part(compiler, (struct date_part){
                                .field = field,
                                .min_digits = (unsigned char)count,
                                .max_digits = (unsigned char)max_digits,
                            });
}

static void add_text(struct date_compiler *compiler, enum date_field field, bool full)
{
    date_add_part(compiler, (struct date_part){.field = field,
                                               .form = full ? DATE_FULL_TEXT : DATE_SHORT_TEXT});
}

static void add_year(struct date_compiler *compiler, enum date_field field, size_t count)
{
    bool open = !number_follows(compiler, compiler->at + count);
    struct date_part part = {
        .field = field,
        .min_digits = (unsigned char)count,
        .max_digits = open ? DATE_YEAR_DIGITS_MAX : (unsigned char)count,
        .is_signed = field != DATE_YEAR_OF_ERA,
    };
    if (count == 2) {
        part.form = DATE_TWO_DIGITS;
        part.lenient = open;
        /* Joda-Time reads two digits of a Y as a year, not a year of an era. */
        part.field = field == DATE_YEAR_OF_ERA ? DATE_YEAR : field;
    }
    date_add_part(compiler, part);
}

/* Letters that are a number with at most max_digits digits. */
static const struct {
    char letter;
    unsigned char max_digits;
    enum date_field field;
} NUMBERS[] = {
    {'d', 2, DATE_DAY_OF_MONTH}, {'h', 2, DATE_CLOCK_HALF_HOUR}, {'H', 2, DATE_HOUR},
    {'k', 2, DATE_CLOCK_HOUR},   {'K', 2, DATE_HALF_HOUR},       {'m', 2, DATE_MINUTE},
    {'s', 2, DATE_SECOND},       {'e', 1, DATE_WEEKDAY},         {'D', 3, DATE_DAY_OF_YEAR},
    {'w', 2, DATE_WEEK},
};

static void add_zone(struct date_compiler *compiler, char letter, size_t count)
{
    enum date_field field = letter == 'z' ? DATE_ZONE_NAME
                            : count < 3   ? DATE_ZONE_OFFSET
                                          : DATE_ZONE_ID;
    date_add_part(compiler,
                  (struct date_part){.field = field,
                                     .form = count >= 4 ? DATE_FULL_TEXT : DATE_SHORT_TEXT,
                                     .min_digits = (unsigned char)count});
    if (letter == 'z' && count >= 4)
        compiler->out->can_parse = false;
}

static bool add_letter(struct date_compiler *compiler, char letter, size_t count)
{
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
        if (NUMBERS[i].letter == letter) {
            add_number(compiler, NUMBERS[i].field, count, NUMBERS[i].max_digits);
            return true;
        }
    }
    if (letter == 'x' || letter == 'y' || letter == 'Y')
        add_year(compiler,
                 letter == 'x'   ? DATE_WEEK_YEAR
                 : letter == 'y' ? DATE_YEAR
                                 : DATE_YEAR_OF_ERA,
                 count);
    else if (letter == 'C')
        date_add_part(compiler, (struct date_part){.field = DATE_CENTURY,
                                                   .min_digits = (unsigned char)count,
                                                   .max_digits = (unsigned char)count,
                                                   .is_signed = true});
    else if (letter == 'S')
        add_number(compiler, DATE_FRACTION, count, (unsigned)count);
    else if (letter == 'M' && count <= 2)
        add_number(compiler, DATE_MONTH, count, 2);
    else if (letter == 'M' || letter == 'E')
        add_text(compiler, letter == 'M' ? DATE_MONTH : DATE_WEEKDAY, count >= 4);
    else if (letter == 'a' || letter == 'G')
        add_text(compiler, letter == 'a' ? DATE_HALF_DAY : DATE_ERA, false);
    else if (letter == 'z' || letter == 'Z')
        add_zone(compiler, letter, count);
    else
        return error_set(compiler->err, ERROR_CONFIG, "'%c' is not a letter of date patterns",
                         letter);
    return true;
}

/* Text up to the next letter outside quotes. Two quotes are one; a quote left open goes to the end. */
static void take_literal(struct date_compiler *compiler)
{
    struct str pattern = compiler->pattern;
    bool quoted = false;
    while (compiler->at < pattern.len) {
        const char *at = pattern.ptr + compiler->at;
        if (*at == '\'' && compiler->at + 1 < pattern.len && at[1] == '\'') {
            date_add_literal(compiler, str_make(at + 1, 1));
            compiler->at += 2;
        } else if (*at == '\'') {
            quoted = !quoted;
            compiler->at++;
        } else if (!quoted && date_is_letter(*at)) {
            return;
        } else {
            date_add_literal(compiler, str_make(at, 1));
            compiler->at++;
        }
    }
}

bool date_compile_joda(struct date_compiler *compiler)
{
    struct str pattern = compiler->pattern;
    if (pattern.len == 0)
        return error_set(compiler->err, ERROR_CONFIG, "a date pattern cannot be empty");
    while (compiler->at < pattern.len) {
        char letter = pattern.ptr[compiler->at];
        if (!date_is_letter(letter)) {
            take_literal(compiler);
            continue;
        }
        size_t count = date_run_length(compiler, compiler->at);
        if (count > DATE_LETTERS_MAX)
            return error_set(compiler->err, ERROR_LIMIT, "more than %d letters '%c' in a row",
                             DATE_LETTERS_MAX, letter);
        if (!add_letter(compiler, letter, count))
            return false;
        compiler->at += count;
    }
    return true;
}

const struct date_pattern *date_pattern_compile(struct arena *arena, struct str pattern,
                                                enum date_dialect dialect, struct error *err)
{
    if (pattern.len > DATE_PATTERN_BYTES_MAX) {
        error_set(err, ERROR_LIMIT, "date pattern of more than %d bytes", DATE_PATTERN_BYTES_MAX);
        return NULL;
    }
    struct date_compiler compiler = {
        .arena = arena,
        .pattern = arena_dup(arena, pattern),
        .out = arena_zero(arena, sizeof *compiler.out + pattern.len * sizeof *compiler.out->parts),
        .err = err,
    };
    compiler.out->dialect = dialect;
    compiler.out->can_parse = dialect == DATE_JODA;
    compiler.out->has_year = pattern.len > 0 && (memchr(pattern.ptr, 'y', pattern.len) ||
                                                 memchr(pattern.ptr, 'Y', pattern.len));
    compiler.out->has_zone = pattern.len > 0 && memchr(pattern.ptr, 'Z', pattern.len);
    bool ok =
        dialect == DATE_JODA ? date_compile_joda(&compiler) : date_compile_java_time(&compiler);
    if (!ok) {
        error_prefix(err, "bad date pattern '%.*s'", STR_FMT(pattern));
        return NULL;
    }
    return compiler.out;
}

bool date_pattern_asks_now(const struct date_pattern *pattern)
{
    bool asks = !pattern->has_year;
    for (size_t i = 0; i < pattern->count; i++)
        asks |= pattern->parts[i].form == DATE_TWO_DIGITS;
    return asks;
}

bool date_pattern_can_parse(const struct date_pattern *pattern)
{
    return pattern->can_parse;
}
