/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of indices: which may be, and which of them an expression of a path means: "logs-2026.01.*,-logs-*-old,_all".
 */
#ifndef MILLRACE_SERVICES_STORE_INDEX_NAME_H
#define MILLRACE_SERVICES_STORE_INDEX_NAME_H

#include <stdbool.h>

#include "services/store/api_error.h"

enum { INDEX_NAME_MAX = 255 };

/* False with invalid_index_name_exception. */
bool index_name_check(struct str name, struct api_error *err);
/* The expression is one name: no list, wildcard or _all. */
bool index_expression_is_name(struct str expression);
/* Takes the next part off an expression. False at its end. */
bool index_expression_next(struct str *expression, struct str *part_out);
/* All parts together: included by one, and by none that follows excluded. _all and "" include everything. A '-' excludes
 * only behind a part with a wildcard. */
bool index_expression_has(struct str expression, struct str name);
/* The name's date, "logs-2026.01.31" or "logs-2026-01-31-x", as the end of that day in milliseconds; false: it has none. */
bool index_name_date(struct str name, int64_t *end_ms_out);

#endif
