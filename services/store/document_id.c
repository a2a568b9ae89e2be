/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/document_id.h"

#include <assert.h>

enum { RAW_BYTES = 15, SEQ_BYTES = RAW_BYTES - INDEX_TAG_BYTES };

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int digit_value(char digit)
{
    const char *at = digit ? strchr(DIGITS, digit) : NULL;
    return at ? (int)(at - DIGITS) : -1;
}

void document_id_make(const unsigned char tag[INDEX_TAG_BYTES], int64_t seq,
                      char out[DOCUMENT_ID_BYTES])
{
    unsigned char raw[RAW_BYTES];
    assert(seq >= 0 && seq >> (8 * SEQ_BYTES) == 0);
    memcpy(raw, tag, INDEX_TAG_BYTES);
    for (int i = 0; i < SEQ_BYTES; i++)
        raw[INDEX_TAG_BYTES + i] = (unsigned char)(seq >> (8 * (SEQ_BYTES - 1 - i)));
    for (int i = 0; i < RAW_BYTES; i += 3, out += 4) {
        unsigned bits = (unsigned)raw[i] << 16 | (unsigned)raw[i + 1] << 8 | raw[i + 2];
        for (int k = 0; k < 4; k++)
            out[k] = DIGITS[bits >> (18 - 6 * k) & 63];
    }
}

bool document_id_read(const unsigned char tag[INDEX_TAG_BYTES], struct str id, int64_t *seq_out)
{
    unsigned char raw[RAW_BYTES];
    if (id.len != DOCUMENT_ID_BYTES)
        return false;
    for (size_t i = 0; i < DOCUMENT_ID_BYTES; i += 4) {
        unsigned bits = 0;
        for (size_t k = 0; k < 4; k++) {
            int value = digit_value(id.ptr[i + k]);
            if (value < 0)
                return false;
            bits = bits << 6 | (unsigned)value;
        }
        for (size_t k = 0; k < 3; k++)
            raw[i / 4 * 3 + k] = (unsigned char)(bits >> (16 - 8 * k));
    }
    if (memcmp(raw, tag, INDEX_TAG_BYTES) != 0)
        return false;
    *seq_out = 0;
    for (int i = 0; i < SEQ_BYTES; i++)
        *seq_out = *seq_out << 8 | raw[INDEX_TAG_BYTES + i];
    return true;
}
