/* SPDX-License-Identifier: Apache-2.0
 *
 * The option table of the opensearch output.
 */
#include "outputs/elasticsearch/common_rows.h"

#define ISM_NOTE "index states are the server's to manage: put the policy into the index template"
#define ELASTICSEARCH_ROW(row_name, row_doc)                                                       \
    UNSUPPORTED_ROW(row_name, row_doc, "OpenSearch has none of this: see the elasticsearch output")

const struct option opensearch_option_rows[] = {
    SERVER_ROWS,
    {
        .name = "auth_type",
        .doc = "Authentication as a hash: type => basic, user, password.",
        OPTION_IN_HASH(struct elasticsearch_options, auth_type),
        .flags = OPTION_SECRET,
    },
    CLIENT_TLS_OPTIONS(struct elasticsearch_options, tls),
    CLIENT_OLD_TLS_OPTIONS(struct elasticsearch_options, tls),
    {
        .name = "tls_certificate",
        .doc = "PEM file of the client's certificate.",
        .note = "write ssl_certificate",
        OPTION_IN_PATH(struct elasticsearch_options, tls.certificate),
        .flags = OPTION_DEPRECATED,
    },
    {
        .name = "tls_key",
        .doc = "PEM file of the client certificate's key.",
        .note = "write ssl_key",
        OPTION_IN_PATH(struct elasticsearch_options, tls.key),
        .flags = OPTION_DEPRECATED,
    },
    {
        .name = "http_compression",
        .doc = "Compress request bodies with gzip.",
        OPTION_IN_CHOICE(struct elasticsearch_options, http_compression),
        .choices = client_auto_true_false,
        .def = "auto",
    },
    {
        .name = "target_bulk_bytes",
        .doc = "Largest body of one bulk request, before compression.",
        .note = "write bulk_max_bytes",
        OPTION_IN_BYTES(struct elasticsearch_options, bulk_max_bytes),
        .min = 1024,
        .max = 20 * 1024 * 1024.0,
        .flags = OPTION_DEPRECATED,
    },
    DOCUMENT_ROWS,
    {
        .name = "legacy_template",
        .doc = "Install the template by the old API; auto: as the template's own shape says.",
        OPTION_IN_CHOICE(struct elasticsearch_options, legacy_template),
        .choices = client_auto_true_false,
        .def = "auto",
    },
    IGNORED_ROW("default_server_major_version", "Version to assume for the server.",
                "the server's version makes no difference here"),
    UNSUPPORTED_ROW("region", "Region for signed AWS requests.",
                    "send to a signing proxy, or use basic authentication"),
    UNSUPPORTED_ROW("aws_access_key_id", "Key id for signed AWS requests.",
                    "send to a signing proxy, or use basic authentication"),
    UNSUPPORTED_ROW("aws_secret_access_key", "Key for signed AWS requests.",
                    "send to a signing proxy, or use basic authentication"),
    ELASTICSEARCH_ROW("cloud_id", "Cloud id of an Elastic Cloud deployment."),
    ELASTICSEARCH_ROW("cloud_auth", "USER:PASSWORD of an Elastic Cloud deployment."),
    ELASTICSEARCH_ROW("api_key", "API key of Elasticsearch."),
    ELASTICSEARCH_ROW("data_stream", "Whether documents go to data streams."),
    ELASTICSEARCH_ROW("data_stream_type", "First part of the data stream's name."),
    ELASTICSEARCH_ROW("data_stream_dataset", "Second part of the data stream's name."),
    ELASTICSEARCH_ROW("data_stream_namespace", "Third part of the data stream's name."),
    ELASTICSEARCH_ROW("data_stream_auto_routing", "Take the name from the event."),
    ELASTICSEARCH_ROW("data_stream_sync_fields", "Write the name into the document."),
    IGNORED_ROW("ilm_enabled", "Whether index lifecycle management is set up.", ISM_NOTE),
    IGNORED_ROW("ilm_rollover_alias", "Alias that documents are written to.", ISM_NOTE),
    IGNORED_ROW("ilm_pattern", "Pattern of the indices behind the alias.", ISM_NOTE),
    IGNORED_ROW("ilm_policy", "Lifecycle policy of the indices.", ISM_NOTE),
    OPTION_END,
};
