/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/filters/case.h"

#include <check.h>

void filter_case_check_ecs(const struct filter_case *row, enum ecs_mode ecs)
{
    struct bench bench;
    bench_init(&bench);
    bench.env.ecs = ecs;
    const char *refusal = bench_open(&bench, row->filter, row->options);
    if (row->event) {
        ck_assert_msg(!refusal, "%s: %s", row->options, refusal);
        ck_assert_str_eq(bench_apply(&bench, row->event), row->result);
    } else {
        ck_assert_msg(refusal && strstr(refusal, row->result), "%s: %s", row->options,
                      refusal ? refusal : "not refused");
    }
    bench_release(&bench);
}

void filter_case_check(const struct filter_case *row)
{
    filter_case_check_ecs(row, ECS_V8);
}
