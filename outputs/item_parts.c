/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/item_parts.h"

#include <assert.h>
#include <string.h>

bool item_append_number(struct buf *out, uint32_t number)
{
    return buf_append(out, &number, sizeof number);
}

bool item_append_part(struct buf *out, struct str part)
{
    assert(part.len <= UINT32_MAX);
    return item_append_number(out, (uint32_t)part.len) && buf_append_str(out, part);
}

uint32_t item_take_number(struct str *item)
{
    uint32_t number;
    assert(item->len >= sizeof number);
    memcpy(&number, item->ptr, sizeof number);
    *item = str_from_offset(*item, sizeof number);
    return number;
}

struct str item_take_bytes(struct str *item, uint32_t len)
{
    assert(item->len >= len);
    struct str bytes = str_make(item->ptr, len);
    *item = str_from_offset(*item, len);
    return bytes;
}

struct str item_take_part(struct str *item)
{
    return item_take_bytes(item, item_take_number(item));
}
