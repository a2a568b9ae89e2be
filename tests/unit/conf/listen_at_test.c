/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/listen_at.h"

#include "tests/unit/conf/suites.h"

static const struct {
    const char *text;
    int64_t instead_of;
    const char *address; /* NULL: refused */
    int64_t port;
} FORMS[] = {
    {"5044:127.0.0.1:6044", 5044, "127.0.0.1", 6044},
    {"5044:localhost:0", 5044, "localhost", 0},
    {"5044::6044", 5044, "", 6044},
    {"5044:[::1]:6044", 5044, "::1", 6044},
    {"65535:a:65535", 65535, "a", 65535},
    {.text = ""},
    {.text = "5044"},
    {.text = "5044:6044"},
    {.text = ":a:6044"},
    {.text = "0:a:6044"},
    {.text = "65536:a:1"},
    {.text = "1:a:65536"},
    {.text = "1:a:"},
    {.text = "1:a:-1"},
    {.text = "+1:a:1"},
    {.text = "x:a:1"},
    {.text = "5044:::1:6044"},
    {.text = "5044:a:b:6044"},
};

START_TEST(reads_each_form)
{
    struct listen_at got;
    bool good = listen_at_parse(str_from(FORMS[_i].text), &got);
    ck_assert_msg(good == (FORMS[_i].address != NULL), "%s", FORMS[_i].text);
    if (!good)
        return;
    ck_assert_int_eq(got.instead_of, FORMS[_i].instead_of);
    ck_assert(str_equal(got.address, str_from(FORMS[_i].address)));
    ck_assert_int_eq(got.port, FORMS[_i].port);
}
END_TEST

START_TEST(leads_only_the_port_it_names)
{
    static const struct listen_at LIST[] = {
        {5044, STR_INIT("127.0.0.1"), 6044}, {6044, STR_INIT(""), 0}, {.instead_of = 0}};
    static const struct {
        int64_t port, led_to;
        const char *address;
    } ROWS[] = {{5044, 6044, "127.0.0.1"}, {6044, 0, "::"}, {5045, 5045, "::"}};
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct str address = STR("::");
        int64_t port = ROWS[i].port;
        listen_at_lead(LIST, &address, &port);
        ck_assert_int_eq(port, ROWS[i].led_to);
        ck_assert(str_equal(address, str_from(ROWS[i].address)));
    }
    int64_t port = 5044;
    listen_at_lead(NULL, NULL, &port);
    ck_assert_int_eq(port, 5044);
}
END_TEST

Suite *listen_at_suite(void)
{
    Suite *suite = suite_create("listen_at");
    TCase *tcase = tcase_create("listen_at");
    tcase_add_loop_test(tcase, reads_each_form, 0, sizeof FORMS / sizeof *FORMS);
    tcase_add_test(tcase, leads_only_the_port_it_names);
    suite_add_tcase(suite, tcase);
    return suite;
}
