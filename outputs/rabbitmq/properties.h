/* SPDX-License-Identifier: Apache-2.0
 *
 * The properties of a message that comes to the exchange (message_properties), and how they stand in an item of a group: each
 * that comes from the event, in the order of the configuration, as a part (outputs/item_parts.h).
 */
#ifndef MILLRACE_OUTPUTS_RABBITMQ_PROPERTIES_H
#define MILLRACE_OUTPUTS_RABBITMQ_PROPERTIES_H

#include "pipeline/plugin.h"
#include "pipeline/rabbitmq_options.h"

enum {
    PROPERTY_SHORT_TEXT_MAX =
        255 /* bytes of a routing key and of most properties, by the protocol */
};

struct property;

struct properties {
    struct property *list; /* in the arena of the instance */
    size_t count;
};

/* False and *err: one is none, or there are too many. */
bool properties_compile(const struct plugin_env *env, const struct option_hash *hash,
                        struct properties *out, struct error *err);
/* *text_out: made of the template. False and *err: it cannot be, or is longer than max_bytes. */
bool properties_fill_in(const struct template *template, size_t max_bytes,
                        const struct event *event, struct arena *scratch, struct str *text_out,
                        struct error *err);
/* Appends them as the event has them. DONE, FULL, or REFUSED with *err. */
enum encode_result properties_append(const struct properties *properties, const struct event *event,
                                     struct arena *scratch, struct buf *out, struct error *err);
/* Which they are, in their order, as a form of items (struct output). */
uint32_t properties_form(const struct properties *properties);
/* Takes them off the item, and sets them in *out; headers: room for RABBIT_TABLE_MAX. */
void properties_read(const struct properties *properties, struct str *item,
                     struct rabbit_pair *headers, struct rabbit_properties *out);
/* Takes them off the item, into members of the object. */
void properties_describe(const struct properties *properties, struct str *item, struct arena *arena,
                         struct value *object);

#endif
