/* SPDX-License-Identifier: Apache-2.0
 *
 * What becomes of an item that the destination answered with a status, and how long to wait before another try. The
 * rules are data: an output brings its table, the first rule that fits decides.
 */
#ifndef MILLRACE_PIPELINE_DELIVERY_RETRY_H
#define MILLRACE_PIPELINE_DELIVERY_RETRY_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "pipeline/delivery/group.h"

struct retry_rule {
    int first_status, last_status; /* inclusive */
    struct str type;               /* the kind of error that the destination names; empty: any */
    enum verdict verdict;
};

struct retry_table {
    const struct retry_rule *rules; /* in the order in which they are asked */
    size_t count;
};

/* VERDICT_RETRY when no rule fits: what nobody has an opinion on is not given up. */
enum verdict retry_verdict(const struct retry_table *table, int status, struct str type);

/* initial · 2^tries, at most max, of which between half and all is waited (random decides); never less than asked_ms. */
uint64_t retry_backoff_ms(const struct output_limits *limits, unsigned tries, unsigned asked_ms,
                          uint64_t random);

#endif
