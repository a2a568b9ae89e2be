/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "filters/filters.h"
#include "pipeline/engine/data_path.h"
#include "tests/unit/filters/bench.h"
#include "tests/unit/filters/mmdb_writer.h"
#include "tests/unit/filters/suites.h"

static struct bench bench;
static char path[] = "/tmp/geoip-test-XXXXXX";

static void set_up(void)
{
    bench_init(&bench);
    memcpy(path + strlen(path) - 6, "XXXXXX", 6);
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void tear_down(void)
{
    bench_release(&bench);
    unlink(path);
}

static const char *open_with(const char *options)
{
    struct str text =
        arena_printf(&bench.arena, "source => 'ip' database => '%s' %s", path, options);
    return bench_open(&bench, &filter_geoip, text.ptr);
}

static const struct mmdb_record CITIES[] = {
    {"81.2.69.0/24",
     "{\"city\":{\"names\":{\"en\":\"London\",\"fr\":\"Londres\"}},\"continent\":{\"code\":\"EU\","
     "\"names\":{\"en\":\"Europe\"}},\"country\":{\"iso_code\":\"GB\",\"names\":{\"en\":\"United "
     "Kingdom\"}},\"location\":{\"latitude\":51.5142,\"longitude\":-0.0931,\"metro_code\":7,\"time_"
     "zone\":\"Europe/London\"},\"postal\":{\"code\":\"SW1\"},\"subdivisions\":[{\"iso_code\":"
     "\"UK\",\"names\":{\"en\":\"Wrong\"}},{\"iso_code\":\"ENG\",\"names\":{\"en\":\"England\"}}]"
     "}"},
    {"2001:db8:7::/48", "{\"location\":{\"latitude\":1.5,\"longitude\":2.5}}"},
    {"5.5.5.0/24", "{\"country\":{\"iso_code\":\"XX\"}}"},
    {NULL, NULL},
};
static const struct mmdb_record NUMBERS[] = {
    {"1.128.0.0/11",
     "{\"autonomous_system_number\":1221,\"autonomous_system_organization\":\"Telstra\",\"isp\":"
     "\"Telstra Internet\",\"organization\":\"Telstra Org\"}"},
    {NULL, NULL},
};
static const struct mmdb_record COUNTRIES[] = {
    {"9.0.0.0/8", "{\"continent\":{\"names\":{\"en\":\"Asia\"}},\"country\":{\"iso_code\":\"JP\","
                  "\"names\":{\"en\":\"Japan\"}}}"},
    {NULL, NULL},
};
static const struct mmdb_record ANONYMOUS[] = {
    {"1.2.3.0/24", "{\"is_anonymous\":true,\"is_tor_exit_node\":true}"},
    {NULL, NULL},
};
static const struct mmdb_record ENTERPRISE[] = {
    {"1.2.3.0/24", "{\"city\":{\"names\":{\"en\":\"Here\"}},\"traits\":{\"is_anonymous\":true,"
                   "\"autonomous_system_number\":5}}"},
    {NULL, NULL},
};
static const struct mmdb_record DOMAINS[] = {
    {"1.2.3.4/32", "{\"domain\":\"example.org\"}"},
    {NULL, NULL},
};

static const struct {
    const char *type;
    const struct mmdb_record *records;
    enum ecs_mode ecs;
    const char *options;
    const char *event;
    const char *result;
} CASES[] = {
    {"GeoLite2-City", CITIES, ECS_DISABLED, "", "{\"ip\":\"81.2.69.160\"}",
     "matched "
     "{\"ip\":\"81.2.69.160\",\"geoip\":{\"city_name\":\"London\",\"country_name\":\"United "
     "Kingdom\",\"continent_code\":\"EU\",\"country_code2\":\"GB\",\"country_code3\":\"GB\",\"ip\":"
     "\"81.2.69.160\",\"postal_code\":\"SW1\",\"dma_code\":7,\"region_name\":\"England\",\"region_"
     "code\":\"ENG\",\"timezone\":\"Europe/"
     "London\",\"location\":{\"lat\":51.5142,\"lon\":-0.0931},\"latitude\":51.5142,\"longitude\":-"
     "0."
     "0931}}"},
    {"GeoLite2-City", CITIES, ECS_V8, "target => 'client'", "{\"ip\":[\"81.2.69.160\"]}",
     "matched {\"ip\":[\"81.2.69.160\"],\"client\":{\"geo\":{\"city_name\":\"London\",\"country_"
     "name\":\"United "
     "Kingdom\",\"continent_code\":\"EU\",\"country_iso_code\":\"GB\",\"postal_code\":\"SW1\","
     "\"region_name\":\"England\",\"region_iso_code\":\"GB-ENG\",\"timezone\":\"Europe/"
     "London\",\"location\":{\"lat\":51.5142,\"lon\":-0.0931}},\"ip\":\"81.2.69.160\",\"mmdb\":{"
     "\"dma_code\":7}}}"},
    {"GeoLite2-City", CITIES, ECS_DISABLED, "target => 't' fields => ['City_Name', 'ip']",
     "{\"ip\":\"2001:db8:7::1\"}",
     "matched {\"ip\":\"2001:db8:7::1\",\"t\":{\"ip\":\"2001:db8:7:0:0:0:0:1\"}}"},
    {"GeoLite2-City", CITIES, ECS_DISABLED, "target => '[a][b]' fields => 'city_name'",
     "{\"ip\":\"::ffff:81.2.69.1\"}",
     "matched {\"ip\":\"::ffff:81.2.69.1\",\"a\":{\"b\":{\"city_name\":\"London\"}}}"},
    /* no place */
    {"GeoLite2-City", CITIES, ECS_DISABLED, "", "{\"ip\":\"5.5.5.5\"}",
     "skipped {\"ip\":\"5.5.5.5\",\"geoip\":{},\"tags\":[\"_geoip_lookup_failure\"]}"},
    {"GeoLite2-City", CITIES, ECS_DISABLED, "tag_on_failure => ['a', 'b']",
     "{\"ip\":\"192.168.1.1\",\"geoip\":{\"x\":1}}",
     "skipped {\"ip\":\"192.168.1.1\",\"geoip\":{\"x\":1},\"tags\":[\"a\",\"b\"]}"},
    {"GeoLite2-City", CITIES, ECS_DISABLED, "", "{\"ip\":\"localhost\"}",
     "skipped {\"ip\":\"localhost\",\"geoip\":{},\"tags\":[\"_geoip_lookup_failure\"]}"},
    {"GeoLite2-City", CITIES, ECS_DISABLED, "", "{\"ip\":\" \"}",
     "skipped {\"ip\":\" \",\"tags\":[\"_geoip_lookup_failure\"]}"},
    {"GeoLite2-City", CITIES, ECS_DISABLED, "", "{\"ip\":7}",
     "skipped {\"ip\":7,\"tags\":[\"_geoip_lookup_failure\"]}"},
    {"GeoLite2-City", CITIES, ECS_DISABLED, "", "{\"ip\":[]}",
     "skipped {\"ip\":[],\"tags\":[\"_geoip_lookup_failure\"]}"},
    {"GeoLite2-City", CITIES, ECS_DISABLED, "", "{}",
     "skipped {\"tags\":[\"_geoip_lookup_failure\"]}"},
    {"GeoLite2-ASN", NUMBERS, ECS_DISABLED, "", "{\"ip\":\"1.128.3.4\"}",
     "matched "
     "{\"ip\":\"1.128.3.4\",\"geoip\":{\"asn\":1221,\"as_org\":\"Telstra\",\"ip\":\"1.128.3."
     "4\"}}"},
    {"GeoLite2-ASN", NUMBERS, ECS_V1,
     "target => 's' fields => ['network', "
     "'autonomous_system_number', 'autonomous_system_organization']",
     "{\"ip\":\"1.128.3.4\"}",
     "matched {\"ip\":\"1.128.3.4\",\"s\":{\"as\":{\"number\":1221,\"organization\":{\"name\":"
     "\"Telstra\"}},\"ip_traits\":{\"network\":\"1.128.0.0/11\"}}}"},
    {"GeoIP2-ISP", NUMBERS, ECS_DISABLED, "", "{\"ip\":\"1.128.3.4\"}",
     "matched "
     "{\"ip\":\"1.128.3.4\",\"geoip\":{\"asn\":1221,\"as_org\":\"Telstra\",\"ip\":\"1.128.3."
     "4\",\"isp\":\"Telstra Internet\",\"organization\":\"Telstra Org\"}}"},
    {"DBIP-Country-Lite", COUNTRIES, ECS_DISABLED, "", "{\"ip\":\"9.9.9.9\"}",
     "matched "
     "{\"ip\":\"9.9.9.9\",\"geoip\":{\"country_name\":\"Japan\",\"continent_name\":\"Asia\","
     "\"country_code2\":\"JP\",\"ip\":\"9.9.9.9\"}}"},
    {"GeoIP2-Domain", DOMAINS, ECS_DISABLED, "", "{\"ip\":\"1.2.3.4\"}",
     "matched {\"ip\":\"1.2.3.4\",\"geoip\":{\"domain\":\"example.org\"}}"},
    {"GeoIP2-Anonymous-IP", ANONYMOUS, ECS_DISABLED, "", "{\"ip\":\"1.2.3.4\"}",
     "matched {\"ip\":\"1.2.3.4\",\"geoip\":{\"hosting_provider\":false,\"tor_exit_node\":true,"
     "\"anonymous_vpn\":false,\"anonymous\":true,\"public_proxy\":false,\"residential_proxy\":"
     "false}}"},
    {"GeoIP2-Enterprise", ENTERPRISE, ECS_DISABLED,
     "fields => ['city_name', 'anonymous', 'public_proxy', 'autonomous_system_number']",
     "{\"ip\":\"1.2.3.4\"}",
     "matched {\"ip\":\"1.2.3.4\",\"geoip\":{\"asn\":5,\"city_name\":\"Here\",\"anonymous\":true,"
     "\"public_proxy\":false}}"},
};

START_TEST(looks_up)
{
    bench.env.ecs = CASES[_i].ecs;
    mmdb_write(path, CASES[_i].type, 6, CASES[_i].records);
    const char *refusal = open_with(CASES[_i].options);
    ck_assert_msg(!refusal, "%s", refusal);
    ck_assert_str_eq(bench_apply(&bench, CASES[_i].event), CASES[_i].result);
}
END_TEST

START_TEST(reads_a_tree_of_ipv4)
{
    bench.env.ecs = ECS_DISABLED;
    mmdb_write(path, "GeoLite2-ASN", 4, NUMBERS);
    ck_assert_ptr_null(open_with("fields => 'network'"));
    ck_assert_str_eq(bench_apply(&bench, "{\"ip\":\"1.129.3.4\"}"),
                     "matched {\"ip\":\"1.129.3.4\",\"geoip\":{\"network\":\"1.128.0.0/11\"}}");
    ck_assert_str_eq(bench_apply(&bench, "{\"ip\":\"::1\"}"),
                     "skipped {\"ip\":\"::1\",\"geoip\":{},\"tags\":[\"_geoip_lookup_failure\"]}");
}
END_TEST

START_TEST(the_source_tells_the_target)
{
    mmdb_write(path, "GeoLite2-ASN", 6, NUMBERS);
    struct str options = arena_printf(
        &bench.arena, "database => '%s' source => '[client][ip]' fields => 'ip'", path);
    ck_assert_ptr_null(bench_open(&bench, &filter_geoip, options.ptr));
    ck_assert_str_eq(bench_apply(&bench, "{\"client\":{\"ip\":\"1.128.3.4\",\"port\":1}}"),
                     "matched {\"client\":{\"ip\":\"1.128.3.4\",\"port\":1}}");
    ck_assert_ptr_nonnull(strstr(open_with(""), "target"));
}
END_TEST

START_TEST(refuses)
{
    bench.env.ecs = ECS_DISABLED;
    ck_assert_ptr_nonnull(open_with("")); /* an empty file */
    mmdb_write(path, "Something-Else", 6, NUMBERS);
    ck_assert_ptr_nonnull(strstr(open_with(""), "Something-Else"));
    mmdb_write(path, "GeoLite2-ASN", 6, NUMBERS);
    ck_assert_ptr_nonnull(strstr(open_with("fields => 'planet'"), "planet"));
}
END_TEST

/* path.data comes first of the usual places; the other two are the machine's. */
START_TEST(looks_in_the_usual_places)
{
    static const char OPTIONS[] = "source => 'ip' default_database_type => 'ASN' fields => 'ip'";
    char folder[] = "/tmp/geoip-folder-XXXXXX";
    struct data_path data;
    bench.env.ecs = ECS_DISABLED;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    data_path_init(&data, folder);
    bench.settings.data = &data;
    const char *place = arena_printf(&bench.arena, "%s/GeoLite2-ASN.mmdb", folder).ptr;
    if (access("/usr/share/GeoIP/GeoLite2-ASN.mmdb", F_OK) != 0) {
        ck_assert_ptr_null(bench_open(&bench, &filter_geoip, OPTIONS));
        ck_assert_str_eq(bench_apply(&bench, "{\"ip\":\"1.128.3.4\"}"),
                         "skipped {\"ip\":\"1.128.3.4\",\"tags\":[\"_geoip_expired_database\"]}");
    }
    mmdb_write(place, "GeoLite2-ASN", 6, NUMBERS);
    ck_assert_ptr_null(bench_open(&bench, &filter_geoip, OPTIONS));
    ck_assert_str_eq(bench_apply(&bench, "{\"ip\":\"1.128.3.4\"}"),
                     "matched {\"ip\":\"1.128.3.4\",\"geoip\":{\"ip\":\"1.128.3.4\"}}");
    unlink(place);
    rmdir(folder);
    data_path_release(&data);
}
END_TEST

Suite *geoip_suite(void)
{
    Suite *suite = suite_create("geoip");
    TCase *tcase = tcase_create("geoip");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, looks_up, 0, sizeof CASES / sizeof *CASES);
    tcase_add_test(tcase, reads_a_tree_of_ipv4);
    tcase_add_test(tcase, the_source_tells_the_target);
    tcase_add_test(tcase, refuses);
    tcase_add_test(tcase, looks_in_the_usual_places);
    suite_add_tcase(suite, tcase);
    return suite;
}
