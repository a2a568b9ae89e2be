/* SPDX-License-Identifier: Apache-2.0
 *
 * A CEF message to an event. One instance for each stream; one thread.
 */
#ifndef MILLRACE_CODECS_CEF_CEF_DECODE_H
#define MILLRACE_CODECS_CEF_CEF_DECODE_H

#include "base/time/date_names.h"
#include "base/time/zone.h"
#include "codecs/cef/cef_fields.h"
#include "pipeline/plugin.h"

struct cef_decoder {
    const struct plugin_env *env;
    bool ecs;
    bool device_is_host;
    struct str raw_data_field; /* NULL: none */
    const struct zone *zone;
    const struct date_names *names;

    struct field_ref raw_data;
    struct field_ref *known[CEF_FIELD_COUNT]; /* parsed when first met */
    struct field_ref header[8]; /* the seven of the header, and what stands before it */
};

bool cef_decoder_open(struct cef_decoder *decoder, struct error *err);
/* Always one event: what is no CEF becomes its message, tagged _cefparsefailure. The bytes live as long as the sink's
 * arena. */
void cef_decode_message(struct cef_decoder *decoder, struct str bytes, struct event_sink *sink);

#endif
