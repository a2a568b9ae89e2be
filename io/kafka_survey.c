/* SPDX-License-Identifier: Apache-2.0 */
#include "io/kafka_survey.h"

#include <assert.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/kafka_private.h"

enum {
    ANSWER_MS = 10 * 1000,
    ASK_MS = 1000,  /* then it is looked whether there is hope */
    AGES_MS = 5000, /* for the records of all partitions */
    POLL_MS = 100,
};

struct kafka_survey {
    rd_kafka_t *client;
    rd_kafka_queue_t *queue; /* errors, which say why there is no answer */
    struct kafka_conf *conf;
    char reason[KAFKA_REASON_BYTES];
    bool is_hopeless; /* a broker is there and will never let us in */
};

/* ---- opening and closing -------------------------------------------------------------------------- */

struct kafka_survey *kafka_survey_open(struct kafka_conf *conf, struct error *err)
{
    struct kafka_survey *survey = mem_zero(1, sizeof *survey);
    survey->conf = conf;
    /* A consumer's, whatever conf was made for: asking makes no topic then, and there is nothing to be sent. */
    if (kafka_conf_set(conf, "allow.auto.create.topics", "false", err) &&
        kafka_conf_set(conf, "enable.auto.commit", "false", err))
        survey->client = kafka_client_new(RD_KAFKA_CONSUMER, conf, 0, err);
    if (!survey->client) {
        kafka_survey_close(survey);
        return NULL;
    }
    survey->queue = rd_kafka_queue_get_main(survey->client);
    rd_kafka_set_log_queue(survey->client, survey->queue);
    return survey;
}

void kafka_survey_close(struct kafka_survey *survey)
{
    if (!survey)
        return;
    if (survey->queue)
        rd_kafka_queue_destroy(survey->queue);
    if (survey->client)
        rd_kafka_destroy(survey->client);
    kafka_conf_free(survey->conf);
    mem_free(survey);
}

static void look_for_errors(struct kafka_survey *survey)
{
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(survey->queue, 0))) {
        rd_kafka_resp_err_t code = rd_kafka_event_error(event);
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR &&
            code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
            snprintf(survey->reason, sizeof survey->reason, "%s",
                     rd_kafka_event_error_string(event));
        survey->is_hopeless |=
            code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL;
        rd_kafka_event_destroy(event);
    }
}

/* "timed out" alone helps nobody: the last error of a connection says why. */
static bool failed(struct kafka_survey *survey, const char *what, rd_kafka_resp_err_t code,
                   struct error *err)
{
    look_for_errors(survey);
    return error_set(err, ERROR_IO, "%s: %s%s%s", what, rd_kafka_err2str(code),
                     survey->reason[0] ? ": " : "", survey->reason);
}

/* ---- topics --------------------------------------------------------------------------------------- */

static int compare_places(const void *left, const void *right)
{
    const struct kafka_place *a = left, *b = right;
    int topics = strcmp(a->topic, b->topic);
    return topics ? topics : (a->partition > b->partition) - (a->partition < b->partition);
}

static void add_topic(const struct rd_kafka_metadata_topic *topic, struct kafka_places *out)
{
    size_t count = out->count + (size_t)topic->partition_cnt;
    out->items = mem_realloc(out->items, count * sizeof *out->items);
    for (int i = 0; i < topic->partition_cnt; i++)
        out->items[out->count++] = (struct kafka_place){
            .topic = mem_strdup(topic->topic),
            .partition = topic->partitions[i].id,
            .end = KAFKA_NO_OFFSET,
            .committed = KAFKA_NO_OFFSET,
            .oldest_timestamp_ms = -1,
        };
}

static bool add_matching(const struct rd_kafka_metadata *all, const char *pattern,
                         struct kafka_places *out, struct error *err)
{
    regex_t regex;
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return error_set(err, ERROR_CONFIG, "'%s' is no regular expression", pattern);
    for (int i = 0; i < all->topic_cnt; i++)
        if (!all->topics[i].err && strncmp(all->topics[i].topic, "__", 2) != 0 &&
            regexec(&regex, all->topics[i].topic, 0, NULL, 0) == 0)
            add_topic(&all->topics[i], out);
    regfree(&regex);
    return true;
}

static bool ask(struct kafka_survey *survey, rd_kafka_topic_t *topic,
                const struct rd_kafka_metadata **out, struct error *err)
{
    rd_kafka_resp_err_t code;
    int waited_ms = 0;
    do {
        code = rd_kafka_metadata(survey->client, !topic, topic, out, ASK_MS);
        look_for_errors(survey);
        waited_ms += ASK_MS;
    } while (code && !survey->is_hopeless && waited_ms < ANSWER_MS);
    return !code || failed(survey, "no broker answers", code, err);
}

static bool add_named(struct kafka_survey *survey, const char *name, struct kafka_places *out,
                      struct error *err)
{
    const struct rd_kafka_metadata *found;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(survey->client, name, NULL);
    if (!topic)
        return error_set(err, ERROR_CONFIG, "'%s' is no name that a topic can have", name);
    bool ok = ask(survey, topic, &found, err);
    rd_kafka_topic_destroy(topic);
    if (!ok)
        return false;
    assert(found->topic_cnt == 1);
    out->brokers = (size_t)found->broker_cnt;
    if (found->topics[0].err)
        ok = error_set(err, ERROR_IO, "topic '%s': %s", name,
                       rd_kafka_err2str(found->topics[0].err));
    else
        add_topic(&found->topics[0], out);
    rd_kafka_metadata_destroy(found);
    return ok;
}

static bool add_pattern(struct kafka_survey *survey, const char *pattern, struct kafka_places *out,
                        struct error *err)
{
    const struct rd_kafka_metadata *all;
    if (!ask(survey, NULL, &all, err))
        return false;
    out->brokers = (size_t)all->broker_cnt;
    bool ok = add_matching(all, pattern, out, err);
    rd_kafka_metadata_destroy(all);
    return ok;
}

bool kafka_survey_topics(struct kafka_survey *survey, const char *const *topics,
                         struct kafka_places *out, struct error *err)
{
    bool ok = true;
    *out = (struct kafka_places){0};
    for (; ok && *topics; topics++)
        ok = **topics == '^' ? add_pattern(survey, *topics, out, err)
                             : add_named(survey, *topics, out, err);
    if (ok && out->count > 1)
        qsort(out->items, out->count, sizeof *out->items, compare_places);
    return ok;
}

void kafka_places_release(struct kafka_places *places)
{
    for (size_t i = 0; i < places->count; i++)
        mem_free(places->items[i].topic);
    mem_free(places->items);
    *places = (struct kafka_places){0};
}

/* ---- offsets -------------------------------------------------------------------------------------- */

static bool fill_committed(struct kafka_survey *survey, struct kafka_places *places,
                           struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)places->count);
    for (size_t i = 0; i < places->count; i++)
        rd_kafka_topic_partition_list_add(list, places->items[i].topic, places->items[i].partition);
    rd_kafka_resp_err_t code = rd_kafka_committed(survey->client, list, ANSWER_MS);
    for (size_t i = 0; !code && i < places->count; i++)
        if (list->elems[i].offset >= 0)
            places->items[i].committed = list->elems[i].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return !code || failed(survey, "the group's offsets cannot be read", code, err);
}

bool kafka_survey_offsets(struct kafka_survey *survey, struct kafka_places *places,
                          struct error *err)
{
    if (places->count == 0)
        return true;
    if (!fill_committed(survey, places, err))
        return false;
    for (size_t i = 0; i < places->count; i++) {
        struct kafka_place *place = &places->items[i];
        rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
            survey->client, place->topic, place->partition, &place->low, &place->end, ANSWER_MS);
        if (code)
            return failed(survey, "the ends of partitions cannot be read", code, err);
    }
    return true;
}

/* ---- ages ----------------------------------------------------------------------------------------- */

static int64_t first_open(const struct kafka_place *place)
{
    return place->committed > place->low ? place->committed : place->low;
}

static void note_timestamp(struct kafka_places *places, const rd_kafka_message_t *message,
                           size_t *missing)
{
    rd_kafka_timestamp_type_t type;
    const char *topic = rd_kafka_topic_name(message->rkt);
    for (size_t i = 0; i < places->count; i++) {
        struct kafka_place *place = &places->items[i];
        if (place->partition != message->partition || strcmp(place->topic, topic) != 0 ||
            place->oldest_timestamp_ms >= 0)
            continue;
        place->oldest_timestamp_ms = rd_kafka_message_timestamp(message, &type);
        (*missing)--;
    }
}

void kafka_survey_ages(struct kafka_survey *survey, struct kafka_places *places)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    for (size_t i = 0; i < places->count; i++)
        if (first_open(&places->items[i]) < places->items[i].end)
            rd_kafka_topic_partition_list_add(list, places->items[i].topic,
                                              places->items[i].partition)
                ->offset = first_open(&places->items[i]);
    size_t missing = (size_t)list->cnt;
    if (missing > 0 && !rd_kafka_assign(survey->client, list))
        for (int polls = 0; missing > 0 && polls < AGES_MS / POLL_MS;) {
            rd_kafka_message_t *message = rd_kafka_consumer_poll(survey->client, POLL_MS);
            if (message && !message->err)
                note_timestamp(places, message, &missing);
            else
                polls++;
            if (message)
                rd_kafka_message_destroy(message);
        }
    rd_kafka_assign(survey->client, NULL);
    rd_kafka_topic_partition_list_destroy(list);
}
