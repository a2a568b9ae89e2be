/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ip_network.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>

#include "base/arena.h"

static bool parse_address(struct str text, struct ip_network *out)
{
    char terminated[IP_TEXT_MAX];
    if (text.len >= sizeof terminated || text.len == 0)
        return false;
    memcpy(terminated, text.ptr, text.len);
    terminated[text.len] = 0;
    *out = (struct ip_network){.bytes = 4};
    if (inet_pton(AF_INET, terminated, out->address) != 1) {
        out->bytes = 16;
        if (inet_pton(AF_INET6, terminated, out->address) != 1)
            return false;
    }
    out->prefix = out->bytes * 8;
    return true;
}

/* A mask as an address: ones, then zeros. */
static bool prefix_of_mask(struct str text, unsigned bytes, unsigned *out)
{
    struct ip_network mask;
    if (!parse_address(text, &mask) || mask.bytes != bytes)
        return false;
    unsigned prefix = 0;
    while (prefix < bytes * 8 && mask.address[prefix / 8] >> (7 - prefix % 8) & 1)
        prefix++;
    struct ip_network cleared = mask;
    ip_network_mask(&cleared, prefix);
    *out = prefix;
    return memcmp(cleared.address, mask.address, bytes) == 0;
}

bool ip_network_parse(struct str text, struct ip_network *out)
{
    const char *slash = text.len ? memchr(text.ptr, '/', text.len) : NULL;
    struct str address = slash ? str_make(text.ptr, (size_t)(slash - text.ptr)) : text;
    if (!parse_address(address, out))
        return false;
    if (!slash)
        return true;
    struct str behind = str_from_offset(text, address.len + 1);
    int64_t bits;
    unsigned prefix = 0;
    if (str_to_int(behind, &bits)) {
        if (bits < 0 || bits > (int64_t)out->bytes * 8)
            return false;
        prefix = (unsigned)bits;
    } else if (!prefix_of_mask(behind, out->bytes, &prefix)) {
        return false;
    }
    ip_network_mask(out, prefix);
    return true;
}

void ip_network_mask(struct ip_network *network, unsigned prefix)
{
    assert(prefix <= network->bytes * 8);
    network->prefix = prefix;
    for (unsigned i = 0; i < network->bytes; i++) {
        unsigned kept = prefix > i * 8 ? prefix - i * 8 : 0;
        if (kept < 8)
            network->address[i] &= (unsigned char)(0xFF00u >> kept);
    }
}

bool ip_network_contains(const struct ip_network *outer, const struct ip_network *inner)
{
    if (outer->bytes != inner->bytes || inner->prefix < outer->prefix)
        return false;
    struct ip_network cut = *inner;
    ip_network_mask(&cut, outer->prefix);
    return memcmp(cut.address, outer->address, outer->bytes) == 0;
}

/* ---- many ---- */

static int compare(const void *left, const void *right)
{
    const struct ip_network *a = left, *b = right;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? -1 : 1;
    int order = memcmp(a->address, b->address, a->bytes);
    return order ? order : (int)a->prefix - (int)b->prefix; /* the larger network first */
}

void ip_networks_add(struct ip_networks *networks, struct arena *arena,
                     const struct ip_network *network)
{
    size_t size = sizeof *network;
    if (networks->count == networks->capacity) {
        networks->capacity = networks->capacity ? networks->capacity * 2 : 16;
        networks->items =
            arena_grow(arena, networks->items, networks->count * size, networks->capacity * size);
    }
    networks->items[networks->count++] = *network;
}

void ip_networks_sort(struct ip_networks *networks)
{
    size_t kept = 0;
    if (networks->count == 0)
        return;
    qsort(networks->items, networks->count, sizeof *networks->items, compare);
    for (size_t i = 1; i < networks->count; i++)
        if (!ip_network_contains(&networks->items[kept], &networks->items[i]))
            networks->items[++kept] = networks->items[i];
    networks->count = kept + 1;
}

/* What contains it begins at its address or before; whatever began between would be inside that. */
bool ip_networks_contain(const struct ip_networks *networks, const struct ip_network *inner)
{
    size_t low = 0, high = networks->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&networks->items[middle], inner) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && ip_network_contains(&networks->items[low - 1], inner);
}

size_t ip_network_format(const struct ip_network *network, char out[IP_TEXT_MAX])
{
    const char *text =
        inet_ntop(network->bytes == 4 ? AF_INET : AF_INET6, network->address, out, IP_TEXT_MAX);
    assert(text);
    return text ? strlen(text) : 0;
}
