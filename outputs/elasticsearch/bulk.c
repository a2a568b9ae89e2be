/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/elasticsearch/bulk.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>

#include "base/text/redact.h"

/* A request that the server could not read as a whole says so in an error object; a 400 from anything in between does
 * not, and is no reason to give up a document. */
static bool is_server_error(struct str body)
{
    struct str start = str_trim(body);
    return str_starts_with(start, STR("{")) && str_find(start, STR("\"error\"")) != SIZE_MAX;
}

enum send_cause bulk_judge(const struct http_result *result)
{
    switch (result->outcome) {
    case HTTP_ANSWERED:
        break;
    case HTTP_NOT_CONNECTED:
    case HTTP_BROKEN:
        return SEND_UNREACHABLE;
    case HTTP_TIMED_OUT:
    case HTTP_TOO_LARGE:
        return SEND_OVERLOADED;
    case HTTP_CANCELLED:
        return SEND_STOPPED;
    }
    if (result->status / 100 == 2)
        return SEND_ANSWERED;
    if (result->status == 413)
        return SEND_TOO_LARGE;
    if (result->status == 400 && is_server_error(result->body))
        return SEND_REJECTED;
    if (result->status == 401 || result->status == 403)
        return SEND_FORBIDDEN;
    return result->status == 429 || result->status == 503 ? SEND_OVERLOADED : SEND_UNREACHABLE;
}

struct retry_table bulk_verdicts(struct arena *arena, const struct elasticsearch_options *options)
{
    static const struct retry_rule FIRST[] = {
        {200, 299, STR_INIT(""), VERDICT_DELIVERED},
        {409, 409, STR_INIT(""), VERDICT_CONFLICT},
        {400, 400, STR_INIT(""), VERDICT_REFUSED},
        {404, 404, STR_INIT(""), VERDICT_REFUSED},
    };
    const struct option_strings *types = &options->drop_error_types;
    const struct option_strings *codes = &options->dlq_custom_codes;
    size_t count = sizeof FIRST / sizeof *FIRST;
    struct retry_rule *rules =
        arena_alloc(arena, (count + types->count + codes->count) * sizeof *rules);
    memcpy(rules, FIRST, sizeof FIRST);
    for (size_t i = 0; i < types->count; i++)
        rules[count++] = (struct retry_rule){0, INT_MAX, types->items[i], VERDICT_REFUSED};
    for (size_t i = 0; i < codes->count; i++) {
        int64_t code;
        if (str_to_int(codes->items[i], &code) && code >= 0 && code <= INT_MAX)
            rules[count++] =
                (struct retry_rule){(int)code, (int)code, STR_INIT(""), VERDICT_REFUSED};
    }
    assert(count <= sizeof FIRST / sizeof *FIRST + types->count + codes->count);
    return retry_join(arena, &options->retry_rules, &(struct retry_table){rules, count});
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

/* Values of the event that the server quotes are taken out of the text from `from` on; returns the new length. */
static size_t redact_from(char out[BULK_REASON_MAX], size_t from, size_t len)
{
    struct buf text;
    buf_init(&text, SIZE_MAX / 2);
    redact_reason(str_make(out + from, len - from), &text);
    size_t room = BULK_REASON_MAX - from, shown = text.len < room ? text.len : room;
    if (shown > 0)
        memcpy(out + from, text.ptr, shown);
    buf_release(&text);
    return from + shown;
}

struct str bulk_item_reason(const struct bulk_item *item, char out[BULK_REASON_MAX])
{
    int head = snprintf(out, BULK_REASON_MAX, "%d", item->status);
    size_t len = head > 0 ? (size_t)head : 0;
    const struct {
        struct str before, text;
    } parts[] = {{STR_INIT(" "), item->error_type},
                 {STR_INIT(": "), item->error_reason},
                 {STR_INIT(", caused by "), item->cause_type},
                 {STR_INIT(": "), item->cause_reason}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].text.len == 0)
            continue;
        len = append_plain(out, len, parts[i].before);
        size_t from = len;
        len = append_plain(out, len, parts[i].text);
        len = redact_from(out, from, len);
    }
    assert(len <= BULK_REASON_MAX);
    return str_make(out, len);
}
