/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/proxy_header.h"

#include <string.h>

#include "tests/unit/inputs/suites.h"

static const struct {
    const char *bytes;
    enum proxy_header_result result;
    size_t len;
    const char *source, *source_port, *destination, *destination_port;
} CASES[] = {
    {"PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\nrest", PROXY_HEADER_WHOLE, 33, "1.2.3.4", "9", "5.6.7.8",
     "10"},
    {"PROXY TCP6 ::1 ::2 65535 1\r\n", PROXY_HEADER_WHOLE, 28, "::1", "65535", "::2", "1"},
    {"PROXY UNKNOWN\r\n", PROXY_HEADER_WHOLE, 15, "", "", "", ""},
    {"PROXY UNKNOWN what follows is not looked at\r\n", PROXY_HEADER_WHOLE, 45, "", "", "", ""},
    {"", PROXY_HEADER_MORE, 0, NULL, NULL, NULL, NULL},
    {"PRO", PROXY_HEADER_MORE, 0, NULL, NULL, NULL, NULL},
    {"PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r", PROXY_HEADER_MORE, 0, NULL, NULL, NULL, NULL},
    {"PROXY TCP4 1.2.3.4 5.6.7.8 9\r\n", PROXY_HEADER_BROKEN, 0, NULL, NULL, NULL, NULL},
    {"PROXY\r\n", PROXY_HEADER_BROKEN, 0, NULL, NULL, NULL, NULL},
    {"proxy TCP4 1.2.3.4 5.6.7.8 9 10\r\n", PROXY_HEADER_BROKEN, 0, NULL, NULL, NULL, NULL},
    {"GET / HTTP/1.1\r\n", PROXY_HEADER_BROKEN, 0, NULL, NULL, NULL, NULL},
};

START_TEST(reads_headers)
{
    struct proxy_header header;
    size_t len = 0;
    ck_assert_int_eq(CASES[_i].result, proxy_header_read(str_from(CASES[_i].bytes), &header, &len));
    if (CASES[_i].result != PROXY_HEADER_WHOLE)
        return;
    ck_assert_uint_eq(CASES[_i].len, len);
    ck_assert(str_equal(header.source, str_from(CASES[_i].source)));
    ck_assert(str_equal(header.source_port, str_from(CASES[_i].source_port)));
    ck_assert(str_equal(header.destination, str_from(CASES[_i].destination)));
    ck_assert(str_equal(header.destination_port, str_from(CASES[_i].destination_port)));
}
END_TEST

START_TEST(a_header_without_an_end_is_broken)
{
    char bytes[PROXY_HEADER_MAX + 1] = "PROXY TCP4 ";
    struct proxy_header header;
    size_t len;
    memset(bytes + 11, '9', sizeof bytes - 11);
    ck_assert_int_eq(PROXY_HEADER_MORE,
                     proxy_header_read(str_make(bytes, PROXY_HEADER_MAX - 1), &header, &len));
    ck_assert_int_eq(PROXY_HEADER_BROKEN,
                     proxy_header_read(str_make(bytes, PROXY_HEADER_MAX), &header, &len));
}
END_TEST

Suite *proxy_header_suite(void)
{
    Suite *suite = suite_create("proxy_header");
    TCase *cases = tcase_create("proxy_header");
    tcase_add_loop_test(cases, reads_headers, 0, sizeof CASES / sizeof *CASES);
    tcase_add_test(cases, a_header_without_an_end_is_broken);
    suite_add_tcase(suite, cases);
    return suite;
}
