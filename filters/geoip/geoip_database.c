/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/geoip/geoip_database.h"

#include <arpa/inet.h>
#include <assert.h>
#include <maxminddb.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/text/utf8.h"

enum { PATH_MAX_PARTS = 4, IPV4_BITS = 32, IPV6_BITS = 128 };

#define BIT(field) (UINT32_C(1) << (field))

static const uint32_t CITY_FIELDS =
    BIT(GEOIP_IP) | BIT(GEOIP_CITY_NAME) | BIT(GEOIP_CONTINENT_CODE) | BIT(GEOIP_COUNTRY_NAME) |
    BIT(GEOIP_COUNTRY_CODE2) | BIT(GEOIP_COUNTRY_CODE3) | BIT(GEOIP_POSTAL_CODE) |
    BIT(GEOIP_DMA_CODE) | BIT(GEOIP_REGION_NAME) | BIT(GEOIP_TIMEZONE) | BIT(GEOIP_LOCATION) |
    BIT(GEOIP_LATITUDE) | BIT(GEOIP_LONGITUDE);
static const uint32_t COUNTRY_FIELDS =
    BIT(GEOIP_IP) | BIT(GEOIP_COUNTRY_CODE2) | BIT(GEOIP_COUNTRY_NAME) | BIT(GEOIP_CONTINENT_NAME);
static const uint32_t AS_FIELDS = BIT(GEOIP_IP) | BIT(GEOIP_AS_NUMBER) | BIT(GEOIP_AS_ORGANIZATION);
static const uint32_t ANONYMOUS_FIELDS = BIT(GEOIP_HOSTING_PROVIDER) | BIT(GEOIP_TOR_EXIT_NODE) |
                                         BIT(GEOIP_ANONYMOUS_VPN) | BIT(GEOIP_ANONYMOUS) |
                                         BIT(GEOIP_PUBLIC_PROXY) | BIT(GEOIP_RESIDENTIAL_PROXY);

enum kind {
    KIND_CITY,
    KIND_COUNTRY,
    KIND_DOMAIN,
    KIND_ASN,
    KIND_ISP,
    KIND_ENTERPRISE,
    KIND_ANONYMOUS
};

/* By what the database calls itself, the first that is part of it. */
static const struct {
    const char *name;
    enum kind kind;
} KINDS[] = {
    {"City", KIND_CITY},
    {"Country", KIND_COUNTRY},
    {"GeoIP2-Domain", KIND_DOMAIN},
    {"GeoLite2-ASN", KIND_ASN},
    {"GeoIP2-ISP", KIND_ISP},
    {"Enterprise", KIND_ENTERPRISE},
    {"GeoIP2-Anonymous-IP", KIND_ANONYMOUS},
};

/* Where a field is in a record; the fields without a path are composed. */
static const char *const PATHS[GEOIP_FIELD_COUNT][PATH_MAX_PARTS] = {
    [GEOIP_AS_NUMBER] = {"autonomous_system_number"},
    [GEOIP_AS_ORGANIZATION] = {"autonomous_system_organization"},
    [GEOIP_CITY_NAME] = {"city", "names", "en"},
    [GEOIP_COUNTRY_NAME] = {"country", "names", "en"},
    [GEOIP_CONTINENT_CODE] = {"continent", "code"},
    [GEOIP_CONTINENT_NAME] = {"continent", "names", "en"},
    [GEOIP_COUNTRY_CODE2] = {"country", "iso_code"},
    [GEOIP_COUNTRY_CODE3] = {"country", "iso_code"},
    [GEOIP_DOMAIN] = {"domain"},
    [GEOIP_ISP] = {"isp"},
    [GEOIP_POSTAL_CODE] = {"postal", "code"},
    [GEOIP_DMA_CODE] = {"location", "metro_code"},
    [GEOIP_REGION_NAME] = {"subdivisions", "-1", "names", "en"},
    [GEOIP_REGION_CODE] = {"subdivisions", "-1", "iso_code"},
    [GEOIP_TIMEZONE] = {"location", "time_zone"},
    [GEOIP_LATITUDE] = {"location", "latitude"},
    [GEOIP_LONGITUDE] = {"location", "longitude"},
    [GEOIP_ORGANIZATION] = {"organization"},
    [GEOIP_HOSTING_PROVIDER] = {"is_hosting_provider"},
    [GEOIP_TOR_EXIT_NODE] = {"is_tor_exit_node"},
    [GEOIP_ANONYMOUS_VPN] = {"is_anonymous_vpn"},
    [GEOIP_ANONYMOUS] = {"is_anonymous"},
    [GEOIP_PUBLIC_PROXY] = {"is_public_proxy"},
    [GEOIP_RESIDENTIAL_PROXY] = {"is_residential_proxy"},
};

struct geoip_database {
    MMDB_s mmdb;
    enum kind kind;
    MMDB_entry_s entry; /* of the last look-up */
};

/* ---- opening -------------------------------------------------------------------------------------- */

static bool find_kind(struct geoip_database *database, struct error *err)
{
    const char *type = database->mmdb.metadata.database_type;
    for (size_t i = 0; type && i < sizeof KINDS / sizeof *KINDS; i++) {
        if (!strstr(type, KINDS[i].name))
            continue;
        database->kind = KINDS[i].kind;
        return true;
    }
    return error_set(err, ERROR_FORMAT,
                     "the database calls itself '%s', expected one of City, Country, "
                     "GeoIP2-Domain, GeoLite2-ASN, GeoIP2-ISP, Enterprise, GeoIP2-Anonymous-IP",
                     type ? type : "");
}

struct geoip_database *geoip_database_open(const char *path, struct error *err)
{
    struct geoip_database *database = mem_zero(1, sizeof *database);
    int status = MMDB_open(path, MMDB_MODE_MMAP, &database->mmdb);
    if (status != MMDB_SUCCESS) {
        error_set(err, ERROR_IO, "cannot open '%s': %s", path, MMDB_strerror(status));
        mem_free(database);
        return NULL;
    }
    if (find_kind(database, err))
        return database;
    geoip_database_close(database);
    return NULL;
}

void geoip_database_close(struct geoip_database *database)
{
    if (!database)
        return;
    MMDB_close(&database->mmdb);
    mem_free(database);
}

static uint32_t fields_of(enum kind kind, bool ecs)
{
    switch (kind) {
    case KIND_CITY:
        return CITY_FIELDS | (ecs ? BIT(GEOIP_REGION_ISO_CODE) : BIT(GEOIP_REGION_CODE));
    case KIND_COUNTRY:
        return COUNTRY_FIELDS;
    case KIND_DOMAIN:
        return BIT(GEOIP_DOMAIN);
    case KIND_ASN:
        return AS_FIELDS;
    case KIND_ISP:
        return AS_FIELDS | BIT(GEOIP_ISP) | BIT(GEOIP_ORGANIZATION);
    case KIND_ENTERPRISE:
        return COUNTRY_FIELDS | BIT(GEOIP_REGION_ISO_CODE) | BIT(GEOIP_REGION_NAME) |
               BIT(GEOIP_CITY_NAME) | BIT(GEOIP_LOCATION);
    case KIND_ANONYMOUS:
        return ANONYMOUS_FIELDS;
    }
    return 0;
}

bool geoip_database_gives(const struct geoip_database *database, enum geoip_field field, bool ecs)
{
    assert(field < GEOIP_FIELD_COUNT);
    return fields_of(database->kind, ecs) & BIT(field);
}

/* ---- looking up ----------------------------------------------------------------------------------- */

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } as;
    bool is_v6;
};

/* An IPv4 address written as an IPv6 one is an IPv4 address. */
static bool read_address(struct str text, struct address *out)
{
    char copy[INET6_ADDRSTRLEN];
    struct in6_addr v6;
    if (text.len == 0 || text.len >= sizeof copy || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    *out = (struct address){.as.any = {.sa_family = AF_INET}};
    if (inet_pton(AF_INET, copy, &out->as.v4.sin_addr) == 1)
        return true;
    if (inet_pton(AF_INET6, copy, &v6) != 1)
        return false;
    out->is_v6 = !IN6_IS_ADDR_V4MAPPED(&v6);
    if (out->is_v6)
        out->as.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = v6};
    else
        memcpy(&out->as.v4.sin_addr, v6.s6_addr + 12, 4);
    return true;
}

/* As Java writes an address: all eight groups of an IPv6 one. */
static void write_address(const struct address *address, char *out, size_t size)
{
    const uint8_t *bytes = address->is_v6 ? address->as.v6.sin6_addr.s6_addr
                                          : (const uint8_t *)&address->as.v4.sin_addr;
    if (!address->is_v6) {
        snprintf(out, size, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
        return;
    }
    size_t len = 0;
    for (unsigned i = 0; i < 16; i += 2)
        len += (size_t)snprintf(out + len, size - len, "%s%x", i > 0 ? ":" : "",
                                (unsigned)bytes[i] << 8 | bytes[i + 1]);
    assert(len < size);
}

static void write_network(const struct geoip_database *database, struct address address,
                          unsigned prefix_len, struct geoip_answer *out)
{
    uint8_t *bytes =
        address.is_v6 ? address.as.v6.sin6_addr.s6_addr : (uint8_t *)&address.as.v4.sin_addr;
    unsigned bits = address.is_v6 ? IPV6_BITS : IPV4_BITS;
    if (!address.is_v6 && database->mmdb.metadata.ip_version == 6)
        prefix_len = prefix_len >= IPV6_BITS - IPV4_BITS ? prefix_len - (IPV6_BITS - IPV4_BITS) : 0;
    for (unsigned bit = prefix_len; bit < bits; bit++)
        bytes[bit / 8] &= (uint8_t) ~(0x80U >> bit % 8);
    char text[sizeof out->ip];
    write_address(&address, text, sizeof text);
    snprintf(out->network, sizeof out->network, "%s/%u", text, prefix_len);
}

static bool read_entry(const struct geoip_answer *answer, const char *const *path,
                       MMDB_entry_data_s *out)
{
    MMDB_entry_s entry = *(const MMDB_entry_s *)answer->entry;
    return MMDB_aget_value(&entry, out, path) == MMDB_SUCCESS && out->has_data;
}

bool geoip_look_up(struct geoip_database *database, struct str text, struct geoip_answer *out)
{
    struct address address;
    MMDB_entry_data_s data;
    int status;
    if (!read_address(text, &address))
        return false;
    MMDB_lookup_result_s found = MMDB_lookup_sockaddr(&database->mmdb, &address.as.any, &status);
    if (status != MMDB_SUCCESS || !found.found_entry)
        return false;
    database->entry = found.entry;
    *out = (struct geoip_answer){.database = database, .entry = &database->entry};
    write_address(&address, out->ip, sizeof out->ip);
    write_network(database, address, found.netmask, out);
    return database->kind != KIND_CITY || read_entry(out, PATHS[GEOIP_LATITUDE], &data) ||
           read_entry(out, PATHS[GEOIP_LONGITUDE], &data);
}

/* ---- values --------------------------------------------------------------------------------------- */

static bool plain_value(const MMDB_entry_data_s *data, struct arena *arena, struct value *out)
{
    switch (data->type) {
    case MMDB_DATA_TYPE_UTF8_STRING:
        *out =
            value_str_dup(arena, utf8_repair(arena, str_make(data->utf8_string, data->data_size)));
        return true;
    case MMDB_DATA_TYPE_DOUBLE:
        *out = value_float(data->double_value);
        return true;
    case MMDB_DATA_TYPE_UINT16:
        *out = value_int(data->uint16);
        return true;
    case MMDB_DATA_TYPE_UINT32:
        *out = value_int(data->uint32);
        return true;
    case MMDB_DATA_TYPE_BOOLEAN:
        *out = value_bool(data->boolean);
        return true;
    default: /* a number of the format, not an enum: a type that no field has */
        return false;
    }
}

/* What the address does, and whose it is, is below `traits` in a database of all. */
static bool stored_value(const struct geoip_answer *answer, enum geoip_field field,
                         struct arena *arena, struct value *out)
{
    const char *below_traits[] = {"traits", PATHS[field][0], NULL};
    const char *path[PATH_MAX_PARTS + 1] = {PATHS[field][0], PATHS[field][1], PATHS[field][2],
                                            PATHS[field][3], NULL};
    MMDB_entry_data_s data;
    bool is_trait = answer->database->kind == KIND_ENTERPRISE && !path[1];
    if (read_entry(answer, is_trait ? below_traits : path, &data))
        return plain_value(&data, arena, out);
    *out = value_bool(false);
    return BIT(field) & ANONYMOUS_FIELDS && (is_trait || answer->database->kind == KIND_ANONYMOUS);
}

static bool region_iso_code(const struct geoip_answer *answer, struct arena *arena,
                            struct value *out)
{
    struct value country, region;
    if (!stored_value(answer, GEOIP_COUNTRY_CODE2, arena, &country) ||
        !stored_value(answer, GEOIP_REGION_CODE, arena, &region) || !value_is_str(&country) ||
        !value_is_str(&region))
        return false;
    *out = value_str(arena_printf(arena, "%.*s-%.*s", STR_FMT(value_as_str(&country)),
                                  STR_FMT(value_as_str(&region))));
    return true;
}

static bool location(const struct geoip_answer *answer, struct arena *arena, struct value *out)
{
    struct value latitude, longitude;
    if (!stored_value(answer, GEOIP_LATITUDE, arena, &latitude) ||
        !stored_value(answer, GEOIP_LONGITUDE, arena, &longitude))
        return false;
    *out = value_object_new(arena, 2);
    value_object_set(arena, out, STR("lat"), latitude);
    value_object_set(arena, out, STR("lon"), longitude);
    return true;
}

bool geoip_answer_value(const struct geoip_answer *answer, enum geoip_field field,
                        struct arena *arena, struct value *out)
{
    assert(field < GEOIP_FIELD_COUNT && answer->entry);
    if (PATHS[field][0])
        return stored_value(answer, field, arena, out);
    if (field == GEOIP_REGION_ISO_CODE)
        return region_iso_code(answer, arena, out);
    if (field == GEOIP_LOCATION)
        return location(answer, arena, out);
    assert(field == GEOIP_IP || field == GEOIP_NETWORK);
    *out = value_str_dup(arena, str_from(field == GEOIP_IP ? answer->ip : answer->network));
    return true;
}
