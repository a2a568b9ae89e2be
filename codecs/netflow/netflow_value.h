/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes of a field of a flow as a value. The template's length counts, which may be shorter than the type's.
 */
#ifndef MILLRACE_CODECS_NETFLOW_NETFLOW_VALUE_H
#define MILLRACE_CODECS_NETFLOW_NETFLOW_VALUE_H

#include "codecs/netflow/netflow_fields.h"
#include "pipeline/event/value.h"

/* Big endian, of at most eight bytes; longer ones are cut to their end. */
uint64_t netflow_number(struct str bytes);
struct value netflow_value(struct arena *arena, enum netflow_kind kind, struct str bytes);
/* ISO 8601; micros may be more than a second. */
struct value netflow_time_text(struct arena *arena, int64_t seconds, int64_t micros);
/* flowStartSeconds, flowEndMilliseconds and the like, which IPFIX counts from 1970 and, the finer ones, as NTP does. False:
 * the name is none of them. */
bool netflow_flow_time(struct arena *arena, struct str name, struct str bytes, struct value *out);

#endif
