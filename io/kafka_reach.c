/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "io/kafka_private.h"

enum {
    LOOKS = 2
}; /* in a row without a connection: one alone may be while a broker is changed for another */

void kafka_reach_init(struct kafka_reach *reach, const struct log *log, const char *consequence)
{
    *reach = (struct kafka_reach){.log = log, .consequence = consequence};
}

/* Whether one of the brokers in the statistics is connected to. Their part stands before that of the topics, in which
 * names are the user's. */
static bool is_connected(const char *statistics)
{
    const char *brokers = strstr(statistics, "\"brokers\":");
    const char *topics = brokers ? strstr(brokers, "\"topics\":") : NULL;
    const char *up = brokers ? strstr(brokers, "\"state\":\"UP\"") : NULL;
    return up && (!topics || up < topics);
}

static void take_connected(struct kafka_reach *reach, uint64_t now_ms)
{
    if (reach->away)
        log_info(reach->log, "kafka_back", "a broker answers again",
                 LOG_INT("away_ms", now_ms - reach->away_since_ms));
    reach->away = false;
    reach->without = 0;
    reach->reason[0] = '\0';
}

/* No connection and no error: none was needed, or it was idle for long. */
static void take_unconnected(struct kafka_reach *reach, uint64_t now_ms, size_t waiting)
{
    if (reach->away || !reach->reason[0] || ++reach->without < LOOKS)
        return;
    reach->away = true;
    reach->away_since_ms = now_ms;
    log_warn(reach->log, "kafka_away", reach->consequence, LOG_CSTR("reason", reach->reason),
             LOG_INT_IF("waiting", waiting));
}

void kafka_reach_event(struct kafka_reach *reach, rd_kafka_event_t *event, uint64_t now_ms,
                       size_t waiting)
{
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR)
        snprintf(reach->reason, sizeof reach->reason, "%s", rd_kafka_event_error_string(event));
    if (rd_kafka_event_type(event) != RD_KAFKA_EVENT_STATS)
        return;
    assert(rd_kafka_event_stats(event));
    if (is_connected(rd_kafka_event_stats(event)))
        take_connected(reach, now_ms);
    else
        take_unconnected(reach, now_ms, waiting);
}
