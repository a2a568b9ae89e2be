/* SPDX-License-Identifier: Apache-2.0
 *
 * The log of segments against a model: a list of records. Files are damaged in every way that disks and crashes know, and
 * each record that is still whole has to come, once and in order.
 */
#include "io/segment_log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "io/segment_format.h"
#include "tests/unit/io/suites.h"
#include "tests/unit/runner.h"

enum { RECORDS = 40, SMALL_SEGMENT = 600, BIG_SEGMENT = 1 << 20 };

static char folder[] = "/tmp/millrace-segments-XXXXXX";
static struct error err;

static void setup(void)
{
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    err = (struct error){0};
}

static void teardown(void)
{
    char command[200];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(0, system(command));
}

/* The n-th record: its number, then as many bytes as make it 5 to 100 long. */
static struct str record(char text[128], unsigned n)
{
    int len =
        snprintf(text, 128, "%04u%.*s", n, (int)(n * 37 % 97),
                 "abcdefghijklmnopqrstuvwxyz"
                 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz");
    return str_make(text, (size_t)len);
}

static void append(struct segment_log *log, unsigned first, unsigned last)
{
    char text[128];
    for (unsigned n = first; n < last; n++)
        ck_assert_msg(segment_log_append(log, record(text, n), &err), "%s", err.text);
    ck_assert(segment_log_sync(log, &err));
}

static void fill(uint64_t segment_bytes)
{
    struct segment_log *log = segment_log_open(folder, segment_bytes, &err);
    ck_assert_ptr_nonnull(log);
    append(log, 0, RECORDS);
    segment_log_close(log);
}

/* Reads all there is; seen[n]: record n came. They have to be as they were written, ascending, and none twice. */
static size_t read_all(struct segment_reader *reader, bool seen[RECORDS])
{
    struct str payload;
    struct segment_position at;
    char text[128];
    size_t count = 0;
    int before = -1;
    memset(seen, 0, RECORDS * sizeof *seen);
    while (segment_reader_next(reader, &payload, &at)) {
        unsigned n = RECORDS;
        ck_assert_int_eq(1, sscanf(payload.ptr, "%4u", &n));
        ck_assert_uint_lt(n, RECORDS);
        ck_assert_int_gt((int)n, before);
        ck_assert(str_equal(record(text, n), payload));
        before = (int)n;
        seen[n] = true;
        count++;
    }
    return count;
}

static size_t count_readable(struct segment_damage *damage_out)
{
    bool seen[RECORDS];
    struct segment_reader *reader = segment_reader_open(folder);
    size_t count = read_all(reader, seen);
    if (damage_out)
        *damage_out = segment_reader_damage(reader);
    segment_reader_close(reader);
    return count;
}

START_TEST(records_come_as_they_were_written)
{
    struct segment_damage damage;
    fill(SMALL_SEGMENT);
    size_t segments;
    uint64_t *numbers = segment_list(folder, &segments);
    mem_free(numbers);
    ck_assert_uint_gt(segments, 3);
    ck_assert_uint_eq(RECORDS, count_readable(&damage));
    ck_assert_uint_eq(0, damage.places);
}
END_TEST

START_TEST(a_reader_follows_a_writer)
{
    struct segment_log *log = segment_log_open(folder, SMALL_SEGMENT, &err);
    struct segment_reader *reader = segment_reader_open(folder);
    bool seen[RECORDS];
    for (unsigned n = 0; n < RECORDS; n++) {
        append(log, n, n + 1);
        ck_assert_uint_eq(1, read_all(reader, seen));
        ck_assert(seen[n]);
    }
    ck_assert_uint_eq(segment_list_bytes(folder), segment_log_bytes(log));
    segment_reader_close(reader);
    segment_log_close(log);
}
END_TEST

START_TEST(a_log_that_is_opened_again_goes_on_in_a_new_segment)
{
    struct segment_log *log = segment_log_open(folder, BIG_SEGMENT, &err);
    append(log, 0, 10);
    segment_log_close(log);
    log = segment_log_open(folder, BIG_SEGMENT, &err);
    append(log, 10, RECORDS);
    segment_log_close(log);
    ck_assert_uint_eq(RECORDS, count_readable(NULL));
}
END_TEST

START_TEST(what_is_done_is_not_read_again)
{
    bool seen[RECORDS];
    struct str payload;
    struct segment_position at;
    fill(SMALL_SEGMENT);
    struct segment_reader *reader = segment_reader_open(folder);
    for (unsigned n = 0; segment_reader_next(reader, &payload, &at); n++)
        if (n % 3 == 0)
            ck_assert(segment_reader_done(reader, at, &err));
    ck_assert(segment_reader_sync(reader, &err));
    segment_reader_rewind(reader);
    ck_assert_uint_eq(RECORDS - (RECORDS + 2) / 3, read_all(reader, seen));
    segment_reader_close(reader);
    for (unsigned n = 0; n < RECORDS; n++)
        ck_assert_int_eq(n % 3 != 0, seen[n]);
}
END_TEST

START_TEST(segments_that_are_done_go)
{
    struct str payload;
    struct segment_position at;
    size_t segments;
    fill(SMALL_SEGMENT);
    struct segment_reader *reader = segment_reader_open(folder);
    while (segment_reader_next(reader, &payload, &at))
        ck_assert(segment_reader_done(reader, at, &err));
    ck_assert(segment_reader_sync(reader, &err));
    segment_reader_close(reader);
    mem_free(segment_list(folder, &segments));
    ck_assert_uint_eq(1, segments); /* the newest may still be written */
    ck_assert_uint_eq(0, count_readable(NULL));
}
END_TEST

START_TEST(the_oldest_are_dropped_but_never_the_one_being_written)
{
    struct segment_log *log = segment_log_open(folder, SMALL_SEGMENT, &err);
    append(log, 0, RECORDS);
    uint64_t records, all = 0;
    while (segment_log_drop_oldest(log, &records)) {
        ck_assert_uint_gt(records, 0);
        all += records;
    }
    size_t left = count_readable(NULL);
    ck_assert_uint_eq(all + left, RECORDS);
    ck_assert_uint_gt(left, 0);
    ck_assert_uint_lt(left, RECORDS);
    ck_assert_uint_eq(segment_list_bytes(folder), segment_log_bytes(log));
    segment_log_close(log);
}
END_TEST

/* ---- damage --------------------------------------------------------------------------------------- */

static size_t load(char *bytes, size_t max)
{
    char path[SEGMENT_PATH_MAX];
    ck_assert(segment_path(path, folder, 1, "log"));
    FILE *file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    size_t len = fread(bytes, 1, max, file);
    ck_assert_int_eq(0, fclose(file));
    return len;
}

static void store(uint64_t number, const char *bytes, size_t len)
{
    char path[SEGMENT_PATH_MAX];
    ck_assert(segment_path(path, folder, number, "log"));
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(len, fwrite(bytes, 1, len, file));
    ck_assert_int_eq(0, fclose(file));
}

/* Where the records of the only segment begin; the last one is its end. */
static void find_offsets(size_t offsets[RECORDS + 1], size_t len)
{
    struct str payload;
    struct segment_position at;
    struct segment_reader *reader = segment_reader_open(folder);
    for (size_t n = 0; n < RECORDS; n++) {
        ck_assert(segment_reader_next(reader, &payload, &at));
        offsets[n] = at.offset;
    }
    offsets[RECORDS] = len;
    segment_reader_close(reader);
}

START_TEST(cut_off_anywhere_it_gives_all_that_is_whole)
{
    char bytes[8192];
    size_t offsets[RECORDS + 1];
    fill(BIG_SEGMENT);
    size_t len = load(bytes, sizeof bytes);
    find_offsets(offsets, len);
    for (size_t cut = 0; cut <= len; cut++) {
        store(1, bytes, cut);
        size_t whole = 0;
        while (whole < RECORDS && offsets[whole + 1] <= cut)
            whole++;
        ck_assert_uint_eq(whole, count_readable(NULL));
    }
}
END_TEST

/* Numbers that are the same in every run. */
static uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

START_TEST(with_any_bit_turned_over_all_others_come)
{
    enum { FLIPS = 10000 };
    char bytes[8192];
    size_t offsets[RECORDS + 1];
    bool seen[RECORDS];
    uint64_t random = 1;
    fill(BIG_SEGMENT);
    size_t len = load(bytes, sizeof bytes);
    find_offsets(offsets, len);
    for (int i = 0; i < FLIPS; i++) {
        size_t bit = next_random(&random) % (len * 8);
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        store(1, bytes, len);
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        struct segment_reader *reader = segment_reader_open(folder);
        read_all(reader, seen);
        segment_reader_close(reader);
        for (unsigned n = 0; n < RECORDS; n++)
            ck_assert_int_eq(bit / 8 < offsets[n] || bit / 8 >= offsets[n + 1], seen[n]);
    }
}
END_TEST

START_TEST(holes_of_zeros_cost_only_what_they_hit)
{
    char bytes[8192], hit[8192];
    size_t offsets[RECORDS + 1];
    struct segment_damage damage;
    fill(BIG_SEGMENT);
    size_t len = load(bytes, sizeof bytes);
    find_offsets(offsets, len);
    for (size_t from = 0; from + 300 < len; from += 13) {
        memcpy(hit, bytes, len);
        memset(hit + from, 0, 300);
        store(1, hit, len);
        store(2, "", 0); /* so that the first is at its end */
        size_t whole = 0;
        for (size_t n = 0; n < RECORDS; n++)
            whole += offsets[n + 1] <= from || offsets[n] >= from + 300;
        ck_assert_uint_eq(whole, count_readable(&damage));
        ck_assert_uint_ge(damage.places, 1);
    }
}
END_TEST

START_TEST(a_copy_under_another_number_is_not_read_twice)
{
    char bytes[8192];
    struct segment_damage damage;
    fill(BIG_SEGMENT);
    store(2, bytes, load(bytes, sizeof bytes));
    store(3, "", 0);
    ck_assert_uint_eq(RECORDS, count_readable(&damage));
    ck_assert_uint_eq(1, damage.places);
}
END_TEST

START_TEST(what_a_payload_contains_is_never_taken_for_a_record)
{
    char inside[256], text[128];
    unsigned char *head = (unsigned char *)inside;
    struct segment_log *log = segment_log_open(folder, BIG_SEGMENT, &err);
    segment_record_head_write(head, 12345,
                              record(text, 7)); /* by somebody who does not know the salt */
    memcpy(inside + SEGMENT_RECORD_HEAD_BYTES, text, record(text, 7).len);
    size_t len = SEGMENT_RECORD_HEAD_BYTES + record(text, 7).len;
    ck_assert(segment_log_append(log, str_make(inside, len), &err));
    append(log, 8, RECORDS);
    segment_log_close(log);
    char bytes[8192];
    size_t size = load(bytes, sizeof bytes);
    bytes[SEGMENT_HEAD_BYTES + 4] ^= 1; /* the length of the record around it */
    store(1, bytes, size);
    ck_assert_uint_eq(RECORDS - 8, count_readable(NULL));
}
END_TEST

static const char *damaged_folder(void)
{
    static char path[sizeof folder + 16];
    (void)snprintf(path, sizeof path, "%s/damaged", folder);
    return path;
}

START_TEST(a_damaged_segment_is_kept_apart_when_it_is_done)
{
    char bytes[8192], path[SEGMENT_PATH_MAX];
    struct str payload;
    struct segment_position at;
    fill(BIG_SEGMENT);
    size_t len = load(bytes, sizeof bytes);
    bytes[len / 2] ^= 4;
    store(1, bytes, len);
    store(2, "", 0);
    struct segment_reader *reader = segment_reader_open(folder);
    while (segment_reader_next(reader, &payload, &at))
        ck_assert(segment_reader_done(reader, at, &err));
    ck_assert(segment_reader_sync(reader, &err));
    segment_reader_close(reader);
    ck_assert(segment_path(path, damaged_folder(), 1, "log"));
    ck_assert_int_eq(0, access(path, F_OK));
    ck_assert(segment_path(path, folder, 1, "log"));
    ck_assert_int_ne(0, access(path, F_OK));
}
END_TEST

START_TEST(checksums_are_those_of_the_rfc)
{
    char zeros[32] = {0}, ones[32];
    memset(ones, 0xff, sizeof ones);
    ck_assert_uint_eq(0x8a9136aau, crc32c(0, zeros, sizeof zeros));
    ck_assert_uint_eq(0x62a8ab43u, crc32c(0, ones, sizeof ones));
    ck_assert_uint_eq(0xe3069283u, crc32c(0, "123456789", 9));
    for (size_t cut = 0; cut <= 9; cut++)
        ck_assert_uint_eq(0xe3069283u,
                          crc32c_by_table(crc32c(0, "123456789", cut), "123456789" + cut, 9 - cut));
}
END_TEST

/* Passed over are those in `passed`, over ends of segments too; all others are read. */
START_TEST(what_is_passed_over_counts_as_read)
{
    char text[128];
    struct str payload;
    struct segment_position at;
    struct segment_log *log = segment_log_open(folder, SMALL_SEGMENT, &err);
    struct segment_reader *reader = segment_reader_open(folder);
    for (unsigned n = 0; n < RECORDS; n++) {
        append(log, n, n + 1);
        struct segment_position written = segment_log_last(log);
        struct segment_position wrong = {written.segment, written.offset + 1};
        ck_assert(!segment_reader_pass(reader, wrong, record(text, n).len));
        if (n % 3 == 1) {
            ck_assert(segment_reader_next(reader, &payload, &at));
            ck_assert(str_equal(record(text, n), payload));
            ck_assert(at.segment == written.segment && at.offset == written.offset);
        } else {
            ck_assert(segment_reader_pass(reader, written, record(text, n).len));
        }
        ck_assert(!segment_reader_pass(reader, written, record(text, n).len));
        ck_assert(n == 0 || segment_reader_done(reader, written, &err));
    }
    ck_assert(!segment_reader_next(reader, &payload, &at));
    ck_assert(segment_reader_sync(reader, &err));
    segment_reader_close(reader);
    segment_log_close(log);
    struct segment_damage damage;
    ck_assert_uint_eq(1, count_readable(&damage)); /* the one that is not done */
    ck_assert_uint_eq(0, damage.places);
    size_t segments;
    mem_free(segment_list(folder, &segments));
    ck_assert_uint_eq(2, segments); /* its own, and the newest */
}
END_TEST

Suite *segment_log_suite(void)
{
    Suite *suite = suite_create("segment log");
    TCase *tcase = tcase_create("segments");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, what_is_passed_over_counts_as_read);
    tcase_add_test(tcase, records_come_as_they_were_written);
    tcase_add_test(tcase, a_reader_follows_a_writer);
    tcase_add_test(tcase, a_log_that_is_opened_again_goes_on_in_a_new_segment);
    tcase_add_test(tcase, what_is_done_is_not_read_again);
    tcase_add_test(tcase, segments_that_are_done_go);
    tcase_add_test(tcase, the_oldest_are_dropped_but_never_the_one_being_written);
    tcase_add_test(tcase, cut_off_anywhere_it_gives_all_that_is_whole);
    tcase_add_test(tcase, with_any_bit_turned_over_all_others_come);
    tcase_add_test(tcase, holes_of_zeros_cost_only_what_they_hit);
    tcase_add_test(tcase, a_copy_under_another_number_is_not_read_twice);
    tcase_add_test(tcase, what_a_payload_contains_is_never_taken_for_a_record);
    tcase_add_test(tcase, a_damaged_segment_is_kept_apart_when_it_is_done);
    tcase_add_test(tcase, checksums_are_those_of_the_rfc);
    suite_add_tcase(suite, tcase);
    return suite;
}
