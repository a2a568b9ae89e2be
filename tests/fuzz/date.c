/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: one byte that picks the dialect and the zone, the pattern up to the first line end, a text. Any pattern must be
 * refused or format any instant; any text must be refused or become an instant that has an ISO 8601 form.
 */
#include <assert.h>

#include "base/time/date_pattern.h"
#include "base/time/zone.h"
#include "filters/date/date_formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_instant(struct instant at)
{
    char text[INSTANT_TEXT_MAX];
    assert(at.nanoseconds < 1000000000 && at.nanoseconds % 1000000 == 0);
    assert(instant_format(at, text) <= sizeof text);
}

static void format(struct arena *arena, struct str pattern_text, enum date_dialect dialect)
{
    static const struct instant INSTANTS[] = {
        {0, 0}, {1795000000, 123456789}, {-62167219201, 999999999}, {253402300800, 1}};
    struct buf out;
    struct error err;
    const struct date_pattern *pattern = date_pattern_compile(arena, pattern_text, dialect, &err);
    if (!pattern)
        return;
    buf_init(&out, 1 << 16);
    for (size_t i = 0; i < sizeof INSTANTS / sizeof *INSTANTS; i++)
        date_pattern_format(pattern, INSTANTS[i], &out);
    buf_release(&out);
}

static void parse(struct arena *arena, struct str name, const struct date_parse_context *ctx,
                  struct str text)
{
    struct date_format format;
    struct instant at;
    struct value value = value_str(text);
    if (date_format_compile(arena, name, &format, NULL) &&
        date_format_parse(&format, ctx, &value, &at))
        check_instant(at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct str ZONES[] = {STR_INIT("UTC"), STR_INIT("Europe/Paris"),
                                       STR_INIT("America/New_York"), STR_INIT("+05:30")};
    static const struct str FORMATS[] = {STR_INIT("ISO8601"), STR_INIT("UNIX"), STR_INIT("UNIX_MS"),
                                         STR_INIT("TAI64N")};
    if (len < 1)
        return 0;
    struct str rest = str_make((const char *)data + 1, len - 1);
    const char *end = memchr(rest.ptr, '\n', rest.len);
    struct str pattern = end ? str_make(rest.ptr, (size_t)(end - rest.ptr)) : rest;
    struct str text = str_from_offset(rest, pattern.len + 1);
    struct date_parse_context ctx = {.zone = zone_find(ZONES[data[0] >> 1 & 3], NULL),
                                     .now = {1795000000, 0}};
    struct arena arena;
    arena_init(&arena, NULL);
    format(&arena, pattern, data[0] & 1 ? DATE_JAVA_TIME : DATE_JODA);
    parse(&arena, pattern, &ctx, text);
    for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++)
        parse(&arena, FORMATS[i], &ctx, text);
    arena_release(&arena);
    return 0;
}
