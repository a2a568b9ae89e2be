/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two ways of reading JSON share: private to json_read.c (yajl's callbacks), json_build.c (the tape of the fast
 * scanner) and json_number.c.
 */
#ifndef MILLRACE_PIPELINE_EVENT_JSON_PRIVATE_H
#define MILLRACE_PIPELINE_EVENT_JSON_PRIVATE_H

#include "base/json/json_scan.h"
#include "pipeline/event/value.h"

/* The document's own object usually becomes an event, which gets a few more fields. */
enum { JSON_ROOT_SPARE = 8 };

/* The value of a number whose form was checked. NULL, or why it cannot be read. An integer beyond 64 bits keeps the text
 * itself, which has to live as long as the value. */
const char *json_number(struct arena *arena, struct str text, bool keep_decimals,
                        struct value *out);

/* The document that json_scan found in text. False when a number has to be refused, which the parser then does. */
bool json_build(struct arena *arena, const struct json_tape *tape, struct str text,
                bool keep_decimals, struct value *out);

#endif
