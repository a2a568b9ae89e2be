/* SPDX-License-Identifier: Apache-2.0
 *
 * The format strict_date_optional_time: yyyy[-MM[-dd[T[HH[:mm[:ss[(.|,)fraction]]]][zone]]]]. By hand, because each
 * document with a @timestamp goes through it.
 */
#ifndef MILLRACE_SERVICES_STORE_MAPPING_DATE_OPTIONAL_TIME_H
#define MILLRACE_SERVICES_STORE_MAPPING_DATE_OPTIONAL_TIME_H

#include "services/store/mapping/date_layout.h"

bool date_optional_time_parse(struct str text, const struct zone *zone, int64_t *ms_out,
                              enum date_unit *finest_out);

#endif
