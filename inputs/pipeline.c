/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline: takes events that outputs of other pipelines of this process send to an address. All is done by the bus
 * (pipeline/engine/bus.h); the address is open from start() to stop().
 */
#include "inputs/inputs.h"

#include "pipeline/engine/bus.h"
#include <assert.h>

struct pipeline_input {
    struct str address;

    const struct plugin_env *env;
    struct bus_receiver *receiver; /* NULL: the address is not open */
    bool finished;
};

static struct str pipeline_address(const void *self)
{
    return ((const struct pipeline_input *)self)->address;
}

static bool pipeline_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct pipeline_input *input = self;
    (void)err;
    input->env = env;
    return true;
}

static bool pipeline_start(void *self, struct error *err)
{
    struct pipeline_input *input = self;
    assert(!input->receiver && !input->finished);
    input->receiver = bus_bind(input->env, input->address, err);
    return input->receiver;
}

static void pipeline_stop(void *self)
{
    struct pipeline_input *input = self;
    bus_unbind(input->receiver);
    input->receiver = NULL;
    if (!input->finished)
        input_finished(input->env);
    input->finished = true;
}

static void pipeline_close(void *self, void (*closed)(void *ctx), void *ctx)
{
    struct pipeline_input *input = self;
    bus_unbind(input->receiver);
    closed(ctx);
}

static const struct option pipeline_options[] = {
    {
        .name = "address",
        .doc = "What pipeline outputs name in send_to. One input of the process may have it.",
        OPTION_IN_STRING(struct pipeline_input, address),
        .flags = OPTION_REQUIRED,
    },
    OPTION_END,
};

const struct input input_pipeline = {
    .plugin = {.name = "pipeline",
               .summary = "events of other pipelines of this process",
               .options = pipeline_options,
               .size = sizeof(struct pipeline_input)},
    .open = pipeline_open,
    .start = pipeline_start,
    .stop = pipeline_stop,
    .close = pipeline_close,
    .address = pipeline_address,
};
