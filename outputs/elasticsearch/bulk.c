/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/elasticsearch/bulk.h"

#include <stdio.h>

/* A request that the server could not read as a whole says so in an error object; a 400 from anything in between does
 * not, and is no reason to give up a document. */
static bool is_server_error(struct str body)
{
    struct str start = str_trim(body);
    return str_starts_with(start, STR("{")) && str_find(start, STR("\"error\"")) != SIZE_MAX;
}

enum bulk_answer bulk_judge(const struct http_result *result)
{
    switch (result->outcome) {
    case HTTP_ANSWERED:
        break;
    case HTTP_NOT_CONNECTED:
        return BULK_NEXT_HOST;
    case HTTP_BROKEN:
    case HTTP_TIMED_OUT:
    case HTTP_TOO_LARGE:
    case HTTP_CANCELLED:
        return BULK_AGAIN;
    }
    if (result->status / 100 == 2)
        return BULK_ITEMS;
    if (result->status == 413 || (result->status == 400 && is_server_error(result->body)))
        return BULK_SPLIT;
    return result->status == 429 || result->status == 503 ? BULK_OVERLOAD : BULK_AGAIN;
}

static bool contains(const struct option_strings *list, struct str text)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_equal(list->items[i], text))
            return true;
    return false;
}

enum verdict bulk_item_verdict(const struct elasticsearch_options *options,
                               const struct bulk_item *item)
{
    if (item->status / 100 == 2)
        return VERDICT_DELIVERED;
    if (item->status == 409)
        return VERDICT_CONFLICT;
    if (item->status == 400 || item->status == 404)
        return VERDICT_REFUSED;
    if (contains(&options->drop_error_types, item->error_type))
        return VERDICT_REFUSED;
    char code[16];
    snprintf(code, sizeof code, "%d", item->status);
    return contains(&options->dlq_custom_codes, str_from(code)) ? VERDICT_REFUSED : VERDICT_RETRY;
}

/* Appends JSON string content as one line of plain text; what does not fit is left out. */
static size_t append_plain(char *out, size_t len, struct str text)
{
    for (size_t i = 0; i < text.len && len < BULK_REASON_MAX; i++) {
        char c = text.ptr[i];
        if (c == '\\' && i + 1 < text.len) {
            c = text.ptr[++i];
            c = c == 'n' || c == 't' || c == 'r' ? ' ' : c;
        }
        out[len++] = c;
    }
    return len;
}

struct str bulk_item_reason(const struct bulk_item *item, char out[BULK_REASON_MAX])
{
    int head = snprintf(out, BULK_REASON_MAX, "%d", item->status);
    size_t len = head > 0 ? (size_t)head : 0;
    if (item->error_type.len > 0) {
        len = append_plain(out, len, STR(" "));
        len = append_plain(out, len, item->error_type);
    }
    if (item->error_reason.len > 0) {
        len = append_plain(out, len, STR(": "));
        len = append_plain(out, len, item->error_reason);
    }
    return str_make(out, len);
}
