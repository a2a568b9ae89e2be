/* SPDX-License-Identifier: Apache-2.0
 *
 * The receiver of the demo's alerts, in the place of Alertmanager: takes what the pipeline posts, counts it against the
 * lines that had to raise an alert, and keeps the latest. GET shows them.
 */
#ifndef MILLRACE_CMD_DEMO_ALERTS_H
#define MILLRACE_CMD_DEMO_ALERTS_H

#include <uv.h>

#include "base/map.h"
#include "base/time/clock.h"
#include "cmd/demo_view.h"
#include "pipeline/event/event_json.h"

enum { DEMO_ALERTS_KEPT = 5, DEMO_ALERT_MAX_BYTES = 1024 * 1024 };

struct demo_alerts {
    struct http_server *server;
    struct json_reader *reader;
    struct map *alarming; /* line → how often an alert came for it, as demo_lines_write made it */
    uint64_t distinct, again, unknown;
    struct buf latest[DEMO_ALERTS_KEPT]; /* bodies; alert n is at n modulo DEMO_ALERTS_KEPT */
    uint64_t received;
    /* the one alert that the output alertmanager makes of all errors */
    bool fired, resolved;
    uint64_t fired_events, fired_ms, resolved_ms;
};

void demo_alerts_init(struct demo_alerts *alerts, struct map *alarming);
/* Listens on a free port of the loopback address. */
bool demo_alerts_open(struct demo_alerts *alerts, uv_loop_t *loop, struct error *err);
const char *demo_alerts_address(const struct demo_alerts *alerts);
/* Asynchronous; nothing is taken any more. */
void demo_alerts_close(struct demo_alerts *alerts);
void demo_alerts_release(struct demo_alerts *alerts); /* after the loop has ended */

/* The latest ones, the newest first: at most max. Texts live in the arena. */
size_t demo_alerts_latest(const struct demo_alerts *alerts, struct arena *arena,
                          struct demo_alert *out, size_t max);

/* ---- parts, for tests */

/* One posted body: {"alerts":[{"annotations":{"description":LINE}, ...}, ...]}. False when it is none. */
bool demo_alerts_take(struct demo_alerts *alerts, struct str body);
/* A body as Alertmanager's second API has it: a list of alerts, each over when its endsAt is not behind `now`. */
bool demo_alerts_take_list(struct demo_alerts *alerts, struct str body, struct instant now);

#endif
