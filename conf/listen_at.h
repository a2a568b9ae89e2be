/* SPDX-License-Identifier: Apache-2.0
 *
 * --listen-at PORT:ADDRESS:PORT: an input that would listen on the first port listens there instead, so that a pipeline
 * file runs unchanged where its port is taken or is to be reached by others. What --connect-to is for outputs.
 */
#ifndef MILLRACE_CONF_LISTEN_AT_H
#define MILLRACE_CONF_LISTEN_AT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { PORT_MAX = 65535 };

struct listen_at {
    int64_t instead_of; /* 0 ends a list */
    struct str address; /* without brackets; empty: the input's own */
    int64_t port;       /* 0: any free one */
};

/* False when it is not of this form. *out borrows from text. */
bool listen_at_parse(struct str text, struct listen_at *out);

/* Every input that listens asks here before it binds. list may be NULL. */
void listen_at_lead(const struct listen_at *list, struct str *address, int64_t *port);

#endif
