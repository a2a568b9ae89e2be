/* SPDX-License-Identifier: Apache-2.0
 *
 * For describe_item of outputs (pipeline/plugin.h): members that say where an event goes.
 */
#ifndef MILLRACE_OUTPUTS_DESCRIBE_H
#define MILLRACE_OUTPUTS_DESCRIBE_H

#include "pipeline/plugin.h"

/* A text, copied; what is no UTF-8 in it is mended. Empty: left out. */
void describe_text(struct arena *arena, struct value *object, const char *name, struct str text);
/* "to": PROTOCOL://HOST:PORT */
void describe_to(struct arena *arena, struct value *object, const char *protocol, struct str host,
                 int64_t port);
/* "to": the URLs without users and passwords. */
void describe_hosts(struct arena *arena, struct value *object, const struct option_strings *hosts);

#endif
