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

static const char *formatted(void)
{
    static char text[1024];
    struct buf out;
    buf_init(&out, sizeof text - 1);
    sincedb_format(&sincedb, &out);
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
    ck_assert_str_eq(formatted(), LINES[_i].out);
}
END_TEST

START_TEST(forgets_old_records_that_are_not_watched)
{
    sincedb_parse(&sincedb, STR("1 0 0 4 100 /old\n2 0 0 4 200 /new\n3 0 0 4 1 /watched\n"));
    sincedb_find(&sincedb, (struct file_identity){3, 0, 0})->watched = true;
    sincedb.changed = false;
    sincedb_expire(&sincedb, 150);
    ck_assert_ptr_null(sincedb_find(&sincedb, (struct file_identity){1, 0, 0}));
    ck_assert(sincedb.changed);
    sincedb_remove(&sincedb, (struct file_identity){3, 0, 0});
    ck_assert_str_eq(formatted(), "2 0 0 4 200.000000 /new\n");
}
END_TEST

START_TEST(keeps_fingerprints_where_logstash_does_not_look)
{
    struct file_identity identity = {1, 2, 3};
    sincedb_parse(&sincedb, STR("1 2 3 4 5.0 /a b\n"));
    struct sincedb_record *record = sincedb_find(&sincedb, identity);
    ck_assert_uint_eq(record->head.len, 0);
    sincedb_set_head(&sincedb, record, file_head_of(STR("first line\n")));
    struct file_head head = record->head;
    const char *text = formatted();
    ck_assert_int_eq(strncmp(text, "1 2 3 4 5.000000 /a b\t11:", 25), 0);
    sincedb_remove(&sincedb, identity);
    sincedb_parse(&sincedb, str_from(text));
    record = sincedb_find(&sincedb, identity);
    ck_assert_str_eq(record->path, "/a b");
    ck_assert_uint_eq(record->head.len, head.len);
    ck_assert_uint_eq(record->head.hash, head.hash);
}
END_TEST

START_TEST(a_name_with_the_end_of_a_line_makes_no_record)
{
    struct sincedb_record *record = sincedb_add(&sincedb, (struct file_identity){1, 2, 3});
    sincedb_set_path(&sincedb, record, "/x\n9 9 9 9 9 /y");
    ck_assert_str_eq(formatted(), "1 2 3 0 0.000000 /x?9 9 9 9 9 /y\n");
}
END_TEST

static const struct {
    const char *in, *path;
    uint32_t len;
} HEADS[] = {
    {"/a\t1:0123456789abcdef", "/a", 1},
    {"/a\tb\t1024:0123456789abcdef", "/a\tb", 1024},
    {"/a\tb", "/a\tb", 0},
    {"/a\t1025:0123456789abcdef", "/a\t1025:0123456789abcdef", 0},
    {"/a\t0:0123456789abcdef", "/a\t0:0123456789abcdef", 0},
    {"/a\t-1:0123456789abcdef", "/a\t-1:0123456789abcdef", 0},
    {"/a\t9:0123456789abcde", "/a\t9:0123456789abcde", 0},
    {"/a\t9:0123456789abcdeg", "/a\t9:0123456789abcdeg", 0},
    {"/a\t9:0123456789abcdef0", "/a\t9:0123456789abcdef0", 0},
    {"/a\t9", "/a\t9", 0},
};

START_TEST(takes_only_whole_fingerprints_off_a_path)
{
    char line[256];
    int len = snprintf(line, sizeof line, "1 2 3 4 5 %s\n", HEADS[_i].in);
    sincedb_parse(&sincedb, str_make(line, (size_t)len));
    const struct sincedb_record *record = sincedb_find(&sincedb, (struct file_identity){1, 2, 3});
    ck_assert_str_eq(record->path, HEADS[_i].path);
    ck_assert_uint_eq(record->head.len, HEADS[_i].len);
}
END_TEST

START_TEST(a_fingerprint_grows_with_its_file)
{
    char bytes[2 * FILE_HEAD_MAX_BYTES];
    memset(bytes, 'x', sizeof bytes);
    for (size_t len = 1; len <= sizeof bytes; len += 127) {
        struct file_head head = file_head_of(str_make(bytes, len));
        ck_assert(file_head_matches(&head, str_make(bytes, sizeof bytes)));
        ck_assert(file_head_matches(&head, str_make(bytes, len)));
        ck_assert(!file_head_matches(&head, str_make(bytes, head.len - 1)));
        bytes[head.len - 1] = 'y';
        ck_assert(!file_head_matches(&head, str_make(bytes, sizeof bytes)));
        bytes[head.len - 1] = 'x';
    }
    struct file_head none = file_head_of(STR(""));
    ck_assert(file_head_matches(&none, STR("")));
    ck_assert(file_head_matches(&none, STR("anything")));
}
END_TEST

START_TEST(only_its_owner_may_read_it)
{
    struct stat status;
    FILE *old = fopen(path, "w");
    ck_assert_ptr_nonnull(old);
    fclose(old);
    ck_assert_int_eq(chmod(path, 0644), 0);
    (void)sincedb_add(&sincedb, (struct file_identity){1, 2, 3});
    ck_assert(sincedb_save(&sincedb, path, NULL));
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
}
END_TEST

START_TEST(survives_on_disk)
{
    struct file_identity identity = {7, 8, 9};
    ck_assert(sincedb_load(&sincedb, path, NULL));
    struct sincedb_record *record = sincedb_add(&sincedb, identity);
    sincedb_set_path(&sincedb, record, "/var/log/a");
    sincedb_move(&sincedb, record, 12345, 100);
    ck_assert(sincedb_save(&sincedb, path, NULL));
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
    ck_assert(sincedb_save(&sincedb, "/dev/null", NULL));
    ck_assert(sincedb_save(&sincedb, NULL, NULL));
}
END_TEST

START_TEST(says_what_cannot_be_written)
{
    struct error err;
    (void)sincedb_add(&sincedb, (struct file_identity){1, 2, 3});
    ck_assert(!sincedb_save(&sincedb, "/nowhere/at/all", &err));
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
    tcase_add_test(cases, keeps_fingerprints_where_logstash_does_not_look);
    tcase_add_test(cases, a_name_with_the_end_of_a_line_makes_no_record);
    tcase_add_loop_test(cases, takes_only_whole_fingerprints_off_a_path, 0,
                        sizeof HEADS / sizeof *HEADS);
    tcase_add_test(cases, a_fingerprint_grows_with_its_file);
    tcase_add_test(cases, only_its_owner_may_read_it);
    tcase_add_test(cases, survives_on_disk);
    tcase_add_test(cases, keeps_nothing_in_dev_null);
    tcase_add_test(cases, says_what_cannot_be_written);
    suite_add_tcase(suite, cases);
    return suite;
}
