/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run needs of the settings, with the defaults of this machine filled in.
 */
#ifndef MILLRACE_CMD_RUN_SETTINGS_H
#define MILLRACE_CMD_RUN_SETTINGS_H

#include "pipeline/plugin.h"

struct run_settings {
    const char *config_string; /* -e, or NULL */
    const char *config_path;   /* -f, or NULL */
    const char *pipeline_id;
    bool test_only;
    size_t workers;
    size_t batch_size;         /* 0: the engine's own */
    bool ordered;
    enum ecs_mode ecs;
    bool support_escapes;
    enum field_escape escape;
    size_t memory_bytes;
    unsigned shutdown_timeout_ms;
    const char *path_data;
    const char *path_templates;
    const char *shipped_templates;
    const char *const *connect_to;
    const char *counters_path;
    enum log_level log_level;
    enum log_format log_format;
};

/* False when there is nothing to run: *status is then the exit status (0 after --help and --version). */
bool run_settings_read(struct run_settings *settings, struct arena *arena, int argc, char **argv,
                       int *status);

#endif
