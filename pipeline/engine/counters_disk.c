/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/counters_disk.h"

#include "pipeline/delivery/dead_letters.h"
#include "pipeline/delivery/disk_queue.h"
#include "pipeline/engine/metric.h"

/* ---- of the disk queue ---------------------------------------------------------------------------- */

enum queue_metric {
    QUEUE_EVENTS,
    QUEUE_BYTES,
    QUEUE_MAX_BYTES,
    QUEUE_PAGE_BYTES,
    QUEUE_MAX_EVENTS,
    QUEUE_WAITING,
    QUEUE_FULL,
    QUEUE_WRITTEN,
    QUEUE_READ,
    QUEUE_DONE,
    QUEUE_SYNCS,
    QUEUE_DAMAGED_PLACES,
    QUEUE_DAMAGED_BYTES,
    QUEUE_METRICS
};

#define QUEUE_ROW(json_subgroup, json_name, text_name, what, help_text)                            \
    {                                                                                              \
        .name = (json_name), .group = "queue", .subgroup = (json_subgroup),                        \
        .family = "millrace_queue_" text_name, .help = (help_text), .kind = (what)                 \
    }

static const struct metric QUEUE[QUEUE_METRICS] = {
    [QUEUE_EVENTS] = QUEUE_ROW(NULL, "events_count", "events", METRIC_GAUGE,
                               "Events in the disk queue that are not delivered."),
    [QUEUE_BYTES] = QUEUE_ROW(NULL, "queue_size_in_bytes", "size_bytes", METRIC_GAUGE,
                              "Bytes of the disk queue's files."),
    [QUEUE_MAX_BYTES] = QUEUE_ROW(NULL, "max_queue_size_in_bytes", "max_size_bytes", METRIC_GAUGE,
                                  "Bytes at which the disk queue is full and inputs wait."),
    [QUEUE_PAGE_BYTES] = QUEUE_ROW("capacity", "page_capacity_in_bytes", "page_bytes", METRIC_GAUGE,
                                   "Bytes at which a file of the queue ends."),
    [QUEUE_MAX_EVENTS] = QUEUE_ROW("capacity", "max_unread_events", "max_events", METRIC_GAUGE,
                                   "Events at which the disk queue is full; 0: any number."),
    [QUEUE_WAITING] = QUEUE_ROW(NULL, "waiting_bytes", "waiting_bytes", METRIC_GAUGE,
                                "Bytes handed over by inputs and not yet written."),
    [QUEUE_FULL] = QUEUE_ROW(NULL, "full", "full", METRIC_GAUGE,
                             "1 while inputs wait because the disk queue is full."),
    [QUEUE_WRITTEN] = QUEUE_ROW(NULL, "written_events", "written_events", METRIC_COUNTER,
                                "Events written to the disk queue."),
    [QUEUE_READ] = QUEUE_ROW(NULL, "read_events", "read_events", METRIC_COUNTER,
                             "Events read from the disk queue for the filters."),
    [QUEUE_DONE] = QUEUE_ROW(NULL, "acknowledged_events", "acknowledged_events", METRIC_COUNTER,
                             "Events of the disk queue that every output is done with."),
    [QUEUE_SYNCS] =
        QUEUE_ROW(NULL, "syncs", "syncs", METRIC_COUNTER, "Times that the disk queue was synced."),
    [QUEUE_DAMAGED_PLACES] = QUEUE_ROW(NULL, "damaged_places", "damaged_places", METRIC_COUNTER,
                                       "Places in the disk queue's files that could not be read."),
    [QUEUE_DAMAGED_BYTES] =
        QUEUE_ROW(NULL, "damaged_bytes", "damaged_bytes", METRIC_COUNTER, "Bytes of those places."),
};

void counters_add_queue(struct metric_page *page, struct metric_values *values,
                        const struct disk_queue_figures *queue)
{
    const uint64_t figures[QUEUE_METRICS] = {
        [QUEUE_EVENTS] = queue->events,
        [QUEUE_BYTES] = queue->bytes,
        [QUEUE_MAX_BYTES] = queue->max_bytes,
        [QUEUE_PAGE_BYTES] = queue->page_bytes,
        [QUEUE_MAX_EVENTS] = queue->max_events,
        [QUEUE_WAITING] = queue->waiting_bytes,
        [QUEUE_FULL] = queue->full,
        [QUEUE_WRITTEN] = queue->written_events,
        [QUEUE_READ] = queue->read_events,
        [QUEUE_DONE] = queue->done_events,
        [QUEUE_SYNCS] = queue->syncs,
        [QUEUE_DAMAGED_PLACES] = queue->damaged_places,
        [QUEUE_DAMAGED_BYTES] = queue->damaged_bytes,
    };
    for (size_t i = 0; i < QUEUE_METRICS; i++)
        metric_add(page, values, &QUEUE[i], figures[i]);
}

/* ---- of dead letters ------------------------------------------------------------------------------ */

enum letter_metric {
    LETTER_BYTES,
    LETTER_MAX_BYTES,
    LETTER_DROPPED,
    LETTER_EXPIRED,
    LETTER_WRITTEN,
    LETTER_WAITING,
    LETTER_METRICS
};

#define LETTER_ROW(json_name, text_name, what, help_text)                                          \
    {                                                                                              \
        .name = (json_name), .group = "dead_letter_queue",                                         \
        .family = "millrace_dead_letter_queue_" text_name, .help = (help_text), .kind = (what)     \
    }

static const struct metric LETTERS[LETTER_METRICS] = {
    [LETTER_BYTES] = LETTER_ROW("queue_size_in_bytes", "size_bytes", METRIC_GAUGE,
                                "Bytes of the files with dead letters."),
    [LETTER_MAX_BYTES] = LETTER_ROW("max_queue_size_in_bytes", "max_size_bytes", METRIC_GAUGE,
                                    "Bytes at which there is no room for more dead letters."),
    [LETTER_DROPPED] = LETTER_ROW("dropped_events", "dropped_events", METRIC_COUNTER,
                                  "Dead letters, new or old, for which there was no room."),
    [LETTER_EXPIRED] = LETTER_ROW("expired_events", "expired_events", METRIC_COUNTER,
                                  "Dead letters deleted because of their age."),
    [LETTER_WRITTEN] =
        LETTER_ROW("written_events", "written_events", METRIC_COUNTER, "Dead letters written."),
    [LETTER_WAITING] = LETTER_ROW("waiting_events", "waiting_events", METRIC_GAUGE,
                                  "Events refused that are not yet written as dead letters."),
};

void counters_add_letters(struct metric_page *page, struct metric_pipeline *pipeline,
                          struct dead_letters *letters)
{
    if (!letters)
        return;
    struct dead_letter_figures *figures = arena_alloc(&page->arena, sizeof *figures);
    dead_letters_figures(letters, figures);
    const uint64_t values[LETTER_METRICS] = {
        [LETTER_BYTES] = figures->bytes,     [LETTER_MAX_BYTES] = figures->max_bytes,
        [LETTER_DROPPED] = figures->dropped, [LETTER_EXPIRED] = figures->expired,
        [LETTER_WRITTEN] = figures->written, [LETTER_WAITING] = figures->waiting,
    };
    pipeline->dead_letters = figures;
    for (size_t i = 0; i < LETTER_METRICS; i++)
        metric_add(page, &pipeline->values, &LETTERS[i], values[i]);
}
