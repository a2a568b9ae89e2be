/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/proxy_header.h"

static struct str next_word(struct str *line)
{
    size_t len = 0;
    while (len < line->len && line->ptr[len] != ' ' && line->ptr[len] != '\t')
        len++;
    struct str word = str_make(line->ptr, len);
    *line = str_from_offset(*line, len < line->len ? len + 1 : len);
    return word;
}

static bool begins_well(struct str bytes)
{
    static const struct str LABEL = STR_INIT("PROXY ");
    size_t len = bytes.len < LABEL.len ? bytes.len : LABEL.len;
    return str_equal(str_make(bytes.ptr, len), str_make(LABEL.ptr, len));
}

enum proxy_header_result proxy_header_read(struct str bytes, struct proxy_header *out,
                                           size_t *len_out)
{
    *out = (struct proxy_header){0};
    if (!begins_well(bytes))
        return PROXY_HEADER_BROKEN;
    struct str seen =
        str_make(bytes.ptr, bytes.len < PROXY_HEADER_MAX ? bytes.len : PROXY_HEADER_MAX);
    size_t end = str_find(seen, STR("\r\n"));
    if (end == SIZE_MAX)
        return bytes.len < PROXY_HEADER_MAX ? PROXY_HEADER_MORE : PROXY_HEADER_BROKEN;
    struct str line = str_make(bytes.ptr, end);
    next_word(&line); /* PROXY */
    struct str protocol = next_word(&line);
    *len_out = end + 2;
    if (str_equal(protocol, STR("UNKNOWN")))
        return PROXY_HEADER_WHOLE;
    out->source = next_word(&line);
    out->destination = next_word(&line);
    out->source_port = next_word(&line);
    out->destination_port = next_word(&line);
    return out->destination_port.len > 0 ? PROXY_HEADER_WHOLE : PROXY_HEADER_BROKEN;
}
