/* SPDX-License-Identifier: Apache-2.0
 *
 * The filters, for the list of plugins.
 */
#ifndef MILLRACE_FILTERS_FILTERS_H
#define MILLRACE_FILTERS_FILTERS_H

#include "pipeline/plugin.h"

extern const struct filter filter_date;
extern const struct filter filter_grok;
extern const struct filter filter_ruby;

#endif
