/* SPDX-License-Identifier: Apache-2.0
 *
 * An example for each plugin, with which its reference page opens. tests/system/test_reference.py runs them.
 */
#ifndef MILLRACE_CMD_EXAMPLES_H
#define MILLRACE_CMD_EXAMPLES_H

#include "conf/syntax.h"

struct example {
    enum conf_section section;
    const char *name;
    const char *config; /* a whole section: input {…}, filter {…} or output {…} */
    /* For a filter an event and what it becomes, as JSON without @timestamp and @version; for a codec the text that it reads,
     * or NULL, and the event. NULL: nothing is shown, and the configuration is only checked. */
    const char *in, *out;
};

/* NULL: there is none. */
const struct example *example_find(enum conf_section section, const char *name);

#endif
