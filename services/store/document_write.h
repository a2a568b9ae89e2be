/* SPDX-License-Identifier: Apache-2.0
 *
 * One write to one document: index, create, update or delete, with what the REST API says of it. Inside a transaction
 * of the writer. What is refused changes nothing.
 */
#ifndef MILLRACE_SERVICES_STORE_DOCUMENT_WRITE_H
#define MILLRACE_SERVICES_STORE_DOCUMENT_WRITE_H

#include "services/store/documents.h"

enum document_action { DOCUMENT_INDEX, DOCUMENT_CREATE, DOCUMENT_UPDATE, DOCUMENT_DELETE };

enum document_versioning { VERSION_INTERNAL, VERSION_EXTERNAL, VERSION_EXTERNAL_GTE };

struct document_write {
    enum document_action action;
    struct str index, id; /* id empty: the store makes one */
    struct str body;      /* the document; of an update its request */
    bool has_if_seq, has_if_term;
    int64_t if_seq, if_term;
    enum document_versioning versioning;
    int64_t version;
    bool must_be_new; /* op_type=create, of an index action with an id */
};

struct document_result {
    bool done; /* else err says why not */
    struct api_error err;
    const char *result; /* created, updated, deleted, noop, not_found */
    int status;
    int64_t version, seq;
    struct str index; /* its name, where an alias was given; borrowed from it */
    struct str id;
    char made_id[DOCUMENT_ID_BYTES];
};

/* The name of an action as bulk requests and their answers have it. */
const char *document_action_name(enum document_action action);

struct document_writer {
    struct catalog *catalog;
    struct arena scratch;     /* of one write */
    struct buf merged;        /* the document that an update makes */
    struct store_index *last; /* the index of the last write */
};

void document_writer_init(struct document_writer *writer, struct catalog *catalog);
void document_writer_release(struct document_writer *writer);
/* Before the first write of a request: indices may have come and gone. */
void document_writer_begin(struct document_writer *writer);
/* False: the database failed, and with it the transaction. */
bool document_write(struct document_writer *writer, const struct document_write *write,
                    struct document_result *out);
/* The result as an object without its end: {"_index":…,"_primary_term":1 */
bool document_result_write(const struct document_result *result, struct str index, struct buf *out);

#endif
