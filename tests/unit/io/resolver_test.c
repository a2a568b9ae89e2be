/* SPDX-License-Identifier: Apache-2.0
 *
 * What needs no server: hosts files, and how servers and addresses are written. tests/system/test_dns_filter.py has the
 * rest.
 */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/hosts_file.h"
#include "io/resolver.h"
#include "tests/unit/io/suites.h"

static const struct {
    const char *text;
    bool valid;
} SERVERS[] = {
    {"10.0.0.1", true},
    {"10.0.0.1:5353", true},
    {"fd00::1", true},
    {"[fd00::1]:53", true},
    {"::1", true},
    {"", false},
    {"ns.example", false},
    {"10.0.0.1:", false},
    {"10.0.0.1:0", false},
    {"10.0.0.1:65536", false},
    {"[10.0.0.1]:53", false},
    {"10.0.0.1/8", false},
    {"10.0.0.1,10.0.0.2", false},
    {"[fd00::1]", false},
    {"10.0.0.1:5x", false},
};

START_TEST(servers_are_addresses)
{
    ck_assert_msg(resolver_server_is_valid(str_from(SERVERS[_i].text)) == SERVERS[_i].valid, "%s",
                  SERVERS[_i].text);
}
END_TEST

static const char HOSTS[] = "127.0.0.1 localhost\n"
                            "::1\tlocalhost ip6-localhost # loopback again\r\n"
                            "   \n#10.0.0.1 hidden\n"
                            "10.0.0.2 first second\n"
                            "10.0.0.2 third\n"
                            "10.0.0.3\n"
                            "10.0.0.4 last";

static const struct {
    enum lookup_question question;
    const char *text, *answer; /* NULL: not there */
} LOOKUPS[] = {
    {LOOKUP_ADDRESS, "localhost", "::1"},
    {LOOKUP_ADDRESS, "second", "10.0.0.2"},
    {LOOKUP_ADDRESS, "third", "10.0.0.2"},
    {LOOKUP_ADDRESS, "last", "10.0.0.4"},
    {LOOKUP_ADDRESS, "hidden", NULL},
    {LOOKUP_ADDRESS, "Localhost", NULL},
    {LOOKUP_ADDRESS, "10.9.9.9", "10.9.9.9"},
    {LOOKUP_ADDRESS, "FD00::1", "FD00::1"},
    {LOOKUP_ADDRESS, "", NULL},
    {LOOKUP_NAME, "10.0.0.2", "first"},
    {LOOKUP_NAME, "::1", "localhost"},
    {LOOKUP_NAME, "10.0.0.3", NULL},
    {LOOKUP_NAME, "first", NULL},
    {LOOKUP_NAME, "10.0.0.2/32", NULL},
};

static void never(void *ctx)
{
    (void)ctx;
    ck_abort_msg("a hosts file answers at once");
}

START_TEST(hosts_files_answer_at_once)
{
    char path[] = "/tmp/millrace-hosts-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_eq(write(fd, HOSTS, sizeof HOSTS - 1), (ssize_t)sizeof HOSTS - 1);
    close(fd);
    struct error err;
    struct hosts_file hosts;
    ck_assert(hosts_file_read(&hosts, path, &err));
    unlink(path);
    uv_loop_t loop;
    uv_loop_init(&loop);
    const struct resolver_options options = {
        .hosts = &hosts, .host_count = 1, .only_hosts = true, .answered = never};
    struct resolver *resolver = resolver_new(&loop, &options, &err);
    for (size_t i = 0; i < sizeof LOOKUPS / sizeof *LOOKUPS; i++) {
        struct lookup *lookup =
            resolver_ask(resolver, LOOKUPS[i].question, str_from(LOOKUPS[i].text));
        ck_assert_int_eq(lookup->state, LOOKUPS[i].answer ? LOOKUP_FOUND : LOOKUP_NOT_FOUND);
        if (LOOKUPS[i].answer)
            ck_assert_str_eq(lookup->answer.ptr, LOOKUPS[i].answer);
        if (i % 2)
            lookup_unref(lookup); /* the others go with the resolver */
    }
    resolver_close(resolver);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    hosts_file_release(&hosts);
}
END_TEST

START_TEST(a_hosts_file_that_is_not_there)
{
    struct error err;
    struct hosts_file hosts;
    ck_assert(!hosts_file_read(&hosts, "/no/such/file", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "/no/such/file"));
}
END_TEST

Suite *resolver_suite(void)
{
    Suite *suite = suite_create("resolver");
    TCase *tcase = tcase_create("resolver");
    tcase_add_loop_test(tcase, servers_are_addresses, 0, sizeof SERVERS / sizeof *SERVERS);
    tcase_add_test(tcase, hosts_files_answer_at_once);
    tcase_add_test(tcase, a_hosts_file_that_is_not_there);
    suite_add_tcase(suite, tcase);
    return suite;
}
