/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside filters/elasticsearch/: its options, the requests that it makes and what it takes from answers.
 */
#ifndef MILLRACE_FILTERS_ELASTICSEARCH_SEARCH_H
#define MILLRACE_FILTERS_ELASTICSEARCH_SEARCH_H

#include "filters/http_calls.h"

enum query_type { QUERY_DSL, QUERY_ESQL };

struct search_options {
    struct option_strings hosts;
    struct template index, query;
    struct str query_template_path, sort;
    int query_type; /* enum query_type */
    bool enable_sort;
    int64_t result_size, retry_on_failure;
    struct option_hash fields, docinfo_fields, aggregation_fields, custom_headers;
    struct option_array query_params;
    struct str target;
    struct option_strings tag_on_failure, retry_on_status;
    struct str user, password, api_key, cloud_id, cloud_auth, proxy;
    struct client_tls tls;
};

struct search_host {
    struct str root; /* no slash at its end */
    uint64_t dead_until_ms;
    unsigned failures; /* in a row */
};

struct search_hosts {
    struct search_host *items;
    size_t count, turn;
    struct str user, password; /* ptr NULL: none */
};

/* One value of an answer and where it goes. */
struct search_field {
    struct str *path; /* names from the outside in */
    size_t path_count;
    struct field_ref target;
};
struct search_fields {
    struct search_field *items;
    size_t count;
};

/* ---- hosts.c ---- */
/* Everything in the arena. */
bool search_hosts_parse(struct arena *arena, const struct search_options *options,
                        struct search_hosts *out, struct error *err);
/* Whose turn it is; one that failed lately only when all have. */
struct search_host *search_hosts_next(struct search_hosts *hosts, uint64_t now_ms);
void search_host_answered(struct search_host *host);
void search_host_failed(struct search_host *host, uint64_t now_ms);

/* ---- answer.c ---- */
bool search_fields_compile(const struct plugin_env *env, const struct option_hash *pairs,
                           struct str target, struct search_fields *out, struct error *err);

struct search_answer {
    const struct search_fields *fields, *docinfo, *aggregations;
    const struct field_ref
        *rows_target; /* ES|QL: all rows go there; NULL: the first one into the event */
    enum field_escape escape;
    enum query_type type;
};
/* Takes what the options want. False: the answer is none, or of shards that failed. *matched_out: something was found. */
bool search_answer_take(const struct search_answer *answer, const struct value *document,
                        struct event *event, bool *matched_out);

#endif
