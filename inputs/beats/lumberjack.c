/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/beats/lumberjack.h"

#include <assert.h>

#include "inputs/beats/inflater.h"

enum { VERSION_AND_TYPE_BYTES = 2, NUMBER_BYTES = 4 };

static uint32_t read_number(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

void lumberjack_init(struct lumberjack *decoder, const struct lumberjack_handler *handler,
                     void *ctx, const struct lumberjack_limits *limits, struct account *charged)
{
    assert(handler && handler->window && handler->event && handler->window_end);
    assert(limits->max_event_bytes > 0);
    *decoder = (struct lumberjack){
        .handler = handler, .ctx = ctx, .limits = limits, .state = LUMBERJACK_HEADER};
    buf_init(&decoder->partial, limits->max_event_bytes);
    decoder->partial.charged = charged;
}

void lumberjack_release(struct lumberjack *decoder)
{
    buf_release(&decoder->partial);
    inflater_free(decoder->inflater);
    decoder->inflater = NULL;
}

void lumberjack_pause(struct lumberjack *decoder)
{
    decoder->paused = true;
}

bool lumberjack_has_pending(const struct lumberjack *decoder)
{
    return decoder->inflater && inflater_has_pending(decoder->inflater);
}

bool lumberjack_is_incomplete(const struct lumberjack *decoder)
{
    return decoder->window_open || decoder->inflater || decoder->state != LUMBERJACK_HEADER ||
           decoder->header_len > 0;
}

size_t lumberjack_held_bytes(const struct lumberjack *decoder)
{
    return decoder->partial.capacity +
           (decoder->inflater ? inflater_held_bytes(decoder->inflater) : 0);
}

/* ---- the window ---- */

static void end_window(struct lumberjack *decoder)
{
    assert(decoder->window_open && decoder->events_left == 0);
    decoder->window_open = false;
    decoder->handler->window_end(decoder->ctx);
}

/* The last event is there; inside a compressed frame its checksum is still to come. */
static void end_window_if_full(struct lumberjack *decoder)
{
    if (decoder->window_open && decoder->events_left == 0 && !decoder->inflater)
        end_window(decoder);
}

static bool begin_window(struct lumberjack *decoder, enum lumberjack_version version,
                         uint32_t count, struct error *err)
{
    if (decoder->window_open && decoder->events_left > 0)
        return error_set(err, ERROR_PROTOCOL,
                         "a window begins while the last one lacks %u of its events",
                         decoder->events_left);
    if (count > decoder->limits->max_window_events)
        return error_set(err, ERROR_LIMIT, "a window of %u events is larger than max_window (%u)",
                         count, decoder->limits->max_window_events);
    if (decoder->window_open)
        end_window(decoder);
    decoder->version = version;
    decoder->window_open = true;
    decoder->events_left = count;
    decoder->window_inflated_bytes = 0;
    decoder->handler->window(decoder->ctx, version, count);
    end_window_if_full(decoder);
    return true;
}

static void finish_event(struct lumberjack *decoder, struct str payload)
{
    assert(decoder->window_open && decoder->events_left > 0);
    struct lumberjack_event event = {
        .version = decoder->version, .sequence = decoder->sequence, .payload = payload};
    decoder->state = LUMBERJACK_HEADER;
    decoder->events_left--;
    decoder->handler->event(decoder->ctx, &event);
    buf_clear(&decoder->partial, decoder->events_left > 0 ? LUMBERJACK_INFLATE_STEP_BYTES : 0);
    end_window_if_full(decoder);
}

/* ---- frames ---- */

static size_t header_bytes(unsigned char type)
{
    return type == 'W' || type == 'C' ? VERSION_AND_TYPE_BYTES + NUMBER_BYTES
                                      : VERSION_AND_TYPE_BYTES + 2 * NUMBER_BYTES;
}

static bool refuse_start(const unsigned char *start, struct error *err)
{
    const char *guess = "";
    if (start[0] == 0x16 && start[1] == 0x03)
        guess = ": a TLS client on a port without TLS";
    else if (start[0] >= 'A' && start[0] <= 'Z' && start[1] >= 'A' && start[1] <= 'Z')
        guess = ": an HTTP client, it seems";
    return error_set(err, ERROR_PROTOCOL, "no Lumberjack frame starts with bytes %02x %02x%s",
                     start[0], start[1], guess);
}

/* The first two bytes are there: is this a frame that may come now? */
static bool check_start(const struct lumberjack *decoder, struct error *err)
{
    unsigned char version = decoder->header[0], type = decoder->header[1];
    bool known = (version == LUMBERJACK_V1 && (type == 'W' || type == 'C' || type == 'D')) ||
                 (version == LUMBERJACK_V2 && (type == 'W' || type == 'C' || type == 'J'));
    if (!known)
        return refuse_start(decoder->header, err);
    if (type == 'W')
        return true;
    if (type == 'C' && decoder->inflater)
        return error_set(err, ERROR_PROTOCOL, "a compressed frame inside a compressed frame");
    if (type == 'C' && !decoder->window_open)
        return true;
    if (!decoder->window_open || (decoder->events_left == 0 && type != 'C'))
        return error_set(err, ERROR_PROTOCOL, "an event outside of a window");
    if (version != decoder->version)
        return error_set(err, ERROR_PROTOCOL, "a version %c frame in a window of version %c",
                         version, decoder->version);
    return true;
}

static bool begin_json(struct lumberjack *decoder, uint32_t len, struct error *err)
{
    if (len == 0)
        return error_set(err, ERROR_PROTOCOL, "an event of 0 bytes");
    if (len > decoder->limits->max_event_bytes)
        return error_set(err, ERROR_LIMIT,
                         "an event of %u bytes is larger than max_event_bytes (%zu)", len,
                         decoder->limits->max_event_bytes);
    decoder->body_left = len;
    decoder->state = LUMBERJACK_JSON;
    return true;
}

static bool begin_pairs(struct lumberjack *decoder, uint32_t count, struct error *err)
{
    if (count == 0)
        return error_set(err, ERROR_PROTOCOL, "an event of 0 pairs");
    if (count > LUMBERJACK_MAX_PAIRS)
        return error_set(err, ERROR_LIMIT, "an event of %u pairs: more than %d", count,
                         LUMBERJACK_MAX_PAIRS);
    decoder->parts_left = count * 2;
    decoder->state = LUMBERJACK_PART_LENGTH;
    return true;
}

static bool begin_compressed(struct lumberjack *decoder, uint32_t len, struct error *err)
{
    if (len > decoder->limits->max_compressed_bytes)
        return error_set(err, ERROR_LIMIT,
                         "a compressed frame of %u bytes is larger than max_compressed_bytes (%zu)",
                         len, decoder->limits->max_compressed_bytes);
    size_t inflated_max =
        decoder->limits->max_window_inflated_bytes - decoder->window_inflated_bytes;
    if (inflated_max > decoder->limits->max_inflated_bytes)
        inflated_max = decoder->limits->max_inflated_bytes;
    if (len > 0)
        decoder->inflater =
            inflater_new(decoder->shared, len, inflated_max, decoder->partial.charged);
    return true;
}

static bool begin_frame(struct lumberjack *decoder, struct error *err)
{
    enum lumberjack_version version =
        decoder->header[0] == LUMBERJACK_V1 ? LUMBERJACK_V1 : LUMBERJACK_V2;
    unsigned char type = decoder->header[1];
    uint32_t number = read_number(decoder->header + VERSION_AND_TYPE_BYTES);
    uint32_t second = 0;
    if (decoder->header_len == LUMBERJACK_HEADER_MAX_BYTES)
        second = read_number(decoder->header + VERSION_AND_TYPE_BYTES + NUMBER_BYTES);
    decoder->header_len = 0;
    if (type == 'W')
        return begin_window(decoder, version, number, err);
    if (type == 'C')
        return begin_compressed(decoder, number, err);
    decoder->sequence = number;
    return type == 'J' ? begin_json(decoder, second, err) : begin_pairs(decoder, second, err);
}

/* Collects header bytes up to `want`; true when they are there. */
static bool collect(struct lumberjack *decoder, struct str *bytes, size_t want)
{
    assert(want <= sizeof decoder->header && decoder->header_len <= want);
    size_t take = want - decoder->header_len;
    if (take > bytes->len)
        take = bytes->len;
    memcpy(decoder->header + decoder->header_len, bytes->ptr, take);
    decoder->header_len += take;
    *bytes = str_from_offset(*bytes, take);
    return decoder->header_len == want;
}

static bool read_header(struct lumberjack *decoder, struct str *bytes, struct error *err)
{
    if (decoder->header_len < VERSION_AND_TYPE_BYTES) {
        if (!collect(decoder, bytes, VERSION_AND_TYPE_BYTES))
            return true;
        if (!check_start(decoder, err))
            return false;
    }
    if (!collect(decoder, bytes, header_bytes(decoder->header[1])))
        return true;
    return begin_frame(decoder, err);
}

static struct str take(struct str *bytes, size_t at_most)
{
    struct str taken = str_make(bytes->ptr, bytes->len < at_most ? bytes->len : at_most);
    *bytes = str_from_offset(*bytes, taken.len);
    return taken;
}

static void read_json(struct lumberjack *decoder, struct str *bytes)
{
    struct str piece = take(bytes, decoder->body_left);
    decoder->body_left -= piece.len;
    if (decoder->body_left == 0 && decoder->partial.len == 0) {
        finish_event(decoder, piece);
        return;
    }
    bool fits = buf_append_str(&decoder->partial, piece);
    assert(fits); /* the length was held against the limit */
    (void)fits;
    if (decoder->body_left == 0)
        finish_event(decoder, buf_str(&decoder->partial));
}

/* Version 1: keys and values are kept as they come, lengths included. */
static bool read_part_length(struct lumberjack *decoder, struct str *bytes, struct error *err)
{
    if (!collect(decoder, bytes, NUMBER_BYTES))
        return true;
    decoder->header_len = 0;
    uint32_t len = read_number(decoder->header);
    size_t room = decoder->partial.max - decoder->partial.len;
    if (room < NUMBER_BYTES || len > room - NUMBER_BYTES)
        return error_set(err, ERROR_LIMIT,
                         "the pairs of an event are larger than max_event_bytes (%zu)",
                         decoder->limits->max_event_bytes);
    buf_append(&decoder->partial, decoder->header, NUMBER_BYTES);
    decoder->body_left = len;
    decoder->state = LUMBERJACK_PART;
    return true;
}

static void read_part(struct lumberjack *decoder, struct str *bytes)
{
    struct str piece = take(bytes, decoder->body_left);
    buf_append_str(&decoder->partial, piece);
    decoder->body_left -= piece.len;
    if (decoder->body_left > 0)
        return;
    decoder->state = LUMBERJACK_PART_LENGTH;
    if (--decoder->parts_left == 0)
        finish_event(decoder, buf_str(&decoder->partial));
}

/* Reads frames until the bytes end, a compressed frame begins, or a callback asked for a pause. */
static bool read_frames(struct lumberjack *decoder, struct str *bytes, struct error *err)
{
    const struct lumberjack_inflater *source = decoder->inflater;
    bool good = true;
    /* An empty key or value is complete without a further byte. */
    while (good && !decoder->paused && decoder->inflater == source &&
           (bytes->len > 0 || (decoder->state == LUMBERJACK_PART && decoder->body_left == 0))) {
        switch (decoder->state) {
        case LUMBERJACK_HEADER:
            good = read_header(decoder, bytes, err);
            break;
        case LUMBERJACK_JSON:
            read_json(decoder, bytes);
            break;
        case LUMBERJACK_PART_LENGTH:
            good = read_part_length(decoder, bytes, err);
            break;
        case LUMBERJACK_PART:
            read_part(decoder, bytes);
            break;
        }
    }
    return good;
}

/* ---- compressed frames ---- */

static bool check_inflated(const struct lumberjack *decoder, struct error *err)
{
    if (inflater_total(decoder->inflater) > decoder->limits->max_inflated_bytes)
        return error_set(err, ERROR_LIMIT,
                         "a compressed frame inflates to more than max_inflated_bytes (%zu)",
                         decoder->limits->max_inflated_bytes);
    if (decoder->window_inflated_bytes > decoder->limits->max_window_inflated_bytes)
        return error_set(err, ERROR_LIMIT,
                         "a window inflates to more than max_window_inflated_bytes (%zu)",
                         decoder->limits->max_window_inflated_bytes);
    return true;
}

static bool end_compressed(struct lumberjack *decoder, struct error *err)
{
    if (!inflater_is_whole(decoder->inflater))
        return error_set(err, ERROR_PROTOCOL, "a compressed frame ends before its zlib stream");
    if (decoder->state != LUMBERJACK_HEADER || decoder->header_len > 0)
        return error_set(err, ERROR_PROTOCOL, "a compressed frame ends inside a frame");
    inflater_free(decoder->inflater);
    decoder->inflater = NULL;
    end_window_if_full(decoder);
    return true;
}

static bool read_compressed(struct lumberjack *decoder, struct str *bytes, struct error *err)
{
    struct lumberjack_inflater *inflater = decoder->inflater;
    size_t before = inflater_total(inflater), taken;
    struct str content;
    if (!inflater_step(inflater, *bytes, &taken, &content, err))
        return false;
    *bytes = str_from_offset(*bytes, taken);
    decoder->window_inflated_bytes += inflater_total(inflater) - before;
    if (!check_inflated(decoder, err))
        return false;
    size_t given = content.len;
    if (!read_frames(decoder, &content, err))
        return false;
    inflater_read(inflater, given - content.len);
    if (inflater_is_whole(inflater) && inflater_left(inflater) > 0 && content.len == 0 &&
        decoder->window_open && decoder->events_left > 0)
        return error_set(err, ERROR_PROTOCOL,
                         "a compressed frame goes on after the end of its zlib stream");
    return inflater_at_end(inflater) ? end_compressed(decoder, err) : true;
}

bool lumberjack_feed(struct lumberjack *decoder, struct str bytes, size_t *consumed_out,
                     struct error *err)
{
    assert(!decoder->failed);
    struct str rest = bytes;
    bool good = true;
    decoder->paused = false;
    while (good && !decoder->paused && (rest.len > 0 || lumberjack_has_pending(decoder)))
        good = decoder->inflater ? read_compressed(decoder, &rest, err)
                                 : read_frames(decoder, &rest, err);
    decoder->failed = !good;
    *consumed_out = bytes.len - rest.len;
    return good;
}

/* ---- pairs and acknowledgements ---- */

/* The decoder has counted the parts, so the lengths are right. */
static struct str next_part(struct str *rest)
{
    assert(rest->len >= NUMBER_BYTES);
    uint32_t len = read_number((const unsigned char *)rest->ptr);
    struct str part = str_make(rest->ptr + NUMBER_BYTES, len);
    assert(rest->len - NUMBER_BYTES >= len);
    *rest = str_from_offset(*rest, NUMBER_BYTES + (size_t)len);
    return part;
}

bool lumberjack_next_pair(struct str *rest, struct str *key_out, struct str *value_out)
{
    if (rest->len == 0)
        return false;
    *key_out = next_part(rest);
    *value_out = next_part(rest);
    return true;
}

void lumberjack_write_ack(enum lumberjack_version version, uint32_t sequence,
                          unsigned char out[LUMBERJACK_ACK_BYTES])
{
    out[0] = (unsigned char)version;
    out[1] = 'A';
    for (int i = 0; i < NUMBER_BYTES; i++)
        out[VERSION_AND_TYPE_BYTES + i] = (unsigned char)(sequence >> (24 - 8 * i));
}
