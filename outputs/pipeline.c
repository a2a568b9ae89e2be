/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline: gives events to other pipelines of this process. The engine does it all (pipeline/engine/link.h).
 */
#include "outputs/outputs.h"

static bool pipeline_check(void *self, const struct plugin_env *env, struct error *err)
{
    const struct link_options *options = self;
    (void)env;
    for (size_t i = 0; i < options->send_to.count; i++)
        for (size_t j = 0; j < i; j++)
            if (str_equal(options->send_to.items[i], options->send_to.items[j]))
                return error_set(err, ERROR_CONFIG, "send_to has '%.*s' twice",
                                 STR_FMT(options->send_to.items[i]));
    return options->send_to.count > 0 || error_set(err, ERROR_CONFIG, "send_to is empty");
}

static const struct link_options *pipeline_link(const void *self)
{
    return self;
}

static const struct option pipeline_options[] = {
    {
        .name = "send_to",
        .doc = "Addresses of pipeline inputs. Each gets every event, in this order.",
        OPTION_IN_STRINGS(struct link_options, send_to),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "ensure_delivery",
        .doc = "Wait while no pipeline has an address; otherwise such events are dropped.",
        OPTION_IN_BOOL(struct link_options, ensure_delivery),
        .def = "true",
    },
    OPTION_END,
};

const struct output output_pipeline = {
    .plugin = {.name = "pipeline",
               .summary = "to other pipelines of this process",
               .options = pipeline_options,
               .size = sizeof(struct link_options),
               .check = pipeline_check},
    .link = pipeline_link,
};
