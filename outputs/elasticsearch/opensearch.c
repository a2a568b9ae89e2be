/* SPDX-License-Identifier: Apache-2.0
 *
 * The option table of the opensearch output.
 */
#include "outputs/elasticsearch/common_rows.h"

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
    OPTION_END,
};
