/* SPDX-License-Identifier: Apache-2.0
 *
 * A JSON value as the type of its field has it. The mapping refuses documents by these functions, and searching finds
 * values by them, so both agree on what a value means.
 */
#ifndef MILLRACE_SERVICES_STORE_MAPPING_FIELD_VALUE_H
#define MILLRACE_SERVICES_STORE_MAPPING_FIELD_VALUE_H

#include "base/ip_network.h"
#include "services/store/mapping/mapping_field.h"

bool field_integer_in_range(enum field_type type, int64_t number);
bool field_real_in_range(enum field_type type, double number);
/* "5", "1.9" (cut), "1e3" */
bool field_text_to_integer(struct str text, int64_t *out);
bool field_value_boolean(const struct value *value, bool *out); /* true, "true", "" is false */
bool field_value_date(const struct field *field, const struct value *value, int64_t *ms_out);
/* IPv6 forms of IPv4 addresses are IPv4. */
bool field_value_ip(const struct value *value, struct ip_network *out);

#endif
