/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text/redact.h"

#include "tests/unit/base/suites.h"

enum { OUT_MAX = 4096 };

static const struct {
    const char *name;
    bool secret;
} NAMES[] = {
    {"password", true},
    {"ssl_keystore_password", true},
    {"X-Api-Key", true},
    {"Authorization", true},
    {"api_key", true},
    {"TOKEN", true},
    {"cloud_auth", true},
    {"user", false},
    {"ssl_key", false},
    {"message", false},
    {"", false},
    {"pass", false},
    {"secret_access_key", true},
};

START_TEST(knows_names_of_secrets)
{
    ck_assert_msg(redact_is_secret(str_from(NAMES[_i].name)) == NAMES[_i].secret, "%s",
                  NAMES[_i].name);
}
END_TEST

static const struct {
    const char *url, *shown;
} URLS[] = {
    {"http://host:9200/path", "http://host:9200/path"},
    {"https://joe:pw@host/path", "https://host/path"},
    {"https://joe:p@w@host", "https://host"},
    {"http://host/a@b", "http://host/a@b"},
    {"http://host:92/a@b", "http://host:92/a@b"},
    {"http://[::1]:92/a@b", "http://[::1]:92/a@b"},
    {"http://joe:p/w@host/x", "http://host/x"},
    {"http://joe:p?w@host/x", "http://host/x"},
    {"http://host/p?token=abc&x=1", "http://host/p?..."},
    {"http://joe@host?x", "http://host?..."},
    {"//joe:pw@host", "//host"},
    {"htp://joe:pw@host", "htp://host"},
    {"host:9200", "host:9200"},
    {"", ""},
    {"https://hooks.example/services/T024/B0249999/a1B2c3D4e5F6g7H8i9J0k1L2",
     "https://hooks.example/services/T024/B0249999/..."},
    {"http://es-1a2b3c4d5e6f7g8h9i0j:9200/logs-2026.11.30/_bulk",
     "http://es-1a2b3c4d5e6f7g8h9i0j:9200/logs-2026.11.30/_bulk"},
};

START_TEST(urls_lose_credentials_and_query)
{
    struct buf out;
    buf_init(&out, OUT_MAX);
    redact_url(str_from(URLS[_i].url), &out);
    ck_assert_msg(str_equal(buf_str(&out), str_from(URLS[_i].shown)), "'%.*s' is not '%s'",
                  STR_FMT(buf_str(&out)), URLS[_i].shown);
    buf_release(&out);
}
END_TEST

/* As servers write them; 4111 stands for what came with an event. */
static const struct {
    const char *reason, *shown;
} REASONS[] = {
    {"failed to parse field [card] of type [long] in document with id '4111'. Preview of field's "
     "value: '4111'",
     "failed to parse field [card] of type [long] in document with id '...'"},
    {"failed to parse date field [4111] with format [strict_date_optional_time]",
     "failed to parse date field [...]"},
    {"For input string: \"4111\"", "For input string: \"...\""},
    {"Preview of field's value: 'it's 4111'", "Preview of field's value: '...'"},
    {"Preview of field's value: '4111", "Preview of field's value: '..."},
    {"Preview of field's value: '{a=4111, b=\"x'y\"}'", "Preview of field's value: '...'"},
    {"'4111' is not an IP string literal.", "'...' is not an IP string literal."},
    {"Failed to parse value [4111] as only [true] or [false] are allowed.",
     "Failed to parse value [...] are allowed."},
    {"Numeric value (4111) out of range of long", "Numeric value (...) out of range of long"},
    {"object mapping for [user] tried to parse field [user] as object, but found a concrete value",
     "object mapping for [user] tried to parse field [user] as object, but found a concrete value"},
    {"no such index [logs-1] and [action.auto_create_index] is [false]",
     "no such index [logs-1] and [...]"},
    {"action [indices:data/write/bulk] is unauthorized for user [joe] with roles [reader]",
     "action [indices:data/write/bulk] is unauthorized for user [joe] with roles [reader]"},
    {"rejected execution of primary operation", "rejected execution of primary operation"},
    {"", ""},
};

START_TEST(reasons_lose_values)
{
    struct buf out;
    buf_init(&out, OUT_MAX);
    redact_reason(str_from(REASONS[_i].reason), &out);
    ck_assert_msg(str_equal(buf_str(&out), str_from(REASONS[_i].shown)), "'%.*s' is not '%s'",
                  STR_FMT(buf_str(&out)), REASONS[_i].shown);
    ck_assert(str_find(buf_str(&out), STR("4111")) == SIZE_MAX);
    buf_release(&out);
}
END_TEST

Suite *redact_suite(void)
{
    Suite *suite = suite_create("redact");
    TCase *tcase = tcase_create("redact");
    tcase_add_loop_test(tcase, knows_names_of_secrets, 0, sizeof NAMES / sizeof *NAMES);
    tcase_add_loop_test(tcase, urls_lose_credentials_and_query, 0, sizeof URLS / sizeof *URLS);
    tcase_add_loop_test(tcase, reasons_lose_values, 0, sizeof REASONS / sizeof *REASONS);
    suite_add_tcase(suite, tcase);
    return suite;
}
