/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/listen_at.h"

#include <assert.h>

static bool read_port(struct str text, int64_t min, int64_t *out)
{
    bool digits = text.len > 0 && text.ptr[0] >= '0' && text.ptr[0] <= '9';
    return digits && str_to_int(text, out) && *out >= min && *out <= PORT_MAX;
}

/* Colons in an address stand in brackets. */
static bool read_address(struct str text, struct str *out)
{
    bool bracketed = text.len > 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']';
    *out = bracketed ? str_make(text.ptr + 1, text.len - 2) : text;
    return bracketed || str_find(text, STR(":")) == SIZE_MAX;
}

bool listen_at_parse(struct str text, struct listen_at *out)
{
    size_t first = str_find(text, STR(":")), last = text.len;
    while (last > 0 && text.ptr[last - 1] != ':')
        last--;
    if (first == SIZE_MAX || last <= first + 1)
        return false;
    struct str address = str_make(text.ptr + first + 1, last - 1 - (first + 1));
    return read_port(str_make(text.ptr, first), 1, &out->instead_of) &&
           read_address(address, &out->address) &&
           read_port(str_from_offset(text, last), 0, &out->port);
}

void listen_at_lead(const struct listen_at *list, struct str *address, int64_t *port)
{
    for (; list && list->instead_of; list++) {
        assert(list->port >= 0 && list->port <= PORT_MAX);
        if (list->instead_of != *port)
            continue;
        *port = list->port;
        if (list->address.len > 0)
            *address = list->address;
        return;
    }
}
