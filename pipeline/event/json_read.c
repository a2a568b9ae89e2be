/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON to values: the fast scanner first, and yajl for all that it does not read. Here is what makes values of yajl's
 * callbacks. The members of all open containers stand on one stack; when a container ends, its part is copied
 * into the arena once, at its exact size, and becomes a member of the container around it. The stack keeps its memory
 * between documents.
 */
#include <assert.h>

#include "base/json/json.h"
#include "base/mem.h"
#include "base/text/utf8.h"
#include "pipeline/event/event_json.h"
#include "pipeline/event/json_private.h"
#include "pipeline/event/value_store.h"

enum { KEEP_ENTRIES = 4096 };

struct container {
    size_t start;          /* its first entry */
    struct object_key key; /* its own, in the object around it */
};

struct json_reader {
    struct json_parser *parser;
    struct arena *arena;
    struct str text;
    struct object_entry *entries; /* those of arrays have a key that means nothing */
    size_t count;
    size_t capacity;
    struct object_key key; /* of the value that comes next */
    const char *stopped;   /* why a callback stopped */
    size_t spare;          /* of the outermost object */
    bool keep_decimals;
    bool fast;   /* the scanner is asked first */
    bool mended; /* the text is valid UTF-8, or was made so */
    struct json_tape tape;
    size_t depth;
    struct container open[JSON_MAX_DEPTH];
};

static int stop(struct json_reader *reader, const char *why)
{
    reader->stopped = why;
    return 0;
}

static inline int push(struct json_reader *reader, struct value value)
{
    if (reader->count == reader->capacity)
        reader->entries =
            mem_grow(reader->entries, reader->count, &reader->capacity, sizeof *reader->entries);
    reader->entries[reader->count++] = (struct object_entry){reader->key, value};
    return 1;
}

/* ---- text ---- */

static inline bool is_inside(const struct json_reader *reader, const void *ptr)
{
    return (uintptr_t)ptr - (uintptr_t)reader->text.ptr < reader->text.len;
}

/* A string without escapes is a part of the document. */
static inline struct str string_text(struct json_reader *reader, const unsigned char *text,
                                     size_t len)
{
    bool has_escapes;
    struct str raw = json_parser_string(reader->parser, text, len, &has_escapes);
    return has_escapes ? json_unescape(reader->arena, raw) : raw;
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
    struct json_reader *reader = ctx;
    return push(reader, value_str(string_text(reader, text, len)));
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
    struct json_reader *reader = ctx;
    reader->key = object_key(string_text(reader, text, len));
    return 1;
}

/* ---- the rest ---- */

static int on_number(void *ctx, const char *digits, size_t len)
{
    struct json_reader *reader = ctx;
    struct str text = str_make(digits, len);
    if (!is_inside(reader, digits))
        text = arena_dup(reader->arena, text);
    struct value value;
    const char *why = json_number(reader->arena, text, reader->keep_decimals, &value);
    return why ? stop(reader, why) : push(reader, value);
}

static int on_null(void *ctx)
{
    return push(ctx, value_null());
}

static int on_boolean(void *ctx, int value)
{
    return push(ctx, value_bool(value != 0));
}

static int on_open(void *ctx)
{
    struct json_reader *reader = ctx;
    if (reader->depth == JSON_MAX_DEPTH)
        return stop(reader, "JSON is nested too deep");
    reader->open[reader->depth++] = (struct container){reader->count, reader->key};
    return 1;
}

static struct container close_container(struct json_reader *reader)
{
    assert(reader->depth > 0);
    struct container closed = reader->open[--reader->depth];
    assert(closed.start <= reader->count);
    reader->key = closed.key;
    return closed;
}

static int on_object_end(void *ctx)
{
    struct json_reader *reader = ctx;
    size_t start = close_container(reader).start;
    size_t count = reader->count - start;
    struct value object =
        object_from_entries(reader->arena, count > 0 ? reader->entries + start : NULL, count,
                            reader->depth == 0 ? reader->spare : 0);
    reader->count = start;
    return push(reader, object);
}

static int on_array_end(void *ctx)
{
    struct json_reader *reader = ctx;
    size_t start = close_container(reader).start, count = reader->count - start;
    struct value array = value_array_new(reader->arena, count);
    for (size_t i = 0; i < count; i++)
        array.as.array->items[i] = reader->entries[start + i].value;
    array.as.array->count = (uint32_t)count;
    reader->count = start;
    return push(reader, array);
}

static const struct json_callbacks CALLBACKS = {
    .on_null = on_null,
    .on_boolean = on_boolean,
    .on_number = on_number,
    .on_string = on_string,
    .on_object = on_open,
    .on_key = on_key,
    .on_object_end = on_object_end,
    .on_array = on_open,
    .on_array_end = on_array_end,
};

struct json_reader *json_reader_new(void)
{
    struct json_reader *reader = mem_zero(1, sizeof *reader);
    reader->parser = json_parser_new(&CALLBACKS, reader);
    return reader;
}

void json_reader_free(struct json_reader *reader)
{
    if (!reader)
        return;
    json_parser_free(reader->parser);
    json_tape_release(&reader->tape);
    mem_free(reader->entries);
    mem_free(reader);
}

/* One huge document does not hold its memory for ever. */
static void forget_entries(struct json_reader *reader)
{
    if (reader->capacity > KEEP_ENTRIES) {
        mem_free(reader->entries);
        reader->entries = NULL;
        reader->capacity = 0;
    }
}

/* By yajl, which also says what is wrong. *end: where the document ends, unless it must be the only one. */
static bool parse(struct json_reader *reader, struct str text, size_t *end, struct value *out,
                  struct error *err)
{
    reader->text = text;
    reader->count = reader->depth = 0;
    reader->stopped = NULL;
    bool read = json_parser_run(reader->parser, text, end, err);
    if (!read && reader->stopped)
        error_set(err, ERROR_LIMIT, "%s", reader->stopped);
    assert(!read || (reader->count == 1 && reader->depth == 0));
    if (read)
        *out = reader->entries[0].value;
    return read;
}

/* One document; *text becomes what is behind it unless it must be the only one. */
static bool decode_one(struct json_reader *reader, struct str *text, bool only, struct value *out,
                       struct error *err)
{
    size_t end = 0, *end_out = only ? NULL : &end;
    struct json_builder builder = {.arena = reader->arena,
                                   .text = *text,
                                   .tape = &reader->tape,
                                   .keep_decimals = reader->keep_decimals};
    bool read = reader->fast && json_scan(&reader->tape, *text, end_out) &&
                json_build(&builder, reader->spare, out);
    if (!read) {
        if (!reader->mended)
            *text = utf8_repair(reader->arena, *text);
        reader->mended = true; /* and all that follows */
        reader->fast = false;
        read = parse(reader, *text, end_out, out, err);
    }
    if (read && !only) {
        assert(end > 0 && end <= text->len);
        *text = str_from_offset(*text, end);
    }
    return read;
}

bool json_decode_as(struct json_reader *reader, struct arena *arena, struct str text,
                    const struct json_decoding *how, struct value *out, struct error *err)
{
    reader->arena = arena;
    reader->keep_decimals = how->keep_decimals;
    reader->spare = how->spare ? how->spare : JSON_ROOT_SPARE;
    reader->mended = false;
    reader->fast = JSON_FAST && !how->by_parser;
    reader->tape.learns = arena->stays;
    bool read;
    do
        read = decode_one(reader, &text, how->documents == JSON_ONLY, out, err);
    while (read && how->documents == JSON_LAST && str_trim(text).len > 0);
    forget_entries(reader);
    return read;
}

bool json_decode(struct json_reader *reader, struct arena *arena, struct str text,
                 struct value *out, struct error *err)
{
    static const struct json_decoding ONLY = {.documents = JSON_ONLY};
    return json_decode_as(reader, arena, text, &ONLY, out, err);
}
