/* SPDX-License-Identifier: Apache-2.0
 *
 * An item made of several parts (a key, headers, a body), for outputs whose requests need them apart: each part with its
 * length in front, as this machine has numbers. What encode() wrote, send() takes in the same order.
 */
#ifndef MILLRACE_OUTPUTS_ITEM_PARTS_H
#define MILLRACE_OUTPUTS_ITEM_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* False when the buffer is at its maximum. */
bool item_append_number(struct buf *out, uint32_t number);
bool item_append_part(struct buf *out, struct str part);

/* Take from the front of *item; what is taken borrows from it. */
uint32_t item_take_number(struct str *item);
struct str item_take_bytes(struct str *item, uint32_t len);
struct str item_take_part(struct str *item);

#endif
