/* SPDX-License-Identifier: Apache-2.0
 *
 * The templates that exporters have sent, by source and number: how the records of their data sets are laid out. The one
 * not used for longest goes when there are too many, and each after its time. One thread.
 */
#ifndef MILLRACE_CODECS_NETFLOW_NETFLOW_TEMPLATES_H
#define MILLRACE_CODECS_NETFLOW_NETFLOW_TEMPLATES_H

#include "base/lru.h"
#include "codecs/netflow/netflow_fields.h"

enum { NETFLOW_TEMPLATES_MAX = 4096, NETFLOW_FIELDS_MAX = 1024, NETFLOW_VARIABLE = 65535 };

struct netflow_layout {
    uint16_t length; /* NETFLOW_VARIABLE: the record says */
    uint8_t kind;
    const char *name; /* NULL: passed over */
};

struct netflow_template {
    int64_t expires; /* seconds since 1970 */
    size_t count;
    size_t min_bytes; /* that a record takes */
    struct netflow_layout fields[];
};

struct netflow_templates {
    struct lru by_key;
};

struct netflow_key {
    unsigned version;
    uint32_t source;
    uint16_t id;
};

void netflow_templates_init(struct netflow_templates *templates);
void netflow_templates_release(struct netflow_templates *templates);
/* Takes the place of the one before. */
void netflow_templates_set(struct netflow_templates *templates, struct netflow_key key,
                           const struct netflow_layout *fields, size_t count, int64_t expires);
/* NULL: none that is still good at `now`. */
const struct netflow_template *netflow_templates_get(struct netflow_templates *templates,
                                                     struct netflow_key key, int64_t now);

#endif
