/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding and binding the codec that an option names. Opening it for a stream is codec_open (plugin.h).
 */
#ifndef MILLRACE_PIPELINE_ENGINE_CODEC_H
#define MILLRACE_PIPELINE_ENGINE_CODEC_H

#include "conf/bind.h"
#include "pipeline/plugin.h"

struct codec_choice {
    const struct codec *codec;
    void *options; /* bound, codec->plugin.size bytes */
    enum ecs_mode ecs;
};

/* option may be NULL: the codec `fallback` with its defaults. Problems are added to ctx->errors. */
bool codec_bind(const struct bind_context *ctx, const struct plugin_list *list,
                const struct conf_plugin *option, const char *fallback, struct codec_choice *out);

#endif
