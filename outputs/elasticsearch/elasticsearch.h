/* SPDX-License-Identifier: Apache-2.0
 *
 * One instance of the elasticsearch output (also known as opensearch) on one lane.
 *
 * A group becomes a bulk request. What the answer says is told item by item, once all of it has been read and names as
 * many items as were sent. A group that cannot be sent now is held: until set-up is done, and while every server is
 * dead. A server is dead when it could not be reached, until it answers a health check, which is sent every
 * resurrect_delay.
 *
 *   FREE ── send ──▶ HELD ── ready, a server lives ──▶ SENT ── answered ──▶ FREE
 *                     ▲                                 │
 *                     └──── could not connect ──────────┘   (to the next server; when all are dead the first try is
 *                                                            answered RETRY, later ones wait here)
 */
#ifndef MILLRACE_OUTPUTS_ELASTICSEARCH_ELASTICSEARCH_H
#define MILLRACE_OUTPUTS_ELASTICSEARCH_ELASTICSEARCH_H

#include "base/json/json_scan.h"
#include "io/loop_timer.h"
#include "outputs/elasticsearch/encode.h"
#include "outputs/elasticsearch/hosts.h"
#include "outputs/elasticsearch/setup.h"
#include "pipeline/delivery/retry.h"

enum bulk_state { BULK_FREE, BULK_HELD, BULK_SENT };

struct bulk {
    struct elasticsearch *output;
    enum bulk_state state;
    struct group *group;
    struct host *host;
};

/* What all instances of one configured output share. */
struct elasticsearch_shared {
    atomic_bool ready;
};

struct elasticsearch {
    struct elasticsearch_options options; /* first: bound */
    const struct plugin_env *env;
    struct http_client *client;
    struct http_headers *headers;
    struct hosts hosts;
    struct bulk_encoder encoder;
    struct setup setup;
    struct loop_timer
        *revival; /* health checks, and looking whether another lane's set-up is done */
    struct bulk bulks[BULK_SLOTS_MAX];
    struct retry_table verdicts;
    struct bulk_item *items; /* of the answer that is being read */
    size_t item_capacity;
    struct json_tape tape; /* of answers */
    bool stopping;
    struct log_limit failures;
    struct counter *mapping_conflicts; /* documents that were changed to fit */
};

/* What -t --connect asks of it (pipeline/plugin.h): each server's version with the login, and the template. */
bool elasticsearch_connect(void *self, struct buf *said, struct error *err);
/* Set-up is done, on whichever lane. */
bool elasticsearch_is_ready(const struct elasticsearch *output);
/* Set-up is done, or a server lives again: sends what is held. */
void elasticsearch_resume(struct elasticsearch *output);
/* A request could not reach this server. */
void elasticsearch_host_died(struct elasticsearch *output, struct host *host, const char *why);
/* Starts the timer when there is something to look for: a dead server, another lane's set-up. */
void elasticsearch_watch(struct elasticsearch *output);
void elasticsearch_look_around(void *output); /* what that timer does */

/* describe.c; as plugin.h says of describe_item. */
struct str elasticsearch_describe_item(const void *self, struct str item, struct arena *arena,
                                       struct value *object);

#endif
