/* SPDX-License-Identifier: Apache-2.0
 *
 * The names of the syslog input's fields, without and with ECS.
 */
#ifndef MILLRACE_INPUTS_SYSLOG_FIELDS_H
#define MILLRACE_INPUTS_SYSLOG_FIELDS_H

#include "conf/field_ref.h"

struct syslog_fields {
    struct field_ref sender;
    struct field_ref priority, severity, severity_label, facility, facility_label;
    /* Of RFC 5424. */
    struct field_ref host, program, pid, version, msgid, procid, data;
};

extern const struct syslog_fields syslog_plain_fields, syslog_ecs_fields;

#endif
