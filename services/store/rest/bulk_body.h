/* SPDX-License-Identifier: Apache-2.0
 *
 * The body of a bulk request, item by item: a line that says what to do, and for all but delete a line that is the
 * document. A broken action line ends the request before anything is written; so bodies are read twice: once to check
 * all action lines, once to write. One thread.
 */
#ifndef MILLRACE_SERVICES_STORE_REST_BULK_BODY_H
#define MILLRACE_SERVICES_STORE_REST_BULK_BODY_H

#include "services/store/document_write.h"

enum { BULK_ACTION_LINE_MAX = 16 * 1024 };

struct bulk_body {
    struct json_reader *json;
    struct json_tape *
        tape; /* the caller's to set: of action lines in the common forms; NULL: all are read as trees */
    struct arena *arena; /* what escapes in action lines take; reset by the caller */
    struct str rest;
    struct str default_index; /* of the path; may be empty */
    size_t line;              /* of the item last read, from 1 */
};

void bulk_body_init(struct bulk_body *body, struct json_reader *json, struct arena *arena,
                    struct str text, struct str default_index);

enum bulk_next { BULK_ITEM, BULK_END, BULK_BROKEN };

/* What it fills borrows from the body and the arena. BROKEN with *err (400). */
enum bulk_next bulk_body_next(struct bulk_body *body, struct document_write *out,
                              struct api_error *err);

#endif
