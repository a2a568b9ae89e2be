/* SPDX-License-Identifier: Apache-2.0
 *
 * One search: a request is compiled, documents are streamed through it, the answer is written. It knows nothing of
 * storage: whoever has the documents opens each index in turn and adds its documents in the order they were stored.
 * Memory is bounded by from + size hits and by SEARCH_MEMORY_MAX for them and for buckets. One thread.
 *
 *     search = search_new(&request, &err);
 *     for each index:      search_open_index(search, name, mapping, &err);
 *         for each document:   search_add(search, &document, &err);
 *     search_write(search, took_ms, &out);
 *     search_free(search);
 *
 * Between search_open_index and the next one the mapping must not change: a search that gives way to other work in
 * between works on a mapping_dup.
 */
#ifndef MILLRACE_SERVICES_STORE_SEARCH_SEARCH_H
#define MILLRACE_SERVICES_STORE_SEARCH_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/time/clock.h"
#include "services/store/api_error.h"
#include "services/store/mapping/mapping.h"

enum { SEARCH_WINDOW_MAX = 10000, SEARCH_BUCKETS_MAX = 65535, SEARCH_TRACKED_HITS = 10000 };
enum { SEARCH_MEMORY_MAX = 256 * 1024 * 1024 };

struct search_param {
    struct str name, value; /* of the URL, decoded; an empty value for `?name` */
};

struct search_request {
    struct str body; /* JSON; empty: match_all */
    const struct search_param
        *params; /* all of the URL; those that search_param_name() does not name are passed over */
    size_t param_count;
    bool count_only;    /* _count: the body has a query and nothing else, every hit is counted */
    struct instant now; /* for date math */
};

struct search_document {
    struct str id;
    struct str source; /* the JSON text as it was sent, an object */
    int64_t version, seq_no, primary_term;
};

struct search;

/* The names of the parameters of the URL that a search reads, or says 501 to, one after the other; NULL after the last. */
const char *search_param_name(size_t at);

/* NULL and *err when the request is wrong (400) or asks for something that is not there (501). The request may go
 * afterwards. */
struct search *search_new(const struct search_request *request, struct api_error *err);
void search_free(struct search *search); /* NULL is ok */

/* The documents that follow are of this index. name is copied, mapping is borrowed until the next index. */
bool search_open_index(struct search *search, struct str name, const struct mapping *mapping,
                       struct api_error *err);
/* Borrows the document for the call. False when a limit is met: the search is over. */
bool search_add(struct search *search, const struct search_document *document,
                struct api_error *err);
/* No further document can change the answer. */
bool search_is_done(const struct search *search);

/* When the query of the open index says that only documents with a single-valued @timestamp in [from, to]
 * (milliseconds since 1970, both included) match: true. A document without @timestamp does not match then, one with
 * several must be added. */
bool search_time_range(const struct search *search, int64_t *from_ms_out, int64_t *to_ms_out);
/* When only documents with one of these identifiers match: how many, else SIZE_MAX. Good until the next index. */
size_t search_ids(const struct search *search, const struct str **ids_out);

uint64_t search_total(const struct search *search); /* documents that matched so far */
/* The whole answer, an object. False when out is at its maximum, or with *err when the result breaks a limit. */
bool search_write(struct search *search, uint64_t took_ms, struct buf *out, struct api_error *err);

#endif
