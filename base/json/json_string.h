/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a JSON string ends, whatever is in it. Private to base/json.
 */
#ifndef MILLRACE_BASE_JSON_JSON_STRING_H
#define MILLRACE_BASE_JSON_JSON_STRING_H

#include <stdbool.h>

/* What is known of a string when its closing quote is found. */
struct json_string_marks {
    bool not_ascii; /* there may be bytes above ASCII */
    bool has_escapes;
    bool has_spelled; /* escapes that are not written so: \/, \u0041 */
};

/* The closing quote of what goes on at `at`; NULL: there is none before `end`, or something that no string has. */
const char *json_string_end(const char *at, const char *end, struct json_string_marks *marks);

#endif
