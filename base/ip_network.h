/* SPDX-License-Identifier: Apache-2.0
 *
 * IP addresses and networks (10.0.0.0/8, fe80::/64, 10.0.0.0/255.0.0.0), of both families.
 */
#ifndef MILLRACE_BASE_IP_NETWORK_H
#define MILLRACE_BASE_IP_NETWORK_H

#include <stdbool.h>

#include "base/str.h"

struct ip_network {
    unsigned char address[16]; /* the host bits are zero */
    unsigned bytes;            /* 4 or 16 */
    unsigned prefix;           /* in bits; all of them for a single address */
};

enum { IP_TEXT_MAX = 46 };

/* Without '/', the network of that one address. */
bool ip_network_parse(struct str text, struct ip_network *out);
/* Every address of `inner` is one of `outer`; never across families. */
bool ip_network_contains(const struct ip_network *outer, const struct ip_network *inner);
/* Clears the bits behind the prefix. */
void ip_network_mask(struct ip_network *network, unsigned prefix);
/* Many networks, for one look-up in the logarithm of their number. Items live in an arena; to be sorted when all are in. */
struct ip_networks {
    struct ip_network *items; /* sorted: none is inside another one */
    size_t count, capacity;
};
struct arena;
void ip_networks_add(struct ip_networks *networks, struct arena *arena,
                     const struct ip_network *network);
void ip_networks_sort(struct ip_networks *networks);
bool ip_networks_contain(const struct ip_networks *networks, const struct ip_network *inner);
/* The address as text, without the prefix; its length. */
size_t ip_network_format(const struct ip_network *network, char out[IP_TEXT_MAX]);

#endif
