/* SPDX-License-Identifier: Apache-2.0 */
#include "codecs/edn/edn_text.h"

#include <assert.h>

#include "base/text/ascii.h"
#include "base/text/utf8.h"
#include "pipeline/event/ruby_text.h"

struct reader {
    struct arena *arena;
    struct str rest;
    unsigned depth;
    bool symbols;     /* the next value is a key, which may be one */
    unsigned ignored; /* values under way that #_ discards: anything may stand there */
};

/* ---- between values ------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return ascii_is_space(c) || c == ',';
}

/* Of the text of keywords and symbols. */
static bool is_symbol_char(char c)
{
    return ascii_is_letter(c) || ascii_is_digit(c) || (c && strchr(".#*!-_+?$%&=<>:", c));
}

static bool read_value(struct reader *reader, struct value *out);

/* Past blanks, comments and what #_ discards. False when a discarded value is broken. */
static bool skip(struct reader *reader)
{
    struct str *rest = &reader->rest;
    for (;;) {
        while (rest->len > 0 && is_blank(rest->ptr[0]))
            *rest = str_from_offset(*rest, 1);
        if (rest->len > 0 && rest->ptr[0] == ';') {
            const char *end = memchr(rest->ptr, '\n', rest->len);
            *rest = str_from_offset(*rest, end ? (size_t)(end - rest->ptr) : rest->len);
        } else if (str_starts_with(*rest, STR("#_"))) {
            struct value ignored;
            *rest = str_from_offset(*rest, 2);
            reader->ignored++;
            if (!read_value(reader, &ignored))
                return false;
            reader->ignored--;
        } else {
            return true;
        }
    }
}

static bool take(struct reader *reader, char c)
{
    if (reader->rest.len == 0 || reader->rest.ptr[0] != c)
        return false;
    reader->rest = str_from_offset(reader->rest, 1);
    return true;
}

static struct str take_front(struct reader *reader, size_t len)
{
    struct str front = str_make(reader->rest.ptr, len);
    reader->rest = str_from_offset(reader->rest, len);
    return front;
}

static size_t count_symbol_chars(struct str text, size_t from)
{
    while (from < text.len && is_symbol_char(text.ptr[from]))
        from++;
    return from;
}

/* A name, with a namespace in front of a '/' or without. */
static struct str take_word(struct reader *reader)
{
    size_t len = count_symbol_chars(reader->rest, 0);
    if (len < reader->rest.len && reader->rest.ptr[len] == '/')
        len = count_symbol_chars(reader->rest, len + 1);
    return take_front(reader, len);
}

/* ---- values --------------------------------------------------------------------------------------- */

/* What stands behind a backslash is itself, but for three letters. */
static char unescaped(char c)
{
    return c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
}

/* Behind the opening quote. */
static bool read_string(struct reader *reader, struct value *out)
{
    struct str text = reader->rest;
    size_t end = 0;
    while (end < text.len && text.ptr[end] != '"')
        end += text.ptr[end] == '\\' ? 2 : 1;
    if (end >= text.len)
        return false;
    reader->rest = str_from_offset(text, end + 1);
    text.len = end;
    if (text.len == 0 || !memchr(text.ptr, '\\', text.len)) {
        *out = value_str(text);
        return true;
    }
    char *bytes = arena_bytes(reader->arena, text.len);
    size_t len = 0;
    for (size_t at = 0; at < text.len; at++) {
        bool escaped = text.ptr[at] == '\\';
        at += escaped; /* what ends the text is not escaped */
        bytes[len++] = escaped ? unescaped(text.ptr[at]) : text.ptr[at];
    }
    assert(len <= text.len);
    *out = value_str(str_make(bytes, len));
    return true;
}

/* Behind the opening bracket. */
static bool read_list(struct reader *reader, char close, struct value *out)
{
    *out = value_array_new(reader->arena, 0);
    for (;;) {
        struct value item;
        if (!skip(reader))
            return false;
        if (take(reader, close))
            return true;
        if (!read_value(reader, &item))
            return false;
        value_array_push(reader->arena, out, item);
    }
}

static bool read_map(struct reader *reader, struct value *out)
{
    *out = value_object_new(reader->arena, 0);
    for (;;) {
        struct value key, item;
        if (!skip(reader))
            return false;
        if (take(reader, '}'))
            return true;
        reader->symbols = true;
        bool has_key = read_value(reader, &key);
        if (!has_key || !read_value(reader, &item))
            return false;
        if (value_type(&key) == VALUE_ARRAY || value_type(&key) == VALUE_OBJECT)
            return false; /* as text it would double with each level of keys within keys */
        value_object_set(reader->arena, out, value_to_text(reader->arena, &key), item);
    }
}

/* \a, \newline: the text of one character. */
static bool read_character(struct reader *reader, struct value *out)
{
    static const struct {
        struct str name;
        const char *text;
    } NAMED[] = {{STR_INIT("newline"), "\n"},
                 {STR_INIT("return"), "\r"},
                 {STR_INIT("space"), " "},
                 {STR_INIT("tab"), "\t"}};
    uint32_t code;
    if (reader->rest.len == 0)
        return false;
    size_t first = utf8_decode(reader->rest, &code), len = first; /* also a delimiter: \( */
    while (len < reader->rest.len &&
           (ascii_is_digit(reader->rest.ptr[len]) || ascii_is_letter(reader->rest.ptr[len])))
        len++;
    struct str word = take_front(reader, len);
    *out = value_str(word);
    if (len == first)
        return true;
    for (size_t i = 0; i < sizeof NAMED / sizeof *NAMED; i++)
        if (str_equal(word, NAMED[i].name)) {
            *out = value_str(str_from(NAMED[i].text));
            return true;
        }
    return false;
}

static size_t count_digits(struct str text, size_t from)
{
    while (from < text.len && ascii_is_digit(text.ptr[from]))
        from++;
    return from;
}

/* How many bytes a fraction and an exponent take; 0: it is an integer. */
static size_t count_real(struct str text, size_t digits)
{
    size_t at = digits;
    if (at < text.len && text.ptr[at] == '.')
        at = count_digits(text, at + 1);
    if (at < text.len && (text.ptr[at] | 0x20) == 'e') {
        at++;
        at += at < text.len && (text.ptr[at] == '+' || text.ptr[at] == '-');
        at = count_digits(text, at);
    }
    return at > digits ? at : 0;
}

/* Digits, and M or N that say nothing; or a float. What comes behind it is the next value: 1.5M is 1.5 and a symbol. */
static bool read_number(struct reader *reader, struct value *out)
{
    char first = reader->rest.ptr[0];
    size_t digits = count_digits(reader->rest, first == '-' || first == '+');
    size_t real = count_real(reader->rest, digits);
    if (real > 0) {
        double number = ruby_to_f(reader->arena, take_front(reader, real));
        *out = value_float(number);
        return number - number == 0;
    }
    *out = ruby_to_i(reader->arena, take_front(reader, digits));
    if (!take(reader, 'M'))
        (void)take(reader, 'N');
    return true;
}

/* nil, true, false; a symbol, which is text as a key and else no value of an event. */
static bool read_word(struct reader *reader, bool symbols, struct value *out)
{
    struct str word =
        str_starts_with(reader->rest, STR("/")) ? take_front(reader, 1) : take_word(reader);
    if (word.len == 0)
        return false;
    *out = str_equal(word, STR("nil"))     ? value_null()
           : str_equal(word, STR("true"))  ? value_bool(true)
           : str_equal(word, STR("false")) ? value_bool(false)
                                           : value_str(word);
    return symbols || reader->ignored || value_type(out) != VALUE_STRING;
}

/* Behind the #: only the text of an uuid is a value of an event; a set, a date and what has a tag that nobody knows are none.
 */
static bool read_tagged(struct reader *reader, struct value *out)
{
    if (reader->ignored && take(reader, '{'))
        return read_list(reader, '}', out);
    struct str tag = take_word(reader);
    return (reader->ignored || str_equal(tag, STR("uuid"))) && read_value(reader, out);
}

/* ^{…} says something about the value behind it. */
static bool read_about(struct reader *reader, struct value *out)
{
    struct value about;
    return read_value(reader, &about) && read_value(reader, out) && value_type(out) >= VALUE_STRING;
}

static bool starts_number(struct str text)
{
    size_t sign = text.ptr[0] == '-' || text.ptr[0] == '+';
    return sign < text.len && ascii_is_digit(text.ptr[sign]);
}

static bool read_any(struct reader *reader, bool symbols, struct value *out)
{
    if (reader->rest.len == 0)
        return false;
    if (starts_number(reader->rest))
        return read_number(reader, out);
    char c = reader->rest.ptr[0];
    if (!c || !strchr("\"[({:\\#^", c))
        return read_word(reader, symbols, out);
    reader->rest = str_from_offset(reader->rest, 1);
    switch (c) {
    case '"':
        return read_string(reader, out);
    case '[':
        return read_list(reader, ']', out);
    case '(':
        return read_list(reader, ')', out);
    case '{':
        return read_map(reader, out);
    case ':': {
        struct str name = take_word(reader);
        *out = value_str(name);
        return name.len > 0;
    }
    case '\\':
        return read_character(reader, out);
    case '^':
        return read_about(reader, out);
    default:
        return read_tagged(reader, out);
    }
}

static bool read_value(struct reader *reader, struct value *out)
{
    if (reader->depth == EDN_MAX_DEPTH)
        return false;
    bool symbols = reader->symbols;
    reader->symbols = false;
    reader->depth++;
    bool read = skip(reader) && read_any(reader, symbols, out);
    reader->depth--;
    return read;
}

bool edn_read(struct arena *arena, struct str text, struct value *out)
{
    struct reader reader = {.arena = arena, .rest = text};
    return read_value(&reader, out);
}

/* ---- writing -------------------------------------------------------------------------------------- */

static bool write_string(struct str text, struct buf *out)
{
    static const char SPECIAL[] = "\"\\\n\r\t\b\f", LETTERS[] = "\"\\nrtbf";
    bool fits = buf_append_char(out, '"');
    for (size_t i = 0; i < text.len && fits; i++) {
        const char *special = text.ptr[i] ? strchr(SPECIAL, text.ptr[i]) : NULL;
        if (special)
            fits = buf_append_char(out, '\\') && buf_append_char(out, LETTERS[special - SPECIAL]);
        else
            fits = buf_append_char(out, text.ptr[i]);
    }
    return fits && buf_append_char(out, '"');
}

static bool write_array(const struct value *array, struct buf *out)
{
    bool fits = buf_append_char(out, '[');
    for (size_t i = 0; i < value_array_count(array) && fits; i++)
        fits = (i == 0 || buf_append_char(out, ' ')) && edn_write(value_array_at(array, i), out);
    return fits && buf_append_char(out, ']');
}

static bool write_object(const struct value *object, struct buf *out)
{
    bool fits = buf_append_char(out, '{');
    for (size_t i = 0; i < value_object_count(object) && fits; i++) {
        struct str key;
        const struct value *item = value_object_at(object, i, &key);
        fits = (i == 0 || buf_append_str(out, STR(", "))) && write_string(key, out) &&
               buf_append_char(out, ' ') && edn_write(item, out);
    }
    return fits && buf_append_char(out, '}');
}

static_assert((int)FLOAT_TEXT_MAX <= (int)INSTANT_TEXT_MAX, "one buffer serves both");

bool edn_write(const struct value *value, struct buf *out)
{
    char text[INSTANT_TEXT_MAX]; /* a float is shorter */
    switch (value_type(value)) {
    case VALUE_NULL:
        return buf_append_str(out, STR("nil"));
    case VALUE_STRING:
        return write_string(value_as_str(value), out);
    case VALUE_TIMESTAMP:
        return write_string(str_make(text, instant_format(value_as_instant(value), text)), out);
    case VALUE_FLOAT:
        return buf_append(out, text, float_format_ruby(value_as_float(value), text));
    case VALUE_ARRAY:
        return write_array(value, out);
    case VALUE_OBJECT:
        return write_object(value, out);
    case VALUE_BOOL:
        return value_append_text(value, out);
    case VALUE_INT:
    case VALUE_BIG_INT: /* with the mark that Logstash writes behind any integer */
        return value_append_text(value, out) && buf_append_char(out, 'M');
    }
    return false;
}

bool edn_write_event(const struct event *event, struct buf *out)
{
    return write_object(&event->fields, out);
}
