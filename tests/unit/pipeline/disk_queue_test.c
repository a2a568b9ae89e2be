/* SPDX-License-Identifier: Apache-2.0
 *
 * The disk queue against a model: records with numbers. Each that is whole and not done has to come, in order, whatever was
 * done to the files.
 */
#include "pipeline/delivery/disk_queue.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/mem.h"
#include "io/segment_format.h"
#include "pipeline/delivery/queue_record.h"
#include "pipeline/engine/lane_private.h"
#include "pipeline/engine/receipt.h"
#include "tests/unit/pipeline/suites.h"
#include "tests/unit/runner.h"

enum { RECORDS = 30, CAME_MAX = 10 * RECORDS, DONE_BEFORE = 10, FLIPS = 1500 };

static char folder[64]; /* in memory where that can be: it is opened ten thousand times */
static struct error err;
static struct log silent;
static struct lane lane; /* of receipts */
static uv_loop_t loop;
static struct account account;

/* What came out. */
static uv_mutex_t lock;
static uv_cond_t wake;
static unsigned undone_left; /* so many readings behind the first few are not done */
static bool gives_again;
static unsigned came[CAME_MAX], came_count;
static struct arena readings;
static unsigned keep_from; /* readings that begin with a number as large are not done */
static bool was_done[RECORDS], done_before[RECORDS];
static struct disk_queue *queue;
static unsigned home_delivered, home_abandoned;

static void on_wake(uv_async_t *async)
{
    (void)async;
}

static void setup(void)
{
    bool in_memory = access("/dev/shm", W_OK) == 0;
    (void)snprintf(folder, sizeof folder, "%s/millrace-queue-XXXXXX",
                   in_memory ? "/dev/shm" : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    err = (struct error){0};
    log_init(&silent, LOG_LEVEL_FATAL, LOG_FORMAT_PLAIN, -1);
    lane = (struct lane){0};
    ck_assert_int_eq(0, uv_loop_init(&loop));
    ck_assert_int_eq(0, uv_async_init(&loop, &lane.wake, on_wake));
    ck_assert(uv_mutex_init(&lock) == 0 && uv_cond_init(&wake) == 0);
    arena_init(&readings, NULL);
    keep_from = RECORDS;
    memset(was_done, 0, sizeof was_done);
    came_count = home_delivered = home_abandoned = undone_left = 0;
    gives_again = false;
}

static void teardown(void)
{
    char command[200];
    arena_release(&readings);
    uv_close((uv_handle_t *)&lane.wake, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(0, uv_loop_close(&loop));
    uv_mutex_destroy(&lock);
    uv_cond_destroy(&wake);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(0, system(command));
}

/* ---- a user that notes what comes ------------------------------------------------------------------ */

struct some_batch {
    struct arena arena;
    unsigned number; /* of one that came with its parcel */
};

static struct some_batch *batch_of(unsigned number)
{
    struct some_batch *batch = mem_zero(1, sizeof *batch);
    arena_init(&batch->arena, NULL);
    batch->number = number;
    return batch;
}

static void free_batch(struct some_batch *batch)
{
    arena_release(&batch->arena);
    mem_free(batch);
}

static struct arena *begin(void *ctx, struct queue_reading *reading)
{
    (void)ctx;
    struct some_batch *batch = batch_of(0);
    reading->batch = batch;
    return &batch->arena;
}

static unsigned passed_count, unpassed_count;

static void unpassed(void *ctx, void *batch)
{
    (void)ctx;
    unpassed_count++;
    free_batch(batch);
}

static unsigned number_of(struct str bytes)
{
    struct queue_record record;
    struct arena scratch;
    arena_init(&scratch, NULL);
    ck_assert(queue_record_read(bytes, &record) && record.count == 1);
    const unsigned char *at = (const unsigned char *)record.events.ptr;
    struct event_reader reader = {.at = at, .end = at + record.events.len, .arena = &scratch};
    struct event *event = event_read(&reader);
    ck_assert_ptr_nonnull(event);
    unsigned number = (unsigned)value_as_int(value_object_get(&event->fields, STR("n")));
    arena_release(&scratch);
    return number;
}

static void arrived(void *ctx, struct queue_reading *reading)
{
    (void)ctx;
    struct some_batch *batch = reading->batch;
    bool has_passed = reading->count > 0 && reading->records[0].bytes.len == 0;
    unsigned first = has_passed           ? batch->number
                     : reading->count > 0 ? number_of(reading->records[0].bytes)
                                          : RECORDS;
    bool done = first < keep_from;
    passed_count += has_passed;
    uv_mutex_lock(&lock);
    for (size_t i = 0; i < reading->count && came_count < CAME_MAX; i++) {
        came[came_count] = has_passed ? first : number_of(reading->records[i].bytes);
        was_done[came[came_count++]] |= done;
    }
    if (undone_left > 0 && first >= DONE_BEFORE) {
        undone_left--;
        done = false;
    }
    uv_mutex_unlock(&lock);
    free_batch(batch);
    disk_queue_done(queue, reading, done);
}

static void changed(void *ctx)
{
    (void)ctx;
    uv_mutex_lock(&lock);
    uv_cond_signal(&wake);
    uv_mutex_unlock(&lock);
}

static struct disk_queue_options options_of(enum queue_durability durability)
{
    return (struct disk_queue_options){.folder = folder,
                                       .log = &silent,
                                       .max_bytes = 1 << 20,
                                       .page_bytes = 600,
                                       .durability = durability,
                                       .sync_ms = 1000};
}

static void open_queue(const struct disk_queue_options *options)
{
    struct disk_queue_user user = {.batch_events = 4,
                                   .batch_bytes = 1000,
                                   .ahead_bytes = 1000,
                                   .ahead_readings = 3,
                                   .gives_again = gives_again,
                                   .begin = begin,
                                   .arrived = arrived,
                                   .unpassed = unpassed,
                                   .changed = changed};
    queue = disk_queue_open(options, &err);
    ck_assert_msg(queue != NULL, "%s", err.text);
    ck_assert_msg(disk_queue_start(queue, &user, &err), "%s", err.text);
}

static void take_home(void)
{
    (void)lane_drain_inbox(&lane);
}

static void close_queue(void)
{
    disk_queue_stop(queue);
    take_home();
    disk_queue_close(queue);
    queue = NULL;
}

static void wait_drained(void)
{
    uv_mutex_lock(&lock);
    while (!disk_queue_is_drained(queue))
        uv_cond_wait(&wake, &lock);
    uv_mutex_unlock(&lock);
}

static void at_home(struct inbox_item *item)
{
    struct receipt *receipt = (struct receipt *)item;
    receipt->is_home = true;
    bool delivered = receipt_outcome(receipt) == RECEIPT_DELIVERED;
    home_delivered += delivered;
    home_abandoned += !delivered;
    receipt_free(receipt);
}

static size_t write_record(struct buf *out, unsigned number)
{
    struct arena arena;
    struct queue_record_writer writer;
    arena_init(&arena, NULL);
    struct event *event = event_new(&arena);
    value_object_set(&arena, &event->fields, STR("n"), value_int(number));
    ck_assert(queue_record_begin(&writer, out) && queue_record_add(&writer, event));
    size_t len = queue_record_end(&writer);
    arena_release(&arena);
    return len;
}

static void put(unsigned first, unsigned last)
{
    struct receipt *receipt = receipt_new(NULL, &lane, at_home);
    struct queue_parcel *parcel = queue_parcel_new(&account, receipt);
    for (unsigned n = first; n < last; n++)
        queue_parcel_add(parcel, write_record(&parcel->bytes, n), 1);
    disk_queue_put(queue, parcel);
}

static void wait_home(unsigned count)
{
    while (home_delivered + home_abandoned < count) {
        uv_run(&loop, UV_RUN_ONCE); /* a receipt wakes it */
        take_home();
    }
}

/* Everything is written once; of its beginning some is done. */
static void fill(void)
{
    struct disk_queue_options options = options_of(DURABLE_ACK);
    keep_from = DONE_BEFORE;
    open_queue(&options);
    for (unsigned n = 0; n < RECORDS; n += 5)
        put(n, n + 5);
    wait_home(RECORDS / 5);
    wait_drained();
    close_queue();
    keep_from = RECORDS;
    memcpy(done_before, was_done, sizeof was_done);
    ck_assert_uint_eq(0, home_abandoned);
    ck_assert_uint_eq(0, account_used(&account));
    ck_assert(done_before[0] && !done_before[RECORDS - 1]);
}

static void read_all(void)
{
    struct disk_queue_options options = options_of(DURABLE_ACK);
    came_count = 0;
    open_queue(&options);
    wait_drained();
    close_queue();
}

static size_t left(void)
{
    size_t count = 0;
    for (unsigned n = 0; n < RECORDS; n++)
        count += !done_before[n];
    return count;
}

/* Each came once at most, in order; how many of those that were not done did not. */
static size_t missing_of(void)
{
    bool seen[RECORDS] = {false};
    for (unsigned i = 0; i < came_count; i++) {
        ck_assert_uint_lt(came[i], RECORDS);
        ck_assert(!seen[came[i]]);
        ck_assert(i == 0 || came[i] > came[i - 1]);
        seen[came[i]] = true;
    }
    size_t missing = 0;
    for (unsigned n = 0; n < RECORDS; n++)
        missing += !seen[n] && !done_before[n];
    return missing;
}

/* ---- without damage -------------------------------------------------------------------------------- */

START_TEST(records_come_in_order_and_once)
{
    struct disk_queue_options options = options_of((enum queue_durability)_i);
    open_queue(&options);
    for (unsigned n = 0; n < RECORDS; n += 3)
        put(n, n + 3);
    wait_home(RECORDS / 3);
    wait_drained();
    struct disk_queue_figures figures;
    disk_queue_figures(queue, &figures);
    ck_assert_uint_eq(RECORDS, figures.written_events);
    ck_assert_uint_eq(RECORDS, figures.read_events);
    ck_assert_uint_eq(0, figures.waiting_bytes);
    ck_assert_uint_eq(_i == DURABLE_ACK, figures.syncs > 0);
    close_queue();
    ck_assert_uint_eq(RECORDS, came_count);
    for (unsigned n = 0; n < RECORDS; n++)
        ck_assert_uint_eq(n, came[n]);
    read_all();
    ck_assert_uint_eq(0, came_count);
}
END_TEST

START_TEST(what_is_not_done_comes_again)
{
    fill();
    for (int again = 0; again < 2; again++) {
        keep_from = again == 0 ? 0 : RECORDS;
        read_all();
        ck_assert_uint_eq(left(), came_count);
        ck_assert_uint_eq(0, missing_of());
    }
    read_all();
    ck_assert_uint_eq(0, came_count);
}
END_TEST

/* Without another opening: in order, until all of it is done, and nothing that was done. */
START_TEST(what_comes_back_undone_is_read_again)
{
    struct disk_queue_options options = options_of((enum queue_durability)_i);
    unsigned times[RECORDS] = {0}, ended = 0;
    gives_again = true;
    undone_left = 2;
    open_queue(&options);
    for (unsigned n = 0; n < RECORDS; n += 3)
        put(n, n + 3);
    wait_home(RECORDS / 3);
    wait_drained();
    struct disk_queue_figures figures;
    disk_queue_figures(queue, &figures);
    ck_assert_uint_eq(0, figures.events);
    ck_assert_uint_eq(RECORDS, figures.done_events);
    close_queue();
    ck_assert_uint_gt(came_count, RECORDS);
    for (unsigned i = 0; i < came_count; i++) {
        ck_assert_uint_lt(came[i], RECORDS);
        times[came[i]]++;
        ended += i > 0 && came[i] <= came[i - 1];
    }
    for (unsigned n = 0; n < RECORDS; n++)
        ck_assert(n < DONE_BEFORE ? times[n] == 1 : times[n] >= 1);
    ck_assert_uint_ge(ended, 1); /* times that it went back */
    read_all();
    ck_assert_uint_eq(0, came_count);
    ck_assert_uint_eq(0, segment_list_bytes(folder));
}
END_TEST

START_TEST(nothing_is_left_of_what_is_done)
{
    fill();
    read_all();
    ck_assert_uint_eq(0, segment_list_bytes(folder));
}
END_TEST

START_TEST(a_second_one_is_refused)
{
    struct disk_queue_options options = options_of(DURABLE_ACK);
    open_queue(&options);
    ck_assert_ptr_null(disk_queue_open(&options, &err));
    ck_assert_int_eq(ERROR_BUSY, err.code);
    close_queue();
}
END_TEST

START_TEST(a_stop_gives_nothing_up)
{
    struct disk_queue_options options = options_of(DURABLE_ACK);
    fill();
    came_count = 0;
    open_queue(&options);
    disk_queue_stop_reading(queue);
    put(0, 1);
    wait_home(home_delivered + 1);
    close_queue();
    unsigned before = came_count;
    read_all();
    ck_assert_uint_eq(left() + 1, before + came_count);
    ck_assert_uint_eq(0, came[came_count - 1]);
}
END_TEST

/* A batch that comes with its parcel goes on as it is, or its records are read: each once, and in order; what is not done comes
 * again. */
START_TEST(batches_pass_while_nothing_waits)
{
    struct disk_queue_options options = options_of(DURABLE_ACK);
    passed_count = unpassed_count = 0;
    keep_from = DONE_BEFORE;
    open_queue(&options);
    for (unsigned n = 0; n < RECORDS; n++) {
        struct queue_parcel *parcel = queue_parcel_new(&account, receipt_new(NULL, &lane, at_home));
        queue_parcel_add(parcel, write_record(&parcel->bytes, n), 1);
        parcel->batch = n % 7 != 6 ? batch_of(n) : NULL;
        disk_queue_put(queue, parcel);
        if (n == 0)
            wait_home(1);
    }
    wait_home(RECORDS);
    wait_drained();
    close_queue();
    ck_assert_uint_eq(RECORDS, came_count);
    for (unsigned n = 0; n < RECORDS; n++)
        ck_assert_uint_eq(n, came[n]);
    ck_assert_uint_ge(passed_count, 1);
    ck_assert_uint_eq(RECORDS - RECORDS / 7, passed_count + unpassed_count);
    keep_from = RECORDS;
    memcpy(done_before, was_done, sizeof was_done);
    read_all();
    ck_assert_uint_eq(left(), came_count);
    ck_assert_uint_eq(0, missing_of());
    ck_assert_uint_eq(0, segment_list_bytes(folder));
}
END_TEST

/* ---- damage ---------------------------------------------------------------------------------------- */

/* The files of a folder, kept in memory. */
struct kept_file {
    char name[64];
    char bytes[8192];
    size_t len;
};
static struct kept_file files[40];
static size_t file_count;

static void keep_files(void)
{
    static const char *const SUFFIXES[] = {"log", "done"};
    size_t count;
    uint64_t *numbers = segment_list(folder, &count);
    file_count = 0;
    for (size_t i = 0; i < 2 * count; i++) {
        char path[SEGMENT_PATH_MAX];
        struct kept_file *file = &files[file_count];
        ck_assert(segment_path(path, folder, numbers[i / 2], SUFFIXES[i % 2]));
        FILE *from = fopen(path, "rb");
        if (!from)
            continue;
        (void)snprintf(file->name, sizeof file->name, "%s", strrchr(path, '/'));
        file->len = fread(file->bytes, 1, sizeof file->bytes, from);
        ck_assert_uint_lt(file->len, sizeof file->bytes);
        (void)fclose(from);
        file_count++;
    }
    mem_free(numbers);
    ck_assert_uint_gt(file_count,
                      1); /* segments that are done as a whole are gone, sooner or later */
}

static void remove_all(void)
{
    char command[200];
    (void)snprintf(command, sizeof command, "rm -rf '%s'/*", folder);
    if (system(command) != 0)
        ck_abort();
}

static void clear_folder(void)
{
    size_t count;
    uint64_t *numbers = segment_list(folder, &count);
    for (size_t i = 0; i < count; i++) {
        char path[SEGMENT_PATH_MAX];
        (void)(segment_path(path, folder, numbers[i], "log") && unlink(path));
        (void)(segment_path(path, folder, numbers[i], "done") && unlink(path));
    }
    mem_free(numbers);
}

static void store(const char *name, const char *bytes, size_t len)
{
    char path[SEGMENT_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s%s", folder, name);
    FILE *to = fopen(path, "wb");
    ck_assert_ptr_nonnull(to);
    ck_assert_uint_eq(len, fwrite(bytes, 1, len, to));
    (void)fclose(to);
}

static void restore(void)
{
    clear_folder();
    for (size_t i = 0; i < file_count; i++)
        store(files[i].name, files[i].bytes, files[i].len);
}

/* Records of a segment that begin behind `from` (and are not done). */
static size_t records_behind(const struct kept_file *file, size_t from)
{
    size_t count = 0;
    for (size_t at = SEGMENT_HEAD_BYTES; at + SEGMENT_RECORD_HEAD_BYTES <= file->len;) {
        struct segment_record_head head =
            segment_record_head_read((const unsigned char *)file->bytes + at);
        at += SEGMENT_RECORD_HEAD_BYTES + head.len;
        count += at > from;
    }
    return count;
}

static bool is_log(const struct kept_file *file)
{
    return strstr(file->name, ".log") != NULL;
}

START_TEST(every_truncation_keeps_what_is_whole)
{
    fill();
    keep_files();
    for (size_t i = 0; i < file_count; i++) {
        size_t step = is_log(&files[i]) && i < file_count - 1 ? 7 : 1; /* segments are alike */
        for (size_t len = 0; len < files[i].len; len += step) {
            restore();
            store(files[i].name, files[i].bytes, len);
            read_all();
            ck_assert_uint_le(missing_of(), is_log(&files[i]) ? records_behind(&files[i], len) : 0);
        }
    }
}
END_TEST

START_TEST(every_flipped_bit_costs_one_record_at_most)
{
    fill();
    keep_files();
    const char *more = getenv("MILLRACE_FLIPS"); /* the log's own test has ten thousand */
    int flips = more ? (int)strtol(more, NULL, 10) : FLIPS;
    unsigned seed = 7;
    for (int flip = 0; flip < flips; flip++) {
        restore();
        struct kept_file damaged = files[(unsigned)rand_r(&seed) % file_count];
        if (damaged.len == 0)
            continue;
        size_t bit = (unsigned)rand_r(&seed) % (damaged.len * 8);
        damaged.bytes[bit / 8] = (char)(damaged.bytes[bit / 8] ^ 1 << bit % 8);
        store(damaged.name, damaged.bytes, damaged.len);
        read_all();
        ck_assert_uint_le(missing_of(), is_log(&damaged));
    }
}
END_TEST

/* Files that are empty, zeroed, missing, copied, of others, or no files at all. */
START_TEST(it_opens_whatever_is_there)
{
    static char zeros[8192];
    fill();
    keep_files();
    for (size_t i = 0; i < file_count; i++) {
        size_t in_it = is_log(&files[i]) ? records_behind(&files[i], 0) : 0;
        for (int kind = 0; kind < 5; kind++) {
            restore();
            char path[SEGMENT_PATH_MAX];
            (void)snprintf(path, sizeof path, "%s%s", folder, files[i].name);
            switch (kind) {
            case 0:
                store(files[i].name, "", 0);
                break;
            case 1:
                store(files[i].name, zeros, files[i].len);
                break;
            case 2:
                ck_assert_int_eq(0, unlink(path));
                break;
            case 3:
                store("/segment-0000000999.log", files[i].bytes, files[i].len);
                in_it = 0;
                break;
            case 4:
                ck_assert_int_eq(0, unlink(path));
                ck_assert_int_eq(0, mkdir(path, 0700));
                in_it = is_log(&files[i]) ? records_behind(&files[i], 0) : 0;
                break;
            }
            read_all();
            ck_assert_uint_le(missing_of(), in_it);
            if (kind == 4)
                remove_all();
        }
    }
}
END_TEST

START_TEST(what_is_damaged_is_counted_and_kept_apart)
{
    fill();
    keep_files();
    struct kept_file damaged = files[file_count - 1];
    for (size_t i = 0; i < file_count; i++)
        if (is_log(&files[i]) && records_behind(&files[i], 0) > 1)
            damaged = files[i];
    damaged.bytes[SEGMENT_HEAD_BYTES + SEGMENT_RECORD_HEAD_BYTES + 3] ^= 1;
    store(damaged.name, damaged.bytes, damaged.len);
    struct disk_queue_options options = options_of(DURABLE_ACK);
    came_count = 0;
    open_queue(&options);
    wait_drained();
    struct disk_queue_figures figures;
    disk_queue_figures(queue, &figures);
    close_queue();
    ck_assert_uint_eq(1, figures.damaged_places);
    ck_assert_uint_eq(1, missing_of());
    char path[SEGMENT_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/damaged%s", folder, damaged.name);
    ck_assert_int_eq(0, access(path, F_OK));
}
END_TEST

START_TEST(a_full_queue_waits_and_goes_on)
{
    struct disk_queue_options options = options_of(DURABLE_ACK);
    options.max_events = 5;
    keep_from = 0; /* nothing is done: no room comes */
    open_queue(&options);
    for (unsigned n = 0; n < 6; n++)
        put(n, n + 1);
    wait_home(5);
    struct disk_queue_figures figures;
    disk_queue_figures(queue, &figures);
    ck_assert_uint_eq(5, figures.events);
    close_queue();
    ck_assert_uint_eq(5, home_delivered);
    ck_assert_uint_eq(1, home_abandoned);
    keep_from = RECORDS;
    came_count = 0;
    open_queue(&options);
    put(5, 6);
    wait_home(7);
    wait_drained();
    close_queue();
    ck_assert_uint_eq(6, home_delivered);
    ck_assert_uint_eq(6, came_count);
}
END_TEST

Suite *disk_queue_suite(void)
{
    Suite *suite = suite_create("disk queue");
    TCase *tcase = tcase_create("queue");
    tcase_set_timeout(tcase, 300);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, records_come_in_order_and_once, DURABLE_NONE, DURABLE_ACK + 1);
    tcase_add_test(tcase, what_is_not_done_comes_again);
    tcase_add_loop_test(tcase, what_comes_back_undone_is_read_again, DURABLE_NONE, DURABLE_ACK + 1);
    tcase_add_test(tcase, nothing_is_left_of_what_is_done);
    tcase_add_test(tcase, a_second_one_is_refused);
    tcase_add_test(tcase, batches_pass_while_nothing_waits);
    tcase_add_test(tcase, a_stop_gives_nothing_up);
    tcase_add_test(tcase, every_truncation_keeps_what_is_whole);
    tcase_add_test(tcase, every_flipped_bit_costs_one_record_at_most);
    tcase_add_test(tcase, it_opens_whatever_is_there);
    tcase_add_test(tcase, what_is_damaged_is_counted_and_kept_apart);
    tcase_add_test(tcase, a_full_queue_waits_and_goes_on);
    suite_add_tcase(suite, tcase);
    return suite;
}
