/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers to bulk requests: every item is reported once and in order, a whole answer cut short is never whole, and the parser
 * reads all of it as the scanner does.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/json/json_scan.h"
#include "outputs/elasticsearch/bulk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    size_t items;
    const char *start, *end;
    uint64_t hash; /* of all that was said */
};

static void add_text(struct seen *seen, struct str text)
{
    if (text.len > 0 && (text.ptr < seen->start || text.ptr + text.len > seen->end))
        abort();
    seen->hash = seen->hash * 31 + text.len;
    for (size_t i = 0; i < text.len; i++)
        seen->hash = seen->hash * 31 + (unsigned char)text.ptr[i];
}

static void add_item(struct seen *seen, const struct bulk_item *item)
{
    if (item->status < 0 || item->status > 999)
        abort();
    seen->hash = seen->hash * 31 + (unsigned)item->status;
    add_text(seen, item->error_type);
    add_text(seen, item->error_reason);
    add_text(seen, item->cause_type);
    add_text(seen, item->cause_reason);
}

static void on_item(void *ctx, size_t index, const struct bulk_item *item)
{
    struct seen *seen = ctx;
    if (index != seen->items++)
        abort();
    add_item(seen, item);
    char reason[BULK_REASON_MAX];
    if (bulk_item_reason(item, reason).len > sizeof reason)
        abort();
}

/* A copy of its own size, of one text and another. */
static struct bulk_reply read_copy(struct str text, struct str more, uint64_t *hash_out)
{
    size_t size = text.len + more.len;
    char *body = malloc(size > 0 ? size : 1);
    if (!body)
        abort();
    if (text.len > 0)
        memcpy(body, text.ptr, text.len);
    if (more.len > 0)
        memcpy(body + text.len, more.ptr, more.len);
    struct seen seen = {0, body, body + size, 0};
    struct bulk_reply reply;
    struct json_tape tape = {0};
    bulk_reply_read(&tape, str_make(body, size), on_item, &seen, &reply);
    if (reply.items != seen.items)
        abort();
    add_item(&seen, &reply.failure);
    json_tape_release(&tape);
    free(body);
    *hash_out = seen.hash;
    return reply;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* With a member in front that the scanner does not read. */
static void check_by_parser(struct str text, const struct bulk_reply *reply, uint64_t hash)
{
    size_t open = 0;
    while (open < text.len && is_blank(text.ptr[open]))
        open++;
    struct str rest = str_from_offset(text, open < text.len ? open + 1 : open);
    struct str inner = str_trim(rest);
    if (open == text.len || text.ptr[open] != '{' || inner.len == 0 || inner.ptr[0] != '"')
        return;
    struct buf deep;
    buf_init(&deep, 4 * JSON_SCAN_DEPTH);
    buf_append_str(&deep, STR("{\"\":"));
    for (int i = 0; i < 2 * JSON_SCAN_DEPTH; i++)
        buf_append_char(&deep, i < JSON_SCAN_DEPTH ? '[' : ']');
    buf_append_char(&deep, ',');
    uint64_t other_hash;
    struct bulk_reply other = read_copy(buf_str(&deep), rest, &other_hash);
    buf_release(&deep);
    if (other_hash != hash || other.items != reply->items || other.is_whole != reply->is_whole ||
        other.has_items != reply->has_items || other.has_errors_flag != reply->has_errors_flag ||
        other.errors != reply->errors)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t hash;
    struct str text = str_make((const char *)data, size);
    struct bulk_reply reply = read_copy(text, STR(""), &hash);
    check_by_parser(text, &reply, hash);
    if (!reply.is_whole)
        return 0;
    while (text.len > 0 && text.ptr[text.len - 1] != '}')
        text.len--;
    if (text.len > 0 && read_copy(str_make(text.ptr, text.len - 1), STR(""), &hash).is_whole)
        abort();
    return 0;
}
