/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics that a configuration defines: their text, their caps, their day.
 */
#include "pipeline/engine/series.h"

#include <check.h>

#include "tests/unit/pipeline/suites.h"

enum { TEXT_MAX = 256 * 1024, DAY = 86400 };

static struct series_registry *registry;
static struct buf text;
static struct error err;
static struct instant today;
static const struct str NAMES[] = {STR_INIT("a"), STR_INIT("b")};

static struct instant now(void)
{
    return today;
}

static void setup(void)
{
    registry = series_registry_new(now);
    buf_init(&text, TEXT_MAX);
    today = (struct instant){.seconds = 20000 * (int64_t)DAY};
    err = (struct error){0};
}

static void teardown(void)
{
    series_registry_free(registry);
    buf_release(&text);
}

static struct series_options options_of(enum series_kind kind, const char *name, size_t labels)
{
    return (struct series_options){
        .kind = kind,
        .name = str_from(name),
        .help = STR("What it is."),
        .labels = NAMES,
        .label_count = labels,
        .max_label_values = 3,
        .max_series = 5,
        .overflow = STR("other"),
    };
}

static struct series_family *open_kind(enum series_kind kind, const char *name, size_t labels)
{
    struct series_options options = options_of(kind, name, labels);
    options.zone = kind == SERIES_UNIQUE ? zone_find(STR("Asia/Seoul"), &err) : NULL;
    return series_family_open(registry, &options, &err);
}

static struct series_values values_of(const char *a, const char *b)
{
    return (struct series_values){.items = {str_from(a), str_from(b)}};
}

static void add(struct series_family *family, const char *a, const char *b, double number)
{
    struct series_values values = values_of(a, b);
    series_note(family, &values, &(struct series_sample){.number = number});
}

static const char *written(void)
{
    text.len = 0;
    ck_assert(series_registry_text(registry, &text));
    ck_assert(buf_append_char(&text, 0));
    return text.ptr;
}

static bool has(const char *line)
{
    return strstr(written(), line);
}

START_TEST(each_kind_has_its_text)
{
    static const double BOUNDS[] = {0.5, 1};
    struct series_family *count = open_kind(SERIES_COUNTER, "n_total", 2);
    struct series_family *gauge = open_kind(SERIES_GAUGE, "level", 0);
    struct series_options options = options_of(SERIES_HISTOGRAM, "took", 1);
    options.bounds = BOUNDS;
    options.bound_count = 2;
    struct series_family *took = series_family_open(registry, &options, &err);
    add(count, "x", "y", 1);
    add(count, "x", "y", 2);
    add(gauge, "", "", 0.25);
    add(gauge, "", "", -1.5);
    add(took, "x", "", 0.5); /* a bound belongs to its bucket */
    add(took, "x", "", 0.75);
    add(took, "x", "", 9);
    ck_assert_str_eq(written(), "# HELP n_total What it is.\n"
                                "# TYPE n_total counter\n"
                                "n_total{a=\"x\",b=\"y\"} 3\n"
                                "# HELP level What it is.\n"
                                "# TYPE level gauge\n"
                                "level -1.5\n"
                                "# HELP took What it is.\n"
                                "# TYPE took histogram\n"
                                "took_bucket{a=\"x\",le=\"0.5\"} 1\n"
                                "took_bucket{a=\"x\",le=\"1\"} 2\n"
                                "took_bucket{a=\"x\",le=\"+Inf\"} 3\n"
                                "took_sum{a=\"x\"} 10.25\n"
                                "took_count{a=\"x\"} 3\n");
}
END_TEST

START_TEST(label_values_are_escaped)
{
    struct series_family *family = open_kind(SERIES_COUNTER, "n_total", 2);
    add(family, "say \"a\\b\"\n한", "", 1);
    struct series_values zero = {.items = {str_make("a\0b", 3), STR("}")}};
    series_note(family, &zero, &(struct series_sample){.number = 1});
    ck_assert(
        has("\nn_total{a=\"say \\\"a\\\\b\\\"\\n한\"} 1\n")); /* b, which is empty, is left out */
    ck_assert(has("\nn_total{a=\"a\xEF\xBF\xBD"
                  "b\",b=\"}\"} 1\n"));
}
END_TEST

START_TEST(a_help_keeps_to_its_line)
{
    struct series_options options = options_of(SERIES_COUNTER, "n_total", 0);
    options.help = STR("one\ntwo \\ \"three\"");
    add(series_family_open(registry, &options, &err), "", "", 1);
    ck_assert(has("# HELP n_total one\\ntwo \\\\ \"three\"\n"));
}
END_TEST

/* Three values, then all further ones together; nothing is lost. */
START_TEST(a_label_has_so_many_values)
{
    struct series_family *family = open_kind(SERIES_COUNTER, "n_total", 1);
    char value[] = "0";
    for (int round = 0; round < 2; round++)
        for (value[0] = '0'; value[0] <= '9'; value[0]++)
            add(family, value, "", 1);
    ck_assert(has("n_total{a=\"0\"} 2\n") && has("n_total{a=\"2\"} 2\n"));
    ck_assert(has("n_total{a=\"other\"} 14\n"));
    ck_assert(!has("n_total{a=\"3\"}"));
}
END_TEST

START_TEST(a_family_has_so_many_series)
{
    struct series_family *family = open_kind(SERIES_COUNTER, "n_total", 2);
    char a[] = "0", b[] = "0";
    for (a[0] = '0'; a[0] <= '2'; a[0]++)
        for (b[0] = '0'; b[0] <= '2'; b[0]++)
            add(family, a, b, 1);
    unsigned lines = 0;
    for (const char *at = written(); (at = strstr(at, "\nn_total{")); at++)
        lines++;
    ck_assert_uint_eq(lines, 6); /* max_series, and one for the rest */
    ck_assert(has("n_total{a=\"other\",b=\"other\"} 4\n"));
}
END_TEST

START_TEST(fixed_values_stay_beyond_the_caps)
{
    struct series_family *family = open_kind(SERIES_COUNTER, "n_total", 2);
    char b[] = "0";
    for (b[0] = '0'; b[0] <= '9'; b[0]++) {
        struct series_values values = values_of("fix", b);
        values.fixed[0] = true;
        series_note(family, &values, &(struct series_sample){.number = 1});
    }
    ck_assert(has("n_total{a=\"fix\",b=\"2\"} 1\n"));
    ck_assert(has("n_total{a=\"fix\",b=\"other\"} 7\n"));
}
END_TEST

static void see(struct series_family *family, const char *who, int64_t seconds)
{
    struct series_values values = values_of("", "");
    series_note(family, &values,
                &(struct series_sample){.member = str_from(who), .at = {.seconds = seconds}});
}

/* In Seoul the day begins nine hours before UTC's. */
START_TEST(different_ones_of_today)
{
    struct series_family *family = open_kind(SERIES_UNIQUE, "users", 0);
    int64_t midnight = 20000 * (int64_t)DAY - 9 * 3600;
    today.seconds = midnight + 3600;
    see(family, "ann", midnight);
    see(family, "ann", midnight + 10);
    see(family, "bob", midnight + DAY - 1);
    see(family, "yesterday", midnight - 1);
    see(family, "tomorrow", midnight + DAY);
    ck_assert(has("\n# TYPE users gauge\nusers 2\n"));
    today.seconds = midnight + DAY;
    ck_assert(has("\nusers 0\n")); /* nobody yet, and nothing need happen for that */
    see(family, "bob", midnight + DAY);
    ck_assert(has("\nusers 1\n"));
}
END_TEST

START_TEST(the_same_family_again)
{
    struct series_family *family = open_kind(SERIES_COUNTER, "n_total", 2);
    ck_assert_ptr_eq(open_kind(SERIES_COUNTER, "n_total", 2), family);
    ck_assert_ptr_null(open_kind(SERIES_COUNTER, "n_total", 1));
    ck_assert_str_ne(err.text, "");
    ck_assert_ptr_null(open_kind(SERIES_GAUGE, "n_total", 2));
    ck_assert_ptr_nonnull(open_kind(SERIES_HISTOGRAM, "took", 0));
    ck_assert_ptr_null(open_kind(SERIES_COUNTER, "took_count", 0));
    ck_assert_ptr_nonnull(open_kind(SERIES_COUNTER, "took_counts", 0));
    ck_assert_ptr_nonnull(open_kind(SERIES_COUNTER, "late_sum", 0));
    ck_assert_ptr_null(open_kind(SERIES_HISTOGRAM, "late", 0));
}
END_TEST

static const char *const BAD_NAMES[] = {"", "1a", "a-b", "a b", "millrace_x", "process_y", "é"};

START_TEST(names_that_cannot_be)
{
    ck_assert_ptr_null(open_kind(SERIES_COUNTER, BAD_NAMES[_i], 0));
    ck_assert_str_ne(err.text, "");
}
END_TEST

static const char *const BAD_LABELS[] = {"", "1a", "a:b", "__a", "le", "a\n"};

START_TEST(labels_that_cannot_be)
{
    struct str label = str_from(BAD_LABELS[_i]);
    struct series_options options = options_of(SERIES_HISTOGRAM, "took", 1);
    options.labels = &label;
    ck_assert_ptr_null(series_family_open(registry, &options, &err));
    ck_assert_str_ne(err.text, "");
}
END_TEST

Suite *series_suite(void)
{
    Suite *suite = suite_create("series");
    TCase *cases = tcase_create("series");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, each_kind_has_its_text);
    tcase_add_test(cases, label_values_are_escaped);
    tcase_add_test(cases, a_help_keeps_to_its_line);
    tcase_add_test(cases, a_label_has_so_many_values);
    tcase_add_test(cases, a_family_has_so_many_series);
    tcase_add_test(cases, fixed_values_stay_beyond_the_caps);
    tcase_add_test(cases, different_ones_of_today);
    tcase_add_test(cases, the_same_family_again);
    tcase_add_loop_test(cases, names_that_cannot_be, 0, sizeof BAD_NAMES / sizeof *BAD_NAMES);
    tcase_add_loop_test(cases, labels_that_cannot_be, 0, sizeof BAD_LABELS / sizeof *BAD_LABELS);
    suite_add_tcase(suite, cases);
    return suite;
}
