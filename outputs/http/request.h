/* SPDX-License-Identifier: Apache-2.0
 *
 * Events to requests and answers to verdicts; sends nothing.
 *
 * An item begins with two lengths of four bytes, then an URL and header lines "NAME:VALUE\n" of its own (empty where
 * the configuration has the same for all), then the body. With json_batch an item is a comma and a JSON document, so
 * that the items of a group back to back are nearly the list that is sent.
 */
#ifndef MILLRACE_OUTPUTS_HTTP_REQUEST_H
#define MILLRACE_OUTPUTS_HTTP_REQUEST_H

#include "outputs/http/http.h"
#include "pipeline/delivery/retry.h"

struct request_header {
    struct str name;
    struct template value;
};

struct request_encoder {
    const struct http_options *options;
    struct json_reader *json;       /* the lane's */
    struct arena *scratch;          /* of the event that is being encoded */
    struct mapping mapping;         /* count 0: the whole event */
    struct mapping_fields fields;   /* format form */
    struct request_header *headers; /* only when one of them has fields; then all */
    size_t header_count;
    struct str content_type;
    struct retry_table verdicts; /* of statuses */
};

struct request_item {
    struct str url, headers, body;
};

bool request_encoder_init(struct request_encoder *encoder, const struct http_options *options,
                          const struct plugin_env *env, struct error *err);
enum encode_result request_encode(struct request_encoder *encoder, const struct event *event,
                                  struct arena *scratch, struct buf *out, struct error *err);
struct request_item request_item_read(struct str item);
/* How items are laid out: a list's, or with lengths. */
uint32_t request_form(const struct request_encoder *encoder);
/* The event within an item of this form that is known to carry one. */
struct str request_form_event(uint32_t form, struct str item);
/* The event as JSON within the item; empty where a mapping or another format makes something else of it. */
struct str request_item_event(const struct request_encoder *encoder, struct str item);
/* The headers of an item, to be freed. */
struct http_headers *request_headers(struct str lines);

/* The verdicts that the options make of statuses. In arena. */
struct retry_table request_verdicts(struct arena *arena, const struct http_options *options);

/* What an answer means. *reason_out is "status 404: the body's beginning" or the error; "" of what was delivered. */
enum { REQUEST_REASON_MAX = 300 };
enum verdict request_verdict(const struct request_encoder *encoder,
                             const struct http_result *result, char reason_out[REQUEST_REASON_MAX]);
/* What a request with so many events that got this verdict says of the destination. */
enum send_cause request_cause(const struct http_result *result, enum verdict verdict,
                              size_t events);

/* Whether this answer is Alertmanager's to a body that is not a list of alerts. */
bool request_is_alertmanager_refusal(struct str url, const struct http_result *result);

#endif
