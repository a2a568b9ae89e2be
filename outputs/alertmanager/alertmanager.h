/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the output alertmanager: an instance, its options, events to items. alertmanager.c says how they hang together.
 */
#ifndef MILLRACE_OUTPUTS_ALERTMANAGER_ALERTMANAGER_H
#define MILLRACE_OUTPUTS_ALERTMANAGER_ALERTMANAGER_H

#include "io/loop_timer.h"
#include "outputs/alertmanager/alerts.h"
#include "outputs/labels.h"
#include "pipeline/client_options.h"
#include "pipeline/delivery/group.h"

enum { ALERTMANAGERS_MAX = 16, REASON_BYTES_MAX = 300 };

struct alertmanager;

/* A request to all of them, for the events of a group or because alerts are due. */
struct telling {
    struct alertmanager *output;
    struct buf body;
    size_t open; /* requests without an answer */
    bool told;   /* one of them took it */
    struct send_result result;
    char reason[REASON_BYTES_MAX];
    void (*done)(struct telling *telling);
};

struct alertmanager {
    struct option_strings hosts;
    struct option_hash labels, annotations;
    struct option_strings group_by;
    struct str count_annotation, storm_alertname, generator_url, user, password, proxy;
    int64_t resolve_after_ms, resend_ms, max_per_second, max_alerts;
    int64_t request_timeout_ms, connect_timeout_ms;
    struct client_tls tls;

    const struct plugin_env *env;
    struct label *label_items, *annotation_items;
    bool *in_key; /* of each label */
    struct str urls[ALERTMANAGERS_MAX];
    struct alerts alerts;
    struct http_client *client;
    struct http_headers *headers;
    struct loop_timer *timer;
    struct telling for_events, for_due;
    struct group *group; /* its alerts are being told */
    struct log_limit failures;
    struct counter *requests;
    bool stopping;
};

extern const struct option alertmanager_options[];
bool alertmanager_check(void *self, const struct plugin_env *env, struct error *err);
/* What the options say, for whoever makes items and whoever sends them. */
bool alertmanager_read_texts(struct alertmanager *output, const struct plugin_env *env,
                             struct error *err);
bool alertmanager_open_urls(struct alertmanager *output, const struct plugin_env *env,
                            struct error *err);
/* The labels of the storm: those that no event decides about, under a name of its own. In env->arena. */
struct str alertmanager_storm_labels(const struct alertmanager *output,
                                     const struct plugin_env *env);

/* An item: the lengths of key and labels, then key, labels and annotations. */
enum encode_result alertmanager_encode(void *self, const struct event *event, struct arena *scratch,
                                       struct buf *out, struct error *err);
struct alert_event alertmanager_read_item(struct str item);

#endif
