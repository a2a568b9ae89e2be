/* SPDX-License-Identifier: Apache-2.0
 *
 * An event as a GELF document, with the fields that Logstash's output makes of it.
 */
#ifndef MILLRACE_OUTPUTS_GELF_DOCUMENT_H
#define MILLRACE_OUTPUTS_GELF_DOCUMENT_H

#include "conf/template.h"
#include "pipeline/event/event.h"

struct gelf_document {
    struct template sender, full_message;
    struct option_templates level;
    struct str short_message; /* name of a field */
    bool ship_metadata, ship_tags;
    struct option_strings ignore_metadata;
    struct option_hash custom_fields;
    struct field_ref short_field;
    int64_t protocol; /* 0 UDP, 1 TCP: Logstash's library says so in the document */
};

/* False with *err when the event cannot be one: no short message, no host. The document lives in scratch. */
bool gelf_document_make(const struct gelf_document *rules, const struct event *event,
                        struct arena *scratch, struct value *out, struct error *err);

#endif
