/* SPDX-License-Identifier: Apache-2.0
 *
 * The spool of an output (on_full => spool): what waits for the destination longer than hold_max goes to disk, encoded as it is,
 * and its origins go on. It is sent by itself, in order, when the destination is back. One for each output that has such a folder;
 * below it is the same log of segments as a disk queue's, and the same two threads (disk_queue.h).
 *
 *   READY, WAITING, too old ── spool_put ──▶ on disk, synced; receipts released
 *                                              │
 *   READY, marked as spooled ◀── a few at a time, on the main lane ── sent, retried and refused as any other group
 *
 * Invariants
 * P1. While the spool has something, groups that come are put behind it, so that nothing overtakes. What was in flight when the
 *     destination went away may come after what was spooled meanwhile.
 * P2. A group that was read back is not put again; its items hold one receipt, and when that comes home delivered the records
 *     are done. Abandoned, they stay for the next start, or for whoever is served next. Single items that the destination wants
 *     again later rest, and go to the end of the spool then: they hold up nothing that is in it.
 * P3. At spool_max_bytes, or on a full disk, parcels wait, and their origins with them.
 * P4. It serves one delivery of the main lane at a time, the newest; each outlet whose deliveries may put holds a reference. So
 *     when a pipeline changes while it runs, the folder stays open, and no record is given to two.
 * P5. With the last reference its threads end; it is closed as soon as all that was given out is back.
 *
 * spool_put and spool_is_holding: any lane. The rest: the main thread.
 */
#ifndef MILLRACE_PIPELINE_DELIVERY_SPOOL_H
#define MILLRACE_PIPELINE_DELIVERY_SPOOL_H

#include "base/account.h"
#include "base/error.h"
#include "base/log.h"
#include "base/str.h"

struct delivery;
struct group;
struct spool;

struct spool_options {
    const char *root;    /* one folder for each output in there */
    struct str type, id; /* of the output */
    uint64_t max_bytes;
    const struct log *log;
    struct account *account;
    struct spool **all; /* the spools of the engine, which this one joins until it is closed */
};

/* With one reference. NULL and *err: it cannot be used. */
struct spool *spool_open(const struct spool_options *options, struct error *err);
/* One of these that is not about to be closed; NULL: none has this name. */
struct spool *spool_find(struct spool *all, struct str type, struct str id);
void spool_ref(struct spool *spool);
void spool_unref(struct spool *spool); /* NULL: nothing */
/* It can be put into, and is read in portions for such a delivery once there is one. Again: no effect. */
bool spool_start(struct spool *spool, const struct delivery *delivery, struct error *err);
/* What is in it comes to this delivery, and no more to the one before. */
void spool_serve(struct spool *spool, struct delivery *delivery, uint64_t max_bytes);
/* The delivery takes nothing any more; nobody does when it was the one that was served. */
void spool_leave(struct spool *spool, const struct delivery *delivery);
/* Its output is gone while the pipeline runs: so it is said what stays in it, when it is closed. */
void spool_retire(struct spool *spool);
bool spool_serves(const struct spool *spool, const struct delivery *delivery);
/* For all of them: nothing comes any more, nothing is to be put. Again: no effect. */
void spool_stop_all(struct spool *all);

/* Something is in it, or on its way there. */
bool spool_is_holding(struct spool *spool);
/* Takes the items that are left in the group, with their receipts; how many. The group is the caller's to recycle. */
size_t spool_put(struct spool *spool, struct group *group);

/* Names spools below root that belong to none of the outputs, and have something. */
void spool_name_others(const char *root, const struct log *log,
                       bool (*is_known)(const void *ctx, struct str name), const void *ctx);
/* The folder's name of an output. */
enum { SPOOL_NAME_MAX = 256 };
bool spool_name(struct str type, struct str id, char out[SPOOL_NAME_MAX]);

#endif
