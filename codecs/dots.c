/* SPDX-License-Identifier: Apache-2.0
 *
 * dots: one "." for each event.
 */
#include "codecs/codecs.h"
#include "pipeline/plugin.h"

struct dots_codec {
    bool unused; /* an instance has no state, but it has a size */
};

static bool dots_encode(void *self, const struct event *event, struct arena *scratch,
                        struct buf *out)
{
    (void)self;
    (void)scratch;
    (void)event;
    return buf_append_char(out, '.');
}

static const struct option dots_options[] = {OPTION_END};

const struct codec codec_dots = {
    .plugin = {.name = "dots",
               .summary = "a dot for each event, to see that something flows",
               .options = dots_options,
               .size = sizeof(struct dots_codec)},
    .encode = dots_encode,
};
