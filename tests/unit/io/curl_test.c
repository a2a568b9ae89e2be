/* SPDX-License-Identifier: Apache-2.0
 *
 * The libcurl that is linked in has what the program asks of it, and no more.
 */
#include <curl/curl.h>
#include <string.h>

#include "tests/unit/io/suites.h"

static const curl_version_info_data *built_with(void)
{
    return curl_version_info(CURLVERSION_NOW);
}

START_TEST(speaks_http_and_smtp_alone)
{
    const char *const *found = built_with()->protocols;
    static const char *const wanted[] = {"http", "https", "smtp", "smtps", NULL};
    for (size_t i = 0; wanted[i] || found[i]; i++)
        ck_assert_pstr_eq(found[i], wanted[i]);
}
END_TEST

/* A resolver that does not block the lane's loop; names and cookies as clients of HTTP treat them; proxies over TLS. */
START_TEST(has_what_is_relied_on)
{
    const curl_version_info_data *info = built_with();
    const int wanted = CURL_VERSION_ASYNCHDNS | CURL_VERSION_IPV6 | CURL_VERSION_SSL |
                       CURL_VERSION_HTTPS_PROXY | CURL_VERSION_IDN | CURL_VERSION_PSL |
                       CURL_VERSION_LIBZ | CURL_VERSION_ZSTD | CURL_VERSION_THREADSAFE;
    ck_assert_int_eq(info->features & wanted, wanted);
    ck_assert_ptr_nonnull(strstr(info->ssl_version, "OpenSSL/3"));
}
END_TEST

START_TEST(has_none_of_what_is_left_out)
{
    const int left_out = CURL_VERSION_HTTP2 | CURL_VERSION_HTTP3 | CURL_VERSION_BROTLI |
                         CURL_VERSION_GSSAPI | CURL_VERSION_KERBEROS5 | CURL_VERSION_SPNEGO |
                         CURL_VERSION_NTLM;
    ck_assert_int_eq(built_with()->features & left_out, 0);
}
END_TEST

Suite *curl_suite(void)
{
    Suite *suite = suite_create("curl");
    TCase *tcase = tcase_create("built");
    tcase_add_test(tcase, speaks_http_and_smtp_alone);
    tcase_add_test(tcase, has_what_is_relied_on);
    tcase_add_test(tcase, has_none_of_what_is_left_out);
    suite_add_tcase(suite, tcase);
    return suite;
}
