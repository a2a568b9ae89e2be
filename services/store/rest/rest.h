/* SPDX-License-Identifier: Apache-2.0
 *
 * A request of the REST API on its way: from the loop to the thread that runs its route, and back as an answer.
 */
#ifndef MILLRACE_SERVICES_STORE_REST_REST_H
#define MILLRACE_SERVICES_STORE_REST_REST_H

#include "io/http_server.h"
#include "services/store/rest/rest_params.h"
#include "services/store/worker.h"

enum { REST_ANSWER_MAX = 1024 * 1024 * 1024 };

struct rest_request {
    struct work work; /* first */
    struct http_exchange *exchange;
    const struct rest_route *route;
    struct str index; /* {index} of the path, an expression; empty when there is none */
    struct str name;  /* {name} or {id} */
    uint64_t started_ms;
    int status;
    const char *content_type;
    struct buf answer;
};

/* Who runs a route, and inside what. */
enum rest_place { REST_ON_LOOP, REST_READS, REST_WRITES };

struct rest_route {
    const char *methods; /* "GET HEAD" */
    const char *path;    /* "{index}/_doc/{id}" */
    enum rest_place place;
    enum rest_params params;
    void (*run)(struct worker *worker,
                struct rest_request *request); /* ON_LOOP: without a worker */
};

/* NULL with *err: 400, 405 or 501. Fills index and name. */
const struct rest_route *rest_route(struct rest_request *request, struct api_error *err);

/* Ends a request with an error; the answer is begun anew. */
void rest_error(struct rest_request *request, const struct api_error *err);
/* The value of a parameter; empty when it is not there. */
struct str rest_param(const struct rest_request *request, struct str name);
/* The parameter is there, and is not "false". */
bool rest_flag(const struct rest_request *request, struct str name);
/* The body as a tree, in worker's scratch. False, with the answer made, when it is not JSON. An empty body is {}. */
bool rest_body(struct worker *worker, struct rest_request *request, struct value *out);
/* {"acknowledged":true} */
void rest_acknowledge(struct rest_request *request);
/* filter_path and pretty. On the thread that ran the route. */
void rest_finish(struct worker *worker, struct rest_request *request);
struct index_selection rest_selection(const struct rest_request *request);
/* The indices of {index}; false with the answer made. */
bool rest_indices(struct worker *worker, struct rest_request *request, struct index_list *out);
/* Adds a comma unless what stands before it begins an object or a list. */
void rest_comma(struct buf *out);

/* rest_bulk.c, rest_documents.c */
void rest_bulk(struct worker *worker, struct rest_request *request);
void rest_put_document(struct worker *worker, struct rest_request *request);
void rest_create_document(struct worker *worker, struct rest_request *request);
void rest_update_document(struct worker *worker, struct rest_request *request);
void rest_delete_document(struct worker *worker, struct rest_request *request);
void rest_get_document(struct worker *worker, struct rest_request *request);
void rest_get_source(struct worker *worker, struct rest_request *request);
/* rest_search.c */
void rest_search(struct worker *worker, struct rest_request *request);
void rest_count(struct worker *worker, struct rest_request *request);
/* Appends the whole answer of one search; false with *err. */
bool rest_search_into(struct worker *worker, struct rest_request *request,
                      struct index_selection where, struct str body, struct api_error *err);
/* rest_multi_search.c */
void rest_multi_search(struct worker *worker, struct rest_request *request);
/* rest_field_caps.c */
void rest_field_caps(struct worker *worker, struct rest_request *request);
/* rest_aliases.c */
void rest_get_aliases(struct worker *worker, struct rest_request *request);
void rest_put_alias(struct worker *worker, struct rest_request *request);
void rest_delete_alias(struct worker *worker, struct rest_request *request);
void rest_change_aliases(struct worker *worker, struct rest_request *request);
/* rest_indices.c */
void rest_create_index(struct worker *worker, struct rest_request *request);
void rest_delete_index(struct worker *worker, struct rest_request *request);
void rest_get_index(struct worker *worker, struct rest_request *request);
void rest_has_index(struct worker *worker, struct rest_request *request);
void rest_get_mapping(struct worker *worker, struct rest_request *request);
void rest_put_mapping(struct worker *worker, struct rest_request *request);
void rest_get_settings(struct worker *worker, struct rest_request *request);
void rest_put_settings(struct worker *worker, struct rest_request *request);
void rest_refresh(struct worker *worker, struct rest_request *request);
/* rest_templates.c */
void rest_put_template(struct worker *worker, struct rest_request *request);
void rest_get_template(struct worker *worker, struct rest_request *request);
void rest_has_template(struct worker *worker, struct rest_request *request);
void rest_delete_template(struct worker *worker, struct rest_request *request);
/* rest_cat.c */
void rest_root(struct worker *worker, struct rest_request *request);
void rest_health(struct worker *worker, struct rest_request *request);
void rest_cat_indices(struct worker *worker, struct rest_request *request);
void rest_cat_health(struct worker *worker, struct rest_request *request);
void rest_cat_count(struct worker *worker, struct rest_request *request);

#endif
