/* SPDX-License-Identifier: Apache-2.0
 *
 * A row of a table of filter tests, for filters that keep nothing between events.
 */
#ifndef MILLRACE_TESTS_UNIT_FILTERS_CASE_H
#define MILLRACE_TESTS_UNIT_FILTERS_CASE_H

#include "tests/unit/filters/bench.h"

struct filter_case {
    const struct filter *filter;
    const char *options;
    const char *event; /* NULL: the options are refused, and result is a part of why */
    const char *result;
};

void filter_case_check(const struct filter_case *row);
void filter_case_check_ecs(const struct filter_case *row, enum ecs_mode ecs);

#endif
