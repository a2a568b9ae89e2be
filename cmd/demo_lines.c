/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/demo_lines.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "cmd/payment_line.h"

enum { LINES_APART_MS = 100, LINES_SEED = 1 };

/* An ERROR that no business rule explains. */
static bool is_alarming(struct str line)
{
    return str_find(line, STR("\"level\":\"ERROR\"")) != SIZE_MAX &&
           str_find(line, STR("\"error_code\":")) == SIZE_MAX;
}

static struct instant time_of(struct instant first, uint64_t index)
{
    uint64_t offset_ms = index * LINES_APART_MS;
    return (struct instant){.seconds = first.seconds + (int64_t)(offset_ms / 1000),
                            .nanoseconds = (uint32_t)(offset_ms % 1000 * 1000000)};
}

static bool write_lines(FILE *out, uint64_t count, struct map *alarming)
{
    struct buf line;
    buf_init(&line, PAYMENT_LINE_MAX_BYTES);
    struct instant first = {.seconds =
                                clock_now().seconds - (int64_t)(count * LINES_APART_MS / 1000)};
    for (uint64_t i = 0; i < count && !ferror(out); i++) {
        buf_clear(&line, PAYMENT_LINE_MAX_BYTES);
        bool fits = payment_line(&line, LINES_SEED, i, time_of(first, i));
        assert(fits && line.len > 0);
        (void)fits;
        fwrite(line.ptr, 1, line.len, out);
        struct str text = str_make(line.ptr, line.len - 1);
        if (is_alarming(text))
            map_set(alarming, text, NULL);
    }
    buf_release(&line);
    return !ferror(out);
}

bool demo_lines_write(const char *path, uint64_t count, struct map *alarming, struct error *err)
{
    FILE *out = fopen(path, "we");
    bool good = out && write_lines(out, count, alarming);
    if (out && fclose(out) != 0)
        good = false;
    return good || error_set(err, ERROR_IO, "cannot write '%s': %s", path, strerror(errno));
}
