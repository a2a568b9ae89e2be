/* SPDX-License-Identifier: Apache-2.0
 *
 * The plugins that Logstash bundles, and a few others that are met in files: how far each is here, how it was held
 * against Logstash, and what to use instead of one that is not. The one source of what -t, `millrace plugins` and
 * docs/compatibility.md say.
 */
#ifndef MILLRACE_CMD_BUNDLED_H
#define MILLRACE_CMD_BUNDLED_H

#include "conf/syntax.h"

#define BUNDLED_VERSION "9.6"

/* For a plugin that is not built in: the advice of -t; NULL for a name that nobody knows. */
const char *bundled_advice(enum conf_section section, struct str name);
/* "Logstash 9.6 bundles 111 plugins; here are …" on one line. */
void bundled_print_summary(void);
/* docs/compatibility.md */
void bundled_print_markdown(void);

#endif
