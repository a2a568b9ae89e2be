/* SPDX-License-Identifier: Apache-2.0
 *
 * The one list of built-in plugins. A new plugin is its file, a declaration and a line here.
 */
#include "cmd/commands.h"

static const struct input *const INPUTS[] = {
    NULL,
};

static const struct filter *const FILTERS[] = {
    NULL,
};

static const struct output *const OUTPUTS[] = {
    NULL,
};

static const struct codec *const CODECS[] = {
    NULL,
};

const struct plugin_list builtin_plugins = {
    .inputs = INPUTS,
    .filters = FILTERS,
    .outputs = OUTPUTS,
    .codecs = CODECS,
};
