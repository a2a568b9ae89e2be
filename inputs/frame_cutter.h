/* SPDX-License-Identifier: Apache-2.0
 *
 * Cuts bytes into messages that end with a delimiter, or, where that is allowed, begin with their length in digits and a blank
 * (RFC 6587). A pure function of what it is given: what is not whole yet is the caller's to keep.
 */
#ifndef MILLRACE_INPUTS_FRAME_CUTTER_H
#define MILLRACE_INPUTS_FRAME_CUTTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct frame_cutter {
    char delimiter;
    bool keeps_delimiter, counts_octets;
    size_t max_bytes; /* of a message */

    size_t searched; /* bytes of the message at the front that hold no delimiter */
    size_t
        skipping; /* bytes to leave out that a length announced; SIZE_MAX: to the next delimiter */
};

enum frame_cut {
    FRAME_WHOLE,    /* *frame_out, and *used_out bytes are done with */
    FRAME_TOO_LONG, /* the same without a frame: said once for each, the rest is skipped */
    FRAME_SKIPPED,  /* *used_out bytes of one that was too long are done with */
    FRAME_PART,     /* more bytes are needed, behind these */
};

enum frame_cut frame_cutter_next(struct frame_cutter *cutter, struct str bytes,
                                 struct str *frame_out, size_t *used_out);
/* Bytes that are no whole message are the last that come: the message that they are. Empty: none. */
struct str frame_cutter_rest(const struct frame_cutter *cutter, struct str bytes);

#endif
