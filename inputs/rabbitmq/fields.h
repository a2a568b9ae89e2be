/* SPDX-License-Identifier: Apache-2.0
 *
 * What a message of RabbitMQ says beside its body, as @metadata of an event.
 */
#ifndef MILLRACE_INPUTS_RABBITMQ_FIELDS_H
#define MILLRACE_INPUTS_RABBITMQ_FIELDS_H

#include "io/rabbitmq.h"
#include "pipeline/event/event.h"

/* rabbitmq_headers and rabbitmq_properties, and when asked for the body as rabbitmq_payload. */
void rabbitmq_add_metadata(struct event *event, const struct rabbit_message *message,
                           bool with_body);

#endif
