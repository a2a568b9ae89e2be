/* SPDX-License-Identifier: Apache-2.0
 *
 * TZif files (RFC 8536). Every count is held against a limit and against the bytes that are there before it is used;
 * names of offsets and the indicators for standard time are skipped. Files that count leap seconds are refused: the
 * rest of the program does not.
 */
#include <assert.h>

#include "base/mem.h"
#include "base/time/zone_data.h"

enum { HEADER_BYTES = 44, TYPE_BYTES = 6, VERSION_AT = 4, COUNTS_AT = 20 };

/* In the order of the header. */
struct counts {
    uint32_t utc_indicators, standard_indicators, leaps, transitions, types, characters;
};

static uint64_t big_endian(const char *bytes, size_t len)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++)
        value = value << 8 | (unsigned char)bytes[i];
    return value;
}

static int64_t read_time(const char *bytes, size_t len)
{
    uint64_t value = big_endian(bytes, len);
    return len == 4 ? (int32_t)(uint32_t)value : (int64_t)value;
}

static bool read_header(struct str bytes, struct counts *out, struct error *err)
{
    if (bytes.len < HEADER_BYTES || memcmp(bytes.ptr, "TZif", 4) != 0)
        return error_set(err, ERROR_FORMAT, "not a time zone file");
    const char *at = bytes.ptr + COUNTS_AT;
    *out = (struct counts){
        .utc_indicators = (uint32_t)big_endian(at, 4),
        .standard_indicators = (uint32_t)big_endian(at + 4, 4),
        .leaps = (uint32_t)big_endian(at + 8, 4),
        .transitions = (uint32_t)big_endian(at + 12, 4),
        .types = (uint32_t)big_endian(at + 16, 4),
        .characters = (uint32_t)big_endian(at + 20, 4),
    };
    if (out->transitions > ZONE_TRANSITIONS_MAX || out->types == 0 || out->types > ZONE_TYPES_MAX)
        return error_set(err, ERROR_LIMIT, "a time zone file with impossible counts");
    if (out->utc_indicators > ZONE_TYPES_MAX || out->standard_indicators > ZONE_TYPES_MAX ||
        out->characters > ZONE_FILE_BYTES_MAX || out->leaps > ZONE_FILE_BYTES_MAX)
        return error_set(err, ERROR_LIMIT, "a time zone file with impossible counts");
    return true;
}

static size_t block_bytes(const struct counts *counts, size_t time_bytes)
{
    return counts->transitions * (time_bytes + 1) + (size_t)counts->types * TYPE_BYTES +
           counts->characters + counts->leaps * (time_bytes + 4) + counts->standard_indicators +
           counts->utc_indicators;
}

static bool read_offset(const char *types, uint32_t type, int32_t *out, struct error *err)
{
    int32_t offset = (int32_t)read_time(types + (size_t)type * TYPE_BYTES, 4);
    if (offset < -ZONE_OFFSET_SECONDS_MAX || offset > ZONE_OFFSET_SECONDS_MAX)
        return error_set(err, ERROR_FORMAT, "a time zone file with an impossible offset");
    *out = offset;
    return true;
}

/* block has at least block_bytes(counts). */
static bool read_block(const char *block, const struct counts *counts, size_t time_bytes,
                       struct zone *zone, struct error *err)
{
    const char *type_indices = block + counts->transitions * time_bytes;
    const char *types = type_indices + counts->transitions;
    zone->count = counts->transitions;
    zone->transitions = mem_zero(zone->count + 1, sizeof *zone->transitions);
    zone->offsets = mem_zero(zone->count + 1, sizeof *zone->offsets);
    if (!read_offset(types, 0, &zone->offsets[0], err))
        return false;
    for (size_t i = 0; i < zone->count; i++) {
        uint32_t type = (unsigned char)type_indices[i];
        zone->transitions[i] = read_time(block + i * time_bytes, time_bytes);
        if (type >= counts->types || (i > 0 && zone->transitions[i] <= zone->transitions[i - 1]))
            return error_set(err, ERROR_FORMAT, "a time zone file with transitions out of order");
        if (!read_offset(types, type, &zone->offsets[i + 1], err))
            return false;
    }
    return true;
}

/* After the block of version 2 and later: a POSIX TZ string between two line ends; it may be empty. */
static bool read_footer(struct str footer, struct zone *zone, struct error *err)
{
    if (footer.len < 2 || footer.ptr[0] != '\n')
        return error_set(err, ERROR_FORMAT, "a time zone file that is cut short");
    struct str text = str_from_offset(footer, 1);
    const char *end = memchr(text.ptr, '\n', text.len);
    if (!end)
        return error_set(err, ERROR_FORMAT, "a time zone file that is cut short");
    text.len = (size_t)(end - text.ptr);
    zone->has_rule = text.len > 0;
    if (zone->has_rule && !zone_rule_parse(text, &zone->rule))
        return error_set(err, ERROR_FORMAT, "a time zone file with a rule that cannot be read");
    return true;
}

static bool read_file(struct str bytes, struct zone *zone, struct error *err)
{
    struct counts counts;
    size_t time_bytes = 4;
    if (!read_header(bytes, &counts, err))
        return false;
    bool has_second = bytes.ptr[VERSION_AT] >= '2';
    size_t skip = HEADER_BYTES;
    if (has_second) {
        skip += block_bytes(&counts, time_bytes);
        time_bytes = 8;
        if (!read_header(str_from_offset(bytes, skip), &counts, err))
            return false;
        skip += HEADER_BYTES;
    }
    if (counts.leaps > 0)
        return error_set(err, ERROR_FORMAT, "a time zone file that counts leap seconds");
    size_t size = block_bytes(&counts, time_bytes);
    if (bytes.len < skip + size)
        return error_set(err, ERROR_FORMAT, "a time zone file that is cut short");
    if (!read_block(bytes.ptr + skip, &counts, time_bytes, zone, err))
        return false;
    return !has_second || read_footer(str_from_offset(bytes, skip + size), zone, err);
}

struct zone *zone_parse_file(struct str bytes, struct error *err)
{
    if (bytes.len > ZONE_FILE_BYTES_MAX) {
        error_set(err, ERROR_LIMIT, "a time zone file of more than %d bytes", ZONE_FILE_BYTES_MAX);
        return NULL;
    }
    struct zone *zone = mem_zero(1, sizeof *zone);
    if (!read_file(bytes, zone, err)) {
        zone_free(zone);
        return NULL;
    }
    assert(zone->offsets != NULL);
    return zone;
}

struct zone *zone_new_fixed(int32_t offset)
{
    struct zone *zone = mem_zero(1, sizeof *zone);
    zone->offsets = mem_zero(1, sizeof *zone->offsets);
    zone->offsets[0] = offset;
    return zone;
}

void zone_free(struct zone *zone)
{
    if (!zone)
        return;
    mem_free(zone->transitions);
    mem_free(zone->offsets);
    mem_free(zone);
}
