/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>

#include "base/str.h"
#include "io/kafka_private.h"

enum {
    ASK_MS = 5000,      /* between two questions */
    ASK_AWAY_MS = 1000, /* while nobody answers */
    ANSWER_MS = 2000,   /* for an answer */
};

void kafka_reach_init(struct kafka_reach *reach, const struct log *log, const char *consequence)
{
    *reach = (struct kafka_reach){.log = log, .consequence = consequence};
}

/* Who is in the cluster: the smallest question that any broker answers. */
static void ask(struct kafka_reach *reach, rd_kafka_t *client, rd_kafka_queue_t *queue)
{
    char reason[KAFKA_REASON_BYTES];
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBECLUSTER);
    if (!options)
        return;
    rd_kafka_resp_err_t code =
        rd_kafka_AdminOptions_set_request_timeout(options, ANSWER_MS, reason, sizeof reason);
    assert(!code);
    (void)code;
    rd_kafka_DescribeCluster(client, options, queue);
    rd_kafka_AdminOptions_destroy(options);
    reach->asking = true;
}

void kafka_reach_serve(struct kafka_reach *reach, rd_kafka_t *client, rd_kafka_queue_t *queue,
                       uint64_t now_ms)
{
    if (reach->asking || now_ms < reach->next_ms)
        return;
    reach->next_ms = now_ms + (reach->away ? ASK_AWAY_MS : ASK_MS);
    ask(reach, client, queue);
}

static void take_answer(struct kafka_reach *reach, rd_kafka_event_t *event, uint64_t now_ms,
                        size_t waiting)
{
    bool answered = rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR;
    reach->asking = false;
    if (!answered && !reach->away) {
        reach->away = true;
        reach->away_since_ms = now_ms;
        log_warn(reach->log, "kafka_away", reach->consequence,
                 LOG_CSTR("reason",
                          reach->reason[0] ? reach->reason : rd_kafka_event_error_string(event)),
                 LOG_INT_IF("waiting", waiting));
    } else if (answered && reach->away) {
        reach->away = false;
        log_info(reach->log, "kafka_back", "a broker answers again",
                 LOG_INT("away_ms", now_ms - reach->away_since_ms));
    }
    if (answered)
        reach->reason[0] = '\0';
}

void kafka_reach_event(struct kafka_reach *reach, rd_kafka_event_t *event, uint64_t now_ms,
                       size_t waiting)
{
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DESCRIBECLUSTER_RESULT)
        take_answer(reach, event, now_ms, waiting);
    else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR) {
        snprintf(reach->reason, sizeof reach->reason, "%s", rd_kafka_event_error_string(event));
        reach->next_ms = 0; /* it may be the last one that was there: ask now */
    }
}

void kafka_reach_forget(struct kafka_reach *reach)
{
    reach->asking = false;
    reach->next_ms = 0;
}
