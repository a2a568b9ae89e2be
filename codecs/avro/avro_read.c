/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "base/text/utf8.h"
#include "codecs/avro/avro_decimal.h"
#include "codecs/avro/avro_value.h"

enum { VARINT_MAX_BYTES = 10, SECONDS_PER_DAY = 24 * 60 * 60, NS_PER_SECOND = 1000000000 };

struct reader {
    struct arena *arena;
    struct str bytes; /* what is left */
    size_t values;
    size_t missing;
    unsigned depth;
};

static enum avro_result read_type(struct reader *reader, const struct avro_schema *schema,
                                  struct value *out);

static enum avro_result ask_for(struct reader *reader, size_t missing)
{
    assert(missing > 0);
    reader->missing = missing;
    return AVRO_MORE;
}

static enum avro_result take(struct reader *reader, uint64_t len, struct str *out)
{
    if (len > reader->bytes.len)
        return ask_for(reader, (size_t)len - reader->bytes.len);
    *out = str_make(reader->bytes.ptr, (size_t)len);
    reader->bytes = str_from_offset(reader->bytes, (size_t)len);
    return AVRO_DONE;
}

/* Seven bits a byte, the lowest first; the lowest bit of the whole is the sign. */
static enum avro_result take_long(struct reader *reader, int64_t *out)
{
    uint64_t number = 0;
    for (size_t i = 0; i < VARINT_MAX_BYTES; i++) {
        if (i == reader->bytes.len)
            return ask_for(reader, 1);
        unsigned char byte = (unsigned char)reader->bytes.ptr[i];
        if (i == VARINT_MAX_BYTES - 1 && byte > 1)
            return AVRO_BROKEN;
        number |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte & 0x80)
            continue;
        reader->bytes = str_from_offset(reader->bytes, i + 1);
        *out = (int64_t)(number >> 1 ^ (0 - (number & 1)));
        return AVRO_DONE;
    }
    return AVRO_BROKEN;
}

/* A length and so many bytes. The length meets the limit of the codec's buffer, which what is missing is asked for. */
static enum avro_result take_sized(struct reader *reader, struct str *out)
{
    int64_t len;
    enum avro_result result = take_long(reader, &len);
    if (result != AVRO_DONE)
        return result;
    return len < 0 || len > UINT32_MAX ? AVRO_BROKEN : take(reader, (uint64_t)len, out);
}

/* ---- scalars -------------------------------------------------------------------------------------- */

static struct value timestamp(int64_t number, int64_t per_second)
{
    int64_t seconds = number / per_second, rest = number % per_second;
    if (rest < 0) {
        seconds--;
        rest += per_second;
    }
    return value_timestamp(
        (struct instant){seconds, (uint32_t)(rest * (NS_PER_SECOND / per_second))});
}

static struct value date(struct arena *arena, int64_t days)
{
    int64_t year;
    int month, day;
    civil_from_days(days, &year, &month, &day);
    return value_str(arena_printf(arena, "%04lld-%02d-%02d", (long long)year, month, day));
}

static enum avro_result read_whole(struct reader *reader, const struct avro_schema *schema,
                                   struct value *out)
{
    int64_t number;
    enum avro_result result = take_long(reader, &number);
    if (result != AVRO_DONE)
        return result;
    if (schema->type == AVRO_INT && (number < INT32_MIN || number > INT32_MAX))
        return AVRO_BROKEN;
    switch (schema->meaning) {
    case AVRO_PLAIN:
    case AVRO_DECIMAL:
        *out = value_int(number);
        break;
    case AVRO_DATE:
        *out = date(reader->arena, number);
        break;
    case AVRO_TIMESTAMP_MILLIS:
        *out = timestamp(number, 1000);
        break;
    case AVRO_TIMESTAMP_MICROS:
        *out = timestamp(number, 1000000);
        break;
    case AVRO_TIMESTAMP_NANOS:
        *out = timestamp(number, NS_PER_SECOND);
        break;
    }
    return AVRO_DONE;
}

static uint64_t little_endian(struct str bytes)
{
    uint64_t number = 0;
    assert(bytes.len <= 8);
    for (size_t i = bytes.len; i-- > 0;)
        number = number << 8 | (unsigned char)bytes.ptr[i];
    return number;
}

static enum avro_result read_real(struct reader *reader, bool is_double, struct value *out)
{
    struct str bytes;
    enum avro_result result = take(reader, is_double ? 8 : 4, &bytes);
    if (result != AVRO_DONE)
        return result;
    uint64_t bits = little_endian(bytes);
    uint32_t low = (uint32_t)bits;
    float single;
    double real;
    memcpy(&single, &low, sizeof single);
    memcpy(&real, &bits, sizeof real);
    *out = value_float(is_double ? real : (double)single);
    return AVRO_DONE;
}

static enum avro_result read_bytes(struct reader *reader, const struct avro_schema *schema,
                                   struct value *out)
{
    struct str bytes;
    enum avro_result result = schema->type == AVRO_FIXED ? take(reader, schema->size, &bytes)
                                                         : take_sized(reader, &bytes);
    if (result != AVRO_DONE)
        return result;
    if (schema->type == AVRO_STRING)
        *out = value_str(utf8_repair(reader->arena, bytes));
    else if (schema->meaning != AVRO_DECIMAL)
        *out = value_str(utf8_or_octets(reader->arena, bytes));
    else if (!avro_decimal_read(reader->arena, schema, bytes, out))
        return AVRO_BROKEN;
    return AVRO_DONE;
}

static enum avro_result read_boolean(struct reader *reader, struct value *out)
{
    struct str byte;
    enum avro_result result = take(reader, 1, &byte);
    if (result != AVRO_DONE)
        return result;
    *out = value_bool(byte.ptr[0] == 1);
    return (unsigned char)byte.ptr[0] > 1 ? AVRO_BROKEN : AVRO_DONE;
}

/* The number of a symbol or a branch. */
static enum avro_result take_index(struct reader *reader, const struct avro_schema *schema,
                                   size_t *out)
{
    int64_t index;
    enum avro_result result = take_long(reader, &index);
    if (result != AVRO_DONE)
        return result;
    *out = (size_t)index;
    return index < 0 || (uint64_t)index >= schema->count ? AVRO_BROKEN : AVRO_DONE;
}

/* ---- what holds others ---------------------------------------------------------------------------- */

static enum avro_result read_item(struct reader *reader, const struct avro_schema *schema,
                                  struct value *out)
{
    struct str key = {0};
    struct value item;
    enum avro_result result = schema->type == AVRO_MAP ? take_sized(reader, &key) : AVRO_DONE;
    if (result == AVRO_DONE)
        result = read_type(reader, schema->branches[0], &item);
    if (result != AVRO_DONE)
        return result;
    if (schema->type == AVRO_MAP)
        value_object_set(reader->arena, out, utf8_repair(reader->arena, key), item);
    else
        value_array_push(reader->arena, out, item);
    return AVRO_DONE;
}

/* Blocks: a count, and so many items; a negative count is followed by the block's size in bytes, which nobody needs here. A
 * count of 0 is the end. */
static enum avro_result read_blocks(struct reader *reader, const struct avro_schema *schema,
                                    struct value *out)
{
    *out = schema->type == AVRO_MAP ? value_object_new(reader->arena, 0)
                                    : value_array_new(reader->arena, 0);
    for (;;) {
        int64_t count, size;
        enum avro_result result = take_long(reader, &count);
        if (result != AVRO_DONE || count == 0)
            return result;
        if (count < 0) {
            result = take_long(reader, &size);
            if (result != AVRO_DONE)
                return result;
            if (count == INT64_MIN || size < 0)
                return AVRO_BROKEN;
            count = -count;
        }
        for (int64_t i = 0; i < count; i++) {
            result = read_item(reader, schema, out);
            if (result != AVRO_DONE)
                return result;
        }
    }
}

static enum avro_result read_record(struct reader *reader, const struct avro_schema *schema,
                                    struct value *out)
{
    *out = value_object_new(reader->arena, schema->count);
    for (size_t i = 0; i < schema->count; i++) {
        struct value field;
        enum avro_result result = read_type(reader, schema->fields[i].type, &field);
        if (result != AVRO_DONE)
            return result;
        value_object_set(reader->arena, out, schema->fields[i].name, field);
    }
    return AVRO_DONE;
}

static enum avro_result read_chosen(struct reader *reader, const struct avro_schema *schema,
                                    struct value *out)
{
    size_t index;
    enum avro_result result = take_index(reader, schema, &index);
    if (result != AVRO_DONE)
        return result;
    if (schema->type == AVRO_UNION)
        return read_type(reader, schema->branches[index], out);
    *out = value_str(schema->symbols[index]);
    return AVRO_DONE;
}

static enum avro_result read_known(struct reader *reader, const struct avro_schema *schema,
                                   struct value *out)
{
    switch (schema->type) {
    case AVRO_NULL:
        *out = value_null();
        return AVRO_DONE;
    case AVRO_BOOLEAN:
        return read_boolean(reader, out);
    case AVRO_INT:
    case AVRO_LONG:
        return read_whole(reader, schema, out);
    case AVRO_FLOAT:
    case AVRO_DOUBLE:
        return read_real(reader, schema->type == AVRO_DOUBLE, out);
    case AVRO_BYTES:
    case AVRO_STRING:
    case AVRO_FIXED:
        return read_bytes(reader, schema, out);
    case AVRO_ENUM:
    case AVRO_UNION:
        return read_chosen(reader, schema, out);
    case AVRO_ARRAY:
    case AVRO_MAP:
        return read_blocks(reader, schema, out);
    case AVRO_RECORD:
        return read_record(reader, schema, out);
    }
    return AVRO_BROKEN;
}

static enum avro_result read_type(struct reader *reader, const struct avro_schema *schema,
                                  struct value *out)
{
    if (reader->depth == AVRO_MAX_DEPTH || ++reader->values > AVRO_MAX_VALUES)
        return AVRO_BROKEN;
    reader->depth++;
    enum avro_result result = read_known(reader, schema, out);
    reader->depth--;
    return result;
}

enum avro_result avro_read(struct arena *arena, const struct avro_schema *schema, struct str *bytes,
                           struct value *out, size_t *missing)
{
    struct reader reader = {.arena = arena, .bytes = *bytes};
    enum avro_result result = read_type(&reader, schema, out);
    assert(reader.depth == 0 && reader.bytes.len <= bytes->len);
    if (result == AVRO_DONE)
        *bytes = reader.bytes;
    if (result == AVRO_MORE)
        *missing = reader.missing;
    return result;
}
