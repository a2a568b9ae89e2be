/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to io/rabbitmq: frames into a buffer, and values between librabbitmq's form and ours.
 */
#ifndef MILLRACE_IO_RABBITMQ_FRAMES_H
#define MILLRACE_IO_RABBITMQ_FRAMES_H

#include <amqp.h>
#include <amqp_framing.h>

#include "base/buf.h"
#include "io/rabbitmq.h"

enum { RABBIT_FRAME_MAX = 128 * 1024, RABBIT_CHANNEL = 1 };

amqp_bytes_t rabbit_bytes(struct str text);
struct str rabbit_str(amqp_bytes_t bytes);

/* Appends one frame. False: what is in it is too long for one. */
bool frame_method(struct buf *out, amqp_channel_t channel, amqp_method_number_t id, void *method);
bool frame_header(struct buf *out, const amqp_basic_properties_t *properties, uint64_t body_bytes);
void frames_body(struct buf *out, struct str body, size_t frame_max);
void frame_heartbeat(struct buf *out);

/* In entries[RABBIT_TABLE_MAX]. */
amqp_table_t rabbit_table(const struct rabbit_pair *pairs, size_t count,
                          amqp_table_entry_t *entries);
void rabbit_properties_read(const amqp_basic_properties_t *from, struct rabbit_properties *out);
void rabbit_properties_write(const struct rabbit_properties *from, amqp_table_entry_t *entries,
                             amqp_basic_properties_t *out);

#endif
