/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies of bulk requests: every item borrows from the body or the arena, reading is the same with and without a tape, and it
 * ends.
 */
#include <stdlib.h>

#include "base/json/json_scan.h"
#include "services/store/rest/bulk_body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read: all of it, in order. */
struct sum {
    size_t items;
    uint64_t hash;
    enum bulk_next end;
};

static void add_number(struct sum *sum, uint64_t number)
{
    sum->hash = sum->hash * 31 + number;
}

static void add_text(struct sum *sum, struct str text)
{
    add_number(sum, text.len);
    for (size_t i = 0; i < text.len; i++)
        add_number(sum, (unsigned char)text.ptr[i]);
}

static void add_item(struct sum *sum, const struct document_write *item)
{
    sum->items++;
    add_number(sum, item->action);
    add_text(sum, item->index);
    add_text(sum, item->id);
    add_text(sum, item->body);
    add_number(sum, item->versioning);
    add_number(sum, (uint64_t)item->version);
    add_number(sum, item->has_if_seq * 4u + item->has_if_term * 2u + item->must_be_new);
    if (item->index.len == 0 || (item->action == DOCUMENT_DELETE && item->body.len > 0))
        abort();
}

static struct sum read_all(struct json_reader *json, struct json_tape *tape, struct arena *arena,
                           struct str text)
{
    struct bulk_body body;
    struct document_write item;
    struct api_error err = {.status = 0};
    struct sum sum = {0};
    bulk_body_init(&body, json, arena, text, STR("default"));
    body.tape = tape;
    while ((sum.end = bulk_body_next(&body, &item, &err)) == BULK_ITEM)
        add_item(&sum, &item);
    if (sum.end == BULK_BROKEN && (err.status < 400 || err.status > 501))
        abort();
    add_number(&sum, (uint64_t)err.status);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct json_reader *json = json_reader_new();
    struct str text = str_make((const char *)data, size);
    struct json_tape tape = {0};
    struct sum first = read_all(json, &tape, &arena, text);
    struct sum second = read_all(json, NULL, &arena, text);
    if (first.items != second.items || first.hash != second.hash || first.end != second.end)
        abort();
    json_reader_free(json);
    json_tape_release(&tape);
    arena_release(&arena);
    return 0;
}
