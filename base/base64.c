/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct str base64_encode(struct arena *arena, struct str bytes)
{
    char *out = arena_bytes(arena, (bytes.len + 2) / 3 * 4 + 1);
    size_t len = 0;
    for (size_t i = 0; i < bytes.len; i += 3) {
        unsigned word = (unsigned)(unsigned char)bytes.ptr[i] << 16;
        if (i + 1 < bytes.len)
            word |= (unsigned)(unsigned char)bytes.ptr[i + 1] << 8;
        if (i + 2 < bytes.len)
            word |= (unsigned char)bytes.ptr[i + 2];
        out[len++] = ALPHABET[word >> 18];
        out[len++] = ALPHABET[word >> 12 & 63];
        out[len++] = i + 1 < bytes.len ? ALPHABET[word >> 6 & 63] : '=';
        out[len++] = i + 2 < bytes.len ? ALPHABET[word & 63] : '=';
    }
    return str_make(out, len);
}

struct str base64_credentials(struct arena *arena, struct str user, struct str password)
{
    struct str pair = arena_printf(arena, "%.*s:%.*s", STR_FMT(user), STR_FMT(password));
    return arena_printf(arena, "Basic %.*s", STR_FMT(base64_encode(arena, pair)));
}

bool base64_decode(struct arena *arena, struct str text, struct str *out)
{
    while (text.len > 0 && text.ptr[text.len - 1] == '=')
        text.len--;
    char *bytes = arena_bytes(arena, text.len + 1);
    size_t len = 0;
    unsigned word = 0, bits = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *digit = text.ptr[i] ? strchr(ALPHABET, text.ptr[i]) : NULL;
        if (!digit)
            return false;
        word = word << 6 | (unsigned)(digit - ALPHABET);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes[len++] = (char)(word >> bits);
        }
    }
    *out = str_make(bytes, len);
    return true;
}
