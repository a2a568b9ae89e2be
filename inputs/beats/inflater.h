/* SPDX-License-Identifier: Apache-2.0
 *
 * The content of one compressed Lumberjack frame. A frame of ordinary size is collected and inflated at once, as long as
 * those that do so on its lane hold no more than they may together. Any other one, and every one that is not simply
 * good, is inflated by zlib in steps: then never more than a step beyond what was asked for is held. Which way it goes
 * makes no difference to what comes out, only to when. Private to the decoder (lumberjack.c).
 */
#ifndef MILLRACE_INPUTS_BEATS_INFLATER_H
#define MILLRACE_INPUTS_BEATS_INFLATER_H

#include "base/account.h"
#include "base/error.h"
#include "base/str.h"
#include "inputs/beats/lumberjack.h"

struct lumberjack_inflater;

/* compressed_bytes: the length of the frame, all of which will be given to inflater_step. inflated_max: a frame with more in
 * it is read in steps. shared: NULL is ok, then any is. */
struct lumberjack_inflater *inflater_new(struct lumberjack_inflaters *shared,
                                         size_t compressed_bytes, size_t inflated_max,
                                         struct account *charged);
void inflater_free(struct lumberjack_inflater *inflater); /* NULL is ok */

/* Inflated bytes that wait to be read; when there are none, inflates the next step from `bytes`, says how many of them
 * it took, and *out is what came of them (may be empty while input is left). */
bool inflater_step(struct lumberjack_inflater *inflater, struct str bytes, size_t *taken_out,
                   struct str *out, struct error *err);
/* The first `count` bytes of what inflater_step gave were read. */
void inflater_read(struct lumberjack_inflater *inflater, size_t count);

/* The memory of this one. */
size_t inflater_held_bytes(const struct lumberjack_inflater *inflater);

/* More can be had without more input. */
bool inflater_has_pending(const struct lumberjack_inflater *inflater);
/* All bytes of the frame were taken and read. */
bool inflater_at_end(const struct lumberjack_inflater *inflater);
/* The zlib stream ended, its checksum was right. */
bool inflater_is_whole(const struct lumberjack_inflater *inflater);
/* Bytes inflated so far, and bytes of the frame that were not inflated. */
size_t inflater_total(const struct lumberjack_inflater *inflater);
size_t inflater_left(const struct lumberjack_inflater *inflater);

#endif
