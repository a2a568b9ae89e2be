/* SPDX-License-Identifier: Apache-2.0
 *
 * What the numbers in templates of NetFlow 9 and IPFIX mean. Immutable.
 */
#ifndef MILLRACE_CODECS_NETFLOW_NETFLOW_FIELDS_H
#define MILLRACE_CODECS_NETFLOW_NETFLOW_FIELDS_H

#include <stddef.h>
#include <stdint.h>

enum netflow_kind {
    NETFLOW_SKIP,
    NETFLOW_UINT,
    NETFLOW_INT,
    NETFLOW_REAL,
    NETFLOW_TEXT,
    NETFLOW_IP4,
    NETFLOW_IP6,
    NETFLOW_MAC,
    NETFLOW_OCTETS, /* as hexadecimal digits */
    NETFLOW_ACL,    /* three times four octets */
    NETFLOW_MPLS,
    NETFLOW_STATUS,
    NETFLOW_APPLICATION,
};

struct netflow_field {
    uint32_t enterprise; /* 0: IANA, and NetFlow 9 */
    uint16_t type;
    uint8_t kind;     /* enum netflow_kind */
    const char *name; /* NULL: skipped */
};

/* NULL: nobody knows the number. */
const struct netflow_field *netflow9_field(uint16_t type);
const struct netflow_field *ipfix_field(uint32_t enterprise, uint16_t type);

#endif
