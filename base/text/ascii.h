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

static inline bool ascii_is_letter(char byte)
{
    char lower = (char)(byte | 0x20);
    return lower >= 'a' && lower <= 'z';
}

/* What Ruby's white space is, but for NUL, which only some of its methods count among it. */
static inline bool ascii_is_space(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
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
