/* SPDX-License-Identifier: Apache-2.0
 *
 * The settings of the process and of each pipeline: from flags, else logstash.yml (and pipelines.yml),
 * else the default. Each is one row of a table (settings_table.c), from which --help is printed too. Texts
 * have a NUL after them, and ptr NULL when they are not set. Everything lives in the arena given.
 */
#ifndef MILLRACE_CONF_SETTINGS_H
#define MILLRACE_CONF_SETTINGS_H

#include <stdio.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "conf/listen_at.h"
#include "conf/option.h"

enum settings_ordered { SETTINGS_ORDERED_AUTO, SETTINGS_ORDERED_TRUE, SETTINGS_ORDERED_FALSE };
enum settings_ecs { SETTINGS_ECS_DISABLED, SETTINGS_ECS_V1, SETTINGS_ECS_V8 };
enum settings_queue { SETTINGS_QUEUE_MEMORY, SETTINGS_QUEUE_PERSISTED };
enum settings_durability { SETTINGS_DURABLE_NONE, SETTINGS_DURABLE_INTERVAL, SETTINGS_DURABLE_ACK };
enum settings_dlq_policy { SETTINGS_DLQ_BLOCK, SETTINGS_DLQ_DROP_NEWER, SETTINGS_DLQ_DROP_OLDER };
enum settings_api_tap { SETTINGS_API_TAP_OFF, SETTINGS_API_TAP_OUTPUTS, SETTINGS_API_TAP_ALL };
enum settings_api_auth { SETTINGS_API_AUTH_NONE, SETTINGS_API_AUTH_BASIC };

struct settings {
    struct str node_name; /* host name when not given */

    struct str path_settings;
    struct str path_data; /* never NULL after settings_load */
    struct str path_logs;
    struct str path_templates, geoip_database;
    struct str path_queue, path_dead_letter_queue;

    struct str pipeline_id;
    struct str path_config;   /* -f */
    struct str config_string; /* -e */
    int64_t workers;          /* 0: as many as there are cores */
    int64_t batch_size;       /* 0: the engine's own bound */
    int64_t batch_delay_ms;
    int ordered; /* enum settings_ordered */
    int ecs;     /* enum settings_ecs */
    bool unsafe_shutdown;
    int64_t memory_bytes; /* 0: by the machine */
    int64_t shutdown_timeout_ms;
    int64_t regex_timeout_ms, regex_match_limit, regex_heap_limit_bytes, regex_jit_stack_bytes;

    bool test_and_exit; /* -t */
    bool connect;       /* -t --connect */
    bool config_debug;
    bool reload_automatic;
    int64_t reload_interval_ms;
    bool support_escapes;
    int escape; /* enum field_escape */

    int queue_type;       /* enum settings_queue */
    int queue_durability; /* enum settings_durability */
    int64_t queue_max_bytes, queue_max_events, queue_page_bytes;
    int64_t queue_sync_events, queue_sync_ms;
    bool queue_drain;

    bool dlq_enable;
    int64_t dlq_max_bytes;
    int dlq_policy;        /* enum settings_dlq_policy */
    int64_t dlq_retain_ms; /* 0: for ever */

    bool api_enabled;
    struct str api_host;
    struct str api_ports; /* as written: "9600" or "9600-9700" */
    int64_t api_first_port, api_last_port;
    struct str api_environment;
    int api_auth; /* enum settings_api_auth */
    int api_tap;  /* enum settings_api_tap */
    bool api_ssl;
    struct str api_keystore, api_keystore_password;
    struct str api_certificate, api_key; /* PEM, instead of the keystore */
    struct option_strings api_protocols;
    struct str api_user, api_password;

    int log_level;       /* enum log_level */
    int log_format;      /* enum log_format */
    int64_t progress_ms; /* 0: no such lines */

    struct option_strings connect_to_list;
    const char *const *connect_to; /* the same, NULL-terminated */
    struct option_strings listen_at_list;
    const struct listen_at *listen_at; /* the same, ends with instead_of 0 */
    struct str counters;               /* file */

    bool show_help, show_version;

    /* Where ${NAME} of files is looked for before the environment; NULL: nowhere else. */
    const struct settings_secrets *secrets;

    /* Where each row's value came from; private to settings*.c. */
    struct arena *arena;
    unsigned char *origins;
};

enum settings_result {
    SETTINGS_OK,
    SETTINGS_USAGE,  /* a flag was wrong: exit 2 */
    SETTINGS_REFUSED /* a file was wrong, or values do not go together: exit 1 */
};

/* A store of secrets, opened at the first ${NAME} of a file and closed behind the file. */
struct settings_secrets {
    void *(*open)(const struct settings *settings,
                  struct error *err);                   /* NULL without *err: there is none */
    const char *(*find)(void *store, const char *name); /* NULL: not there */
    void (*close)(void *store);
};

struct settings_given {
    int argc;
    char **argv;
    const struct settings_secrets *secrets;
};

/* Reads the flags in argv[1..], then PATH.SETTINGS/logstash.yml. Problems and notes are added to errors.
 * With --help or --version among the flags no file is read. */
enum settings_result settings_load(struct settings *settings, struct arena *arena, int argc,
                                   char **argv, struct error_list *errors);
enum settings_result settings_load_with(struct settings *settings, struct arena *arena,
                                        const struct settings_given *given,
                                        struct error_list *errors);

/* The pipelines to run: one when a configuration was given (by flag or in logstash.yml), else those of
 * PATH.SETTINGS/pipelines.yml; each a copy of base with its own pipeline's settings. */
bool settings_pipelines(const struct settings *base, struct settings **items_out, size_t *count_out,
                        struct error_list *errors);

/* A flag that --help lists. */
struct settings_flag {
    const char *name, *doc;
    char letter;                /* 0: none */
    const char *value;          /* what the value is called; NULL for a switch */
    const char *const *choices; /* NULL-terminated, or NULL */
};
/* The one at this place of the list; false behind the last. */
bool settings_flag_at(size_t index, struct settings_flag *out);

void settings_print_help(FILE *out); /* the flags */

#endif
