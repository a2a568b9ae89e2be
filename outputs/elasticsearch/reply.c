/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/elasticsearch/reply.h"

#include <assert.h>

/* at == end after a problem: every further step fails as well. */
struct scan {
    const char *at, *end;
    bool ended; /* the last next_member came to the end of its object, and not to a problem */
};

static bool stop(struct scan *scan)
{
    scan->at = scan->end;
    return false;
}

static char peek(struct scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || (*scan->at >= '\t' && *scan->at <= '\r')))
        scan->at++;
    return scan->at < scan->end ? *scan->at : 0;
}

static bool take(struct scan *scan, char wanted)
{
    if (peek(scan) != wanted)
        return false;
    scan->at++;
    return true;
}

static bool read_string(struct scan *scan, struct str *out)
{
    if (!take(scan, '"'))
        return stop(scan);
    const char *start = scan->at;
    while (scan->at < scan->end && *scan->at != '"')
        scan->at += *scan->at == '\\' && scan->end - scan->at > 1 ? 2 : 1;
    if (scan->at >= scan->end)
        return stop(scan);
    *out = str_make(start, (size_t)(scan->at - start));
    scan->at++;
    return true;
}

static bool skip_container(struct scan *scan)
{
    size_t depth = 0;
    struct str unused;
    do {
        char c = peek(scan);
        if (c == '"') {
            if (!read_string(scan, &unused))
                return false;
            continue;
        }
        if (c == 0)
            return stop(scan);
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        scan->at++;
    } while (depth > 0);
    return true;
}

static bool skip_value(struct scan *scan)
{
    struct str unused;
    char c = peek(scan);
    if (c == '"')
        return read_string(scan, &unused);
    if (c == '{' || c == '[')
        return skip_container(scan);
    const char *start = scan->at;
    while (scan->at < scan->end && !strchr(",}] \t\r\n", *scan->at))
        scan->at++;
    return scan->at > start || stop(scan);
}

/* Steps to the next member of the object that was entered; false at its end and on a problem. */
static bool next_member(struct scan *scan, bool *first, struct str *key_out)
{
    scan->ended = take(scan, '}');
    if (scan->ended || (!*first && !take(scan, ',')))
        return false;
    *first = false;
    return read_string(scan, key_out) && (take(scan, ':') || stop(scan));
}

static bool read_status(struct scan *scan, int *out)
{
    enum { STATUS_MIN = 100, STATUS_MAX = 999 };
    peek(scan);
    const char *start = scan->at;
    int64_t status;
    if (!skip_value(scan))
        return false;
    if (str_to_int(str_make(start, (size_t)(scan->at - start)), &status) && status >= STATUS_MIN &&
        status <= STATUS_MAX)
        *out = (int)status;
    return true;
}

static bool read_text(struct scan *scan, struct str *out)
{
    return peek(scan) == '"' ? read_string(scan, out) : skip_value(scan);
}

/* {"type":…,"reason":…,"caused_by":{…}}: the innermost wins. */
static bool read_cause(struct scan *scan, struct bulk_item *item, unsigned depth)
{
    enum { CAUSES_MAX = 16 };
    if (depth == CAUSES_MAX || !take(scan, '{'))
        return skip_value(scan);
    item->cause_type = item->cause_reason = STR("");
    struct str type = STR(""), reason = STR(""), key;
    bool first = true;
    while (next_member(scan, &first, &key)) {
        bool ok;
        if (str_equal(key, STR("type")))
            ok = read_text(scan, &type);
        else if (str_equal(key, STR("reason")))
            ok = read_text(scan, &reason);
        else if (str_equal(key, STR("caused_by")))
            ok = read_cause(scan, item, depth + 1);
        else
            ok = skip_value(scan);
        if (!ok)
            return false;
    }
    if (item->cause_type.len == 0) {
        item->cause_type = type;
        item->cause_reason = reason;
    }
    return scan->ended || stop(scan);
}

/* {"type":…,"reason":…,"caused_by":…}, or a string as old servers send it. */
static bool read_error(struct scan *scan, struct bulk_item *item)
{
    if (peek(scan) == '"')
        return read_string(scan, &item->error_reason);
    if (!take(scan, '{'))
        return skip_value(scan);
    bool first = true;
    struct str key;
    while (next_member(scan, &first, &key)) {
        bool ok;
        if (str_equal(key, STR("type")))
            ok = read_text(scan, &item->error_type);
        else if (str_equal(key, STR("reason")))
            ok = read_text(scan, &item->error_reason);
        else if (str_equal(key, STR("caused_by")))
            ok = read_cause(scan, item, 0);
        else
            ok = skip_value(scan);
        if (!ok)
            return false;
    }
    return scan->ended || stop(scan);
}

/* {"index":{"status":…,"error":…,…}} */
static bool read_item(struct scan *scan, struct bulk_item *item)
{
    struct str key;
    bool outer = true, first = true;
    if (!take(scan, '{') || !next_member(scan, &outer, &key) || !take(scan, '{'))
        return stop(scan);
    while (next_member(scan, &first, &key)) {
        bool ok;
        if (str_equal(key, STR("status")))
            ok = read_status(scan, &item->status);
        else if (str_equal(key, STR("error")))
            ok = read_error(scan, item);
        else
            ok = skip_value(scan);
        if (!ok)
            return false;
    }
    return (scan->ended && take(scan, '}')) || stop(scan);
}

struct reading {
    void (*on_item)(void *ctx, size_t index, const struct bulk_item *item);
    void *ctx;
    struct bulk_reply *reply;
};

static bool read_items(struct scan *scan, const struct reading *reading)
{
    struct bulk_reply *reply = reading->reply;
    if (!take(scan, '['))
        return skip_value(scan);
    reply->has_items = true;
    if (take(scan, ']'))
        return true;
    do {
        struct bulk_item item = {0};
        if (!read_item(scan, &item))
            return false;
        if (reading->on_item)
            reading->on_item(reading->ctx, reply->items, &item);
        reply->items++;
    } while (take(scan, ','));
    return take(scan, ']') || stop(scan);
}

static bool read_flag(struct scan *scan, struct bulk_reply *reply)
{
    char c = peek(scan);
    reply->has_errors_flag = c == 't' || c == 'f';
    reply->errors = c == 't';
    return skip_value(scan);
}

static bool read_member(struct scan *scan, struct str key, const struct reading *reading)
{
    if (str_equal(key, STR("errors")))
        return read_flag(scan, reading->reply);
    if (str_equal(key, STR("items")))
        return read_items(scan, reading);
    if (str_equal(key, STR("error")))
        return read_error(scan, &reading->reply->failure);
    if (str_equal(key, STR("status")))
        return read_status(scan, &reading->reply->failure.status);
    return skip_value(scan);
}

void bulk_reply_read(struct str body,
                     void (*on_item)(void *ctx, size_t index, const struct bulk_item *item),
                     void *ctx, struct bulk_reply *out)
{
    *out = (struct bulk_reply){0};
    struct scan scan = {.at = body.ptr, .end = body.ptr + body.len};
    struct reading reading = {on_item, ctx, out};
    bool first = true, ok = body.len > 0 && take(&scan, '{');
    struct str key;
    while (ok && next_member(&scan, &first, &key))
        ok = read_member(&scan, key, &reading);
    assert(scan.at == NULL || scan.at <= scan.end);
    out->is_whole = ok && scan.ended && peek(&scan) == 0 && scan.at == scan.end;
}
