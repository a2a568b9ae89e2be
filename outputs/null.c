/* SPDX-License-Identifier: Apache-2.0
 *
 * null: accepts every event and forgets it.
 */
#include "outputs/outputs.h"
#include "pipeline/delivery/group.h"

struct null_output {
    const struct conf_plugin *codec; /* accepted, never used */
};

static bool null_open(void *self, const struct plugin_env *env, struct output_limits *limits,
                      struct error *err)
{
    (void)self;
    (void)env;
    (void)err;
    limits->flush_ms = 0;
    return true;
}

static enum encode_result null_encode(void *self, const struct event *event, struct arena *scratch,
                                      struct buf *out, struct error *err)
{
    (void)self;
    (void)event;
    (void)scratch;
    (void)out;
    (void)err;
    return ENCODE_DONE;
}

static void null_send(void *self, struct group *group)
{
    (void)self;
    group_answer_all(group, VERDICT_DELIVERED, STR(""));
    group_answered(group);
}

static void null_close(void *self)
{
    (void)self;
}

static const struct option null_options[] = {
    {
        .name = "codec",
        .doc = "Has no effect: nothing is written.",
        OPTION_IN_CODEC(struct null_output, codec),
    },
    OPTION_END,
};

const struct output output_null = {
    .plugin = {.name = "null",
               .summary = "accepts every event and forgets it",
               .options = null_options,
               .size = sizeof(struct null_output),
               .scope = SCOPE_LANE},
    .open = null_open,
    .encode = null_encode,
    .send = null_send,
    .close = null_close,
};
