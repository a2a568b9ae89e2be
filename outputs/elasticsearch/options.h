/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of the elasticsearch and opensearch outputs, bound from one of two tables into one struct, and what
 * follows from them. Read-only after check.
 */
#ifndef MILLRACE_OUTPUTS_ELASTICSEARCH_OPTIONS_H
#define MILLRACE_OUTPUTS_ELASTICSEARCH_OPTIONS_H

#include "pipeline/client_options.h"
#include "pipeline/delivery/retry.h"

enum option_switch { SWITCH_AUTO, SWITCH_TRUE, SWITCH_FALSE };
enum script_type { SCRIPT_INLINE, SCRIPT_INDEXED, SCRIPT_FILE };
/* In the order of the option's choices. */
enum deduplicate { DEDUPLICATE_NOT, DEDUPLICATE_BY_ORIGIN, DEDUPLICATE_BY_CONTENT_TOO };
enum template_api { TEMPLATE_API_AUTO, TEMPLATE_API_LEGACY, TEMPLATE_API_COMPOSABLE };

enum { BULK_SLOTS_MAX = 64 }; /* requests under way */

/* What becomes of a document with a field that does not fit the mapping. */
enum on_mapping_conflict { MAPPING_DEAD_LETTER, MAPPING_STRINGIFY, MAPPING_MOVE };

struct elasticsearch_options {
    /* where to */
    struct option_strings hosts;
    struct str port; /* of those without one; may be a range, "9200-9300", whose first counts */
    struct str cloud_id, cloud_auth;
    struct str path, bulk_path, healthcheck_path;
    struct option_hash parameters, custom_headers;
    struct str proxy;
    struct client_tls tls;
    /* who */
    struct str user, password, api_key;
    struct option_hash auth_type; /* opensearch */
    /* what */
    struct template index, action, document_id, routing, pipeline, version, version_type;
    struct template parent;
    struct field_ref join_field;
    struct template upsert, script;
    int script_type;
    struct str script_lang, script_var_name;
    bool scripted_upsert, doc_as_upsert;
    int64_t retry_on_conflict;
    int deduplicate; /* enum deduplicate */
    int data_stream; /* enum option_switch */
    struct str data_stream_type, data_stream_dataset, data_stream_namespace;
    int data_stream_auto_routing, data_stream_sync_fields; /* 0 is true */
    /* set-up */
    int manage_template; /* enum option_switch */
    int legacy_template; /* opensearch: enum option_switch */
    int template_api;
    struct str template, template_name;
    bool template_overwrite;
    /* how */
    int64_t compression_level;
    int http_compression; /* enum option_switch */
    int64_t timeout_ms, pool_max, pool_max_per_route, resurrect_delay_ms;
    int64_t retry_initial_ms, retry_max_ms, bulk_max_bytes, max_in_flight;
    struct option_strings drop_error_types, dlq_custom_codes;
    struct option_hash retry;
    int64_t retry_max_attempts, retry_max_age_ms;
    int on_mapping_conflict; /* enum on_mapping_conflict */
    /* made by check */
    bool streams; /* documents go to data streams */
    struct retry_table retry_rules;
    bool opensearch;
};

extern const char *const elasticsearch_deduplicate[];
extern const char *const elasticsearch_on_mapping_conflict[];
extern const struct option elasticsearch_option_rows[];
extern const struct option opensearch_option_rows[];

/* Whether an index template is installed before the first document. */
bool elasticsearch_manages_template(const struct elasticsearch_options *options);

bool elasticsearch_needs_provenance(const void *self);
bool elasticsearch_check(void *self, const struct plugin_env *env, struct error *err);
bool opensearch_check(void *self, const struct plugin_env *env, struct error *err);

#endif
