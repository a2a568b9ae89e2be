/* SPDX-License-Identifier: Apache-2.0
 *
 * What becomes of an item that the destination answered with a status, and how long to wait before another try. The
 * rules are data: an output brings its table, the first rule that fits decides. Those of the user (the option `retry`) stand
 * before the output's own:
 *
 *   retry => { "429" => "retry"  "400 mapper_parsing_exception" => "drop"  "5xx" => "hold" }
 */
#ifndef MILLRACE_PIPELINE_DELIVERY_RETRY_H
#define MILLRACE_PIPELINE_DELIVERY_RETRY_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "conf/option.h"
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
/* VERDICT_NONE when no rule fits. */
enum verdict retry_rule_verdict(const struct retry_table *table, int status, struct str type);

/* The rules of the option, those that name a type before those that do not, single statuses before classes. types: the
 * destination names kinds of errors. False with *err, at the place of what is wrong. */
bool retry_rules_parse(struct arena *arena, const struct option_hash *option, bool types,
                       struct retry_table *out, struct error *err);
/* A table that asks first these, then those. */
struct retry_table retry_join(struct arena *arena, const struct retry_table *first,
                              const struct retry_table *then);

/* Anything up to initial · 2^tries, and that at most max: random decides. Where the destination asked for a pause, that
 * and up to half as much again, so that those it asked do not come back together. */
uint64_t retry_backoff_ms(const struct output_limits *limits, unsigned tries, unsigned asked_ms,
                          uint64_t random);

#endif
