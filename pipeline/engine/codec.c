/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/codec.h"

#include <string.h>

#include "pipeline/engine/engine_private.h"
#include "pipeline/program/common_options.h"
#include "pipeline/registry.h"

bool codec_bind(const struct bind_context *ctx, const struct plugin_list *list,
                const struct conf_plugin *option, const char *fallback, struct codec_choice *out)
{
    struct str name = option ? option->name : str_from(fallback);
    out->codec = plugin_list_codec(list, name);
    if (!out->codec) {
        if (option)
            registry_explain_unknown(list, option, ctx->errors);
        else
            error_list_at(ctx->errors, (struct error_position){0}, "codec '%s' is not built in",
                          fallback);
        return false;
    }
    out->options = arena_zero(ctx->arena, out->codec->plugin.size);
    if (!option)
        return bind_defaults(ctx, out->codec->plugin.options, out->options);
    struct common_options common = {0};
    struct bind_target targets[] = {
        {out->codec->plugin.options, out->options},
        {common_options_table(CONF_CODEC), &common},
    };
    return bind_plugin(ctx, "codec", option, targets, 2) &&
           common_options_ecs(&common, option->position, ctx->errors, &out->ecs);
}

/* The codec that a stream input uses instead, with the options that were given to the one named. */
static const struct codec *stream_form(const struct plugin_list *list, const struct codec *codec)
{
    const struct codec *other =
        codec->stream_name ? plugin_list_codec(list, str_from(codec->stream_name)) : NULL;
    return other ? other : codec;
}

bool codec_open(const struct plugin_env *env, const struct conf_plugin *option,
                const char *default_name, bool stream, struct codec_instance *out,
                struct error *err)
{
    const struct plugin_list *list = env->engine->options.plugins;
    struct error_list errors;
    error_list_init(&errors);
    struct bind_context ctx = {env->arena, env->settings->escape, &errors};
    struct codec_choice choice = {.ecs = env->ecs};
    bool ok = codec_bind(&ctx, list, option, default_name, &choice);
    if (ok && stream && stream_form(list, choice.codec) != choice.codec) {
        struct conf_plugin renamed = {.section = CONF_CODEC};
        if (option)
            renamed = *option;
        renamed.name = str_from(stream_form(list, choice.codec)->plugin.name);
        ok = codec_bind(&ctx, list, &renamed, NULL, &choice);
    }
    if (!ok && errors.count > 0)
        *err = errors.items[0];
    error_list_release(&errors);
    if (!ok)
        return false;
    struct plugin_env *codec_env = arena_alloc(env->arena, sizeof *codec_env);
    *codec_env = *env;
    codec_env->ecs = choice.ecs;
    codec_env->stream = stream;
    *out = (struct codec_instance){choice.codec, choice.options};
    if (choice.codec->open && !choice.codec->open(out->self, codec_env, err))
        return error_prefix(err, "codec %s", choice.codec->plugin.name);
    return true;
}

bool codec_open_writer(const struct plugin_env *env, const struct conf_plugin *option,
                       const char *default_name, struct codec_instance *out, struct error *err)
{
    struct plugin_env *codec_env = arena_alloc(env->arena, sizeof *codec_env);
    *codec_env = *env;
    codec_env->codec_shared = env->shared;
    if (!codec_open(codec_env, option, default_name, false, out, err))
        return false;
    const struct codec *codec = out->codec;
    if (codec->encode)
        return true;
    codec_close(out);
    return error_set(err, ERROR_CONFIG, "codec '%s' cannot write events", codec->plugin.name);
}

enum encode_result codec_encode(const struct codec_instance *instance, const struct event *event,
                                struct arena *scratch, struct buf *out, struct error *err)
{
    const struct codec *codec = instance->codec;
    if (codec->encode(instance->self, event, scratch, out))
        return ENCODE_DONE;
    return codec->refused && codec->refused(instance->self, err) ? ENCODE_REFUSED : ENCODE_FULL;
}

void codec_close(struct codec_instance *instance)
{
    if (instance->codec && instance->codec->close)
        instance->codec->close(instance->self);
    *instance = (struct codec_instance){0};
}
