/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/mapping/field_reader.h"

#include <assert.h>
#include <math.h>

#include "base/text/utf8.h"

void field_reader_init(struct field_reader *reader, const struct field *field)
{
    const struct field *source = field_source(field);
    struct str rest = source->path;
    reader->field = field;
    reader->count = 0;
    while (rest.len > 0) {
        assert(reader->count < sizeof reader->parts / sizeof *reader->parts);
        const char *dot = memchr(rest.ptr, '.', rest.len);
        struct str part = dot ? str_make(rest.ptr, (size_t)(dot - rest.ptr)) : rest;
        reader->parts[reader->count++] = part;
        rest = str_from_offset(rest, dot ? part.len + 1 : part.len);
    }
}

/* ---- the walk --------------------------------------------------------------------------------------- */

struct walk {
    const struct field_reader *reader;
    field_visit *visit;
    void *ctx;
};

static bool walk_value(const struct walk *walk, const struct value *value, size_t at);

static bool walk_items(const struct walk *walk, const struct value *array, size_t at)
{
    for (size_t i = 0, count = value_array_count(array); i < count; i++) {
        if (!walk_value(walk, value_array_at(array, i), at))
            return false;
    }
    return true;
}

/* Keys that are one part of the path, or several with their dots. */
static bool walk_object(const struct walk *walk, const struct value *object, size_t at)
{
    const struct str *parts = walk->reader->parts;
    for (size_t end = at; end < walk->reader->count; end++) {
        size_t len = (size_t)(parts[end].ptr + parts[end].len - parts[at].ptr);
        const struct value *inner = value_object_get(object, str_make(parts[at].ptr, len));
        if (inner && !walk_value(walk, inner, end + 1))
            return false;
    }
    return true;
}

static bool walk_value(const struct walk *walk, const struct value *value, size_t at)
{
    switch (value_type(value)) {
    case VALUE_NULL:
        return true;
    case VALUE_ARRAY:
        return walk_items(walk, value, at);
    case VALUE_OBJECT:
        return at == walk->reader->count || walk_object(walk, value, at);
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_BIG_INT:
    case VALUE_STRING:
    case VALUE_TIMESTAMP:
        return at != walk->reader->count || walk->visit(walk->ctx, value);
    }
    return true;
}

bool field_reader_each(const struct field_reader *reader, const struct value *document,
                       field_visit *visit, void *ctx)
{
    struct walk walk = {reader, visit, ctx};
    return walk_value(&walk, document, 0);
}

/* ---- terms ------------------------------------------------------------------------------------------ */

enum term_kind term_kind_of_field(const struct field *field)
{
    if (field_is_integer(field) || field->type == FIELD_DATE || field->type == FIELD_BOOLEAN)
        return TERM_INTEGER;
    if (field_is_real(field))
        return TERM_REAL;
    return field->type == FIELD_IP ? TERM_IP : TERM_TEXT;
}

double field_round_real(enum field_type type, double real)
{
    int exponent;
    if (type == FIELD_FLOAT)
        return (double)(float)real;
    if (type != FIELD_HALF_FLOAT || real == 0)
        return real;
    double fraction = frexp(real, &exponent);
    int bits = exponent < -13 ? 11 + exponent + 13 : 11;
    return ldexp(rint(ldexp(fraction, bits)), exponent - bits);
}

static bool text_term(const struct field *field, const struct value *value,
                      char buffer[TERM_TEXT_MAX], struct term *out)
{
    out->kind = TERM_TEXT;
    switch (value_type(value)) {
    case VALUE_STRING:
    case VALUE_BIG_INT:
        out->as.text = value_as_str(value);
        break;
    case VALUE_BOOL:
        out->as.text = value_as_bool(value) ? STR("true") : STR("false");
        break;
    case VALUE_INT:
        out->as.text = str_make(buffer, int_format(value_as_int(value), buffer));
        break;
    case VALUE_FLOAT:
        out->as.text = str_make(buffer, float_format(value_as_float(value), buffer));
        break;
    case VALUE_NULL:
    case VALUE_TIMESTAMP:
    case VALUE_ARRAY:
    case VALUE_OBJECT:
        return false;
    }
    struct str text = out->as.text;
    return field->ignore_above == 0 || text.len <= field->ignore_above ||
           utf8_length(text) <= field->ignore_above;
}

static bool integer_term(const struct field *field, const struct value *value, struct term *out)
{
    double real;
    out->kind = TERM_INTEGER;
    if (value_type(value) == VALUE_INT) {
        out->as.integer = value_as_int(value);
    } else if (value_is_str(value)) {
        if (!field_text_to_integer(str_trim(value_as_str(value)), &out->as.integer))
            return false;
    } else {
        if (!value_number(value, &real) || fabs(real) >= 9.2e18)
            return false;
        out->as.integer = (int64_t)real;
    }
    return field_integer_in_range(field->type, out->as.integer);
}

static bool real_term(const struct field *field, const struct value *value, struct term *out)
{
    double real;
    out->kind = TERM_REAL;
    if (value_is_str(value) ? !str_to_double(str_trim(value_as_str(value)), &real)
                            : !value_number(value, &real))
        return false;
    if (!field_real_in_range(field->type, real))
        return false;
    out->as.real = field_round_real(field->type, real);
    return true;
}

bool term_of_value(const struct field *field, const struct value *value, char buffer[TERM_TEXT_MAX],
                   struct term *out)
{
    bool flag;
    switch (field->type) {
    case FIELD_KEYWORD:
    case FIELD_TEXT:
        return text_term(field, value, buffer, out);
    case FIELD_BYTE:
    case FIELD_SHORT:
    case FIELD_INTEGER:
    case FIELD_LONG:
        return integer_term(field, value, out);
    case FIELD_HALF_FLOAT:
    case FIELD_FLOAT:
    case FIELD_DOUBLE:
        return real_term(field, value, out);
    case FIELD_BOOLEAN:
        out->kind = TERM_INTEGER;
        if (!field_value_boolean(value, &flag))
            return false;
        out->as.integer = flag;
        return true;
    case FIELD_DATE:
        out->kind = TERM_INTEGER;
        return field_value_date(field, value, &out->as.integer);
    case FIELD_IP:
        out->kind = TERM_IP;
        return field_value_ip(value, &out->as.ip);
    case FIELD_OBJECT:
    case FIELD_OPAQUE:
        return false;
    }
    return false;
}

bool ip_key(const struct ip_network *ip, char out[IP_KEY_BYTES])
{
    static const unsigned char V4_PREFIX[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    assert(ip->bytes == 4 || ip->bytes == IP_KEY_BYTES);
    if (ip->bytes == 4)
        memcpy(out, V4_PREFIX, sizeof V4_PREFIX);
    memcpy(out + IP_KEY_BYTES - ip->bytes, ip->address, ip->bytes);
    return true;
}

int ip_compare(const struct ip_network *a, const struct ip_network *b)
{
    char left[IP_KEY_BYTES], right[IP_KEY_BYTES];
    ip_key(a, left);
    ip_key(b, right);
    return memcmp(left, right, IP_KEY_BYTES);
}

/* Indices may differ in the type of a field, and in what stands for a missing one. */
static int compare_kinds(const struct term *a, const struct term *b)
{
    bool numbers = (a->kind == TERM_INTEGER || a->kind == TERM_REAL) &&
                   (b->kind == TERM_INTEGER || b->kind == TERM_REAL);
    if (!numbers)
        return a->kind < b->kind ? -1 : 1;
    double left = a->kind == TERM_REAL ? a->as.real : (double)a->as.integer;
    double right = b->kind == TERM_REAL ? b->as.real : (double)b->as.integer;
    return left < right ? -1 : left > right ? 1 : a->kind < b->kind ? -1 : 1;
}

int term_compare(const struct term *a, const struct term *b)
{
    if (a->kind != b->kind)
        return compare_kinds(a, b);
    switch (a->kind) {
    case TERM_TEXT:
        return str_compare(a->as.text, b->as.text);
    case TERM_INTEGER:
        return a->as.integer < b->as.integer ? -1 : a->as.integer > b->as.integer;
    case TERM_REAL:
        return a->as.real < b->as.real ? -1 : a->as.real > b->as.real;
    case TERM_IP:
        return ip_compare(&a->as.ip, &b->as.ip);
    }
    return 0;
}

bool field_need_no_text(const struct field *field, struct str path, struct api_error *err)
{
    return field->type != FIELD_TEXT ||
           api_error_set(
               err, 400, "illegal_argument_exception",
               "Text fields are not optimised for operations that require per-document field "
               "data like aggregations and sorting, so these operations are disabled by default. "
               "Please use a keyword field instead. Alternatively, set fielddata=true on [%.*s] "
               "in order to load field data by uninverting the inverted index. Note that this "
               "can use significant memory.",
               STR_FMT(path));
}

bool field_need_doc_values(const struct field *field, struct str path, struct api_error *err)
{
    if (!field_need_no_text(field, path, err))
        return false;
    return !field->has_no_doc_values ||
           api_error_set(
               err, 400, "illegal_argument_exception",
               "Can't load fielddata on [%.*s] because fielddata is unsupported on fields of "
               "type [%s]. Use doc values instead.",
               STR_FMT(path), field->type_name);
}
