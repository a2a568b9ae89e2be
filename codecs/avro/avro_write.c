/* SPDX-License-Identifier: Apache-2.0
 *
 * A union takes the first of its branches that the whole value fits, as the library does that Logstash uses; so a value is
 * looked at before it is written.
 */
#include <assert.h>

#include "base/text/utf8.h"
#include "codecs/avro/avro_decimal.h"
#include "codecs/avro/avro_value.h"

enum { NS_PER_MS = 1000000, NS_PER_US = 1000, VARINT_MAX_BYTES = 10 };

struct writer {
    struct arena *scratch;
    struct buf *out; /* NULL: only looks whether the value fits */
    struct error *err;
    size_t checks;
    unsigned depth;
    struct str field; /* that is being written */
};

static const struct value NOTHING = {.type = VALUE_NULL};

static bool write_type(struct writer *writer, const struct avro_schema *schema,
                       const struct value *value);

static bool refuse(struct writer *writer, const char *wanted)
{
    if (!writer->out) /* only looking */
        return false;
    return error_set(writer->err, ERROR_FORMAT, "field '%.*s' is no %s, as the schema wants it",
                     STR_FMT(writer->field), wanted);
}

static bool append(struct writer *writer, const void *bytes, size_t len)
{
    return !writer->out || buf_append(writer->out, bytes, len) ||
           error_set(writer->err, ERROR_LIMIT, "there is no room");
}

static bool append_long(struct writer *writer, int64_t number)
{
    unsigned char bytes[VARINT_MAX_BYTES];
    size_t len = 0;
    uint64_t bits = (uint64_t)number << 1 ^ (number < 0 ? UINT64_MAX : 0);
    for (; bits > 0x7f; bits >>= 7)
        bytes[len++] = (unsigned char)(bits | 0x80);
    bytes[len++] = (unsigned char)bits;
    return append(writer, bytes, len);
}

static bool append_sized(struct writer *writer, struct str bytes)
{
    return append_long(writer, (int64_t)bytes.len) && append(writer, bytes.ptr, bytes.len);
}

/* ---- scalars -------------------------------------------------------------------------------------- */

/* yyyy-MM-dd, as dates are read. */
static bool days_of(struct str text, int64_t *out)
{
    struct instant at;
    if (text.len != 10 || !instant_parse_iso8601(text, &at))
        return false;
    *out = at.seconds / (24 * 60 * 60) - (at.seconds % (24 * 60 * 60) < 0);
    return true;
}

static bool instant_as(enum avro_meaning meaning, struct instant at, int64_t *out)
{
    int64_t per_second = meaning == AVRO_TIMESTAMP_MILLIS   ? 1000
                         : meaning == AVRO_TIMESTAMP_MICROS ? 1000000
                                                            : 1000000000;
    int64_t part = at.nanoseconds / (1000000000 / per_second);
    return !__builtin_mul_overflow(at.seconds, per_second, out) &&
           !__builtin_add_overflow(*out, part, out);
}

static bool whole_of(const struct avro_schema *schema, const struct value *value, int64_t *out)
{
    double real;
    if (value_type(value) == VALUE_INT) {
        *out = value_as_int(value);
        return true;
    }
    if (schema->meaning == AVRO_PLAIN)
        return false;
    if (schema->meaning == AVRO_DATE && value_is_str(value))
        return days_of(value_as_str(value), out);
    if (schema->meaning != AVRO_DATE && value_type(value) == VALUE_TIMESTAMP)
        return instant_as(schema->meaning, value_as_instant(value), out);
    if (value_type(value) != VALUE_FLOAT)
        return false;
    real = value_as_float(value); /* Ruby's to_i */
    if (!(real > -9.2e18 && real < 9.2e18))
        return false;
    *out = (int64_t)real;
    return true;
}

static bool write_whole(struct writer *writer, const struct avro_schema *schema,
                        const struct value *value)
{
    int64_t number;
    if (!whole_of(schema, value, &number) ||
        (schema->type == AVRO_INT && (number < INT32_MIN || number > INT32_MAX)))
        return refuse(writer, schema->type == AVRO_INT ? "int" : "long");
    return append_long(writer, number);
}

static bool write_real(struct writer *writer, bool is_double, const struct value *value)
{
    double real;
    unsigned char bytes[8];
    uint64_t bits;
    uint32_t low;
    if ((value_type(value) != VALUE_INT && value_type(value) != VALUE_FLOAT &&
         value_type(value) != VALUE_BIG_INT) ||
        !value_number(value, &real))
        return refuse(writer, is_double ? "double" : "float");
    float single = (float)real;
    memcpy(&low, &single, sizeof low);
    memcpy(&bits, &real, sizeof bits);
    if (!is_double)
        bits = low;
    size_t len = is_double ? 8 : 4;
    for (size_t i = 0; i < len; i++)
        bytes[i] = (unsigned char)(bits >> (8 * i));
    return append(writer, bytes, len);
}

static bool write_decimal(struct writer *writer, const struct avro_schema *schema,
                          const struct value *value)
{
    unsigned char bytes[AVRO_DECIMAL_MAX_BYTES];
    size_t len;
    if (!avro_decimal_write(schema, value, writer->scratch, bytes, &len))
        return refuse(writer, "decimal of its precision and scale");
    const unsigned char *at = bytes + sizeof bytes - len;
    if (schema->type == AVRO_BYTES)
        return append_sized(writer, str_make((const char *)at, len));
    if (len > schema->size)
        return refuse(writer, "decimal of its size");
    unsigned char sign = *at & 0x80 ? 0xff : 0;
    for (size_t i = len; i < schema->size; i++)
        if (!append(writer, &sign, 1))
            return false;
    return append(writer, at, len);
}

/* U+0000 to U+00FF, as bytes are read that are no text: the bytes, when there are `size` of them. */
static bool bytes_of(struct writer *writer, struct str *text, size_t size)
{
    char *bytes = arena_bytes(writer->scratch, size);
    struct str rest = *text;
    for (size_t i = 0; i < size; i++) {
        uint32_t codepoint = UINT32_MAX;
        if (rest.len > 0)
            rest = str_from_offset(rest, utf8_decode(rest, &codepoint));
        if (codepoint > UINT8_MAX)
            return false;
        bytes[i] = (char)codepoint;
    }
    *text = str_make(bytes, size);
    return rest.len == 0;
}

static bool write_text(struct writer *writer, const struct avro_schema *schema,
                       const struct value *value)
{
    char text[INSTANT_TEXT_MAX];
    struct str bytes;
    if (schema->meaning == AVRO_DECIMAL)
        return write_decimal(writer, schema, value);
    if (schema->type == AVRO_STRING && value_type(value) == VALUE_TIMESTAMP)
        bytes = str_make(text, instant_format(value_as_instant(value), text));
    else if (value_is_str(value))
        bytes = value_as_str(value);
    else
        return refuse(writer, "string");
    if (schema->type != AVRO_FIXED)
        return append_sized(writer, bytes);
    return (bytes.len == schema->size || bytes_of(writer, &bytes, schema->size))
               ? append(writer, bytes.ptr, bytes.len)
               : refuse(writer, "text of its size");
}

static bool write_enum(struct writer *writer, const struct avro_schema *schema,
                       const struct value *value)
{
    if (value_is_str(value))
        for (size_t i = 0; i < schema->count; i++)
            if (str_equal(schema->symbols[i], value_as_str(value)))
                return append_long(writer, (int64_t)i);
    return refuse(writer, "symbol of its enum");
}

/* ---- what holds others ---------------------------------------------------------------------------- */

static bool write_array(struct writer *writer, const struct avro_schema *schema,
                        const struct value *value)
{
    if (value_type(value) != VALUE_ARRAY)
        return refuse(writer, "list");
    size_t count = value_array_count(value);
    bool ok = count == 0 || append_long(writer, (int64_t)count);
    for (size_t i = 0; i < count && ok; i++)
        ok = write_type(writer, schema->branches[0], value_array_at(value, i));
    return ok && append_long(writer, 0);
}

static bool write_map(struct writer *writer, const struct avro_schema *schema,
                      const struct value *value)
{
    if (value_type(value) != VALUE_OBJECT)
        return refuse(writer, "object");
    size_t count = value_object_count(value);
    bool ok = count == 0 || append_long(writer, (int64_t)count);
    for (size_t i = 0; i < count && ok; i++) {
        struct str key;
        const struct value *item = value_object_at(value, i, &key);
        ok = append_sized(writer, key) && write_type(writer, schema->branches[0], item);
    }
    return ok && append_long(writer, 0);
}

static bool write_record(struct writer *writer, const struct avro_schema *schema,
                         const struct value *value)
{
    if (value_type(value) != VALUE_OBJECT)
        return refuse(writer, "object");
    for (size_t i = 0; i < schema->count; i++) {
        const struct value *field = value_object_get(value, schema->fields[i].name);
        writer->field = schema->fields[i].name;
        if (!write_type(writer, schema->fields[i].type, field ? field : &NOTHING))
            return false;
    }
    return true;
}

static bool fits(struct writer *writer, const struct avro_schema *schema, const struct value *value)
{
    struct writer looking = *writer;
    looking.out = NULL;
    bool ok = write_type(&looking, schema, value);
    writer->checks = looking.checks;
    return ok;
}

static bool write_union(struct writer *writer, const struct avro_schema *schema,
                        const struct value *value)
{
    for (size_t i = 0; i < schema->count; i++)
        if (fits(writer, schema->branches[i], value))
            return append_long(writer, (int64_t)i) &&
                   (!writer->out || write_type(writer, schema->branches[i], value));
    return refuse(writer, "value of its union");
}

static bool write_known(struct writer *writer, const struct avro_schema *schema,
                        const struct value *value)
{
    switch (schema->type) {
    case AVRO_NULL:
        return value_type(value) == VALUE_NULL || refuse(writer, "null");
    case AVRO_BOOLEAN:
        if (value_type(value) != VALUE_BOOL)
            return refuse(writer, "boolean");
        return append(writer, value_as_bool(value) ? "\x01" : "\x00", 1);
    case AVRO_INT:
    case AVRO_LONG:
        return write_whole(writer, schema, value);
    case AVRO_FLOAT:
    case AVRO_DOUBLE:
        return write_real(writer, schema->type == AVRO_DOUBLE, value);
    case AVRO_BYTES:
    case AVRO_STRING:
    case AVRO_FIXED:
        return write_text(writer, schema, value);
    case AVRO_ENUM:
        return write_enum(writer, schema, value);
    case AVRO_ARRAY:
        return write_array(writer, schema, value);
    case AVRO_MAP:
        return write_map(writer, schema, value);
    case AVRO_UNION:
        return write_union(writer, schema, value);
    case AVRO_RECORD:
        return write_record(writer, schema, value);
    }
    return false;
}

static bool write_type(struct writer *writer, const struct avro_schema *schema,
                       const struct value *value)
{
    if (writer->depth == AVRO_MAX_DEPTH || ++writer->checks > AVRO_MAX_CHECKS)
        return refuse(writer, "value that can be looked at within the limits");
    writer->depth++;
    bool ok = write_known(writer, schema, value);
    writer->depth--;
    return ok;
}

bool avro_write(const struct avro_schema *schema, const struct value *value, struct arena *scratch,
                struct buf *out, struct error *err)
{
    struct writer writer = {.scratch = scratch, .out = out, .err = err};
    size_t start = out->len;
    if (write_type(&writer, schema, value))
        return true;
    assert(out->len >= start && err->code != ERROR_NONE);
    out->len = start;
    return false;
}
