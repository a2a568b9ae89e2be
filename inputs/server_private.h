/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two files of the server share: server.c has the main lane's part, server_lane.c the connections.
 */
#ifndef MILLRACE_INPUTS_SERVER_PRIVATE_H
#define MILLRACE_INPUTS_SERVER_PRIVATE_H

#include "inputs/server.h"

/* Main lane: takes the descriptor, and sends the connection to the lane with the fewest. */
void server_connection_post(struct server *server, int fd, const struct peer_address *peer);

/* The lane. */
void server_lane_stop(struct server_lane *lane);
void server_lane_close(struct server_lane *lane); /* ends in lane->closed on the main lane */
void server_lane_shed(struct server_lane *lane);
void server_connection_closed(void *connection);

#endif
