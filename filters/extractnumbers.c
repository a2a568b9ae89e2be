/* SPDX-License-Identifier: Apache-2.0
 *
 * extractnumbers: the words of a text that are numbers go to int1, int2, … and float1, float2, …. What is a number is
 * what Ruby's Integer() takes (0x1F, 0b11, 017 and 0o17 octal, 1_000), and else what Float() takes. As in Logstash, the
 * common options are never applied.
 */
#include <math.h>

#include "base/text/ascii.h"
#include "filters/filters.h"
#include "pipeline/event/ruby_text.h"

enum { NUMBER_TEXT_MAX = 512 };

struct extractnumbers {
    struct field_ref source;
};

static const struct option OPTIONS[] = {
    {
        .name = "source",
        .doc = "Field that holds the text; of a list its first item.",
        OPTION_IN_FIELD(struct extractnumbers, source),
        .def = "message",
    },
    OPTION_END,
};

static int digit_of(char c)
{
    if (ascii_is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* Takes a prefix off *digits and says the base it stands for: 0x 0b 0o 0d, or a 0 alone for octal. */
static int take_base(struct str *digits)
{
    if (digits->len < 2 || digits->ptr[0] != '0')
        return 10;
    static const char LETTERS[] = "xbod";
    static const int BASES[] = {16, 2, 8, 10};
    const char *letter = strchr(LETTERS, digits->ptr[1] | 0x20);
    bool named = letter && *letter;
    *digits = str_from_offset(*digits, named ? 2 : 1);
    if (!named && digits->ptr[0] == '_') /* 0_7 is octal as well */
        *digits = str_from_offset(*digits, 1);
    return named ? BASES[letter - LETTERS] : 8;
}

static bool is_digits(struct str text, int base)
{
    bool after_digit = false; /* an underscore stands between digits only */
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '_' ? !after_digit : digit_of(text.ptr[i]) >= base)
            return false;
        after_digit = text.ptr[i] != '_';
    }
    return after_digit;
}

/* Beyond 64 bits only in base 10: there the digits are the value. */
static bool read_based(struct str digits, int base, bool negative, struct value *out)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] == '_')
            continue;
        uint64_t digit = (uint64_t)digit_of(digits.ptr[i]);
        if (sum > ((uint64_t)INT64_MAX - digit) / (uint64_t)base)
            return false;
        sum = sum * (uint64_t)base + digit;
    }
    *out = value_int(negative ? -(int64_t)sum : (int64_t)sum);
    return true;
}

static bool read_integer(struct arena *arena, struct str word, struct value *out)
{
    struct str digits = word;
    bool negative = digits.ptr[0] == '-';
    if (negative || digits.ptr[0] == '+')
        digits = str_from_offset(digits, 1);
    int base = take_base(&digits);
    if (!is_digits(digits, base))
        return false;
    if (base != 10)
        return read_based(digits, base, negative, out);
    *out = ruby_to_i(arena, word);
    return true;
}

/* Digits around each point and underscore; the rest is str_to_double's matter. */
static bool read_float(struct str word, double *out)
{
    char plain[NUMBER_TEXT_MAX];
    size_t len = 0;
    for (size_t i = 0; i < word.len; i++) {
        bool before = i > 0 && digit_of(word.ptr[i - 1]) < 10;
        bool behind = i + 1 < word.len && digit_of(word.ptr[i + 1]) < 10;
        if ((word.ptr[i] == '_' && !(before && behind)) || (word.ptr[i] == '.' && !behind) ||
            len == sizeof plain)
            return false;
        if (word.ptr[i] != '_')
            plain[len++] = word.ptr[i];
    }
    return str_to_double(str_make(plain, len), out) && isfinite(*out);
}

struct found {
    struct event *event;
    unsigned ints, floats;
};

static void set_number(struct event *event, const char *kind, unsigned number, struct value value)
{
    struct field_part part = {.name = arena_printf(event->arena, "%s%u", kind, number)};
    struct field_ref name = {.text = part.name, .parts = &part, .count = 1};
    (void)event_set(event, &name, value, NULL);
}

static void take_word(struct found *found, struct str word)
{
    struct value value;
    double real;
    if (read_integer(found->event->arena, word, &value))
        set_number(found->event, "int", ++found->ints, value);
    else if (read_float(word, &real))
        set_number(found->event, "float", ++found->floats, value_float(real));
}

static bool is_blank(char c)
{
    return ascii_is_space(c) || c == '\0';
}

static enum filter_result extractnumbers_apply(void *plugin, struct event *event,
                                               struct event_sink *more)
{
    const struct extractnumbers *self = plugin;
    const struct value *source = event_get(event, &self->source);
    (void)more;
    if (source && value_type(source) == VALUE_ARRAY)
        source = value_array_count(source) > 0 ? value_array_at(source, 0) : NULL;
    if (!value_is_str(source))
        return FILTER_SKIPPED;
    struct found found = {.event = event};
    struct str text = value_as_str(source);
    for (size_t at = 0, end; at < text.len; at = end + 1) {
        for (end = at; end < text.len && !is_blank(text.ptr[end]);)
            end++;
        if (end > at)
            take_word(&found, str_make(text.ptr + at, end - at));
    }
    return FILTER_SKIPPED;
}

const struct filter filter_extractnumbers = {
    .plugin =
        {
            .name = "extractnumbers",
            .summary = "Puts the numbers of a text into fields of their own.",
            .options = OPTIONS,
            .size = sizeof(struct extractnumbers),
        },
    .apply = extractnumbers_apply,
};
