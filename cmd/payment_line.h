/* SPDX-License-Identifier: Apache-2.0
 *
 * Log lines of a payment service, made up: one JSON object a line, as a Java service writes its LogEntry (timestamp,
 * level, service, event, transactionId, userId, sessionId, requestId, context). A line depends on the seed and its index
 * alone, so any part of a run can be made again.
 *
 * Of 100 lines on average: 87 payment events, 10 PERFORMANCE, 3 SECURITY_EVENT (they have no duration_ms); 15 are of
 * level ERROR, a quarter of those without error_code; 12 have Korean text, 5 JSON escapes. No two lines of a seed have the
 * same userId. A line has about 420 bytes.
 */
#ifndef MILLRACE_CMD_PAYMENT_LINE_H
#define MILLRACE_CMD_PAYMENT_LINE_H

#include "base/buf.h"
#include "base/time/clock.h"

enum { PAYMENT_LINE_MAX_BYTES = 1024 };

/* Appends the line and a line break; false when buf is at its maximum. */
bool payment_line(struct buf *out, uint64_t seed, uint64_t index, struct instant at);

#endif
