/* SPDX-License-Identifier: Apache-2.0
 *
 * What a server says when it refuses a request as a whole, for the log and for a check of the connection: who tried to
 * log in, and the server's own reason.
 */
#ifndef MILLRACE_OUTPUTS_ELASTICSEARCH_REFUSAL_H
#define MILLRACE_OUTPUTS_ELASTICSEARCH_REFUSAL_H

#include "outputs/elasticsearch/elasticsearch.h"

/* The reason in the body of an answer: of its JSON ({"error":{"reason":…}}), else the beginning of its text; without
 * values that it quotes. Empty when there is none. In arena. */
struct str refusal_reason(struct json_reader *json, struct arena *arena, struct str body);

/* Who the output says that it is: the user's name, "(api_key)" or "(none)". Never a secret. */
struct str refusal_user(const struct elasticsearch *output);

/* What a 401 or 403 means, as the beginning of a sentence; NULL for any other status. */
const char *refusal_of_login(int status);

#endif
