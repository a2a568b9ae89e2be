/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers to bulk requests: every item is reported once and in order, and a whole answer cut short is never whole.
 */
#include <stdlib.h>

#include "base/json/json_scan.h"
#include "outputs/elasticsearch/bulk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    size_t items;
    const char *start, *end;
};

static void check_inside(const struct seen *seen, struct str text)
{
    if (text.len > 0 && (text.ptr < seen->start || text.ptr + text.len > seen->end))
        abort();
}

static void on_item(void *ctx, size_t index, const struct bulk_item *item)
{
    struct seen *seen = ctx;
    if (index != seen->items++ || item->status < 0 || item->status > 999)
        abort();
    check_inside(seen, item->error_type);
    check_inside(seen, item->error_reason);
    char reason[BULK_REASON_MAX];
    if (bulk_item_reason(item, reason).len > sizeof reason)
        abort();
}

static struct bulk_reply read_copy(const uint8_t *data, size_t size)
{
    char *body = malloc(size > 0 ? size : 1);
    if (!body)
        abort();
    if (size > 0)
        memcpy(body, data, size);
    struct seen seen = {0, body, body + size};
    struct bulk_reply reply;
    struct json_tape tape = {0};
    bulk_reply_read(&tape, str_make(body, size), on_item, &seen, &reply);
    if (reply.items != seen.items)
        abort();
    json_tape_release(&tape);
    free(body);
    return reply;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!read_copy(data, size).is_whole)
        return 0;
    while (size > 0 && data[size - 1] != '}')
        size--;
    if (size > 0 && read_copy(data, size - 1).is_whole)
        abort();
    return 0;
}
