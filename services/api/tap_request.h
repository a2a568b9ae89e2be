/* SPDX-License-Identifier: Apache-2.0
 *
 * What somebody asks of a tap, as members of a JSON object: pipeline, plugin, before, diff, where, sample, rate, metadata.
 * Checked against what runs now; the same for the socket and the API. Main thread.
 */
#ifndef MILLRACE_SERVICES_API_TAP_REQUEST_H
#define MILLRACE_SERVICES_API_TAP_REQUEST_H

#include "pipeline/engine/tap.h"
#include "pipeline/program/plan.h"

/* The pipelines that may be looked at. */
struct tap_node {
    struct taps *taps;
    enum field_escape escape;
    /* Of the pipelines that run, by their place; NULL behind the last. */
    const struct plan *(*plan_at)(void *ctx, size_t index, struct str *id_out);
    /* The address of the page, with what it takes to look on there; in the arena. NULL ptr: there is no page. */
    struct str (*page_url)(void *ctx, struct arena *arena);
    void *ctx;
};

/* Who is told, as in struct tap_options. */
struct tap_listener {
    void (*wake)(void *ctx);
    void *ctx;
};

/* *about (in the arena): the object that says what is looked at. NULL with *err. */
struct tap *tap_request_open(const struct tap_node *node, const struct value *request,
                             const struct tap_listener *listener, struct arena *arena,
                             struct value *about, struct error *err);
struct value tap_counts_json(struct tap *tap, struct arena *arena);

#endif
