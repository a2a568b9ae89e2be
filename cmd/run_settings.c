/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/run_settings.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/machine.h"
#include "cmd/commands.h"

enum { MEMORY_DEFAULT_BYTES = 64 * 1024 * 1024, MEMORY_CGROUP_PERCENT = 35 };

static size_t default_memory(void)
{
    size_t limit = machine_memory_limit();
    size_t share = limit == SIZE_MAX ? SIZE_MAX : limit / 100 * MEMORY_CGROUP_PERCENT;
    return share < MEMORY_DEFAULT_BYTES ? share : MEMORY_DEFAULT_BYTES;
}

bool run_settings_read(struct run_settings *settings, struct arena *arena, int argc, char **argv,
                       int *status)
{
    const char **connect = arena_zero(arena, sizeof(char *) * ((size_t)argc + 1));
    size_t connects = 0;
    *settings = (struct run_settings){.pipeline_id = "main", .workers = machine_cores(), .ecs = ECS_V8,
        .memory_bytes = default_memory(), .shutdown_timeout_ms = 30000, .path_data = "/tmp/millrace-data",
        .log_level = LOG_LEVEL_INFO, .connect_to = connect, .shipped_templates = "deploy/templates"};
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i], *v = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(a, "-e")) settings->config_string = v, i++;
        else if (!strcmp(a, "-f")) settings->config_path = v, i++;
        else if (!strcmp(a, "-t")) settings->test_only = true;
        else if (!strcmp(a, "-w") || !strcmp(a, "--pipeline.workers")) settings->workers = (size_t)strtol(v, NULL, 10), i++;
        else if (!strcmp(a, "-b")) settings->batch_size = (size_t)strtol(v, NULL, 10), i++;
        else if (!strcmp(a, "--config.support_escapes")) settings->support_escapes = true;
        else if (!strcmp(a, "--pipeline.ecs_compatibility")) settings->ecs = !strcmp(v, "disabled") ? ECS_DISABLED : ECS_V8, i++;
        else if (!strcmp(a, "--pipeline.ordered")) settings->ordered = !strcmp(v, "true"), i++;
        else if (!strcmp(a, "--path.data")) settings->path_data = v, i++;
        else if (!strcmp(a, "--path.templates")) settings->path_templates = v, i++;
        else if (!strcmp(a, "--connect-to")) connect[connects++] = v, i++;
        else if (!strcmp(a, "--counters")) settings->counters_path = v, i++;
        else if (!strcmp(a, "--log.level")) log_level_parse(str_from(v), &settings->log_level), i++;
        else { fprintf(stderr, "millrace: unknown flag '%s'\n", a); *status = EXIT_USAGE; return false; }
    }
    return true;
}
