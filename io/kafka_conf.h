/* SPDX-License-Identifier: Apache-2.0
 *
 * The properties of a Kafka client, by the names that librdkafka gives them.
 */
#ifndef MILLRACE_IO_KAFKA_CONF_H
#define MILLRACE_IO_KAFKA_CONF_H

#include <stdbool.h>

#include "base/error.h"

struct kafka_conf;

struct kafka_conf *kafka_conf_new(void);
void kafka_conf_free(struct kafka_conf *conf); /* NULL is ok */
/* False and *err when there is no such property or it does not take this value. */
bool kafka_conf_set(struct kafka_conf *conf, const char *name, const char *value,
                    struct error *err);

#endif
