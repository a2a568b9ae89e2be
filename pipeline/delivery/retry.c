/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/delivery/retry.h"

#include <assert.h>

#include "pipeline/plugin.h"

enum { BACKOFF_MAX_DOUBLINGS = 20 };

enum verdict retry_verdict(const struct retry_table *table, int status, struct str type)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct retry_rule *rule = &table->rules[i];
        assert(rule->first_status <= rule->last_status && rule->verdict != VERDICT_NONE);
        if (status >= rule->first_status && status <= rule->last_status &&
            (rule->type.len == 0 || str_equal(rule->type, type)))
            return rule->verdict;
    }
    return VERDICT_RETRY;
}

uint64_t retry_backoff_ms(const struct output_limits *limits, unsigned tries, unsigned asked_ms,
                          uint64_t random)
{
    unsigned doublings = tries < BACKOFF_MAX_DOUBLINGS ? tries : BACKOFF_MAX_DOUBLINGS;
    uint64_t wait = (uint64_t)limits->retry_initial_ms << doublings;
    if (wait > limits->retry_max_ms)
        wait = limits->retry_max_ms;
    if (wait > 1)
        wait = wait / 2 + random % (wait / 2 + 1);
    return wait > asked_ms ? wait : asked_ms;
}
