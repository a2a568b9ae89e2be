/* SPDX-License-Identifier: Apache-2.0
 *
 * What the demo asks the document store, over its REST interface as anybody would, and how the answers are read. One
 * question at a time.
 */
#ifndef MILLRACE_CMD_DEMO_STORE_H
#define MILLRACE_CMD_DEMO_STORE_H

#include "cmd/demo_view.h"
#include "io/http_client.h"
#include "pipeline/event/event_json.h"

#define DEMO_INDEX "kakaopay-logs-*"

enum { DEMO_ADDRESS_MAX = 64, DEMO_URL_MAX = 256 };

struct demo_store {
    char address[DEMO_ADDRESS_MAX]; /* HOST:PORT */
    struct http_client *client;
    struct http_headers *headers;
    struct json_reader *reader;
    struct arena *arena; /* where answers go */
    bool is_asking;
    void (*answered)(void *ctx, const struct value *answer, const char *failure);
    void *ctx;
};

/* answers live in the arena. */
void demo_store_open(struct demo_store *store, uv_loop_t *loop, const char *address,
                     struct arena *arena);
void demo_store_close(struct demo_store *store); /* a question under way is not answered any more */

/* Later: answered(ctx, answer, NULL), or answered(ctx, NULL, why). body empty: GET, else POST. path and body are
 * literals or live in the arena. */
void demo_store_ask(struct demo_store *store, const char *path, struct str body,
                    void (*answered)(void *ctx, const struct value *answer, const char *failure),
                    void *ctx);

/* How many documents; how they are spread; one of them. */
extern const char demo_count_path[], demo_search_path[];
extern const char demo_spreads_query[];
enum { DEMO_EXAMPLES = 3 };
extern const char
    *const demo_example_queries[DEMO_EXAMPLES]; /* the first that finds something is the best */

bool demo_read_count(const struct value *answer, uint64_t *out);
/* name: "tiers" or "categories". False when the answer has no such aggregation. */
bool demo_read_spread(const struct value *answer, const char *name, struct demo_spread *out);
/* The document, and the index it is in. NULL when nothing was found. */
const struct value *demo_read_example(const struct value *answer, struct str *index_out);

#endif
