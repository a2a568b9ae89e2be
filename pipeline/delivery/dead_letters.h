/* SPDX-License-Identifier: Apache-2.0
 *
 * Dead letters: events that their destination refuses for good are kept on disk, with the reason, so that somebody can look at
 * them and send them again. One for each pipeline; a log of segments (io/segment_log.h) whose records are texts of JSON:
 *
 *   {"version":1,"time":ISO8601,"pipeline":…,"plugin_type":…,"plugin_id":…,"reason":…,"attempts":n[,"metadata":{…}],"event":{…}}
 *
 * Deliveries hand letters in from any lane. A thread of its own, begun with the first letter, writes and syncs them and then
 * releases their receipts: an origin hears of an event only when it is delivered or kept.
 *
 * Invariants
 * L1. A letter holds one part of its event's receipt, released once: as delivered when it is on the disk, or was given up by the
 *     policy and logged; as abandoned when the pipeline closes before.
 * L2. The log never grows past max_bytes by more than what is written between two syncs.
 * L3. Without a folder that can be written letters are counted and logged, not kept: a pipeline does not stand still for a place
 *     that never was there. Once it was there, a full disk makes letters wait.
 */
#ifndef MILLRACE_PIPELINE_DELIVERY_DEAD_LETTERS_H
#define MILLRACE_PIPELINE_DELIVERY_DEAD_LETTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/account.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/str.h"

struct event;
struct receipt;

/* What becomes of a letter when there is no more room. */
enum dead_letter_policy { DEAD_LETTERS_BLOCK, DEAD_LETTERS_DROP_NEWER, DEAD_LETTERS_DROP_OLDER };

struct dead_letter_options {
    const char *folder; /* made with the first letter */
    const char *pipeline_id;
    uint64_t max_bytes;
    uint64_t retain_ms; /* 0: for ever */
    enum dead_letter_policy policy;
    const struct log *log;
};

struct dead_letters;

/* The options' texts have to live as long. */
struct dead_letters *dead_letters_new(const struct dead_letter_options *options);
/* Writes what was handed in, if that can be done at once, and abandons the rest. When nobody hands in any more. */
void dead_letters_close(struct dead_letters *letters);

enum { DEAD_LETTER_ERROR_MAX = 256 };

/* Since the process began, but for the bytes. */
struct dead_letter_figures {
    uint64_t bytes, max_bytes; /* of the files */
    uint64_t written;
    uint64_t
        dropped; /* by the policy, or because there is no place to keep them; old ones and new ones */
    uint64_t expired; /* older than they are kept */
    uint64_t waiting; /* handed in, and not on the disk */
    const char *policy;
    char last_error[DEAD_LETTER_ERROR_MAX]; /* "no errors", as Logstash says it */
};
/* Any thread. */
void dead_letters_figures(struct dead_letters *letters, struct dead_letter_figures *out);

struct dead_letter {
    struct str plugin_type, plugin_id, reason;
    unsigned attempts;
    struct str metadata; /* JSON, empty: none */
    struct str event;    /* JSON */
};

/* Letters on their way, one behind the other. */
struct dead_letter_parcel;

/* Adds to *parcel, which is made when it is NULL and charged to the account. The caller's hold of one part of the receipt
 * goes to the letter. */
void dead_letter_add(struct dead_letters *letters, struct dead_letter_parcel **parcel,
                     struct account *account, const struct dead_letter *letter,
                     struct receipt *receipt);
/* The same with the event's own JSON and metadata in place of the letter's; the receipt is held for it. */
void dead_letter_add_event(struct dead_letters *letters, struct dead_letter_parcel **parcel,
                           struct account *account, struct dead_letter letter,
                           const struct event *event, struct receipt *receipt);
/* Hands *parcel in, if there is one; it is NULL afterwards. Any thread. */
void dead_letters_put(struct dead_letters *letters, struct dead_letter_parcel **parcel);

#endif
