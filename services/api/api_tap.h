/* SPDX-License-Identifier: Apache-2.0
 *
 * Taps over the API, for the page: /_millrace/tap?pipeline=ID&plugin=ID&where=TEXT… opens one and answers its session;
 * ?session=S waits until there are events, API_TAP_POLL_MS at most; &close=1 ends it, as does not asking for API_TAP_IDLE_MS. What
 * may be looked at says the setting api.tap. The API asks for a password; where it does not, every user of this machine
 * can reach it, and a tap takes the token of this start, as the header X-Millrace-Tap. Only the process's user and root get that,
 * over the tap socket, in the page's address. Main thread.
 */
#ifndef MILLRACE_SERVICES_API_API_TAP_H
#define MILLRACE_SERVICES_API_API_TAP_H

#include "io/http_server.h"
#include "services/api/tap_request.h"

enum {
    API_TAPS_MAX = 8,
    API_TAP_POLL_MS = 10 * 1000,
    API_TAP_IDLE_MS = 30 * 1000,
    API_TAP_EVENTS_MAX = 64, /* of one answer */
};

struct api_taps;

/* allowed: enum settings_api_tap. node may be NULL: there are none. asks_token: the API has no password. */
struct api_taps *api_taps_new(uv_loop_t *loop, const struct tap_node *node, int allowed,
                              bool asks_token);
/* NULL: none is asked for. */
const char *api_taps_token(const struct api_taps *taps);
/* Answers what waits; gone as soon as the loop has run its close callbacks. */
void api_taps_close(struct api_taps *taps);
/* Takes the exchange. */
void api_taps_handle(struct api_taps *taps, struct http_exchange *exchange);

#endif
