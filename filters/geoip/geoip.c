/* SPDX-License-Identifier: Apache-2.0
 *
 * geoip: what a database in MaxMind's format says about an address, as fields. The database is mapped into memory by
 * each lane, so a look-up takes a microsecond or two and nothing is remembered. No database comes with millrace and none
 * is downloaded; a host name instead of an address is a failure, names are not resolved here.
 */
#include <unistd.h>

#include "filters/filters.h"
#include "filters/geoip/geoip_database.h"
#include "pipeline/engine/data_path.h"

/* The names in `fields`, without and with ECS (NULL: not a field of ECS). */
static const struct {
    const char *name, *legacy, *ecs;
} FIELDS[GEOIP_FIELD_COUNT] = {
    [GEOIP_AS_NUMBER] = {"autonomous_system_number", "asn", "[as][number]"},
    [GEOIP_AS_ORGANIZATION] = {"autonomous_system_organization", "as_org",
                               "[as][organization][name]"},
    [GEOIP_CITY_NAME] = {"city_name", "city_name", "[geo][city_name]"},
    [GEOIP_COUNTRY_NAME] = {"country_name", "country_name", "[geo][country_name]"},
    [GEOIP_CONTINENT_CODE] = {"continent_code", "continent_code", "[geo][continent_code]"},
    [GEOIP_CONTINENT_NAME] = {"continent_name", "continent_name", "[geo][continent_name]"},
    [GEOIP_COUNTRY_CODE2] = {"country_code2", "country_code2", "[geo][country_iso_code]"},
    [GEOIP_COUNTRY_CODE3] = {"country_code3", "country_code3", NULL},
    [GEOIP_DOMAIN] = {"domain", "domain", "[domain]"},
    [GEOIP_IP] = {"ip", "ip", "[ip]"},
    [GEOIP_ISP] = {"isp", "isp", "[mmdb][isp]"},
    [GEOIP_POSTAL_CODE] = {"postal_code", "postal_code", "[geo][postal_code]"},
    [GEOIP_DMA_CODE] = {"dma_code", "dma_code", "[mmdb][dma_code]"},
    [GEOIP_REGION_NAME] = {"region_name", "region_name", "[geo][region_name]"},
    [GEOIP_REGION_CODE] = {"region_code", "region_code", "[geo][region_code]"},
    [GEOIP_REGION_ISO_CODE] = {"region_iso_code", "region_iso_code", "[geo][region_iso_code]"},
    [GEOIP_TIMEZONE] = {"timezone", "timezone", "[geo][timezone]"},
    [GEOIP_LOCATION] = {"location", "location", "[geo][location]"},
    [GEOIP_LATITUDE] = {"latitude", "latitude", "[geo][location][lat]"},
    [GEOIP_LONGITUDE] = {"longitude", "longitude", "[geo][location][lon]"},
    [GEOIP_ORGANIZATION] = {"organization", "organization", "[mmdb][organization]"},
    [GEOIP_NETWORK] = {"network", "network", "[ip_traits][network]"},
    [GEOIP_HOSTING_PROVIDER] = {"hosting_provider", "hosting_provider",
                                "[ip_traits][hosting_provider]"},
    [GEOIP_TOR_EXIT_NODE] = {"tor_exit_node", "tor_exit_node", "[ip_traits][tor_exit_node]"},
    [GEOIP_ANONYMOUS_VPN] = {"anonymous_vpn", "anonymous_vpn", "[ip_traits][anonymous_vpn]"},
    [GEOIP_ANONYMOUS] = {"anonymous", "anonymous", "[ip_traits][anonymous]"},
    [GEOIP_PUBLIC_PROXY] = {"public_proxy", "public_proxy", "[ip_traits][public_proxy]"},
    [GEOIP_RESIDENTIAL_PROXY] = {"residential_proxy", "residential_proxy",
                                 "[ip_traits][residential_proxy]"},
};

struct geoip {
    struct field_ref source;
    struct str target;
    struct str database;
    int default_database_type;
    struct option_strings fields;
    struct option_strings tag_on_failure;

    const struct plugin_env *env;
    struct geoip_database *mmdb;
    struct field_ref target_ref;
    bool wanted[GEOIP_FIELD_COUNT];           /* when `fields` is given */
    struct field_ref refs[GEOIP_FIELD_COUNT]; /* count 0: not set */
    struct counter *matches, *failures;
};

static const char *const DATABASE_TYPES[] = {"City", "ASN", NULL};

static const struct option OPTIONS[] = {
    {
        .name = "source",
        .doc = "Field that holds the address; of a list, its first item.",
        OPTION_IN_FIELD(struct geoip, source),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "target",
        .doc = "Field that the fields go below. Default: geoip; with ECS, what [ip] of the source "
               "stands in.",
        OPTION_IN_STRING(struct geoip, target),
    },
    {
        .name = "database",
        .doc = "The database, a file of MaxMind's format (.mmdb). None comes with millrace. "
               "Default: a "
               "GeoLite2 or GeoIP2 database where the setting geoip.database says, in path.data, "
               "/usr/share/GeoIP or /var/lib/GeoIP.",
        OPTION_IN_PATH(struct geoip, database),
    },
    {
        .name = "default_database_type",
        .doc = "What to look for when no database is named: City (else Country) or ASN.",
        OPTION_IN_CHOICE(struct geoip, default_database_type),
        .choices = DATABASE_TYPES,
        .def = "City",
    },
    {
        .name = "fields",
        .doc = "Fields to set. Default: those that are usual for the database.",
        OPTION_IN_STRINGS(struct geoip, fields),
    },
    {
        .name = "cache_size",
        .doc = "Accepted.",
        .note = "the database is mapped into memory and needs no cache",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    {
        .name = "lru_cache_size",
        .doc = "Old name of cache_size.",
        .note = "the database is mapped into memory and needs no cache",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    {
        .name = "tag_on_failure",
        .doc = "Tags for an event whose address is not in the database.",
        OPTION_IN_STRINGS(struct geoip, tag_on_failure),
        .def = "_geoip_lookup_failure",
    },
    OPTION_END,
};

/* ---- opening -------------------------------------------------------------------------------------- */

static bool want(struct geoip *filter, struct str name, struct error *err)
{
    for (size_t i = 0; i < GEOIP_FIELD_COUNT; i++) {
        if (!str_equal_nocase(name, str_from(FIELDS[i].name)))
            continue;
        filter->wanted[i] = true;
        return true;
    }
    return error_set(err, ERROR_CONFIG, "fields: there is no field '%.*s'", STR_FMT(name));
}

static bool find_target(struct geoip *filter, const struct plugin_env *env, struct error *err)
{
    struct str source = filter->source.text;
    if (filter->target.len == 0 && env->ecs == ECS_DISABLED)
        filter->target = STR("geoip");
    if (filter->target.len == 0) {
        if (!str_ends_with(source, STR("[ip]")) || source.len == 4)
            return error_set(err, ERROR_CONFIG,
                             "with ECS a target is needed, for source '%.*s' is no [ip] of another "
                             "field; for example target => \"source\"",
                             STR_FMT(source));
        filter->target = arena_dup(env->arena, str_make(source.ptr, source.len - 4));
    }
    if (filter->target.ptr[0] != '[')
        filter->target = arena_printf(env->arena, "[%.*s]", STR_FMT(filter->target));
    return field_ref_parse(env->arena, filter->target, env->settings->escape, &filter->target_ref,
                           err);
}

static bool find_refs(struct geoip *filter, const struct plugin_env *env, struct error *err)
{
    for (size_t i = 0; i < GEOIP_FIELD_COUNT; i++) {
        bool legacy = env->ecs == ECS_DISABLED;
        const char *name = legacy ? FIELDS[i].legacy : FIELDS[i].ecs;
        if (!name)
            continue;
        struct str text = arena_printf(env->arena, "%.*s%s%s%s", STR_FMT(filter->target),
                                       legacy ? "[" : "", name, legacy ? "]" : "");
        if (!field_ref_parse(env->arena, text, env->settings->escape, &filter->refs[i], err))
            return false;
    }
    return true;
}

/* Whether a file that the setting names is of the type that the filter wants. */
static bool is_wanted_file(const struct geoip *filter, const char *path)
{
    struct error err;
    struct geoip_database *database = geoip_database_open(path, &err);
    if (!database)
        return false;
    bool networks = geoip_database_gives(database, GEOIP_AS_NUMBER, false) &&
                    !geoip_database_gives(database, GEOIP_COUNTRY_NAME, false);
    geoip_database_close(database);
    return networks == (strcmp(DATABASE_TYPES[filter->default_database_type], "ASN") == 0);
}

/* The file that no option names: what the setting says, else in the first folder that has one; empty: there is none. */
static struct str usual_database(const struct geoip *filter, const struct plugin_env *env)
{
    static const char *const NAMES[][4] = {
        {"GeoLite2-City", "GeoIP2-City", "GeoLite2-Country", "GeoIP2-Country"},
        {"GeoLite2-ASN", "GeoIP2-ISP"},
    };
    const struct data_path *data = env->settings->data;
    const char *given = env->settings->geoip_database;
    const char *folders[] = {given, data ? data->path : NULL, "/usr/share/GeoIP", "/var/lib/GeoIP"};
    if (given && is_wanted_file(filter, given))
        return arena_dup(env->arena, str_from(given));
    for (size_t name = 0; name < 4 && NAMES[filter->default_database_type][name]; name++)
        for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
            if (!folders[i])
                continue;
            struct str path = arena_printf(env->arena, "%s/%s.mmdb", folders[i],
                                           NAMES[filter->default_database_type][name]);
            if (access(path.ptr, R_OK) == 0)
                return path;
        }
    return STR("");
}

static void warn_of_none(const struct geoip *filter, const struct plugin_env *env)
{
    const char *type = DATABASE_TYPES[filter->default_database_type];
    log_warn(
        env->log, "geoip_no_database",
        "filter 'geoip' has no database and tags every event _geoip_expired_database; put "
        "MaxMind's file (geoipupdate) or a compatible one into path.data or /usr/share/GeoIP, "
        "or name it with the option database or the setting geoip.database",
        LOG_CSTR("file", strcmp(type, "ASN") == 0 ? "GeoLite2-ASN.mmdb" : "GeoLite2-City.mmdb"));
}

static bool geoip_check(void *self, const struct plugin_env *env, struct error *err)
{
    struct geoip copy = *(struct geoip *)self;
    if (copy.database.len == 0 && usual_database(&copy, env).len == 0)
        warn_of_none(&copy, env);
    for (size_t i = 0; i < copy.fields.count; i++)
        if (!want(&copy, copy.fields.items[i], err))
            return false;
    return find_target(&copy, env, err) && find_refs(&copy, env, err);
}

static bool geoip_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct geoip *filter = self;
    filter->env = env;
    filter->matches = env->counter(env, "matches");
    filter->failures = env->counter(env, "failures");
    for (size_t i = 0; i < filter->fields.count; i++)
        if (!want(filter, filter->fields.items[i], err))
            return false;
    if (!find_target(filter, env, err) || !find_refs(filter, env, err))
        return false;
    if (filter->database.len == 0)
        filter->database = usual_database(filter, env);
    if (filter->database.len == 0)
        return true; /* the check has said so */
    filter->mmdb = geoip_database_open(filter->database.ptr, err);
    for (size_t i = 0; filter->mmdb && filter->fields.count == 0 && i < GEOIP_FIELD_COUNT; i++)
        filter->wanted[i] =
            geoip_database_gives(filter->mmdb, (enum geoip_field)i, env->ecs != ECS_DISABLED);
    return filter->mmdb;
}

static void geoip_close(void *self)
{
    struct geoip *filter = self;
    geoip_database_close(filter->mmdb);
    filter->mmdb = NULL;
}

/* ---- on events ------------------------------------------------------------------------------------ */

static enum filter_result fail(struct geoip *filter, struct event *event)
{
    counter_add(filter->failures, 1);
    event_add_tags(event, &filter->tag_on_failure);
    return FILTER_SKIPPED;
}

static bool set_fields(const struct geoip *filter, const struct geoip_answer *answer,
                       struct event *event)
{
    bool any = false;
    for (size_t i = 0; i < GEOIP_FIELD_COUNT; i++) {
        struct value value;
        if (!filter->wanted[i] ||
            !geoip_answer_value(answer, (enum geoip_field)i, event->arena, &value))
            continue;
        any = true;
        if (filter->refs[i].count > 0)
            event_set(event, &filter->refs[i], value, NULL);
    }
    return any;
}

/* As in Logstash an address that is not found leaves an empty target, a missing one leaves nothing. */
static enum filter_result geoip_apply(void *self, struct event *event, struct event_sink *more)
{
    struct geoip *filter = self;
    struct geoip_answer answer;
    (void)more;
    if (!filter->mmdb) {
        counter_add(filter->failures, 1);
        event_add_tag(event, STR("_geoip_expired_database"));
        return FILTER_SKIPPED;
    }
    const struct value *source = event_get(event, &filter->source);
    if (source && value_type(source) == VALUE_ARRAY && value_array_count(source) > 0)
        source = value_array_at(source, 0);
    if (!value_is_str(source) || str_trim(value_as_str(source)).len == 0)
        return fail(filter, event);
    bool found = geoip_look_up(filter->mmdb, value_as_str(source), &answer);
    const struct value *target = event_get(event, &filter->target_ref);
    if (!target || value_type(target) == VALUE_NULL)
        event_set(event, &filter->target_ref, value_object_new(event->arena, 0), NULL);
    if (!found || !set_fields(filter, &answer, event))
        return fail(filter, event);
    counter_add(filter->matches, 1);
    return FILTER_MATCHED;
}

const struct filter filter_geoip = {
    .plugin =
        {
            .name = "geoip",
            .summary = "What a database says about an address, as fields.",
            .options = OPTIONS,
            .size = sizeof(struct geoip),
            .check = geoip_check,
        },
    .open = geoip_open,
    .apply = geoip_apply,
    .close = geoip_close,
};
