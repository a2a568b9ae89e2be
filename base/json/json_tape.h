/* SPDX-License-Identifier: Apache-2.0
 *
 * A tape of any JSON: by the scanner, and by the parser when that does not read it. Documents of any length go through it, for
 * who looks at parts as they end: those are not kept. One thread.
 */
#ifndef MILLRACE_BASE_JSON_JSON_TAPE_H
#define MILLRACE_BASE_JSON_JSON_TAPE_H

#include "base/json/json_scan.h"

struct json_watch {
    /* A container has ended that stands in the document's own one, or in an array there: `around`. Afterwards what is in it is
     * taken off the tape, and in such an array the container, too. */
    void (*ended)(void *ctx, const struct json_tape *tape, const struct json_token *around,
                  const struct json_token *container);
    void *ctx;
    size_t count; /* how many have ended */
};

/* UTF-8 is not looked at. False: it is no JSON, or no object or array, or too much of it has to be kept at once; what the tape
 * holds then is what was before that, and a container that did not end has the end 0. */
bool json_tape_read(struct json_tape *tape, struct str text, struct json_watch *watch);

/* Private to base/json: a container has ended in `around`; its tokens are the last ones. Returns how many of them stay. */
size_t json_watch_ended(struct json_watch *watch, const struct json_tape *tape,
                        const struct json_token *around, struct json_token *container);

#endif
