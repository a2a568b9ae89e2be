/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the demo that need no process: what it shows, how it reads answers and counts alerts.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text/utf8.h"
#include "cmd/demo_alerts.h"
#include "cmd/demo_lines.h"
#include "cmd/demo_metrics.h"
#include "cmd/demo_store.h"
#include "cmd/payment_line.h"
#include "tests/unit/cmd/suites.h"

enum { OUT_MAX = 64 * 1024, LINES = 2000 };

static const struct terminal PLAIN = {.columns = TERMINAL_COLUMNS};
static const struct terminal NARROW = {.columns = TERMINAL_MIN_COLUMNS};

static struct arena arena;
static struct json_reader *reader;
static struct buf out;

static void setup(void)
{
    arena_init(&arena, NULL);
    reader = json_reader_new();
    buf_init(&out, OUT_MAX);
}

static void teardown(void)
{
    buf_release(&out);
    json_reader_free(reader);
    arena_release(&arena);
}

static struct value *parse(const char *text)
{
    struct value *value = arena_alloc(&arena, sizeof *value);
    ck_assert_msg(json_decode(reader, &arena, str_from(text), value, NULL), "%s", text);
    return value;
}

static void expect_shown(const char *text)
{
    ck_assert_msg(str_equal(buf_str(&out), str_from(text)), "shown:\n%.*s\nexpected:\n%s",
                  STR_FMT(buf_str(&out)), text);
    buf_clear(&out, OUT_MAX);
}

static void expect_at_most(size_t columns)
{
    struct str rest = buf_str(&out);
    while (rest.len > 0) {
        size_t end = str_find(rest, STR("\n")), used;
        struct str line = str_make(rest.ptr, end == SIZE_MAX ? rest.len : end);
        utf8_cut_to_columns(line, SIZE_MAX, &used);
        ck_assert_msg(used <= columns, "%zu columns: %.*s", used, STR_FMT(line));
        rest = str_from_offset(rest, line.len + 1);
    }
}

/* ---- what it shows -------------------------------------------------------------------------------- */

START_TEST(progress_keeps_its_width)
{
    static const struct {
        uint64_t done, total, alerts;
    } ROWS[] = {
        {0, 1, 0},           {1, 1, 1},           {0, 10000, 0},   {9999, 10000, 399},
        {10000, 10000, 399}, {10500, 10000, 399}, {5, 1000000, 0}, {1000000, 1000000, 37500}};
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        size_t used;
        view_progress(&PLAIN, ROWS[i].done, ROWS[i].total, ROWS[i].alerts, &out);
        utf8_cut_to_columns(buf_str(&out), SIZE_MAX, &used);
        ck_assert_uint_lt(used, TERMINAL_COLUMNS); /* else the cursor would be on the next line */
        ck_assert_uint_ge(used, TERMINAL_COLUMNS - 4);
        buf_clear(&out, OUT_MAX);
        view_progress(&NARROW, ROWS[i].done, ROWS[i].total, ROWS[i].alerts, &out);
        expect_at_most(TERMINAL_MIN_COLUMNS - 1);
        buf_clear(&out, OUT_MAX);
    }
}
END_TEST

START_TEST(spreads_are_bars)
{
    struct demo_spread spread = {.bars = {{STR("FAST"), 750}, {STR("느림느림느림느림느림"), 50}},
                                 .count = 2};
    view_spread(&PLAIN, &spread, 1000, "(none)", &out);
    expect_shown(
        "    FAST                  750  ██████████████████████████████▊            75.0 %\n"
        "    느림느림느림느…        50  ██                                          5.0 %\n"
        "    (none)                200  ████████▎                                  20.0 %\n");
    view_spread(&NARROW, &spread, 1000, "(none)", &out);
    expect_at_most(TERMINAL_MIN_COLUMNS);
    buf_clear(&out, OUT_MAX);
    view_spread(&PLAIN, &(struct demo_spread){.count = 0}, 0, "(none)", &out);
    expect_shown(
        "    (none)                  0                                              0.0 %\n");
}
END_TEST

START_TEST(an_event_is_a_difference)
{
    const struct value *before = parse("{\"t\":\"2026\",\"userId\":\"user0001\",\"context\":{"
                                       "\"ms\":1200,\"text\":\"승인\"},\"gone\":true}");
    const struct value *after = parse("{\"message\":\"m\",\"t\":\"2026\",\"userId\":\"use***001\","
                                      "\"context\":{\"ms\":1200,\"text\":\"승인\","
                                      "\"more\":[1]},\"tags\":[],\"tier\":\"SLOW\"}");
    view_event(&PLAIN, before, after, &out);
    expect_shown("      t                      \"2026\"\n"
                 "    - userId                 \"user0001\"\n"
                 "    + userId                 \"use***001\"\n"
                 "      context.ms             1200\n"
                 "      context.text           \"승인\"\n"
                 "    + context.more           [1]\n"
                 "    - gone                   true\n"
                 "    + tier                   \"SLOW\"\n"
                 "      also: message, tags\n");
    view_event(&PLAIN, parse("{\"a\":1}"), parse("{\"a\":1}"), &out);
    expect_shown("      a                      1\n");
}
END_TEST

START_TEST(long_things_are_cut)
{
    char text[600] = "{\"";
    memset(text + 2, 'k', 280);
    snprintf(text + 282, sizeof text - 282, "\":\"%0200d\"}", 7);
    view_event(&PLAIN, parse("{}"), parse(text), &out);
    view_event(&NARROW, parse(text), parse("{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":1}}}}}}"),
               &out);
    struct demo_alert alert = {
        .name = STR("SystemErrorSystemError"),
        .severity = STR("critical"),
        .time = STR("2026-11-24T20:01:15.200Z"),
        .text = STR("본인 인증 후 다시 시도해 주세요, 그리고 한 번 더 시도해 주세요")};
    view_alert(&PLAIN, &alert, &out);
    expect_at_most(TERMINAL_COLUMNS);
}
END_TEST

static const struct {
    struct demo_figures figures;
    bool good;
    const char *shown; /* the first two lines */
} ENDS[] = {
    {{.events = 1000, .stored = 1000, .alerts_expected = 40, .alerts_distinct = 40},
     true,
     "    ✓ 1,000 events sent, every one stored once\n"
     "    ✓ 40 SYSTEM_ERROR events, every one alerted once\n"},
    {{.events = 1000,
      .stored = 1002,
      .alerts_expected = 40,
      .alerts_distinct = 40,
      .alerts_again = 2},
     true,
     "    ✓ 1,000 events sent, every one stored, 2 more than once\n"
     "    ✓ 40 SYSTEM_ERROR events, every one alerted, 2 more than once\n"},
    {{.events = 1000,
      .stored = 999,
      .alerts_expected = 40,
      .alerts_distinct = 39,
      .alerts_again = 1},
     false,
     "    ✗ 1,000 events sent, only 999 of them stored\n"
     "    ✗ 40 SYSTEM_ERROR events, only 39 of them alerted, 1 more than once\n"},
    {{.events = 1, .stored = 1, .alerts_unknown = 3},
     false,
     "    ✓ 1 event sent, every one stored once\n"
     "    ✗ 0 SYSTEM_ERROR events, every one alerted once, 3 alerts about something else\n"},
};

START_TEST(the_verdict_says_what_is_missing)
{
    ck_assert(demo_is_good(&ENDS[_i].figures) == ENDS[_i].good);
    view_verdict(&PLAIN, &ENDS[_i].figures, &out);
    ck_assert_msg(str_starts_with(buf_str(&out), str_from(ENDS[_i].shown)), "%.*s",
                  STR_FMT(buf_str(&out)));
}
END_TEST

/* ---- what the store answers ----------------------------------------------------------------------- */

START_TEST(reads_counts)
{
    uint64_t count = 0;
    ck_assert(demo_read_count(parse("{\"count\":17,\"_shards\":{}}"), &count));
    ck_assert_uint_eq(count, 17);
    static const char *const WRONG[] = {"{}", "[]", "{\"count\":\"17\"}", "{\"count\":-1}", "17"};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
        ck_assert_msg(!demo_read_count(parse(WRONG[i]), &count), "%s", WRONG[i]);
}
END_TEST

START_TEST(reads_spreads)
{
    struct demo_spread spread;
    ck_assert(demo_read_spread(
        parse("{\"aggregations\":{\"tiers\":{\"buckets\":["
              "{\"key\":\"FAST\",\"doc_count\":5},{\"key\":\"SLOW\",\"doc_count\":1}]}}}"),
        "tiers", &spread));
    ck_assert_uint_eq(spread.count, 2);
    ck_assert(str_equal(spread.bars[1].name, STR("SLOW")));
    ck_assert_uint_eq(spread.bars[0].count, 5);
    static const char *const WRONG[] = {
        "{}", "{\"aggregations\":{\"tiers\":{\"buckets\":{}}}}",
        "{\"aggregations\":{\"tiers\":{\"buckets\":[1]}}}",
        "{\"aggregations\":{\"tiers\":{\"buckets\":[{\"key\":1,\"doc_count\":5}]}}}"};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
        ck_assert_msg(!demo_read_spread(parse(WRONG[i]), "tiers", &spread), "%s", WRONG[i]);
}
END_TEST

START_TEST(reads_a_document)
{
    struct str index;
    const struct value *found = demo_read_example(
        parse("{\"hits\":{\"hits\":[{\"_index\":\"i\",\"_source\":{\"a\":1}}]}}"), &index);
    ck_assert_ptr_nonnull(found);
    ck_assert_uint_eq(value_object_count(found), 1);
    ck_assert(str_equal(index, STR("i")));
    ck_assert_ptr_null(demo_read_example(parse("{\"hits\":{\"hits\":[]}}"), &index));
    ck_assert_ptr_null(demo_read_example(parse("{}"), &index));
    for (size_t i = 0; i < DEMO_EXAMPLES; i++)
        parse(demo_example_queries[i]);
    parse(demo_spreads_query);
}
END_TEST

/* ---- lines and alerts ----------------------------------------------------------------------------- */

static bool post(struct demo_alerts *alerts, struct str line)
{
    struct buf body;
    buf_init(&body, OUT_MAX);
    buf_append_str(&body,
                   STR("{\"alerts\":[{\"labels\":{\"alertname\":\"SystemError\",\"severity\":"
                       "\"critical\"},\"annotations\":{\"description\":"));
    json_encode_str(line, &body);
    buf_append_str(&body, STR("}}]}"));
    bool taken = demo_alerts_take(alerts, buf_str(&body));
    buf_release(&body);
    return taken;
}

START_TEST(counts_alerts)
{
    struct map alarming;
    struct demo_alerts alerts;
    struct demo_alert latest[DEMO_ALERTS_KEPT + 1];
    static const char FIRST[] = "{\"timestamp\":\"t1\",\"context\":{\"description\":\"하나\"}}";
    map_init(&alarming);
    map_set(&alarming, str_from(FIRST), NULL);
    map_set(&alarming, STR("second"), NULL);
    demo_alerts_init(&alerts, &alarming);
    ck_assert_uint_eq(demo_alerts_latest(&alerts, &arena, latest, 3), 0);
    ck_assert(post(&alerts, str_from(FIRST)));
    ck_assert(post(&alerts, STR("second")));
    ck_assert_uint_eq(alerts.distinct, 2);
    ck_assert_uint_eq(alerts.again, 0);
    ck_assert(post(&alerts, STR("second")));
    ck_assert(post(&alerts, STR("second")));
    ck_assert(post(&alerts, STR("third")));
    ck_assert_uint_eq(alerts.distinct, 2);
    ck_assert_uint_eq(alerts.again, 1);
    ck_assert_uint_eq(alerts.unknown, 1);
    ck_assert(!demo_alerts_take(&alerts, STR("[]")));
    ck_assert(!demo_alerts_take(&alerts, STR("{\"alerts\":[]}")));
    ck_assert(!demo_alerts_take(&alerts, STR("{")));
    ck_assert(post(&alerts, str_from(FIRST)));
    ck_assert_uint_eq(demo_alerts_latest(&alerts, &arena, latest, DEMO_ALERTS_KEPT + 1),
                      DEMO_ALERTS_KEPT);
    ck_assert(str_equal(latest[0].text, STR("하나")));
    ck_assert(str_equal(latest[0].time, STR("t1")));
    ck_assert(str_equal(latest[0].name, STR("SystemError")));
    ck_assert(str_equal(latest[1].text, STR("third")));
    demo_alerts_release(&alerts);
    map_release(&alarming);
}
END_TEST

static void tell(struct demo_alerts *alerts, const char *end, const char *count)
{
    struct str body = arena_printf(
        &arena, "[{\"labels\":{},\"annotations\":{\"count\":\"%s\"},\"endsAt\":\"%s\"}]", count,
        end);
    ck_assert(demo_alerts_take_list(alerts, body, (struct instant){.seconds = 1000}));
}

START_TEST(an_alert_fires_until_its_end)
{
    struct map alarming;
    struct demo_alerts alerts;
    map_init(&alarming);
    demo_alerts_init(&alerts, &alarming);
    ck_assert(!demo_alerts_take_list(&alerts, STR("{}"), (struct instant){0}));
    ck_assert(demo_alerts_take_list(&alerts, STR("[]"), (struct instant){0}) && !alerts.fired);
    tell(&alerts, "1970-01-01T00:16:41Z", "7");
    ck_assert(alerts.fired && !alerts.resolved && alerts.fired_events == 7);
    tell(&alerts, "1970-01-01T00:16:40Z", "9");
    ck_assert(alerts.resolved && alerts.fired_events == 9);
    tell(&alerts, "1970-01-01T00:17:00Z", "1");
    ck_assert(!alerts.resolved); /* again */
    demo_alerts_release(&alerts);
    map_release(&alarming);
}
END_TEST

START_TEST(an_alarm_is_two_lines)
{
    view_alarm(&PLAIN, true, true, 1234, 1500, &out);
    expect_shown("    firing     PaymentErrors, for 1,234 events\n"
                 "    resolved   PaymentErrors, 1.5 s later: no further error came\n");
    view_alarm(&PLAIN, true, false, 1, 0, &out);
    expect_shown(
        "    firing     PaymentErrors, for 1 event\n    firing     PaymentErrors, still\n");
    view_alarm(&PLAIN, false, false, 0, 0, &out);
    expect_shown("    none came within the time\n");
}
END_TEST

START_TEST(plugins_have_a_line_each)
{
    ck_assert(
        view_metrics(&PLAIN,
                     parse("{\"pipelines\":{\"main\":{\"plugins\":{"
                           "\"inputs\":[{\"name\":\"beats\",\"events\":{\"out\":2000}}],"
                           "\"filters\":[{\"name\":\"json\",\"events\":{\"in\":2000,\"out\":1999,"
                           "\"duration_in_millis\":20}}],\"outputs\":[]}}}}"),
                     &out));
    expect_shown("    input    beats                 2,000 out\n"
                 "    filter   json                  2,000 in       1,999 out    10.0 µs each\n");
    ck_assert(!view_metrics(&PLAIN, parse("{}"), &out));
    ck_assert_uint_eq(out.len, 0);
}
END_TEST

START_TEST(the_first_table_of_a_report_is_shown)
{
    static const char *const LINES_OF_IT[] = {"# Title",
                                              "",
                                              "| Number | Value | Before |",
                                              "| --- | ---: | ---: |",
                                              "| Payments | 1,234 | - |",
                                              "",
                                              "| | Count |",
                                              "| --- | ---: |",
                                              "| E1 | 7 |",
                                              "|"};
    unsigned tables = 0;
    for (size_t i = 0; i < sizeof LINES_OF_IT / sizeof *LINES_OF_IT; i++)
        view_report_line(&PLAIN, str_from(LINES_OF_IT[i]), &tables, &out);
    ck_assert_uint_eq(tables, 3);
    ck_assert(str_starts_with(buf_str(&out), STR("    Payments                          1,234\n")));
    ck_assert(str_find(buf_str(&out), STR("E1")) == SIZE_MAX);
}
END_TEST

START_TEST(writes_lines_that_end_now)
{
    char path[] = "/tmp/millrace-demo-test-XXXXXX";
    struct map alarming;
    struct str text;
    struct error err = {0};
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    map_init(&alarming);
    ck_assert(demo_lines_write(path, LINES, &alarming, &err));
    ck_assert(file_read(&arena, path, (size_t)LINES * PAYMENT_LINE_MAX_BYTES, &text, &err));
    size_t lines = 0, alarms = 0;
    struct value last;
    while (text.len > 0) {
        struct str line = str_make(text.ptr, str_find(text, STR("\n")));
        ck_assert(json_decode(reader, &arena, line, &last, NULL));
        lines++;
        alarms += map_has(&alarming, line);
        text = str_from_offset(text, line.len + 1);
    }
    ck_assert_uint_eq(lines, LINES);
    ck_assert_uint_eq(alarms, alarming.count);
    ck_assert_uint_gt(alarms, LINES / 50);
    struct instant at;
    ck_assert(instant_parse_iso8601(value_as_str(value_object_get(&last, STR("timestamp"))), &at));
    ck_assert_int_le(at.seconds, clock_now().seconds);
    ck_assert(!demo_lines_write("/nowhere/lines", 1, &alarming, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "cannot write '/nowhere/lines'"));
    map_release(&alarming);
    unlink(path);
}
END_TEST

Suite *demo_suite(void)
{
    Suite *suite = suite_create("demo");
    TCase *tcase = tcase_create("demo");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, progress_keeps_its_width);
    tcase_add_test(tcase, spreads_are_bars);
    tcase_add_test(tcase, an_event_is_a_difference);
    tcase_add_test(tcase, long_things_are_cut);
    tcase_add_loop_test(tcase, the_verdict_says_what_is_missing, 0, sizeof ENDS / sizeof *ENDS);
    tcase_add_test(tcase, reads_counts);
    tcase_add_test(tcase, reads_spreads);
    tcase_add_test(tcase, reads_a_document);
    tcase_add_test(tcase, counts_alerts);
    tcase_add_test(tcase, an_alert_fires_until_its_end);
    tcase_add_test(tcase, an_alarm_is_two_lines);
    tcase_add_test(tcase, plugins_have_a_line_each);
    tcase_add_test(tcase, the_first_table_of_a_report_is_shown);
    tcase_add_test(tcase, writes_lines_that_end_now);
    suite_add_tcase(suite, tcase);
    return suite;
}
