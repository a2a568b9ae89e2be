/* SPDX-License-Identifier: Apache-2.0
 *
 * The connections of one lane. The main lane posts stop and close to each hub, a hub posts back when it has done so;
 * everything else happens on the hub's lane.
 */
#ifndef MILLRACE_INPUTS_BEATS_HUB_H
#define MILLRACE_INPUTS_BEATS_HUB_H

#include <stdatomic.h>

#include "inputs/beats/beats.h"

struct beats_connection;

struct beats_hub {
    struct beats_input *input;
    struct lane *lane;
    struct inbox_item stop, stopped, close, closed, shed;
    atomic_size_t held_bytes; /* the part of the input's sum that its connections hold */
    atomic_bool shed_posted;
    struct beats_connection *connections;
    char *read_buffer; /* BEATS_READ_BYTES that all connections read into, from the first one on */
    bool is_stopping, is_closing;
    struct log_limit log_limit;
};

/* Main lane. */
void hubs_open(struct beats_input *input);
void hubs_stop(struct beats_input *input);  /* ends in input_finished */
void hubs_close(struct beats_input *input); /* ends in beats_closed_part */

/* The hub's lane. */
void hub_add(struct beats_hub *hub, struct beats_connection *connection);
void hub_remove(struct beats_hub *hub, struct beats_connection *connection);
/* A connection of the hub holds so much for what is incomplete, and did before. */
void hub_note_held(struct beats_hub *hub, size_t before, size_t now);
/* While half frames and half windows hold too much: on the lane that holds most, ends the connection that has been without
 * progress for longest. */
void hub_shed(struct beats_hub *hub);

#endif
