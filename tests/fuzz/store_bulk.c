/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies of bulk requests: every item borrows from the body or the arena, reading is the same with and without a tape, and it
 * ends.
 */
#include <stdlib.h>

#include "base/json/json_scan.h"
#include "services/store/rest/bulk_body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sum {
    size_t items, bytes;
    enum bulk_next end;
};

static struct sum read_all(struct json_reader *json, struct json_tape *tape, struct arena *arena,
                           struct str text)
{
    struct bulk_body body;
    struct document_write item;
    struct api_error err = {.status = 0};
    struct sum sum = {0};
    bulk_body_init(&body, json, arena, text, STR("default"));
    body.tape = tape;
    while ((sum.end = bulk_body_next(&body, &item, &err)) == BULK_ITEM) {
        sum.items++;
        sum.bytes += item.index.len + item.id.len + item.body.len;
        for (size_t i = 0; i < item.body.len; i++)
            sum.bytes += (unsigned char)item.body.ptr[i];
        for (size_t i = 0; i < item.id.len; i++)
            sum.bytes += (unsigned char)item.id.ptr[i];
        if (item.index.len == 0 || (item.action == DOCUMENT_DELETE && item.body.len > 0))
            abort();
    }
    if (sum.end == BULK_BROKEN && (err.status < 400 || err.status > 501))
        abort();
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
    if (first.items != second.items || first.bytes != second.bytes || first.end != second.end)
        abort();
    json_reader_free(json);
    json_tape_release(&tape);
    arena_release(&arena);
    return 0;
}
