/* SPDX-License-Identifier: Apache-2.0
 *
 * The best hits so far: at most `capacity`, in a heap whose top is the worst. A hit owns a copy of what it shows.
 */
#ifndef MILLRACE_SERVICES_STORE_SEARCH_SEARCH_HITS_H
#define MILLRACE_SERVICES_STORE_SEARCH_SEARCH_HITS_H

#include "services/store/search/search_sort.h"

struct hit {
    double score;
    uint64_t number;
    struct str index; /* lives as long as the search */
    struct str id, source, fields;
    int64_t version, seq_no, primary_term;
    struct sort_value sort[]; /* as many as the sort has keys */
};

struct hits {
    const struct sort *sort;
    struct hit **items;
    size_t count, capacity, room;
    size_t bytes; /* of all hits */
};

void hits_init(struct hits *hits, const struct sort *sort, size_t capacity);
void hits_release(struct hits *hits);
/* The hit would be kept. sort and number are set, texts need not be. */
bool hits_would_keep(const struct hits *hits, const struct hit *hit);
/* Keeps a copy; the worst one goes when there are too many. */
void hits_add(struct hits *hits, const struct hit *hit);
/* Best first; nothing can be added afterwards. */
void hits_finish(struct hits *hits);
size_t hit_size(size_t keys);

#endif
