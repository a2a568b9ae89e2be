/* SPDX-License-Identifier: Apache-2.0
 *
 * What keeps an input from its files is said once, and again when it came back after it was gone: a pattern that matches
 * nothing, a directory that may not be read. What is said of a file that is tried again and again is said every
 * TOLD_AGAIN_MS. Main thread.
 */
#ifndef MILLRACE_INPUTS_FILE_TOLD_H
#define MILLRACE_INPUTS_FILE_TOLD_H

#include "base/map.h"

enum { TOLD_AGAIN_MS = 300 * 1000, TOLD_MAX = 1000 };

struct told_at {
    uint64_t at_ms; /* 0: never */
};
/* Whether it is to be said now, which counts as said. */
bool told_again(struct told_at *told, uint64_t now_ms);

struct told {
    struct map things; /* those that were there at the last look, to which look that was */
    uintptr_t look;
};
void told_init(struct told *told);
void told_release(struct told *told);
void told_begin(struct told *told);
/* In the look that began: whether this is new and is to be said. More than TOLD_MAX at once are not said. */
bool told_is_new(struct told *told, const char *thing);
/* What was not met in this look is forgotten. */
void told_end(struct told *told);

#endif
