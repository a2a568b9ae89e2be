/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: one byte that picks separator, quote and conversion, then the text. Values lie inside the text or the arena and
 * are no longer than it; each has a conversion.
 */
#include <assert.h>

#include "base/text/csv_line.h"
#include "base/text/utf8.h"
#include "codecs/csv_convert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct csv_style STYLES[] = {{STR_INIT(","), STR_INIT("\"")},
                                              {STR_INIT(";"), STR_INIT("'")},
                                              {STR_INIT("||"), STR_INIT("\"")},
                                              {STR_INIT("\t"), STR_INIT("\xC2\xAB")}};
    struct arena arena;
    struct csv_row row;
    struct error err;
    if (len < 1)
        return 0;
    arena_init(&arena, NULL);
    struct str text = utf8_repair(&arena, str_make((const char *)data + 1, len - 1));
    enum csv_type type = (enum csv_type)(data[0] >> 2 & 7);
    if (csv_line_parse(&arena, &STYLES[data[0] & 3], text, &row, &err) == CSV_ROW) {
        size_t total = 0;
        for (size_t i = 0; i < row.count; i++) {
            struct value value;
            total += row.values[i].len;
            assert(utf8_valid(row.values[i]));
            if (type <= CSV_BOOLEAN)
                csv_convert(&arena, type, row.values[i], &value);
        }
        assert(total <= text.len && row.count <= text.len + 1);
    }
    arena_release(&arena);
    return 0;
}
