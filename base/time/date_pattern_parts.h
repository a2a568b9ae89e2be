/* SPDX-License-Identifier: Apache-2.0
 *
 * What a compiled date pattern is made of; private to base/date_pattern*.c. A pattern is an array of parts in
 * the order of the text. Both dialects compile to the same parts, so that there is one formatter.
 */
#ifndef MILLRACE_BASE_TIME_DATE_PATTERN_PARTS_H
#define MILLRACE_BASE_TIME_DATE_PATTERN_PARTS_H

#include "base/time/date_pattern.h"

enum {
    DATE_PATTERN_BYTES_MAX = 1024, /* of the pattern's text */
    DATE_LETTERS_MAX = 64,         /* how often one letter may be repeated */
    DATE_YEAR_DIGITS_MAX = 9,      /* that parsing reads where a year's length is open */
};

/* In the order in which parsed values are applied (Joda-Time's: the longer the range that a field counts
 * within, the earlier; then the longer its unit). */
enum date_field {
    DATE_ERA,
    DATE_CENTURY,
    DATE_YEAR,
    DATE_YEAR_OF_ERA,
    DATE_WEEK_YEAR, /* ISO 8601 */
    DATE_MONTH,
    DATE_WEEK,
    DATE_DAY_OF_YEAR,
    DATE_DAY_OF_MONTH,
    DATE_WEEKDAY,         /* 1 Monday */
    DATE_HALF_DAY,        /* 0 AM, 1 PM */
    DATE_HOUR,            /* 0..23 */
    DATE_CLOCK_HOUR,      /* 1..24 */
    DATE_HALF_HOUR,       /* 0..11 */
    DATE_CLOCK_HALF_HOUR, /* 1..12 */
    DATE_MINUTE,
    DATE_SECOND,
    DATE_FRACTION,
    DATE_FIELDS_PARSED, /* those above can be parsed into */
    DATE_QUARTER = DATE_FIELDS_PARSED,
    DATE_LOCAL_WEEK_YEAR, /* weeks start on Sunday, as java.time has it for the United States */
    DATE_LOCAL_WEEK,
    DATE_LOCAL_WEEKDAY, /* 1 Sunday */
    DATE_WEEK_OF_MONTH,
    DATE_ALIGNED_WEEK, /* of the month, from its first day */
    DATE_NANOSECOND,
    DATE_MILLISECOND_OF_DAY,
    DATE_NANOSECOND_OF_DAY,
    DATE_LITERAL,
    DATE_ZONE_NAME,
    DATE_ZONE_OFFSET,
    DATE_ZONE_ID,
};

enum date_form {
    DATE_NUMBER,     /* padded to min_digits */
    DATE_TWO_DIGITS, /* of a year */
    DATE_SHORT_TEXT,
    DATE_FULL_TEXT,
    DATE_NARROW_TEXT,
};

struct date_part {
    enum date_field field;
    enum date_form form;
    unsigned char min_digits;
    unsigned char max_digits; /* to parse */
    bool is_signed;           /* parsing takes a sign */
    bool lenient;             /* DATE_TWO_DIGITS: parsing takes other lengths as they stand */
    bool plus_when_longer;    /* formatting puts a plus before more than min_digits */
    struct str literal;       /* DATE_LITERAL */
};

struct date_pattern {
    size_t count;
    enum date_dialect dialect;
    bool has_year; /* the text has a y or a Y anywhere, as Logstash looks for it */
    bool has_zone; /* the text has a Z anywhere */
    bool can_parse;
    struct date_part parts[];
};

/* Collects parts while a pattern is read. */
struct date_compiler {
    struct arena *arena;
    struct str pattern;
    size_t at;
    struct date_pattern *out; /* room for one part for each byte of the pattern */
    struct error *err;
};

void date_add_part(struct date_compiler *compiler, struct date_part part);
/* Joins neighbouring literals. The bytes must live as long as the pattern. */
void date_add_literal(struct date_compiler *compiler, struct str literal);
/* The length of the run of equal letters at `from`. */
size_t date_run_length(const struct date_compiler *compiler, size_t from);

static inline bool date_is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool date_compile_joda(struct date_compiler *compiler);
bool date_compile_java_time(struct date_compiler *compiler);

/* What the parts of one text said, before it becomes an instant. */
struct date_parsed {
    uint32_t present; /* bit for each enum date_field below DATE_FIELDS_PARSED */
    int32_t values[DATE_FIELDS_PARSED];
    bool has_offset;
    int32_t offset_ms;       /* east of UTC */
    const struct zone *zone; /* named in the text, else NULL */
};
bool date_resolve(bool guess_year, const struct date_parse_context *ctx, struct date_parsed *parsed,
                  struct instant *out);

/* A text on its way into a date_parsed. The take functions below move `at` on when they succeed; where it stands
 * after a failure does not matter, except for date_take_char. */
struct date_reader {
    const char *at;
    const char *end;
    const struct date_parse_context *ctx;
    struct date_parsed *out;
};
void date_store(struct date_reader *reader, enum date_field field, int32_t value);
bool date_take_char(struct date_reader *reader, char wanted); /* ASCII, in either case */
/* 1 to max_digits digits, after a sign where one is allowed. */
bool date_take_number(struct date_reader *reader, enum date_field field, unsigned max_digits,
                      bool is_signed);
/* Milliseconds of the second; digits after the third are read and dropped. */
bool date_take_fraction(struct date_reader *reader, unsigned max_digits);
/* Z, or a sign and hh[mm[ss[SSS]]] or hh[:mm[:ss[.SSS]]]. */
bool date_take_offset(struct date_reader *reader);

#endif
