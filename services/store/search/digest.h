/* SPDX-License-Identifier: Apache-2.0
 *
 * Percentiles of many numbers in bounded memory: exact up to DIGEST_EXACT_MAX numbers, beyond that a merging t-digest.
 */
#ifndef MILLRACE_SERVICES_STORE_SEARCH_DIGEST_H
#define MILLRACE_SERVICES_STORE_SEARCH_DIGEST_H

#include <stddef.h>

#include "base/arena.h"

enum { DIGEST_EXACT_MAX = 16384 };

struct digest;

struct digest *digest_new(struct arena *arena);
void digest_add(struct digest *digest, struct arena *arena, double number);
size_t digest_count(const struct digest *digest);
/* quantile in [0, 1]; the digest holds at least one number. */
double digest_quantile(struct digest *digest, double quantile);

#endif
