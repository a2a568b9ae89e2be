/* SPDX-License-Identifier: Apache-2.0
 *
 * What `millrace dlq` is given: a condition of --where in the first line, and records of a dead letter queue in those behind it. A
 * record is none, or a letter whose event everything can work with, and the condition has an answer for it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/regex/regex.h"
#include "pipeline/delivery/dead_letter.h"
#include "pipeline/program/evaluate.h"
#include "pipeline/program/where.h"

enum { OUT_MAX_BYTES = 64 * 1024 * 1024, INPUT_MAX_BYTES = 64 * 1024, RECORDS_MAX = 20 };

static struct str take_line(struct str *rest)
{
    const char *end = rest->len > 0 ? memchr(rest->ptr, '\n', rest->len) : NULL;
    struct str line = str_make(rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len);
    *rest = str_from_offset(*rest, line.len + (end ? 1 : 0));
    return line;
}

static void use(struct arena *arena, const struct read_letter *letter)
{
    struct buf out;
    struct str name = STR("dead_letter_queue");
    const struct value *origin = value_object_get(&letter->event->metadata, name);
    if (!origin || value_type(origin) != VALUE_OBJECT ||
        !value_object_get(origin, STR("entry_time")))
        abort();
    buf_init(&out, OUT_MAX_BYTES);
    struct event *copy = event_clone(arena, letter->event);
    if (!json_encode_value(&copy->fields, &out) || !json_encode_value(&copy->metadata, &out))
        abort();
    buf_release(&out);
}

static void read_records(struct arena *arena, struct condition *where, struct str records)
{
    struct json_reader *json = json_reader_new();
    struct regex_scratch *regex = regex_scratch_new(NULL);
    for (int i = 0; i < RECORDS_MAX && records.len > 0; i++) {
        struct read_letter letter;
        struct error err = {0};
        if (!dead_letter_read(arena, json, take_line(&records), &letter, &err)) {
            if (err.text[0] == '\0')
                abort();
            continue;
        }
        use(arena, &letter);
        if (where)
            (void)condition_test(where, letter.event, regex);
    }
    regex_scratch_free(regex);
    json_reader_free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct error err = {0};
    struct str rest = str_make((const char *)data, size);
    if (size > INPUT_MAX_BYTES)
        return 0;
    arena_init(&arena, NULL);
    struct str text = take_line(&rest);
    struct condition *where = where_compile(&arena, text, FIELD_ESCAPE_NONE, &err);
    if (!where && err.text[0] == '\0')
        abort();
    read_records(&arena, where, rest);
    condition_release(where);
    arena_release(&arena);
    return 0;
}
