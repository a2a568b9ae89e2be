/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of an event: what JSON can say, plus timestamps. A value is 16 bytes and is passed by value;
 * text and containers live in the arena of the event's batch, or in the bytes that arrived with it.
 * Plugins use only the functions here, never the members, so that the representation may change.
 */
#ifndef MILLRACE_PIPELINE_EVENT_VALUE_H
#define MILLRACE_PIPELINE_EVENT_VALUE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "base/time/clock.h"

enum value_type {
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_INT,
    VALUE_FLOAT,
    VALUE_BIG_INT, /* an integer beyond 64 bits, kept as its decimal text */
    VALUE_STRING,  /* valid UTF-8 */
    VALUE_TIMESTAMP,
    VALUE_ARRAY,
    VALUE_OBJECT,
};

struct array;
struct object;

struct value {
    uint8_t type;
    uint8_t
        flags; /* FLOAT: VALUE_IS_DECIMAL, then its text stands in for the double; STRING: VALUE_HAS_JSON */
    uint16_t unused;
    uint32_t extra; /* STRING, BIG_INT: length; TIMESTAMP: nanoseconds */
    union {
        bool boolean;
        int64_t integer; /* INT; TIMESTAMP: seconds */
        double real;
        const char *text;
        struct array *array;
        struct object *object;
    } as;
};

static inline enum value_type value_type(const struct value *value)
{
    return (enum value_type)value->type;
}

static inline struct value value_null(void)
{
    return (struct value){.type = VALUE_NULL};
}
static inline struct value value_bool(bool boolean)
{
    return (struct value){.type = VALUE_BOOL, .as.boolean = boolean};
}
static inline struct value value_int(int64_t integer)
{
    return (struct value){.type = VALUE_INT, .as.integer = integer};
}
static inline struct value value_float(double real)
{
    return (struct value){.type = VALUE_FLOAT, .as.real = real};
}
/* Borrows the bytes, which must be valid UTF-8 and live as long as the event (its arena, its input bytes,
 * a literal, or the configuration). At most UINT32_MAX bytes. */
static inline struct value value_str(struct str text)
{
    assert(text.len <= UINT32_MAX);
    return (struct value){.type = VALUE_STRING, .extra = (uint32_t)text.len, .as.text = text.ptr};
}
static inline struct value value_big_int(struct str digits)
{
    return (struct value){
        .type = VALUE_BIG_INT, .extra = (uint32_t)digits.len, .as.text = digits.ptr};
}
static inline struct value value_timestamp(struct instant at)
{
    return (struct value){
        .type = VALUE_TIMESTAMP, .extra = at.nanoseconds, .as.integer = at.seconds};
}
/* Copies the text into the arena. */
struct value value_str_dup(struct arena *arena, struct str text);
struct value value_array_new(struct arena *arena, size_t capacity_hint);
struct value value_object_new(struct arena *arena, size_t capacity_hint);

static inline bool value_as_bool(const struct value *value)
{
    assert(value->type == VALUE_BOOL);
    return value->as.boolean;
}
static inline int64_t value_as_int(const struct value *value)
{
    assert(value->type == VALUE_INT);
    return value->as.integer;
}
/* A FLOAT that keeps its digits, as Java's BigDecimal does: 1.10 stays 1.10 as text. From a number as JSON writes it; false
 * when it has more than DECIMAL_TEXT_MAX characters. The text is kept in the arena. */
enum { DECIMAL_TEXT_MAX = 40, VALUE_IS_DECIMAL = 1 };
bool value_decimal(struct arena *arena, struct str number, struct value *out);
double value_decimal_as_float(const struct value *decimal);
/* As Ruby's BigDecimal#to_s: 0.11e1. Returns the length. */
size_t value_decimal_ruby_format(const struct value *decimal, char out[DECIMAL_TEXT_MAX + 16]);
static inline bool value_is_decimal(const struct value *value)
{
    return value->type == VALUE_FLOAT && value->flags == VALUE_IS_DECIMAL;
}
static inline double value_as_float(const struct value *value)
{
    assert(value->type == VALUE_FLOAT);
    return value_is_decimal(value) ? value_decimal_as_float(value) : value->as.real;
}
static inline bool value_is_str(const struct value *value)
{
    return value && value->type == VALUE_STRING;
}
/* STRING or BIG_INT. */
static inline struct str value_as_str(const struct value *value)
{
    assert(value->type == VALUE_STRING || value->type == VALUE_BIG_INT);
    return str_make(value->as.text, value->extra);
}
static inline struct instant value_as_instant(const struct value *value)
{
    assert(value->type == VALUE_TIMESTAMP);
    return (struct instant){value->as.integer, value->extra};
}
/* INT, FLOAT or BIG_INT as a double; false for everything else. */
bool value_number(const struct value *value, double *out);

/* Arrays. Pointers to items are good until the array changes. */
size_t value_array_count(const struct value *array);
struct value *value_array_at(const struct value *array, size_t index);
void value_array_push(struct arena *arena, struct value *array, struct value item);
void value_array_remove(struct value *array, size_t index); /* the rest moves down */

/* Objects keep their insertion order; a key is there once. Large objects are indexed by hash. */
size_t value_object_count(const struct value *object);
struct value *value_object_get(const struct value *object, struct str key); /* NULL: missing */
/* Sets or adds; key is borrowed like the text of value_str. */
void value_object_set(struct arena *arena, struct value *object, struct str key, struct value item);
bool value_object_remove(struct value *object, struct str key);
/* Iteration by position 0..count-1; the key lives as long as the object. */
struct value *value_object_at(const struct value *object, size_t position, struct str *key_out);

/* The JSON that an object or array came as, while nothing in it was changed, if it is as we would write it. It lives as long as
 * the container. */
bool value_unchanged_json(const struct value *container, struct str *out);

/* What removals left behind is squeezed out, at every depth: afterwards reading writes nothing, until the value is changed
 * again. */
void value_settle(struct value *value);

/* A deep copy that points at nothing outside the arena. */
struct value value_dup(struct arena *arena, const struct value *value);
/* A copy with containers of its own that shares the text: for another event of the same batch. */
struct value value_dup_shared(struct arena *arena, const struct value *value);
/* Deep equality as Logstash's == between fields: int and float differ in type; order of keys is no matter. */
bool value_equal(const struct value *a, const struct value *b);
/* As Logstash's if [field]: not null, not false, not "false", not "". NULL (missing) is false. */
bool value_truthy(const struct value *value);

/* Text as sprintf writes it (REFERENCE 1.5): strings as they are, arrays joined by ',', objects as JSON, floats
 * in Java's form. The result may borrow from value or live in arena. */
struct str value_to_text(struct arena *arena, const struct value *value);
/* The same, appended; false when the buffer is at its maximum. */
bool value_append_text(const struct value *value, struct buf *out);
/* As java.util's containers print themselves: {a=1, b=[x, null]}; null is "null". */
struct str value_to_java_text(struct arena *arena, const struct value *value);

/* A double as Java's Double.toString: 1.0, 0.1, 1.0E21. Returns the length, at most 32, no NUL. */
enum { FLOAT_TEXT_MAX = 32 };
size_t float_format(double real, char out[FLOAT_TEXT_MAX]);
/* As Ruby's Float#to_s: 1.0e+20, 1.0e-05. */
size_t float_format_ruby(double real, char out[FLOAT_TEXT_MAX]);
/* Decimal digits, without NUL. */
enum { INT_TEXT_MAX = 24 };
size_t int_format(int64_t integer, char out[INT_TEXT_MAX]);

#endif
