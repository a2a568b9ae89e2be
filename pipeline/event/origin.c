/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/event/origin.h"

#include <assert.h>

#include "base/mem.h"
#include "io/digest.h"

struct origin_record *origin_record_new(struct arena *arena, struct str raw, struct str place,
                                        uint64_t position)
{
    struct origin_record *record = arena_alloc(arena, sizeof *record);
    *record = (struct origin_record){.raw = raw, .place = place, .position = position};
    return record;
}

void event_set_record(struct event *event, struct origin_record *record)
{
    event->record = record;
    event->made = 0;
    event->path = 0;
    event->ordinal = record ? record->events++ : 0;
}

/* A step of splitmix64: each child of each parent gets another path. */
static uint64_t step(uint64_t path, uint32_t nth)
{
    uint64_t mixed = path + nth * 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
}

void event_derive(struct event *child, struct event *parent)
{
    assert(child != parent);
    child->record = parent->record;
    child->ordinal = parent->ordinal;
    child->made = 0;
    child->path = parent->record ? step(parent->path, ++parent->made) : 0;
}

/* ---- the id --------------------------------------------------------------------------------------- */

/* What ids are made from begins with it: another way to make them gets another number. */
#define ID_VERSION "millrace 1"
enum { ID_BYTES = ORIGIN_ID_CHARS * 3 / 4, HEAD_NUMBERS = 5 };

static char *put_number(char *at, uint64_t number)
{
    for (int i = 0; i < 8; i++)
        *at++ = (char)(number >> 8 * i & 0xff);
    return at;
}

/* Each part has its length before it, so that no two events give the same bytes. */
static struct str bytes_of(const struct event *event, struct arena *arena)
{
    const struct origin_record *record = event->record;
    size_t len = sizeof ID_VERSION + HEAD_NUMBERS * 8 + record->place.len + record->raw.len;
    char *bytes = arena_bytes(arena, len), *at = bytes;
    memcpy(at, ID_VERSION, sizeof ID_VERSION);
    at = put_number(at + sizeof ID_VERSION, record->place.len);
    at = put_number(at, record->place.len > 0 ? record->position : 0);
    at = put_number(at, event->ordinal);
    at = put_number(at, event->path);
    at = put_number(at, record->raw.len);
    if (record->place.len > 0)
        memcpy(at, record->place.ptr, record->place.len);
    if (record->raw.len > 0)
        memcpy(at + record->place.len, record->raw.ptr, record->raw.len);
    return str_make(bytes, len);
}

static void encode_base64url(const unsigned char digest[ID_BYTES], char out[ORIGIN_ID_CHARS])
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t i = 0; i < ID_BYTES; i += 3) {
        unsigned bits = (unsigned)digest[i] << 16 | (unsigned)digest[i + 1] << 8 | digest[i + 2];
        for (int at = 0; at < 4; at++)
            *out++ = letters[bits >> (18 - 6 * at) & 63];
    }
}

bool origin_id(const struct event *event, bool content_will_do, char out[ORIGIN_ID_CHARS])
{
    unsigned char digest[DIGEST_MAX_BYTES];
    struct arena scratch;
    if (!event->record || (event->record->place.len == 0 && !content_will_do))
        return false;
    arena_init(&scratch, NULL);
    size_t len = digest_bytes(DIGEST_SHA256, bytes_of(event, &scratch), digest);
    assert(len >= ID_BYTES && ID_BYTES % 3 == 0);
    (void)len;
    arena_release(&scratch);
    encode_base64url(digest, out);
    return true;
}
