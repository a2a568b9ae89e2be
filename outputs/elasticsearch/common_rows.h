/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows that the elasticsearch and the opensearch table share, as initialisers.
 */
#ifndef MILLRACE_OUTPUTS_ELASTICSEARCH_COMMON_ROWS_H
#define MILLRACE_OUTPUTS_ELASTICSEARCH_COMMON_ROWS_H

#include "outputs/elasticsearch/options.h"

#define IGNORED_ROW(row_name, row_doc, row_note)                                                   \
    {                                                                                              \
        .name = row_name, .doc = row_doc, .note = row_note, OPTION_NOWHERE,                        \
        .flags = OPTION_IGNORED,                                                                   \
    }
#define UNSUPPORTED_ROW(row_name, row_doc, row_note)                                               \
    {                                                                                              \
        .name = row_name, .doc = row_doc, .note = row_note, OPTION_NOWHERE,                        \
        .flags = OPTION_UNSUPPORTED,                                                               \
    }
/* Old files still have it; it never changed a document's content. */
#define DROPPED_ROW(row_name, row_doc, row_note)                                                   \
    {                                                                                              \
        .name = row_name, .doc = row_doc, .note = row_note, OPTION_NOWHERE,                        \
        .flags = OPTION_DEPRECATED | OPTION_IGNORED,                                               \
    }

#define SERVER_ROWS                                                                                \
    {                                                                                              \
        .name = "hosts",                                                                           \
        .doc = "Servers, as [http[s]://][USER:PASSWORD@]HOST[:PORT][/PATH]; the port is 9200.",    \
        OPTION_IN_STRINGS(struct elasticsearch_options, hosts),                                    \
    },                                                                                             \
        {                                                                                          \
            .name = "host",                                                                        \
            .doc = "Old name of hosts.",                                                           \
            .note = "write hosts",                                                                 \
            OPTION_IN_STRINGS(struct elasticsearch_options, hosts),                                \
            .flags = OPTION_DEPRECATED,                                                            \
        },                                                                                         \
        {                                                                                          \
            .name = "port",                                                                        \
            .doc = "Port of the servers that hosts gives none for.",                               \
            .note = "write it behind the name: hosts => [\"NAME:PORT\"]",                          \
            OPTION_IN_STRING(struct elasticsearch_options, port),                                  \
            .flags = OPTION_DEPRECATED,                                                            \
        },                                                                                         \
        {                                                                                          \
            .name = "path",                                                                        \
            .doc = "Path of the servers behind a proxy, before every request's own.",              \
            OPTION_IN_STRING(struct elasticsearch_options, path),                                  \
        },                                                                                         \
        {                                                                                          \
            .name = "bulk_path",                                                                   \
            .doc = "Path of bulk requests; by default the servers' path and /_bulk.",              \
            OPTION_IN_STRING(struct elasticsearch_options, bulk_path),                             \
        },                                                                                         \
        {                                                                                          \
            .name = "healthcheck_path",                                                            \
            .doc = "Path that is asked to see whether a dead server is back.",                     \
            OPTION_IN_STRING(struct elasticsearch_options, healthcheck_path),                      \
        },                                                                                         \
        {                                                                                          \
            .name = "parameters",                                                                  \
            .doc = "Query parameters added to every request.",                                     \
            OPTION_IN_HASH(struct elasticsearch_options, parameters),                              \
        },                                                                                         \
        {                                                                                          \
            .name = "custom_headers",                                                              \
            .doc = "Headers added to every request.",                                              \
            OPTION_IN_HASH(struct elasticsearch_options, custom_headers),                          \
        },                                                                                         \
        {                                                                                          \
            .name = "proxy",                                                                       \
            .doc = "URL of the proxy that requests go through.",                                   \
            OPTION_IN_STRING(struct elasticsearch_options, proxy),                                 \
        },                                                                                         \
        {                                                                                          \
            .name = "user",                                                                        \
            .doc = "Name for basic authentication.",                                               \
            OPTION_IN_STRING(struct elasticsearch_options, user),                                  \
        },                                                                                         \
        {                                                                                          \
            .name = "password",                                                                    \
            .doc = "Password for basic authentication.",                                           \
            OPTION_IN_PASSWORD(struct elasticsearch_options, password),                            \
            .flags = OPTION_SECRET,                                                                \
        },                                                                                         \
        {                                                                                          \
            .name = "timeout",                                                                     \
            .doc = "How long a request may take.",                                                 \
            OPTION_IN_DURATION_MS(struct elasticsearch_options, timeout_ms),                       \
            .min = 1,                                                                              \
            .max = 24 * 3600 * 1000.0,                                                             \
            .def = "60",                                                                           \
        },                                                                                         \
        {                                                                                          \
            .name = "pool_max",                                                                    \
            .doc = "Largest number of connections at once.",                                       \
            OPTION_IN_INT(struct elasticsearch_options, pool_max),                                 \
            .min = 1,                                                                              \
            .max = 100000,                                                                         \
            .def = "1000",                                                                         \
        },                                                                                         \
        {                                                                                          \
            .name = "pool_max_per_route",                                                          \
            .doc = "Largest number of connections to one server at once.",                         \
            OPTION_IN_INT(struct elasticsearch_options, pool_max_per_route),                       \
            .min = 1,                                                                              \
            .max = 100000,                                                                         \
            .def = "100",                                                                          \
        },                                                                                         \
        {                                                                                          \
            .name = "resurrect_delay",                                                             \
            .doc = "How often a dead server is asked whether it is back.",                         \
            OPTION_IN_DURATION_MS(struct elasticsearch_options, resurrect_delay_ms),               \
            .min = 10,                                                                             \
            .max = 24 * 3600 * 1000.0,                                                             \
            .def = "5",                                                                            \
        },                                                                                         \
        {                                                                                          \
            .name = "retry_initial_interval",                                                      \
            .doc = "First wait before a request is tried again; it doubles from there.",           \
            OPTION_IN_DURATION_MS(struct elasticsearch_options, retry_initial_ms),                 \
            .min = 1,                                                                              \
            .max = 24 * 3600 * 1000.0,                                                             \
            .def = "2",                                                                            \
        },                                                                                         \
        {                                                                                          \
            .name = "retry_max_interval",                                                          \
            .doc = "Longest wait before a request is tried again.",                                \
            OPTION_IN_DURATION_MS(struct elasticsearch_options, retry_max_ms),                     \
            .min = 1,                                                                              \
            .max = 24 * 3600 * 1000.0,                                                             \
            .def = "64",                                                                           \
        },                                                                                         \
        IGNORED_ROW("validate_after_inactivity", "When an idle connection is checked before use.", \
                    "idle connections are checked before every use"),                              \
        IGNORED_ROW("sniffing", "Whether the cluster is asked for its other nodes.",               \
                    "list the servers in hosts, or one address that balances them"),               \
        IGNORED_ROW("sniffing_delay", "How often the cluster is asked for its nodes.",             \
                    "the cluster is not asked for its nodes"),                                     \
        IGNORED_ROW("sniffing_path", "Path of the request for the cluster's nodes.",               \
                    "the cluster is not asked for its nodes"),                                     \
        DROPPED_ROW("workers", "Number of output workers.", "pipeline.workers sets the lanes"),    \
        DROPPED_ROW("flush_size", "Events in a bulk request.",                                     \
                    "pipeline.batch.size sets the batch"),                                         \
        DROPPED_ROW("idle_flush_time", "Longest wait for a full request.",                         \
                    "a request goes out as soon as there is nothing more at hand"),                \
        DROPPED_ROW("document_type", "Mapping type of the documents.",                             \
                    "mapping types ended with Elasticsearch 7: leave it out"),                     \
        DROPPED_ROW("max_retries", "Tries before an event is given up.",                           \
                    "requests are tried until they succeed"),                                      \
        DROPPED_ROW("index_type", "Mapping type of the documents.",                                \
                    "mapping types ended with Elasticsearch 7: leave it out"),                     \
        DROPPED_ROW("protocol", "How the server is spoken to.",                                    \
                    "HTTP is the only protocol: leave it out, and look at the port in hosts"),     \
        DROPPED_ROW("cluster", "Name of the cluster to join.",                                     \
                    "the servers in hosts are used: leave it out"),                                \
        DROPPED_ROW("node_name", "Name as a node of the cluster.",                                 \
                    "the servers in hosts are used: leave it out"),                                \
        DROPPED_ROW("bind_host", "Address as a node of the cluster.",                              \
                    "the servers in hosts are used: leave it out"),                                \
        DROPPED_ROW("bind_port", "Port as a node of the cluster.",                                 \
                    "the servers in hosts are used: leave it out"),                                \
        DROPPED_ROW("embedded", "Run a server inside the process.",                                \
                    "there is no server inside: name one in hosts"),                               \
        DROPPED_ROW("embedded_http_port", "Port of a server inside the process.",                  \
                    "there is no server inside: name one in hosts"),                               \
        DROPPED_ROW("plugins", "Plugins of a server inside the process.",                          \
                    "there is no server inside: leave it out"),                                    \
        DROPPED_ROW("absolute_healthcheck_path", "Whether healthcheck_path leaves path out.",      \
                    "healthcheck_path is the whole path: leave it out"),                           \
        DROPPED_ROW("upload_compression", "Compress request bodies with gzip.",                    \
                    "write compression_level"),                                                    \
        DROPPED_ROW("max_inflight_requests", "Requests at once.",                                  \
                    "pool_max_per_route bounds the requests to one server"),                       \
        DROPPED_ROW("retry_max_items", "Events kept for another try.",                             \
                    "what cannot be sent is held back at the input")

#define DOCUMENT_ROWS                                                                              \
    {                                                                                              \
        .name = "index",                                                                           \
        .doc = "Index that a document goes to.",                                                   \
        OPTION_IN_TEMPLATE(struct elasticsearch_options, index),                                   \
    },                                                                                             \
        {                                                                                          \
            .name = "action",                                                                      \
            .doc = "index, create, update or delete.",                                             \
            OPTION_IN_TEMPLATE(struct elasticsearch_options, action),                              \
        },                                                                                         \
        {                                                                                          \
            .name = "document_id",                                                                 \
            .doc = "Id of the document; without one the server makes it.",                         \
            OPTION_IN_TEMPLATE(struct elasticsearch_options, document_id),                         \
        },                                                                                         \
        {                                                                                          \
            .name = "deduplicate",                                                                 \
            .doc = "Make ids from where an event came from, so that one sent again after a crash " \
                   "is no second document: true for origins with positions (files, Kafka, Beats "  \
                   "with log.offset); content: for others too, from the bytes alone, so that two " \
                   "equal lines are one document.",                                                \
            OPTION_IN_CHOICE(struct elasticsearch_options, deduplicate),                           \
            .choices = elasticsearch_deduplicate,                                                  \
            .def = "false",                                                                        \
        },                                                                                         \
        {                                                                                          \
            .name = "routing",                                                                     \
            .doc = "Value that chooses the shard.",                                                \
            OPTION_IN_TEMPLATE(struct elasticsearch_options, routing),                             \
        },                                                                                         \
        {                                                                                          \
            .name = "pipeline",                                                                    \
            .doc = "Ingest pipeline of the server; an empty text is none.",                        \
            OPTION_IN_TEMPLATE(struct elasticsearch_options, pipeline),                            \
        },                                                                                         \
        {                                                                                          \
            .name = "version",                                                                     \
            .doc = "Version of the document, for optimistic locking.",                             \
            OPTION_IN_TEMPLATE(struct elasticsearch_options, version),                             \
        },                                                                                         \
        {                                                                                          \
            .name = "version_type",                                                                \
            .doc = "How versions are compared: internal, external, external_gt, external_gte.",    \
            OPTION_IN_TEMPLATE(struct elasticsearch_options, version_type),                        \
        },                                                                                         \
        {                                                                                          \
            .name = "parent",                                                                      \
            .doc = "Id of the parent document, for child documents.",                              \
            OPTION_IN_TEMPLATE(struct elasticsearch_options, parent),                              \
        },                                                                                         \
        {                                                                                          \
            .name = "join_field",                                                                  \
            .doc = "The join field of child documents.",                                           \
            OPTION_IN_FIELD(struct elasticsearch_options, join_field),                             \
        },                                                                                         \
        {                                                                                          \
            .name = "upsert",                                                                      \
            .doc = "Document, as JSON, that an update creates when there is none.",                \
            OPTION_IN_TEMPLATE(struct elasticsearch_options, upsert),                              \
        },                                                                                         \
        {                                                                                          \
            .name = "doc_as_upsert",                                                               \
            .doc = "An update creates the document when there is none.",                           \
            OPTION_IN_BOOL(struct elasticsearch_options, doc_as_upsert),                           \
            .def = "false",                                                                        \
        },                                                                                         \
        {                                                                                          \
            .name = "script",                                                                      \
            .doc = "Script of an update, or its id.",                                              \
            OPTION_IN_TEMPLATE(struct elasticsearch_options, script),                              \
        },                                                                                         \
        {                                                                                          \
            .name = "script_type",                                                                 \
            .doc = "What script is: its text, or the id of a stored one.",                         \
            OPTION_IN_CHOICE(struct elasticsearch_options, script_type),                           \
            .choices = elasticsearch_script_types,                                                 \
            .def = "inline",                                                                       \
        },                                                                                         \
        {                                                                                          \
            .name = "script_lang",                                                                 \
            .doc = "Language of the script; an empty text leaves it out.",                         \
            OPTION_IN_STRING(struct elasticsearch_options, script_lang),                           \
            .def = "painless",                                                                     \
        },                                                                                         \
        {                                                                                          \
            .name = "script_var_name",                                                             \
            .doc = "Name of the event among the script's parameters.",                             \
            OPTION_IN_STRING(struct elasticsearch_options, script_var_name),                       \
            .def = "event",                                                                        \
        },                                                                                         \
        {                                                                                          \
            .name = "scripted_upsert",                                                             \
            .doc = "The script also makes the document when there is none.",                       \
            OPTION_IN_BOOL(struct elasticsearch_options, scripted_upsert),                         \
            .def = "false",                                                                        \
        },                                                                                         \
        {                                                                                          \
            .name = "retry_on_conflict",                                                           \
            .doc = "How often the server repeats an update that met another one.",                 \
            OPTION_IN_INT(struct elasticsearch_options, retry_on_conflict),                        \
            .min = 0,                                                                              \
            .max = 1000,                                                                           \
            .def = "1",                                                                            \
        },                                                                                         \
        {                                                                                          \
            .name = "manage_template",                                                             \
            .doc =                                                                                 \
                "Install an index template at start; auto: unless documents go to data streams.",  \
            OPTION_IN_CHOICE(struct elasticsearch_options, manage_template),                       \
            .choices = client_auto_true_false,                                                     \
            .def = "auto",                                                                         \
        },                                                                                         \
        {                                                                                          \
            .name = "template",                                                                    \
            .doc = "File of the index template; by default one of our own.",                       \
            OPTION_IN_STRING(struct elasticsearch_options, template),                              \
        },                                                                                         \
        {                                                                                          \
            .name = "template_name",                                                               \
            .doc = "Name of the index template.",                                                  \
            OPTION_IN_STRING(struct elasticsearch_options, template_name),                         \
        },                                                                                         \
        {                                                                                          \
            .name = "template_overwrite",                                                          \
            .doc = "Replace an index template of that name.",                                      \
            OPTION_IN_BOOL(struct elasticsearch_options, template_overwrite),                      \
            .def = "false",                                                                        \
        },                                                                                         \
        {                                                                                          \
            .name = "drop_error_types",                                                            \
            .doc = "Error types whose documents are dropped instead of tried again.",              \
            OPTION_IN_STRINGS(struct elasticsearch_options, drop_error_types),                     \
        },                                                                                         \
        {                                                                                          \
            .name = "dlq_custom_codes",                                                            \
            .doc = "Statuses, besides 400 and 404, whose documents are refused for good.",         \
            OPTION_IN_STRINGS(struct elasticsearch_options, dlq_custom_codes),                     \
        },                                                                                         \
        {                                                                                          \
            .name = "retry",                                                                       \
            .doc = "What becomes of a document (or, without a kind of error, of a request) that "  \
                   "is answered with a status: \"429\", \"5xx\" or \"400 KIND_OF_ERROR\" => "      \
                   "retry, dead_letter, drop or hold (ours).",                                     \
            OPTION_IN_HASH(struct elasticsearch_options, retry),                                   \
        },                                                                                         \
        {                                                                                          \
            .name = "retry_max_attempts",                                                          \
            .doc =                                                                                 \
                "How often a document is sent while it is answered with a wish for another try; "  \
                "then "                                                                            \
                "it becomes a dead letter. 0: any number. A destination that cannot be reached "   \
                "is no answer (ours).",                                                            \
            OPTION_IN_INT(struct elasticsearch_options, retry_max_attempts),                       \
            .min = 0,                                                                              \
            .max = 65535,                                                                          \
            .def = "0",                                                                            \
        },                                                                                         \
        {                                                                                          \
            .name = "retry_max_age",                                                               \
            .doc = "How old a document may be when it is answered with a wish for another try; "   \
                   "an older "                                                                     \
                   "one becomes a dead letter. 0: any age (ours).",                                \
            OPTION_IN_DURATION_MS(struct elasticsearch_options, retry_max_age_ms),                 \
            .min = 0,                                                                              \
            .max = 2073600000,                                                                     \
            .def = "0",                                                                            \
        },                                                                                         \
        {                                                                                          \
            .name = "on_mapping_conflict",                                                         \
            .doc = "What becomes of a document with a field that does not fit the index: "         \
                   "dead_letter; "                                                                 \
                   "stringify, its value is moved to _conflict as text and the document sent "     \
                   "again; move, "                                                                 \
                   "the same with the value as it is (ours).",                                     \
            OPTION_IN_CHOICE(struct elasticsearch_options, on_mapping_conflict),                   \
            .choices = elasticsearch_on_mapping_conflict,                                          \
            .def = "dead_letter",                                                                  \
        },                                                                                         \
        {                                                                                          \
            .name = "bulk_max_bytes",                                                              \
            .doc = "Largest body of one bulk request, before compression (ours).",                 \
            OPTION_IN_BYTES(struct elasticsearch_options, bulk_max_bytes),                         \
            .min = 1024,                                                                           \
            .max = 20 * 1024 * 1024.0,                                                             \
            .def = "1 MiB",                                                                        \
        },                                                                                         \
        {                                                                                          \
            .name = "max_in_flight",                                                               \
            .doc = "Most bulk requests under way at once, all lanes together (ours): how many "    \
                   "there are follows how fast the server answers and what memory is left.",       \
            OPTION_IN_INT(struct elasticsearch_options, max_in_flight),                            \
            .min = 1,                                                                              \
            .max = BULK_SLOTS_MAX,                                                                 \
            .def = "32",                                                                           \
        },                                                                                         \
        IGNORED_ROW("silence_errors_in_log", "Error types that are not logged.",                   \
                    "refused documents are logged at a limited rate"),                             \
        IGNORED_ROW("failure_type_logging_whitelist", "Error types that are not logged.",          \
                    "refused documents are logged at a limited rate"),                             \
        IGNORED_ROW("dlq_on_failed_indexname_interpolation",                                       \
                    "What becomes of an event whose index name has a field that is missing.",      \
                    "such an event is always refused, never sent under the wrong name")

extern const char *const elasticsearch_script_types[];

#endif
