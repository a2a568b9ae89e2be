/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text/case_map.h"

#include <assert.h>

#include "base/text/utf8.h"

/* Code points first, first + step, … last, which move by delta. */
struct case_range {
    uint32_t first, last;
    int32_t delta;
    uint32_t step;
};

/* A code point that becomes more than one. */
struct case_text {
    uint32_t codepoint;
    const char *text;
};

#include "base/text/case_map_table.h"

/* The longest of the texts, and what any single mapping takes. */
enum { MAPPED_MAX_BYTES = 8 };

struct case_table {
    const struct case_range *ranges;
    size_t range_count;
    const struct case_text *texts;
    size_t text_count;
};

#define CASE_TABLE(name)                                                                           \
    {                                                                                              \
        name##_RANGES, sizeof name##_RANGES / sizeof *name##_RANGES, name##_TEXTS,                 \
            sizeof name##_TEXTS / sizeof *name##_TEXTS                                             \
    }

static const struct case_table UPPER = CASE_TABLE(UPPER);
static const struct case_table LOWER = CASE_TABLE(LOWER);
static const struct case_table TITLE = CASE_TABLE(TITLE);

static const struct case_text *find_text(const struct case_table *table, uint32_t codepoint)
{
    size_t low = 0, high = table->text_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (table->texts[middle].codepoint < codepoint)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < table->text_count && table->texts[low].codepoint == codepoint;
    return found ? &table->texts[low] : NULL;
}

static const struct case_range *find_range(const struct case_table *table, uint32_t codepoint)
{
    size_t low = 0, high = table->range_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (table->ranges[middle].last < codepoint)
            low = middle + 1;
        else
            high = middle;
    }
    const struct case_range *range = &table->ranges[low];
    bool found = low < table->range_count && range->first <= codepoint &&
                 (codepoint - range->first) % range->step == 0;
    return found ? range : NULL;
}

/* Writes what the code point becomes; 0 when the table does not know it. */
static size_t map_codepoint(const struct case_table *table, uint32_t codepoint,
                            char out[MAPPED_MAX_BYTES])
{
    const struct case_text *text = find_text(table, codepoint);
    if (text) {
        size_t len = strlen(text->text);
        assert(len <= MAPPED_MAX_BYTES);
        memcpy(out, text->text, len);
        return len;
    }
    const struct case_range *range = find_range(table, codepoint);
    return range ? utf8_encode((uint32_t)((int32_t)codepoint + range->delta), out) : 0;
}

static char map_ascii(char c, bool upper)
{
    char first = upper ? 'a' : 'A';
    return c >= first && c < first + 26 ? (char)(c ^ 0x20) : c;
}

/* Maps the character at text into out and moves text behind it. */
static char *map_next(struct str *text, const struct case_table *table, bool title, char *out)
{
    uint32_t codepoint;
    unsigned len = utf8_decode(*text, &codepoint);
    size_t mapped = title ? map_codepoint(&TITLE, codepoint, out) : 0;
    if (mapped == 0)
        mapped = map_codepoint(table, codepoint, out);
    if (mapped == 0) {
        memcpy(out, text->ptr, len);
        mapped = len;
    }
    *text = str_from_offset(*text, len);
    return out + mapped;
}

/* The first `titled` characters go by UPPER and TITLE, the rest by table. A character of two bytes or more becomes at
 * most three times as long. */
static struct str map_text(struct arena *arena, struct str text, const struct case_table *table,
                           size_t titled)
{
    size_t beyond_ascii = 0;
    for (size_t i = 0; i < text.len; i++)
        beyond_ascii += (unsigned char)text.ptr[i] >= 0x80;
    size_t room = text.len + 2 * beyond_ascii + MAPPED_MAX_BYTES;
    char *start = arena_bytes(arena, room), *out = start;
    for (size_t at = 0; text.len > 0; at++) {
        const struct case_table *here = at < titled ? &UPPER : table;
        if ((unsigned char)*text.ptr < 0x80) {
            *out++ = map_ascii(*text.ptr, here == &UPPER);
            text = str_from_offset(text, 1);
        } else {
            out = map_next(&text, here, at < titled, out);
        }
    }
    assert((size_t)(out - start) <= room);
    return str_make(start, (size_t)(out - start));
}

struct str case_upper(struct arena *arena, struct str text)
{
    return map_text(arena, text, &UPPER, 0);
}

struct str case_lower(struct arena *arena, struct str text)
{
    return map_text(arena, text, &LOWER, 0);
}

struct str case_capitalize(struct arena *arena, struct str text)
{
    return map_text(arena, text, &LOWER, 1);
}
