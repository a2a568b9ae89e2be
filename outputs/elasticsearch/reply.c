/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/elasticsearch/reply.h"

#include <assert.h>

#include "base/json/json_tape.h"

struct reading {
    const struct json_tape *tape;
    struct str body;
    void (*on_item)(void *ctx, size_t index, const struct bulk_item *item);
    void *ctx;
    struct bulk_reply *reply;
    bool is_odd;          /* there was something among the items that is none */
    struct str last_text; /* of the item before, which most items are like */
    struct bulk_item last;
};

/* A string without its quotes. */
static struct str text_of(const struct reading *reading, const struct json_token *token)
{
    assert(token->at <= token->end && token->end <= reading->body.len);
    return str_make(reading->body.ptr + token->at, token->end - token->at);
}

static bool is_text(const struct reading *reading, const struct json_token *token, struct str text)
{
    return str_equal(text_of(reading, token), text);
}

/* Of a value that has ended. */
static const struct json_token *behind(const struct reading *reading,
                                       const struct json_token *value)
{
    return value->type < JSON_ARRAY ? value + 1 : reading->tape->tokens + value->next;
}

static void read_status(const struct reading *reading, const struct json_token *value, int *out)
{
    enum { STATUS_MIN = 100, STATUS_MAX = 999 };
    int64_t status;
    if (value->type == JSON_INTEGER && str_to_int(text_of(reading, value), &status) &&
        status >= STATUS_MIN && status <= STATUS_MAX)
        *out = (int)status;
}

static void read_text(const struct reading *reading, const struct json_token *value,
                      struct str *out)
{
    if (value->type == JSON_STRING)
        *out = text_of(reading, value);
}

/* {"type":…,"reason":…,"caused_by":{…}}: the innermost wins. */
static void read_cause(const struct reading *reading, const struct json_token *cause,
                       struct bulk_item *item, unsigned depth)
{
    enum { CAUSES_MAX = 16 };
    if (depth == CAUSES_MAX || cause->type != JSON_OBJECT)
        return;
    item->cause_type = item->cause_reason = STR("");
    struct str type = STR(""), reason = STR("");
    const struct json_token *key = cause + 1;
    for (uint32_t i = 0; i < cause->items; i++, key = behind(reading, key + 1)) {
        if (is_text(reading, key, STR("type")))
            read_text(reading, key + 1, &type);
        else if (is_text(reading, key, STR("reason")))
            read_text(reading, key + 1, &reason);
        else if (is_text(reading, key, STR("caused_by")))
            read_cause(reading, key + 1, item, depth + 1);
    }
    if (item->cause_type.len == 0) {
        item->cause_type = type;
        item->cause_reason = reason;
    }
}

/* {"type":…,"reason":…,"caused_by":…}, or a string as old servers send it. */
static void read_error(const struct reading *reading, const struct json_token *error,
                       struct bulk_item *item)
{
    read_text(reading, error, &item->error_reason);
    if (error->type != JSON_OBJECT)
        return;
    const struct json_token *key = error + 1;
    for (uint32_t i = 0; i < error->items; i++, key = behind(reading, key + 1)) {
        if (is_text(reading, key, STR("type")))
            read_text(reading, key + 1, &item->error_type);
        else if (is_text(reading, key, STR("reason")))
            read_text(reading, key + 1, &item->error_reason);
        else if (is_text(reading, key, STR("caused_by")))
            read_cause(reading, key + 1, item, 0);
    }
}

/* {"index":{"status":…,"error":…,…}}; false: it is no such thing. */
static bool read_item(const struct reading *reading, const struct json_token *outer,
                      struct bulk_item *item)
{
    enum { KEY_AND_ITSELF = 2 };
    const struct json_token *inner = outer + KEY_AND_ITSELF;
    if (outer->type != JSON_OBJECT || outer->items != 1 || inner->type != JSON_OBJECT)
        return false;
    const struct json_token *key = inner + 1;
    for (uint32_t i = 0; i < inner->items; i++, key = behind(reading, key + 1)) {
        if (is_text(reading, key, STR("status")))
            read_status(reading, key + 1, &item->status);
        else if (is_text(reading, key, STR("error")))
            read_error(reading, key + 1, item);
    }
    return true;
}

/* Containers among the items are not kept: what stands before this one is no item. */
static void take_item(struct reading *reading, const struct json_token *items,
                      const struct json_token *outer)
{
    struct bulk_reply *reply = reading->reply;
    struct str text = text_of(reading, outer);
    if (!str_equal(text, reading->last_text)) {
        reading->last = (struct bulk_item){0};
        reading->last_text = text;
        reading->is_odd = reading->is_odd || !read_item(reading, outer, &reading->last);
    }
    reading->is_odd |= outer != items + 1;
    if (reading->is_odd)
        return;
    if (reading->on_item)
        reading->on_item(reading->ctx, reply->items, &reading->last);
    reply->items++;
}

static void on_ended(void *ctx, const struct json_tape *tape, const struct json_token *around,
                     const struct json_token *container)
{
    struct reading *reading = ctx;
    if (tape->tokens->type != JSON_OBJECT)
        return;
    bool is_member = around == tape->tokens;
    const struct json_token *key = is_member ? container - 1 : around - 1;
    if (!is_member && is_text(reading, key, STR("items")))
        take_item(reading, around, container);
    else if (is_member && is_text(reading, key, STR("items")))
        reading->is_odd |=
            container->type == JSON_ARRAY && behind(reading, container) != container + 1;
    else if (is_member && is_text(reading, key, STR("error")))
        read_error(reading, container, &reading->reply->failure);
}

/* What the answer says of the request as a whole; what has ended of it was read before. */
static void read_members(const struct reading *reading)
{
    struct bulk_reply *reply = reading->reply;
    const struct json_token *key = reading->tape->tokens + 1;
    const struct json_token *end = reading->tape->tokens + reading->tape->count;
    while (key + 1 < end) {
        const struct json_token *value = key + 1;
        if (is_text(reading, key, STR("errors"))) {
            reply->has_errors_flag = value->type == JSON_TRUE || value->type == JSON_FALSE;
            reply->errors = value->type == JSON_TRUE;
        } else if (is_text(reading, key, STR("items"))) {
            reply->has_items |= value->type == JSON_ARRAY;
        } else if (is_text(reading, key, STR("status"))) {
            read_status(reading, value, &reply->failure.status);
        } else if (is_text(reading, key, STR("error"))) {
            read_text(reading, value, &reply->failure.error_reason);
        }
        if (value->type >= JSON_ARRAY && value->end == 0)
            return;
        key = behind(reading, value);
    }
}

void bulk_reply_read(struct json_tape *tape, struct str body,
                     void (*on_item)(void *ctx, size_t index, const struct bulk_item *item),
                     void *ctx, struct bulk_reply *out)
{
    *out = (struct bulk_reply){0};
    struct reading reading = {
        .tape = tape, .body = body, .on_item = on_item, .ctx = ctx, .reply = out};
    struct json_watch watch = {.ended = on_ended, .ctx = &reading};
    bool read = body.len > 0 && json_tape_read(tape, body, &watch);
    bool is_object = body.len > 0 && tape->count > 0 && tape->tokens->type == JSON_OBJECT;
    if (is_object)
        read_members(&reading);
    out->is_whole = read && is_object && !reading.is_odd;
}
