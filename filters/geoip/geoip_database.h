/* SPDX-License-Identifier: Apache-2.0
 *
 * A database of addresses in MaxMind's format (mmdb), mapped into memory: what it says about an address, as values. The
 * kind of the database decides which fields it gives when none are asked for.
 */
#ifndef MILLRACE_FILTERS_GEOIP_GEOIP_DATABASE_H
#define MILLRACE_FILTERS_GEOIP_GEOIP_DATABASE_H

#include "base/arena.h"
#include "base/error.h"
#include "pipeline/event/value.h"

enum geoip_field {
    GEOIP_AS_NUMBER,
    GEOIP_AS_ORGANIZATION,
    GEOIP_CITY_NAME,
    GEOIP_COUNTRY_NAME,
    GEOIP_CONTINENT_CODE,
    GEOIP_CONTINENT_NAME,
    GEOIP_COUNTRY_CODE2,
    GEOIP_COUNTRY_CODE3,
    GEOIP_DOMAIN,
    GEOIP_IP,
    GEOIP_ISP,
    GEOIP_POSTAL_CODE,
    GEOIP_DMA_CODE,
    GEOIP_REGION_NAME,
    GEOIP_REGION_CODE,
    GEOIP_REGION_ISO_CODE,
    GEOIP_TIMEZONE,
    GEOIP_LOCATION,
    GEOIP_LATITUDE,
    GEOIP_LONGITUDE,
    GEOIP_ORGANIZATION,
    GEOIP_NETWORK,
    GEOIP_HOSTING_PROVIDER,
    GEOIP_TOR_EXIT_NODE,
    GEOIP_ANONYMOUS_VPN,
    GEOIP_ANONYMOUS,
    GEOIP_PUBLIC_PROXY,
    GEOIP_RESIDENTIAL_PROXY,
    GEOIP_FIELD_COUNT
};

struct geoip_database;

/* NULL and *err. */
struct geoip_database *geoip_database_open(const char *path, struct error *err);
void geoip_database_close(struct geoip_database *database); /* NULL is ok */
/* Whether the field is given when the options name none. */
bool geoip_database_gives(const struct geoip_database *database, enum geoip_field field, bool ecs);

/* What is known of one address. */
struct geoip_answer {
    const struct geoip_database *database;
    const void *entry; /* private */
    char ip[48];       /* as Java writes it: without :: */
    char network[56];
};
/* False for what is no address, and for an address that the database knows nothing of (or, of a database of cities,
 * no place). The answer is good until the next look-up. */
bool geoip_look_up(struct geoip_database *database, struct str text, struct geoip_answer *out);
/* False when the answer has no such field. The value lives in the arena. */
bool geoip_answer_value(const struct geoip_answer *answer, enum geoip_field field,
                        struct arena *arena, struct value *out);

#endif
