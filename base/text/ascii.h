/* SPDX-License-Identifier: Apache-2.0
 *
 * What a byte is in ASCII, whatever the locale.
 */
#ifndef MILLRACE_BASE_TEXT_ASCII_H
#define MILLRACE_BASE_TEXT_ASCII_H

#include <stdbool.h>

static inline bool ascii_is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Of a hexadecimal digit; -1: it is none. */
static inline int ascii_hex_value(char byte)
{
    if (ascii_is_digit(byte))
        return byte - '0';
    byte = (char)(byte | 0x20);
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

#endif
