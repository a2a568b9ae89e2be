/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <math.h>

#include "base/map.h"
#include "base/text/ascii.h"
#include "base/text/redact.h"
#include "conf/number.h"
#include "conf/parser.h"
#include "conf/substitute.h"

static char unescape(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case '0':
        return '\0';
    default:
        return c;
    }
}

static bool is_escape(char c)
{
    return c != '\0' && strchr("\"'\\nrt0", c);
}

static struct str apply_escapes(struct arena *arena, struct str text)
{
    if (text.len == 0 || !memchr(text.ptr, '\\', text.len))
        return text;
    char *out = arena_bytes(arena, text.len);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool pair = text.ptr[i] == '\\' && i + 1 < text.len && is_escape(text.ptr[i + 1]);
        out[len++] = pair ? unescape(text.ptr[++i]) : text.ptr[i];
    }
    return str_make(out, len);
}

bool parse_text(struct parser *parser, struct str *out)
{
    if (!scan_quoted(parser, out))
        return false;
    if (parser->options && parser->options->support_escapes)
        *out = apply_escapes(parser->arena, *out);
    return true;
}

static void become_array(struct parser *parser, struct conf_value *value, struct str *items,
                         size_t count)
{
    value->type = CONF_ARRAY;
    value->lost_brackets = true;
    value->items = arena_zero(parser->arena, count * sizeof *value->items);
    value->count = count;
    for (size_t i = 0; i < count; i++)
        value->items[i] =
            (struct conf_value){.type = CONF_STRING, .position = value->position, .text = items[i]};
}

/* A missing variable is a soft error: the text is whole, only its value is not known. */
static bool fill_text(struct parser *parser, size_t from, struct str *text,
                      struct substitution *filled)
{
    struct error err;
    if (substitute(parser->arena, parser->options, *text, filled, &err)) {
        *text = filled->text;
        return true;
    }
    scan_soft(parser, from, "%s", err.text);
    return false;
}

/* Quotes and brackets around the value count only where it is more than one variable and nothing else, as in Logstash. */
static void fill_mixed(struct parser *parser, size_t from, struct conf_value *value)
{
    struct substitution filled, again;
    struct str text = value->text, *items = NULL;
    size_t count = 0;
    if (!fill_text(parser, from, &text, &filled) || !filled.replaced)
        return;
    value->written = value->text;
    value->text = substitute_unquote(text);
    bool is_list = substitute_list(parser->arena, value->text, &items, &count);
    for (size_t i = 0; filled.nests && i < count; i++)
        fill_text(parser, from, &items[i], &again);
    if (filled.nests && !is_list)
        fill_text(parser, from, &value->text, &again);
    if (is_list)
        become_array(parser, value, items, count);
}

static void fill_variables(struct parser *parser, size_t from, struct conf_value *value)
{
    struct substitution filled;
    struct str written = value->text;
    if (!substitute_is_whole(written)) {
        if (!parser->in_condition)
            fill_mixed(parser, from, value);
        return;
    }
    if (fill_text(parser, from, &value->text, &filled) && filled.replaced)
        value->written = written;
}

static bool parse_string(struct parser *parser, struct conf_value *out)
{
    size_t from = parser->at;
    out->type = CONF_STRING;
    if (!parse_text(parser, &out->text))
        return false;
    fill_variables(parser, from, out);
    return true;
}

/* A soft error when a bareword or number goes on with what cannot be part of it. */
static void word_ended(struct parser *parser, size_t from)
{
    char c = scan_peek(parser, 0);
    if (scan_at_end(parser) || scan_is_blank(c) || strchr(",]}#)=!<>{[", c))
        return;
    size_t end = parser->at;
    while (end < parser->text.len && !scan_is_blank(parser->text.ptr[end]) &&
           !strchr(",]}#", parser->text.ptr[end]))
        end++;
    int len = (int)(end - from < 60 ? end - from : 60);
    if (parser->secret)
        scan_soft(parser, from, "this value must be in quotes");
    else
        scan_soft(parser, from, "a value like %.*s must be in quotes", len,
                  parser->text.ptr + from);
    parser->at = end;
}

/* A whole number that begins with 0 is octal, as in Ruby. */
static bool octal_text(struct arena *arena, struct str digits, bool negative, struct str *out)
{
    int64_t number = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] > '7' || number > INT64_MAX / 8)
            return false;
        number = number * 8 + (digits.ptr[i] - '0');
    }
    *out = arena_printf(arena, "%s%lld", negative ? "-" : "", (long long)number);
    return true;
}

/* The text that the number is printed as: 1.50 is 1.5. */
static bool canonical_number(struct arena *arena, struct conf_value *value)
{
    char text[NUMBER_TEXT_MAX];
    double real;
    bool negative = value->text.ptr[0] == '-';
    struct str digits = str_from_offset(value->text, negative);
    assert(digits.len > 0);
    if (value->is_float && str_to_double(value->text, &real) && isfinite(real))
        value->text = arena_dup(arena, number_float_text(real, text));
    else if (!value->is_float && digits.len > 1 && digits.ptr[0] == '0')
        return octal_text(arena, digits, negative, &value->text);
    return true;
}

bool parse_number(struct parser *parser, struct conf_value *out)
{
    size_t from = parser->at;
    out->type = CONF_NUMBER;
    scan_take(parser, "-");
    if (!ascii_is_digit(scan_peek(parser, 0)))
        return scan_fail(parser, from, "expected a digit after '-'");
    while (ascii_is_digit(scan_peek(parser, 0)))
        parser->at++;
    out->is_float = scan_take(parser, ".");
    while (out->is_float && ascii_is_digit(scan_peek(parser, 0)))
        parser->at++;
    out->text = str_make(parser->text.ptr + from, parser->at - from);
    if (str_ends_with(out->text, STR("."))) {
        scan_soft(parser, from, "a number does not end with '.': write %.*s0", STR_FMT(out->text));
        out->text.len--;
    }
    if (!canonical_number(parser->arena, out))
        scan_soft(parser, from, "a number that begins with 0 is octal, and %.*s is none",
                  STR_FMT(out->text));
    word_ended(parser, from);
    return true;
}

static bool parse_bareword(struct parser *parser, struct conf_value *out)
{
    size_t from = parser->at;
    while (scan_is_name(scan_peek(parser, 0)) && scan_peek(parser, 0) != '-')
        parser->at++;
    out->type = CONF_BAREWORD;
    out->text = str_make(parser->text.ptr + from, parser->at - from);
    size_t errors = parser->errors->errors;
    word_ended(parser, from);
    if (out->text.len == 1 && parser->errors->errors == errors)
        scan_fail(parser, from, "a word of one letter must be in quotes: \"%c\"", *out->text.ptr);
    return true; /* soft errors, both */
}

/* A soft error when the hash already has this key, written in the same way. */
static void note_key(struct parser *parser, struct map *seen, size_t from)
{
    struct str written = str_make(parser->text.ptr + from, parser->at - from);
    if (map_has(seen, written))
        scan_soft(parser, from, "the key %.*s is given twice in this hash", STR_FMT(written));
    map_set(seen, written, NULL);
}

static bool parse_key(struct parser *parser, struct conf_value *out)
{
    char c = scan_peek(parser, 0);
    *out = (struct conf_value){.position = scan_position(parser, parser->at)};
    if (c == '"' || c == '\'') {
        out->type = CONF_STRING;
        return parse_text(parser, &out->text);
    }
    if (ascii_is_digit(c) || c == '-')
        return parse_number(parser, out);
    if (scan_is_name(c))
        return parse_bareword(parser, out);
    char found[SCAN_FOUND_MAX];
    return scan_fail(parser, parser->at, "expected a key or '}' in this hash, found %s",
                     scan_found(parser, parser->at, found));
}

static bool parse_pair(struct parser *parser, struct conf_pair *out, struct map *seen)
{
    size_t from = parser->at;
    if (!parse_key(parser, &out->key))
        return false;
    note_key(parser, seen, from);
    struct str written = str_make(parser->text.ptr + from, parser->at - from);
    if (!scan_arrow(parser, written))
        return false;
    scan_skip(parser);
    bool outer = parser->secret;
    parser->secret = outer || redact_is_secret(out->key.text);
    bool ok = parse_value(parser, &out->value);
    parser->secret = outer;
    if (!ok)
        return false;
    scan_skip(parser);
    if (scan_peek(parser, 0) == ',') {
        scan_soft(parser, parser->at, "no comma between the entries of a hash, only blanks");
        parser->at++;
        scan_skip(parser);
    }
    return true;
}

/* One value for each key: of keys that differ only in their quotes the last one counts. */
static void put_pair(struct conf_value *hash, struct map *places, const struct conf_pair *pair)
{
    size_t place = (size_t)(uintptr_t)map_get(places, pair->key.text);
    if (place > 0) {
        hash->pairs[place - 1].value = pair->value;
        return;
    }
    hash->pairs[hash->count++] = *pair;
    map_set(places, pair->key.text, (void *)(uintptr_t)hash->count);
}

static bool parse_pairs(struct parser *parser, struct conf_value *out)
{
    struct map seen, places;
    map_init(&seen);
    map_init(&places);
    size_t capacity = 0;
    bool ok = true;
    scan_skip(parser);
    while (ok && !scan_take(parser, "}")) {
        out->pairs =
            scan_room(parser->arena, out->pairs, out->count, &capacity, sizeof *out->pairs);
        struct conf_pair pair = {0};
        ok = parse_pair(parser, &pair, &seen);
        if (ok)
            put_pair(out, &places, &pair);
        scan_skip(parser);
    }
    map_release(&seen);
    map_release(&places);
    return ok;
}

static bool parse_hash(struct parser *parser, struct conf_value *out)
{
    out->type = CONF_HASH;
    if (!scan_enter(parser, parser->at))
        return false;
    parser->at++;
    if (!parse_pairs(parser, out))
        return false;
    scan_leave(parser);
    return true;
}

/* Neither comma nor bracket follows an item. What was meant is mostly plain, and then read on as meant. */
static bool array_has_mistake(struct parser *parser, bool *ok)
{
    char found[SCAN_FOUND_MAX];
    char c = scan_peek(parser, 0);
    bool ends = c == '}' || scan_name_then(parser, parser->at, "=>");
    bool goes_on = !ends && (c == '"' || c == '\'');
    scan_fail(parser, parser->at, "expected ',' or ']' after an item of an array, found %s",
              scan_found(parser, parser->at, found));
    *ok = !parser->unwinding && (ends || goes_on);
    return goes_on && !parser->unwinding;
}

/* After an item: true when another one follows. */
static bool array_goes_on(struct parser *parser, bool *ok)
{
    scan_skip(parser);
    if (scan_take(parser, "]"))
        return false;
    size_t comma = parser->at;
    if (scan_take(parser, ",")) {
        scan_skip(parser);
        if (!scan_starts(parser, "]"))
            return true;
        scan_soft(parser, comma, "no comma after the last item of an array");
        parser->at++;
        return false;
    }
    return array_has_mistake(parser, ok);
}

static bool parse_items(struct parser *parser, struct conf_value *out)
{
    size_t capacity = 0;
    bool ok = true;
    bool more = !scan_take(parser, "]");
    while (more) {
        out->items =
            scan_room(parser->arena, out->items, out->count, &capacity, sizeof *out->items);
        struct conf_value item;
        if (!parse_value(parser, &item))
            return false;
        out->items[out->count++] = item;
        more = array_goes_on(parser, &ok);
    }
    return ok;
}

bool parse_array(struct parser *parser, struct conf_value *out)
{
    out->type = CONF_ARRAY;
    if (!scan_enter(parser, parser->at))
        return false;
    parser->at++;
    scan_skip(parser);
    if (!parse_items(parser, out))
        return false;
    scan_leave(parser);
    return true;
}

static bool parse_block(struct parser *parser, struct conf_value *out)
{
    struct conf_plugin *plugin = arena_zero(parser->arena, sizeof *plugin);
    size_t from = parser->at;
    struct str inside;
    plugin->section = CONF_CODEC;
    plugin->position = out->position;
    if (!scan_is_name(scan_peek(parser, 0)) && !scan_quoted(parser, &inside))
        return false;
    scan_name(parser);
    plugin->name = str_make(parser->text.ptr + from, parser->at - from);
    scan_skip(parser);
    out->type = CONF_BLOCK;
    out->block = plugin;
    return parse_plugin_body(parser, plugin);
}

/* At a '/': a path that lacks its quotes, or an expression as conditions have them. */
static bool slash_value(struct parser *parser, struct conf_value *out)
{
    size_t from = parser->at, end = from + 1;
    while (end < parser->text.len && !strchr("/ \t\r\n", parser->text.ptr[end]))
        end += parser->text.ptr[end] == '\\' ? 2 : 1;
    if (end + 1 < parser->text.len && parser->text.ptr[end] == '/' &&
        !scan_is_name(parser->text.ptr[end + 1]))
        return scan_fail(parser, from,
                         "a regular expression is written as text in quotes here, without slashes");
    out->type = CONF_BAREWORD;
    word_ended(parser, from);
    out->text = str_make(parser->text.ptr + from, parser->at - from);
    return true; /* a soft error */
}

static bool no_value(struct parser *parser)
{
    char found[SCAN_FOUND_MAX];
    return scan_fail(
        parser, parser->at,
        "expected a value (text in quotes, a number, a word, [array] or {hash}), found %s",
        scan_found(parser, parser->at, found));
}

bool parse_value(struct parser *parser, struct conf_value *out)
{
    *out = (struct conf_value){.position = scan_position(parser, parser->at)};
    if (scan_name_then(parser, parser->at, "{"))
        return parse_block(parser, out);
    char c = scan_peek(parser, 0);
    if (c == '"' || c == '\'')
        return parse_string(parser, out);
    if (c == '[')
        return parse_array(parser, out);
    if (c == '{')
        return parse_hash(parser, out);
    if (ascii_is_digit(c) || c == '-')
        return parse_number(parser, out);
    if (scan_is_name(c))
        return parse_bareword(parser, out);
    if (c == '/')
        return slash_value(parser, out);
    return no_value(parser);
}
