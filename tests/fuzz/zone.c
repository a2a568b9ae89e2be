/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: a TZif file; the same bytes are also read as a POSIX TZ string. Whatever is accepted must give offsets of less
 * than 26 hours, and local times that lead back to where they came from.
 */
#include <assert.h>

#include "base/time/zone_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_zone(const struct zone *zone)
{
    static const int64_t STEP = INT64_C(86400) * 97;
    for (int64_t at = -STEP * 1000; at < STEP * 1000; at += STEP) {
        int64_t utc;
        int32_t offset = zone_offset_at(zone, at);
        assert(offset >= -ZONE_OFFSET_SECONDS_MAX && offset <= ZONE_OFFSET_SECONDS_MAX);
        if (zone_local_to_utc(zone, at, &utc))
            assert(utc + zone_offset_at(zone, utc) == at);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct error err;
    struct str bytes = str_make((const char *)data, len);
    struct zone *zone = zone_parse_file(bytes, &err);
    if (zone)
        check_zone(zone);
    zone_free(zone);
    struct zone_rule rule;
    if (zone_rule_parse(bytes, &rule)) {
        zone = zone_new_fixed(rule.standard_offset);
        zone->has_rule = true;
        zone->rule = rule;
        check_zone(zone);
        zone_free(zone);
    }
    return 0;
}
