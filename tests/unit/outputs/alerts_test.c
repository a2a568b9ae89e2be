/* SPDX-License-Identifier: Apache-2.0
 *
 * Which alerts there are and what is told of them, without network or clock.
 */
#include "outputs/alertmanager/alerts.h"

#include <check.h>
#include <stdio.h>

#include "tests/unit/outputs/suites.h"

enum { TEXT_MAX = 256 * 1024, RESOLVE_MS = 5000, RESEND_MS = 2000, PER_SECOND = 3, AT_ONCE = 6 };

static struct alerts alerts;
static struct buf text;
static uint64_t now_ms;

static void setup(void)
{
    struct alert_rules rules = {
        .resolve_after_ms = RESOLVE_MS,
        .resend_ms = RESEND_MS,
        .new_per_second = PER_SECOND,
        .max_alerts = AT_ONCE,
        .storm_labels = STR("{\"alertname\":\"Storm\"}"),
        .count_name = STR("count"),
    };
    alerts_init(&alerts, &rules);
    buf_init(&text, TEXT_MAX);
    now_ms = 1000000;
}

static void teardown(void)
{
    alerts_release(&alerts);
    buf_release(&text);
}

static struct instant now(void)
{
    return (struct instant){.seconds = (int64_t)(now_ms / 1000),
                            .nanoseconds = (uint32_t)(now_ms % 1000) * 1000000};
}

static bool raise_with(const char *key, const char *annotations)
{
    char labels[64];
    snprintf(labels, sizeof labels, "{\"alertname\":\"%s\"}", key);
    struct alert_event event = {str_from(key), str_from(labels), str_from(annotations)};
    return alerts_raise(&alerts, &event, now_ms, now());
}

static bool raise_alert(const char *key)
{
    return raise_with(key, "{}");
}

static const char *untold(void)
{
    ck_assert(alerts_write_untold(&alerts, now_ms, now(), &text));
    ck_assert(buf_append_char(&text, 0));
    return text.ptr;
}

static size_t due(void)
{
    size_t count = alerts_write_due(&alerts, now_ms, now(), &text);
    ck_assert(buf_append_char(&text, 0));
    return count;
}

START_TEST(an_event_waits_until_its_alert_is_known)
{
    ck_assert(!raise_with("a", "{\"summary\":\"x\"}"));
    ck_assert(!raise_with("a", "{\"summary\":\"y\"}"));
    ck_assert_str_eq(untold(),
                     "[{\"labels\":{\"alertname\":\"a\"},\"annotations\":{\"summary\":\"y\","
                     "\"count\":\"2\"},\"startsAt\":\"1970-01-01T00:16:40.000Z\","
                     "\"endsAt\":\"1970-01-01T00:16:45.000Z\"}]");
    alerts_confirm(&alerts, now_ms);
    ck_assert(raise_alert("a"));
    ck_assert(!raise_alert("b"));
    ck_assert_ptr_null(strstr(untold(), "\"a\"")); /* it is known */
}
END_TEST

/* Events that come again because nobody could be told are counted once. */
START_TEST(what_was_undone_is_not_counted)
{
    raise_alert("a");
    alerts_confirm(&alerts, now_ms);
    for (int i = 0; i < 3; i++) {
        raise_alert("a");
        raise_alert("b");
        alerts_undo(&alerts);
        ck_assert_uint_eq(alerts.count, 1);
    }
    now_ms += 1000;
    raise_alert("b");
    ck_assert_ptr_nonnull(strstr(untold(), "\"count\":\"1\""));
    alerts_confirm(&alerts, now_ms);
    now_ms += RESEND_MS;
    ck_assert_uint_eq(due(), 2);
    ck_assert_ptr_null(strstr(text.ptr, "\"count\":\"2\""));
}
END_TEST

START_TEST(told_again_while_it_fires)
{
    raise_alert("a");
    alerts_confirm(&alerts, now_ms);
    now_ms += RESEND_MS - 1;
    ck_assert_uint_eq(due(), 0);
    now_ms++;
    ck_assert_uint_eq(due(), 1);
    alerts_told_due(&alerts, now_ms, false); /* nobody heard it: it stays due */
    ck_assert_uint_eq(due(), 1);
    alerts_told_due(&alerts, now_ms, true);
    ck_assert_uint_eq(due(), 0);
}
END_TEST

/* The count in Alertmanager is at most a second old. */
START_TEST(told_again_when_more_events_came)
{
    raise_alert("a");
    alerts_confirm(&alerts, now_ms);
    now_ms += ALERT_SECOND_MS - 1;
    raise_alert("a");
    alerts_confirm(&alerts, now_ms);
    ck_assert_uint_eq(due(), 0);
    now_ms++;
    ck_assert_uint_eq(due(), 1);
    ck_assert_ptr_nonnull(strstr(text.ptr, "\"count\":\"2\""));
    alerts_told_due(&alerts, now_ms, true);
    now_ms += ALERT_SECOND_MS;
    ck_assert_uint_eq(due(), 0);
}
END_TEST

START_TEST(resolved_after_silence)
{
    raise_alert("a");
    alerts_confirm(&alerts, now_ms);
    now_ms += RESOLVE_MS;
    ck_assert_uint_eq(due(), 1);
    ck_assert_ptr_nonnull(strstr(text.ptr, "\"endsAt\":\"1970-01-01T00:16:45.000Z\"")); /* now */
    alerts_told_due(&alerts, now_ms, false);
    ck_assert_uint_eq(alerts.count, 1);
    ck_assert_uint_eq(due(), 1);
    alerts_told_due(&alerts, now_ms, true);
    ck_assert_uint_eq(alerts.count, 0);
    ck_assert(!raise_alert("a")); /* a new one */
    ck_assert_ptr_nonnull(strstr(untold(), "\"count\":\"1\""));
}
END_TEST

/* An event while Alertmanager is being told that it is over: it fires on, and that is told at once. */
START_TEST(raised_while_it_is_resolved)
{
    raise_alert("a");
    alerts_confirm(&alerts, now_ms);
    now_ms += RESOLVE_MS;
    ck_assert_uint_eq(due(), 1);
    now_ms++;
    ck_assert(raise_alert("a"));
    alerts_confirm(&alerts, now_ms);
    alerts_told_due(&alerts, now_ms, true);
    ck_assert_uint_eq(alerts.count, 1);
    ck_assert_uint_eq(due(), 1);
    ck_assert_ptr_nonnull(strstr(text.ptr, "\"endsAt\":\"1970-01-01T00:16:50.001Z\""));
}
END_TEST

static unsigned count_of(const char *haystack, const char *needle)
{
    unsigned count = 0;
    for (const char *at = haystack; (at = strstr(at, needle)); at++)
        count++;
    return count;
}

START_TEST(a_storm_is_one_alert_that_says_how_many)
{
    char key[16];
    for (int i = 0; i < 12480 + PER_SECOND; i++) {
        snprintf(key, sizeof key, "k%d", i);
        raise_alert(key);
    }
    ck_assert_uint_eq(count_of(untold(), "\"labels\""), PER_SECOND + 1);
    ck_assert_ptr_nonnull(strstr(
        text.ptr, "\"labels\":{\"alertname\":\"Storm\"},\"annotations\":{\"summary\":\"12,480 "
                  "events in alerts beyond 3 new ones a second or 6 at once\","
                  "\"count\":\"12480\"}"));
    alerts_confirm(&alerts, now_ms);
    ck_assert(raise_alert("k0"));
    ck_assert(raise_alert("another")); /* into the storm, which is known */
    now_ms += RESOLVE_MS;
    alerts_confirm(&alerts, now_ms);
    due();
    alerts_told_due(&alerts, now_ms, true);
    ck_assert_uint_eq(alerts.count, 0);
    ck_assert_ptr_null(alerts.storm);
}
END_TEST

START_TEST(so_many_at_once)
{
    char key[16];
    for (int i = 0; i < 3 * AT_ONCE; i++) {
        snprintf(key, sizeof key, "k%d", i);
        raise_alert(key);
        alerts_confirm(&alerts, now_ms);
        now_ms += 500;
    }
    ck_assert_uint_le(alerts.count, AT_ONCE + 1);
    ck_assert_ptr_nonnull(alerts.storm);
}
END_TEST

Suite *alerts_suite(void)
{
    Suite *suite = suite_create("alerts");
    TCase *cases = tcase_create("alerts");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, an_event_waits_until_its_alert_is_known);
    tcase_add_test(cases, what_was_undone_is_not_counted);
    tcase_add_test(cases, told_again_while_it_fires);
    tcase_add_test(cases, told_again_when_more_events_came);
    tcase_add_test(cases, resolved_after_silence);
    tcase_add_test(cases, raised_while_it_is_resolved);
    tcase_add_test(cases, a_storm_is_one_alert_that_says_how_many);
    tcase_add_test(cases, so_many_at_once);
    suite_add_tcase(suite, cases);
    return suite;
}
