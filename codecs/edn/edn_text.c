/* SPDX-License-Identifier: Apache-2.0 */
#include "codecs/edn/edn_text.h"

#include <assert.h>

#include "base/text/utf8.h"

struct reader {
    struct arena *arena;
    struct str rest;
    unsigned depth;
};

/* ---- between values ------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == ',' || (c >= '\t' && c <= '\r');
}

/* What ends a keyword, a symbol or a number. */
static bool is_delimiter(char c)
{
    return is_blank(c) || (c && strchr("()[]{}\";", c));
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
            if (!read_value(reader, &ignored))
                return false;
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

static struct str take_word(struct reader *reader)
{
    size_t len = 0;
    while (len < reader->rest.len && !is_delimiter(reader->rest.ptr[len]))
        len++;
    struct str word = str_make(reader->rest.ptr, len);
    reader->rest = str_from_offset(reader->rest, len);
    return word;
}

/* ---- values --------------------------------------------------------------------------------------- */

static bool read_hex(struct str digits, uint32_t *out)
{
    *out = 0;
    for (size_t i = 0; i < digits.len; i++) {
        char c = (char)(digits.ptr[i] | 0x20);
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        *out = *out * 16 + (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return digits.len == 4;
}

/* Appends what the escape at text.ptr[0] means; how many bytes it took, 0 for none. */
static size_t append_escape(struct str text, char *out, size_t *len)
{
    static const char NAMES[] = "tnrbf\"\\/'", BYTES[] = "\t\n\r\b\f\"\\/'";
    uint32_t code;
    if (text.len < 2)
        return 0;
    const char *name = strchr(NAMES, text.ptr[1]);
    if (name && *name) {
        out[(*len)++] = BYTES[name - NAMES];
        return 2;
    }
    if (text.ptr[1] != 'u' || text.len < 6 || !read_hex(str_make(text.ptr + 2, 4), &code))
        return 0;
    *len += utf8_encode(code, out + *len);
    return 6;
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
    for (size_t at = 0, step; at < text.len; at += step) {
        step = 1;
        if (text.ptr[at] != '\\')
            bytes[len++] = text.ptr[at];
        else if ((step = append_escape(str_from_offset(text, at), bytes, &len)) == 0)
            return false;
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
        if (!read_value(reader, &key) || !read_value(reader, &item))
            return false;
        if (value_type(&key) == VALUE_ARRAY || value_type(&key) == VALUE_OBJECT)
            return false; /* as text it would double with each level of keys within keys */
        value_object_set(reader->arena, out, value_to_text(reader->arena, &key), item);
    }
}

/* \a, \newline, \u00e9: the text of one character. */
static bool read_character(struct reader *reader, struct value *out)
{
    static const struct {
        struct str name;
        const char *text;
    } NAMED[] = {{STR_INIT("newline"), "\n"},  {STR_INIT("return"), "\r"},
                 {STR_INIT("space"), " "},     {STR_INIT("tab"), "\t"},
                 {STR_INIT("formfeed"), "\f"}, {STR_INIT("backspace"), "\b"}};
    struct str rest = reader->rest;
    uint32_t code;
    if (rest.len == 0)
        return false;
    unsigned first = utf8_decode(rest, &code); /* also a delimiter: \( */
    reader->rest = str_from_offset(rest, first);
    struct str word = str_make(rest.ptr, first + take_word(reader).len);
    *out = value_str(word);
    if (word.len == first)
        return true;
    for (size_t i = 0; i < sizeof NAMED / sizeof *NAMED; i++)
        if (str_equal(word, NAMED[i].name)) {
            *out = value_str(str_from(NAMED[i].text));
            return true;
        }
    if (word.ptr[0] != 'u' || !read_hex(str_from_offset(word, 1), &code))
        return false;
    char *bytes = arena_bytes(reader->arena, 4);
    *out = value_str(str_make(bytes, utf8_encode(code, bytes)));
    return true;
}

/* Digits, N for a big integer; a point or an exponent, M for a decimal. */
static bool read_number(struct reader *reader, struct str word, struct value *out)
{
    struct str digits = word;
    int64_t integer;
    double real;
    char last = word.ptr[word.len - 1];
    if (last == 'N' || last == 'M')
        digits.len--;
    struct str plain = str_starts_with(digits, STR("+")) ? str_from_offset(digits, 1) : digits;
    if (last != 'M' && str_to_int(plain, &integer)) {
        *out = value_int(integer);
        return true;
    }
    size_t at = plain.len > 0 && plain.ptr[0] == '-' ? 1 : 0;
    while (at < plain.len && plain.ptr[at] >= '0' && plain.ptr[at] <= '9')
        at++;
    if (at == plain.len && last != 'M') {
        *out = value_big_int(arena_dup(reader->arena, plain));
        return at > 1;
    }
    if (str_to_double(plain, &real) && real - real == 0) {
        *out = value_float(real);
        return true;
    }
    *out = value_str(word);
    return memchr(word.ptr, '/', word.len) != NULL; /* a ratio */
}

static bool is_number(struct str word)
{
    size_t at = word.ptr[0] == '-' || word.ptr[0] == '+' ? 1 : 0;
    return at < word.len && word.ptr[at] >= '0' && word.ptr[at] <= '9';
}

/* nil, true, false, a number, a symbol. */
static bool read_word(struct reader *reader, struct value *out)
{
    struct str word = take_word(reader);
    if (word.len == 0)
        return false;
    if (is_number(word))
        return read_number(reader, word, out);
    *out = str_equal(word, STR("nil"))     ? value_null()
           : str_equal(word, STR("true"))  ? value_bool(true)
           : str_equal(word, STR("false")) ? value_bool(false)
                                           : value_str(word);
    return true;
}

/* Behind the #: a set, or a tag and what it is about. */
static bool read_tagged(struct reader *reader, struct value *out)
{
    struct instant at;
    if (take(reader, '{'))
        return read_list(reader, '}', out);
    struct str tag = take_word(reader);
    if (tag.len == 0 || !read_value(reader, out))
        return false;
    if (str_equal(tag, STR("inst")) && value_is_str(out)) {
        if (!instant_parse_iso8601(value_as_str(out), &at))
            return false;
        *out = value_timestamp(at);
    }
    return true;
}

static bool read_any(struct reader *reader, struct value *out)
{
    if (reader->rest.len == 0)
        return false;
    char c = reader->rest.ptr[0];
    if (!strchr("\"[({:\\#", c) || !c)
        return read_word(reader, out);
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
    default:
        return read_tagged(reader, out);
    }
}

static bool read_value(struct reader *reader, struct value *out)
{
    if (reader->depth == EDN_MAX_DEPTH)
        return false;
    reader->depth++;
    bool read = skip(reader) && read_any(reader, out);
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
    case VALUE_INT:
    case VALUE_BIG_INT:
        return value_append_text(value, out);
    }
    return false;
}

bool edn_write_event(const struct event *event, struct buf *out)
{
    return write_object(&event->fields, out);
}
