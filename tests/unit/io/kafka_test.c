/* SPDX-License-Identifier: Apache-2.0
 *
 * Producer and consumer against the cluster that librdkafka has for tests: brokers inside this process.
 */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/kafka_consumer.h"
#include "io/kafka_producer.h"
#include "io/kafka_survey.h"
#include "io/loop_timer.h"
#include "tests/unit/io/suites.h"

/* Its header is not among those that are built (libs/librdkafka.sh). */
struct rd_kafka_mock_cluster_s;
struct rd_kafka_mock_cluster_s *rd_kafka_mock_cluster_new(rd_kafka_t *client, int brokers);
void rd_kafka_mock_cluster_destroy(struct rd_kafka_mock_cluster_s *cluster);
const char *rd_kafka_mock_cluster_bootstraps(const struct rd_kafka_mock_cluster_s *cluster);
rd_kafka_resp_err_t rd_kafka_mock_topic_create(struct rd_kafka_mock_cluster_s *cluster,
                                               const char *topic, int partitions, int replicas);
rd_kafka_resp_err_t rd_kafka_mock_broker_set_down(struct rd_kafka_mock_cluster_s *cluster,
                                                  int32_t broker);
rd_kafka_resp_err_t rd_kafka_mock_broker_set_up(struct rd_kafka_mock_cluster_s *cluster,
                                                int32_t broker);
void rd_kafka_mock_group_initial_rebalance_delay_ms(struct rd_kafka_mock_cluster_s *cluster,
                                                    int32_t delay_ms);

enum { PARTITIONS = 4, OFFSETS_MAX = 1024, TEST_SECONDS = 240, TURN_MS = 20, BROKER = 1 };

static uv_loop_t loop;
static struct log quiet;
static char log_path[64];
static rd_kafka_t *owner; /* of the cluster */
static struct rd_kafka_mock_cluster_s *cluster;

/* ---- the loop ------------------------------------------------------------------------------------- */

static void nothing(void *ctx)
{
    (void)ctx;
}

/* Handles that wait for librdkafka keep no loop running, so a timer of the test does. */
static void turn(void)
{
    static uv_timer_t timer;
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, (uv_timer_cb)nothing, TURN_MS, 0);
    uv_run(&loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
}

static bool is_logged(const char *text)
{
    static char content[64 * 1024];
    FILE *file = fopen(log_path, "r");
    ck_assert_ptr_nonnull(file);
    size_t len = fread(content, 1, sizeof content - 1, file);
    content[len] = '\0';
    fclose(file);
    return strstr(content, text) != NULL;
}

static struct kafka_conf *conf_of(const char *const *pairs)
{
    struct error err;
    struct kafka_conf *conf = kafka_conf_new();
    ck_assert(
        kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster), &err));
    for (; pairs && *pairs; pairs += 2)
        ck_assert_msg(kafka_conf_set(conf, pairs[0], pairs[1], &err), "%s", err.text);
    return conf;
}

static void setup(void)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char reason[256];
    ck_assert_int_eq(RD_KAFKA_CONF_OK,
                     rd_kafka_conf_set(conf, "log_level", "3", reason, sizeof reason));
    snprintf(log_path, sizeof log_path, "/tmp/millrace-kafka-test-XXXXXX");
    int fd = mkstemp(log_path);
    ck_assert_int_ge(fd, 0);
    log_init(&quiet, LOG_LEVEL_INFO, LOG_FORMAT_PLAIN, fd);
    uv_loop_init(&loop);
    owner = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    ck_assert_ptr_nonnull(owner);
    cluster = rd_kafka_mock_cluster_new(owner, 1);
    rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 0);
    ck_assert(!rd_kafka_mock_topic_create(cluster, "t", PARTITIONS, 1));
}

static void teardown(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(0, uv_loop_close(&loop));
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(owner);
    close(quiet.fd);
    unlink(log_path);
}

/* ---- writing -------------------------------------------------------------------------------------- */

struct reports {
    size_t delivered, again, refused;
};

static void on_report(void *ctx, void *tag, enum kafka_outcome outcome, const char *reason)
{
    struct reports *reports = ctx;
    (void)tag;
    (void)reason;
    reports->delivered += outcome == KAFKA_DELIVERED;
    reports->again += outcome == KAFKA_AGAIN;
    reports->refused += outcome == KAFKA_REFUSED;
}

static struct kafka_producer *open_producer(struct reports *reports, bool round_robin)
{
    static const char *const PAIRS[] = {"linger.ms", "1", "message.max.bytes", "2000", NULL};
    struct error err;
    struct kafka_producer_options options = {
        .loop = &loop,
        .log = &quiet,
        .conf = conf_of(PAIRS),
        .round_robin = round_robin,
        .reported = on_report,
        .ctx = reports,
    };
    struct kafka_producer *producer = kafka_producer_new(&options, &err);
    ck_assert_ptr_nonnull(producer);
    return producer;
}

static enum kafka_outcome send_one(struct kafka_producer *producer, struct str value)
{
    const char *reason;
    struct kafka_record record = {.topic = STR("t"), .key = STR("key"), .value = value};
    return kafka_producer_send(producer, &record, NULL, &reason);
}

static void send_many(size_t count, bool round_robin)
{
    struct reports reports = {0};
    struct kafka_producer *producer = open_producer(&reports, round_robin);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(KAFKA_QUEUED, send_one(producer, STR("value")));
    while (reports.delivered < count)
        turn();
    ck_assert_uint_eq(0, reports.again + reports.refused);
    kafka_producer_stop(producer);
    kafka_producer_close(producer);
}

/* ---- reading -------------------------------------------------------------------------------------- */

struct reader {
    struct kafka_consumer *consumer;
    size_t count[PARTITIONS];
    int64_t offsets[PARTITIONS][OFFSETS_MAX];
    size_t most; /* of each partition */
    bool stores;
    bool closed;
};

static void *on_opened(void *ctx, struct kafka_partition *partition)
{
    (void)partition;
    return ctx;
}

static void on_readable(void *ctx)
{
    struct reader *reader = ctx;
    struct kafka_message message;
    for (struct kafka_partition *at = kafka_consumer_first(reader->consumer); at;
         at = kafka_partition_next(at)) {
        int32_t number = kafka_partition_number(at);
        ck_assert_str_eq("t", kafka_partition_topic(at));
        ck_assert_ptr_eq(reader, kafka_partition_ctx(at));
        while (reader->count[number] < reader->most && kafka_partition_read(at, &message)) {
            ck_assert(str_equal(STR("value"), message.value));
            reader->offsets[number][reader->count[number]++] = message.offset;
            if (reader->stores)
                kafka_partition_store(at, message.offset + 1);
        }
    }
}

static void on_revoked(void *ctx)
{
    struct reader *reader = ctx;
    kafka_consumer_release(reader->consumer);
}

static void on_partition_closed(void *ctx, struct kafka_partition *partition)
{
    (void)ctx;
    (void)partition;
}

static void open_reader(struct reader *reader)
{
    static const char *const PAIRS[] = {"group.id",
                                        "g",
                                        "auto.offset.reset",
                                        "earliest",
                                        "partition.assignment.strategy",
                                        "cooperative-sticky",
                                        "enable.auto.offset.store",
                                        "false",
                                        "session.timeout.ms",
                                        "2000",
                                        "heartbeat.interval.ms",
                                        "200",
                                        NULL};
    static const char *const TOPICS[] = {"t", NULL};
    struct error err;
    struct kafka_consumer_options options = {
        .loop = &loop,
        .log = &quiet,
        .conf = conf_of(PAIRS),
        .topics = TOPICS,
        .ctx = reader,
        .opened = on_opened,
        .readable = on_readable,
        .revoked = on_revoked,
        .closed = on_partition_closed,
    };
    reader->consumer = kafka_consumer_new(&options, &err);
    ck_assert_ptr_nonnull(reader->consumer);
}

static size_t total(const struct reader *reader)
{
    size_t sum = 0;
    for (size_t i = 0; i < PARTITIONS; i++)
        sum += reader->count[i];
    return sum;
}

static void on_reader_closed(void *ctx)
{
    struct reader *reader = ctx;
    reader->closed = true;
}

static void close_reader(struct reader *reader)
{
    kafka_consumer_close(reader->consumer, on_reader_closed, reader);
    while (!reader->closed)
        turn();
}

static struct kafka_partition *partition_of(const struct reader *reader, int32_t number)
{
    struct kafka_partition *at = kafka_consumer_first(reader->consumer);
    while (at && kafka_partition_number(at) != number)
        at = kafka_partition_next(at);
    ck_assert_ptr_nonnull(at);
    return at;
}

static int32_t fullest(const struct reader *reader)
{
    int32_t found = 0;
    for (int32_t i = 1; i < PARTITIONS; i++)
        if (reader->count[i] > reader->count[found])
            found = i;
    return found;
}

/* ---- the checks ----------------------------------------------------------------------------------- */

START_TEST(turns_are_even_from_the_first_record_of_a_topic)
{
    struct reader reader = {.most = OFFSETS_MAX};
    send_many(40, true);
    open_reader(&reader);
    while (total(&reader) < 40)
        turn();
    for (size_t i = 0; i < PARTITIONS; i++)
        ck_assert_uint_eq(10, reader.count[i]);
    close_reader(&reader);
}
END_TEST

START_TEST(one_key_is_in_one_partition_in_order)
{
    struct reader reader = {.most = OFFSETS_MAX};
    send_many(50, false);
    open_reader(&reader);
    while (total(&reader) < 50)
        turn();
    int32_t number = fullest(&reader);
    ck_assert_uint_eq(50, reader.count[number]);
    for (int64_t i = 0; i < 50; i++)
        ck_assert_int_eq(i, reader.offsets[number][i]);
    close_reader(&reader);
}
END_TEST

START_TEST(what_is_too_large_is_refused_at_once)
{
    static char large[4000];
    struct reports reports = {0};
    struct kafka_producer *producer = open_producer(&reports, false);
    ck_assert_int_eq(KAFKA_REFUSED, send_one(producer, str_make(large, sizeof large)));
    kafka_producer_stop(producer);
    kafka_producer_close(producer);
    ck_assert_uint_eq(0, reports.delivered + reports.again + reports.refused);
}
END_TEST

START_TEST(stopping_reports_all_that_is_under_way)
{
    struct reports reports = {0};
    rd_kafka_mock_broker_set_down(cluster, BROKER);
    struct kafka_producer *producer = open_producer(&reports, false);
    for (size_t i = 0; i < 20; i++)
        ck_assert_int_eq(KAFKA_QUEUED, send_one(producer, STR("value")));
    kafka_producer_stop(producer);
    ck_assert_uint_eq(20, reports.again);
    kafka_producer_close(producer);
}
END_TEST

START_TEST(the_next_member_begins_where_the_last_one_had_stored)
{
    struct reader first = {.most = 5, .stores = true}, second = {.most = OFFSETS_MAX};
    send_many(40, true);
    open_reader(&first);
    while (total(&first) < PARTITIONS * 5)
        turn();
    close_reader(&first);
    open_reader(&second);
    while (total(&second) < PARTITIONS * 5)
        turn();
    for (size_t i = 0; i < PARTITIONS; i++)
        ck_assert_int_eq(5, second.offsets[i][0]);
    close_reader(&second);
}
END_TEST

START_TEST(what_is_read_and_not_stored_comes_again)
{
    struct reader first = {.most = 5}, second = {.most = OFFSETS_MAX};
    send_many(40, true);
    open_reader(&first);
    while (total(&first) < PARTITIONS * 5)
        turn();
    close_reader(&first);
    open_reader(&second);
    while (total(&second) < 40)
        turn();
    for (size_t i = 0; i < PARTITIONS; i++)
        ck_assert_int_eq(0, second.offsets[i][0]);
    close_reader(&second);
}
END_TEST

START_TEST(a_pause_throws_away_what_was_fetched_and_goes_on_behind_what_was_read)
{
    struct reader reader = {.most = 7};
    send_many(50, false);
    open_reader(&reader);
    while (total(&reader) < 7)
        turn();
    int32_t number = fullest(&reader);
    struct kafka_partition *partition = partition_of(&reader, number);
    ck_assert_uint_eq(43, kafka_partition_behind(partition));
    ck_assert_uint_gt(kafka_partition_queued_bytes(partition), 43 * sizeof "value");
    kafka_partition_pause(partition);
    reader.most = OFFSETS_MAX; /* reading finds nothing, and what was there is gone */
    for (unsigned i = 0; i < 10; i++)
        turn();
    on_readable(&reader);
    ck_assert_uint_eq(7, reader.count[number]);
    ck_assert_uint_eq(0, kafka_partition_queued_bytes(partition));
    kafka_partition_resume(partition);
    while (total(&reader) < 50)
        turn();
    for (int64_t i = 0; i < 50; i++)
        ck_assert_int_eq(i, reader.offsets[number][i]);
    ck_assert_uint_eq(0, kafka_partition_behind(partition));
    close_reader(&reader);
}
END_TEST

START_TEST(closing_before_the_group_has_met_is_possible)
{
    struct reader reader = {.most = OFFSETS_MAX};
    open_reader(&reader);
    close_reader(&reader);
}
END_TEST

START_TEST(that_nobody_answers_is_said_once_and_that_it_is_over)
{
    struct reports reports = {0};
    rd_kafka_mock_broker_set_down(cluster, BROKER);
    struct kafka_producer *producer = open_producer(&reports, false);
    ck_assert_int_eq(KAFKA_QUEUED, send_one(producer, STR("value")));
    while (!is_logged("no broker answers: records wait"))
        turn();
    ck_assert(is_logged("waiting=1"));
    ck_assert(!is_logged("a broker answers again"));
    rd_kafka_mock_broker_set_up(cluster, BROKER);
    while (!is_logged("a broker answers again"))
        turn();
    while (reports.delivered < 1)
        turn();
    kafka_producer_stop(producer);
    kafka_producer_close(producer);
}
END_TEST

START_TEST(a_survey_knows_topics_ends_and_what_is_committed)
{
    static const char *const PAIRS[] = {"group.id", "g", NULL};
    static const char *const TOPICS[] = {"^(t|u)$", NULL};
    struct error err;
    struct kafka_places places;
    struct reader reader = {.most = 5, .stores = true};
    send_many(40, true);
    open_reader(&reader);
    while (total(&reader) < PARTITIONS * 5)
        turn();
    close_reader(&reader);
    struct kafka_survey *survey = kafka_survey_open(conf_of(PAIRS), &err);
    ck_assert_ptr_nonnull(survey);
    ck_assert_msg(kafka_survey_topics(survey, TOPICS, &places, &err), "%s", err.text);
    ck_assert_uint_eq(PARTITIONS, places.count);
    ck_assert_uint_eq(1, places.brokers);
    ck_assert_msg(kafka_survey_offsets(survey, &places, &err), "%s", err.text);
    kafka_survey_ages(survey, &places);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        ck_assert_int_eq(i, places.items[i].partition);
        ck_assert_int_eq(10, places.items[i].end);
        ck_assert_int_eq(5, places.items[i].committed);
        ck_assert_int_gt(places.items[i].oldest_timestamp_ms, 0);
    }
    kafka_places_release(&places);
    kafka_survey_close(survey);
}
END_TEST

START_TEST(properties_are_checked_and_topics_too)
{
    struct error err;
    struct kafka_conf *conf = kafka_conf_new();
    ck_assert(!kafka_conf_set(conf, "no.such.property", "1", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "no.such.property"));
    ck_assert(!kafka_conf_set(conf, "linger.ms", "soon", &err));
    kafka_conf_free(conf);
    static const char *const GOOD[] = {"a", "logs-2026.01", "_x", NULL};
    static const char *const BAD[] = {"", ".", "..", "a/b", "a b", "\xc3\xa9", NULL};
    for (const char *const *name = GOOD; *name; name++)
        ck_assert(kafka_topic_is_valid(str_from(*name)));
    for (const char *const *name = BAD; *name; name++)
        ck_assert(!kafka_topic_is_valid(str_from(*name)));
}
END_TEST

Suite *kafka_suite(void)
{
    Suite *suite = suite_create("kafka");
    TCase *tests = tcase_create("kafka");
    tcase_set_timeout(tests, TEST_SECONDS);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, turns_are_even_from_the_first_record_of_a_topic);
    tcase_add_test(tests, one_key_is_in_one_partition_in_order);
    tcase_add_test(tests, what_is_too_large_is_refused_at_once);
    tcase_add_test(tests, stopping_reports_all_that_is_under_way);
    tcase_add_test(tests, the_next_member_begins_where_the_last_one_had_stored);
    tcase_add_test(tests, what_is_read_and_not_stored_comes_again);
    tcase_add_test(tests, a_pause_throws_away_what_was_fetched_and_goes_on_behind_what_was_read);
    tcase_add_test(tests, closing_before_the_group_has_met_is_possible);
    tcase_add_test(tests, that_nobody_answers_is_said_once_and_that_it_is_over);
    tcase_add_test(tests, a_survey_knows_topics_ends_and_what_is_committed);
    tcase_add_test(tests, properties_are_checked_and_topics_too);
    suite_add_tcase(suite, tests);
    return suite;
}
