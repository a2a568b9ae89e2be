/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/elasticsearch/hosts.h"

#include <string.h>

#include "base/base64.h"
#include "pipeline/cloud_id.h"
#include "tests/unit/outputs/suites.h"

#define FILTER "filter_path=errors,items.*.error,items.*.status"

static struct arena arena;
static struct elasticsearch_options options;
static struct hosts hosts;
static struct error err;
static struct str list[4];

static void setup(void)
{
    arena_init(&arena, NULL);
    options = (struct elasticsearch_options){.hosts = {list, 1}};
    err = (struct error){0};
}

static void teardown(void)
{
    arena_release(&arena);
}

static void assert_str(struct str got, const char *wanted)
{
    ck_assert_str_eq(arena_cstr(&arena, got), wanted);
}

static const struct {
    const char *text, *root;
} addresses[] = {
    {"elasticsearch:9200", "http://elasticsearch:9200"},
    {"elasticsearch", "http://elasticsearch:9200"},
    {"//127.0.0.1", "http://127.0.0.1:9200"},
    {"https://es.example", "https://es.example:9200"},
    {"https://es.example:443/prefix/", "https://es.example:443/prefix"},
    {"http://es/", "http://es:9200"},
    {"http://es/a/b", "http://es:9200/a/b"},
    {"[::1]", "http://[::1]:9200"},
    {"[::1]:9201", "http://[::1]:9201"},
    {"http://user:pa%40s@es:1", "http://es:1"},
    {"http://user:p@ss@es:1", "http://es:1"},
    {"", NULL},
    {"a b", NULL},
    {"ftp://a", NULL},
    {"http://", NULL},
    {"http://:9200", NULL},
    {"a:0", NULL},
    {"a:65536", NULL},
    {"a:b", NULL},
    {"a:9200?x=1", NULL},
    {"a\n", NULL},
};

/* The old option port. */
START_TEST(port_of_those_without_one)
{
    struct str names[] = {STR_INIT("a"), STR_INIT("http://b/p"), STR_INIT("c:1")};
    options.hosts = (struct option_strings){names, 3};
    options.port = STR("9300-9305");
    ck_assert(hosts_parse(&arena, &options, &hosts, &err));
    assert_str(hosts.items[0].root, "http://a:9300");
    assert_str(hosts.items[1].root, "http://b:9300/p");
    assert_str(hosts.items[2].root, "http://c:1");
    options.port = STR("x");
    ck_assert(!hosts_parse(&arena, &options, &hosts, &err));
}
END_TEST

START_TEST(reads_addresses)
{
    list[0] = str_from(addresses[_i].text);
    bool ok = hosts_parse(&arena, &options, &hosts, &err);
    ck_assert_int_eq(ok, addresses[_i].root != NULL);
    if (ok)
        assert_str(hosts.items[0].root, addresses[_i].root);
    else
        ck_assert_int_eq(err.code, ERROR_CONFIG);
}
END_TEST

START_TEST(has_a_default)
{
    options.hosts.count = 0;
    ck_assert(hosts_parse(&arena, &options, &hosts, &err));
    assert_str(hosts.items[0].root, "http://127.0.0.1:9200");
    assert_str(hosts.items[0].bulk_url, "http://127.0.0.1:9200/_bulk?" FILTER);
}
END_TEST

START_TEST(takes_user_and_password)
{
    list[0] = STR("http://us%3Aer:p%40ss@es");
    ck_assert(hosts_parse(&arena, &options, &hosts, &err));
    assert_str(hosts.user, "us:er");
    assert_str(hosts.password, "p@ss");
    ck_assert_uint_eq(str_find(hosts.items[0].name, STR("ss")), SIZE_MAX);
    options.user = STR("other");
    options.password = STR("secret");
    ck_assert(hosts_parse(&arena, &options, &hosts, &err));
    assert_str(hosts.user, "other");
    options.password = (struct str){0};
    list[0] = STR("es");
    ck_assert(hosts_parse(&arena, &options, &hosts, &err));
    ck_assert_ptr_null(hosts.user.ptr); /* a user alone is none */
    options.user = (struct str){0};
    options.cloud_auth = STR("elastic:a:b");
    ck_assert(hosts_parse(&arena, &options, &hosts, &err));
    assert_str(hosts.user, "elastic");
    assert_str(hosts.password, "a:b");
}
END_TEST

START_TEST(never_shows_a_password)
{
    list[0] = STR("http://user:secret@es:bad");
    ck_assert(!hosts_parse(&arena, &options, &hosts, &err));
    ck_assert_ptr_null(strstr(err.text, "secret"));
    ck_assert_ptr_nonnull(strstr(err.text, "es:bad"));
}
END_TEST

static const struct {
    const char *host;
    int enabled;
    const char *root;
} schemes[] = {
    {"es", CLIENT_TLS_ON, "https://es:9200"}, {"https://es", CLIENT_TLS_ON, "https://es:9200"},
    {"http://es", CLIENT_TLS_ON, NULL},       {"es", CLIENT_TLS_OFF, "http://es:9200"},
    {"https://es", CLIENT_TLS_OFF, NULL},     {"https://es", CLIENT_TLS_AUTO, "https://es:9200"},
};

START_TEST(agrees_with_ssl_enabled)
{
    list[0] = str_from(schemes[_i].host);
    options.tls.enabled = schemes[_i].enabled;
    ck_assert_int_eq(hosts_parse(&arena, &options, &hosts, &err), schemes[_i].root != NULL);
    if (schemes[_i].root)
        assert_str(hosts.items[0].root, schemes[_i].root);
}
END_TEST

static const struct {
    const char *host, *path, *bulk_path, *bulk_url;
} paths[] = {
    {"es/a", NULL, NULL, "http://es:9200/a/_bulk?" FILTER},
    {"es", "/a/", NULL, "http://es:9200/a/_bulk?" FILTER},
    {"es/a", "a", NULL, "http://es:9200/a/_bulk?" FILTER},
    {"es/a", "b", NULL, NULL},
    {"es/a", NULL, "/x/_bulk", "http://es:9200/x/_bulk?" FILTER},
    {"es", NULL, "x?y=1", "http://es:9200/x?y=1&" FILTER},
    {"es", NULL, "/x?filter_path=errors", "http://es:9200/x?filter_path=errors"},
};

START_TEST(makes_the_bulk_url)
{
    list[0] = str_from(paths[_i].host);
    options.path = str_from(paths[_i].path);
    options.bulk_path = str_from(paths[_i].bulk_path);
    ck_assert_int_eq(hosts_parse(&arena, &options, &hosts, &err), paths[_i].bulk_url != NULL);
    if (paths[_i].bulk_url)
        assert_str(hosts.items[0].bulk_url, paths[_i].bulk_url);
}
END_TEST

START_TEST(adds_parameters)
{
    struct conf_pair pairs[] = {
        {{.text = STR_INIT("pretty")}, {.text = STR_INIT("true")}},
        {{.text = STR_INIT("a b")}, {.text = STR_INIT("c&d")}},
    };
    options.parameters = (struct option_hash){pairs, 2};
    list[0] = STR("es");
    ck_assert(hosts_parse(&arena, &options, &hosts, &err));
    assert_str(hosts.items[0].bulk_url, "http://es:9200/_bulk?pretty=true&a%20b=c%26d&" FILTER);
    assert_str(hosts_url(&arena, &options, &hosts.items[0], STR("/x?y=1")),
               "http://es:9200/x?y=1&pretty=true&a%20b=c%26d");
    pairs[0].key.text = STR("filter_path");
    ck_assert(hosts_parse(&arena, &options, &hosts, &err));
    assert_str(hosts.items[0].bulk_url, "http://es:9200/_bulk?filter_path=true&a%20b=c%26d");
}
END_TEST

START_TEST(takes_turns_among_the_living)
{
    list[0] = STR("a");
    list[1] = STR("b");
    list[2] = STR("c");
    options.hosts.count = 3;
    ck_assert(hosts_parse(&arena, &options, &hosts, &err));
    ck_assert_ptr_eq(hosts_next(&hosts), &hosts.items[0]);
    ck_assert_ptr_eq(hosts_next(&hosts), &hosts.items[1]);
    hosts.items[2].dead = true;
    ck_assert_ptr_eq(hosts_next(&hosts), &hosts.items[0]);
    hosts.items[0].dead = true;
    ck_assert_ptr_eq(hosts_next(&hosts), &hosts.items[1]);
    ck_assert_ptr_eq(hosts_next(&hosts), &hosts.items[1]);
    ck_assert(!hosts_all_dead(&hosts));
    hosts.items[1].dead = true;
    ck_assert_ptr_null(hosts_next(&hosts));
    ck_assert(hosts_all_dead(&hosts));
}
END_TEST

static const struct {
    const char *decoded, *url;
} clouds[] = {
    {"eu.example$search$kibana", "https://search.eu.example:443"},
    {"eu.example:9243$search$kibana", "https://search.eu.example:9243"},
    {"eu.example:9243$search:9244$kibana", "https://search.eu.example:9244"},
    {"eu.example$search", "https://search.eu.example:443"},
    {"eu.example", NULL},
    {"$search", NULL},
};

START_TEST(reads_cloud_ids)
{
    struct str coded = base64_encode(&arena, str_from(clouds[_i].decoded));
    options.cloud_id = arena_printf(&arena, "label:%.*s", STR_FMT(coded));
    options.hosts.count = 0;
    ck_assert_int_eq(hosts_parse(&arena, &options, &hosts, &err), clouds[_i].url != NULL);
    if (clouds[_i].url)
        assert_str(hosts.items[0].root, clouds[_i].url);
}
END_TEST

START_TEST(encodes_base64)
{
    const char *const pairs[][2] = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"\xff\xfe\xfd", "//79"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        assert_str(base64_encode(&arena, str_from(pairs[i][0])), pairs[i][1]);
}
END_TEST

Suite *hosts_suite(void)
{
    Suite *suite = suite_create("hosts");
    TCase *tcase = tcase_create("hosts");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, reads_addresses, 0, sizeof addresses / sizeof *addresses);
    tcase_add_test(tcase, port_of_those_without_one);
    tcase_add_test(tcase, has_a_default);
    tcase_add_test(tcase, takes_user_and_password);
    tcase_add_test(tcase, never_shows_a_password);
    tcase_add_loop_test(tcase, agrees_with_ssl_enabled, 0, sizeof schemes / sizeof *schemes);
    tcase_add_loop_test(tcase, makes_the_bulk_url, 0, sizeof paths / sizeof *paths);
    tcase_add_test(tcase, adds_parameters);
    tcase_add_test(tcase, takes_turns_among_the_living);
    tcase_add_loop_test(tcase, reads_cloud_ids, 0, sizeof clouds / sizeof *clouds);
    tcase_add_test(tcase, encodes_base64);
    suite_add_tcase(suite, tcase);
    return suite;
}
