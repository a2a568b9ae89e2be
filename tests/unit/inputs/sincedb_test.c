/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/file/sincedb.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/inputs/suites.h"

static struct sincedb sincedb;
static char folder[] = "/tmp/millrace-sincedb-XXXXXX";
static char path[sizeof folder + 16];

static void set_up(void)
{
    sincedb_init(&sincedb);
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/sincedb", folder);
}

static void tear_down(void)
{
    sincedb_release(&sincedb);
    (void)unlink(path);
    (void)rmdir(folder);
}

static const char *formatted(double not_before)
{
    static char text[1024];
    struct buf out;
    buf_init(&out, sizeof text - 1);
    sincedb_format(&sincedb, not_before, &out);
    memcpy(text, out.len > 0 ? out.ptr : "", out.len);
    text[out.len] = '\0';
    buf_release(&out);
    return text;
}

static const struct {
    const char *in, *out;
} LINES[] = {
    {"", ""},
    {"1 2 3 4 5.5 /a b/c\n", "1 2 3 4 5.500000 /a b/c\n"},
    {"1 2 3 4", "1 2 3 4 0.000000\n"},
    {"1 2 3 4 1700000000.123456\n", "1 2 3 4 1700000000.123456\n"},
    {"1 2 3\nx y z 4\n-1 2 3 4\n1 2 3 99999999999999999999\n\n \n", ""},
    {"1 2 3 4 5\r\n", "1 2 3 4 5.000000\n"},
    {"1 2 3 4 5 /old\n1 2 3 6 7 /new\n", "1 2 3 6 7.000000 /new\n"},
};

START_TEST(reads_lines_of_logstash)
{
    sincedb_parse(&sincedb, str_from(LINES[_i].in));
    ck_assert_str_eq(formatted(0), LINES[_i].out);
}
END_TEST

START_TEST(forgets_old_records_that_are_not_watched)
{
    sincedb_parse(&sincedb, STR("1 0 0 4 100 /old\n2 0 0 4 200 /new\n"));
    ck_assert_str_eq(formatted(150), "2 0 0 4 200.000000 /new\n");
    sincedb_find(&sincedb, (struct file_identity){1, 0, 0})->watched = true;
    sincedb_remove(&sincedb, (struct file_identity){2, 0, 0});
    ck_assert_str_eq(formatted(150), "1 0 0 4 100.000000 /old\n");
}
END_TEST

START_TEST(survives_on_disk)
{
    struct file_identity identity = {7, 8, 9};
    ck_assert(sincedb_load(&sincedb, path, NULL));
    struct sincedb_record *record = sincedb_add(&sincedb, identity);
    sincedb_set_path(&sincedb, record, "/var/log/a");
    sincedb_move(&sincedb, record, 12345, 100);
    ck_assert(sincedb_save(&sincedb, path, 0, NULL));
    ck_assert(!sincedb.changed);
    sincedb_release(&sincedb);
    sincedb_init(&sincedb);
    ck_assert(sincedb_load(&sincedb, path, NULL));
    ck_assert_uint_eq(sincedb_find(&sincedb, identity)->position, 12345);
    ck_assert_str_eq(sincedb_find(&sincedb, identity)->path, "/var/log/a");
    ck_assert(!sincedb.changed);
}
END_TEST

START_TEST(keeps_nothing_in_dev_null)
{
    ck_assert(sincedb_load(&sincedb, "/dev/null", NULL));
    (void)sincedb_add(&sincedb, (struct file_identity){1, 2, 3});
    ck_assert(sincedb_save(&sincedb, "/dev/null", 0, NULL));
    ck_assert(sincedb_save(&sincedb, NULL, 0, NULL));
}
END_TEST

START_TEST(says_what_cannot_be_written)
{
    struct error err;
    (void)sincedb_add(&sincedb, (struct file_identity){1, 2, 3});
    ck_assert(!sincedb_save(&sincedb, "/nowhere/at/all", 0, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "/nowhere/at/all"));
    ck_assert(sincedb.changed);
}
END_TEST

Suite *sincedb_suite(void)
{
    Suite *suite = suite_create("sincedb");
    TCase *cases = tcase_create("sincedb");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_loop_test(cases, reads_lines_of_logstash, 0, sizeof LINES / sizeof *LINES);
    tcase_add_test(cases, forgets_old_records_that_are_not_watched);
    tcase_add_test(cases, survives_on_disk);
    tcase_add_test(cases, keeps_nothing_in_dev_null);
    tcase_add_test(cases, says_what_cannot_be_written);
    suite_add_tcase(suite, cases);
    return suite;
}
