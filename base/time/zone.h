/* SPDX-License-Identifier: Apache-2.0
 *
 * Time zones by IANA name or fixed offset, read from the system's tzdata (TZif, RFC 8536) without
 * touching the process's TZ; immutable after loading, so lanes share them.
 */
#ifndef MILLRACE_BASE_TIME_ZONE_H
#define MILLRACE_BASE_TIME_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

struct zone;

/* "UTC", "Asia/Seoul", "+09:00", "EST", … Loaded zones are cached for the life of the process (at most
 * as many as there are names in tzdata). NULL and *err when the id is unknown. Thread-safe. */
const struct zone *zone_find(struct str id, struct error *err);
/* The same for names in tzdata only, as they stand in a text; NULL when it is not one. */
const struct zone *zone_find_region(struct str name);
bool zone_id_byte(char c);          /* may be part of such a name */
const struct zone *zone_host(void); /* TZ, /etc/localtime, else UTC */
/* Seconds east of UTC at an instant. */
int32_t zone_offset_at(const struct zone *zone, int64_t utc_seconds);
/* Local wall-clock seconds to UTC. False inside a DST gap; an overlap takes the earlier offset. */
bool zone_local_to_utc(const struct zone *zone, int64_t local_seconds, int64_t *utc_out);

#endif
