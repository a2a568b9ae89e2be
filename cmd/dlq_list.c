/* SPDX-License-Identifier: Apache-2.0
 *
 * `millrace dlq list`: for each pipeline how many letters there are, from when, of which outputs and for which reasons.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/dlq.h"

enum { KINDS_MAX = 200, REASON_SHOWN = 160, TIME_SHOWN = 19 };

/* Letters of one output with one reason. */
struct kind {
    struct str plugin_id, reason;
    uint64_t count;
};

struct count {
    const struct dlq *dlq;
    struct kind *kinds;
    size_t kind_count, kind_capacity;
    uint64_t letters, others; /* others: of further kinds */
    struct str oldest, newest;
};

static struct kind *kind_of(struct count *count, const struct read_letter *letter)
{
    for (size_t i = 0; i < count->kind_count; i++)
        if (str_equal(count->kinds[i].plugin_id, letter->plugin_id) &&
            str_equal(count->kinds[i].reason, letter->reason))
            return &count->kinds[i];
    if (count->kind_count == KINDS_MAX)
        return NULL;
    count->kinds =
        mem_grow(count->kinds, count->kind_count, &count->kind_capacity, sizeof *count->kinds);
    struct kind *kind = &count->kinds[count->kind_count++];
    *kind = (struct kind){.plugin_id = arena_dup(count->dlq->arena, letter->plugin_id),
                          .reason = arena_dup(count->dlq->arena, letter->reason)};
    return kind;
}

static bool count_letter(void *ctx, const struct dlq_letter *letter)
{
    struct count *count = ctx;
    struct kind *kind = kind_of(count, letter->read);
    if (kind)
        kind->count++;
    else
        count->others++;
    if (count->letters++ == 0)
        count->oldest = arena_dup(count->dlq->arena, letter->read->time);
    count->newest = letter->read->time;
    return true;
}

static int by_count(const void *a, const void *b)
{
    const struct kind *one = a, *other = b;
    return (one->count < other->count) - (one->count > other->count);
}

static void print_pipeline(const struct count *count, struct str pipeline, uint64_t bytes)
{
    printf("%.*s: %" PRIu64 " dead letter%s, %" PRIu64 " bytes on disk", STR_FMT(pipeline),
           count->letters, count->letters == 1 ? "" : "s", bytes);
    if (count->letters > 0)
        printf(", from %.*s", TIME_SHOWN, count->oldest.ptr);
    putchar('\n');
    for (size_t i = 0; i < count->kind_count; i++) {
        const struct kind *kind = &count->kinds[i];
        size_t shown = kind->reason.len < REASON_SHOWN ? kind->reason.len : REASON_SHOWN;
        printf("%10" PRIu64 "  %.*s  %.*s\n", kind->count, STR_FMT(kind->plugin_id), (int)shown,
               kind->reason.ptr);
    }
    if (count->others > 0)
        printf("%10" PRIu64 "  of further kinds\n", count->others);
}

static bool list_pipeline(const struct dlq *dlq, struct str pipeline)
{
    struct count count = {.dlq = dlq};
    const char *folder = dlq_folder(dlq, pipeline);
    struct segment_reader *reader = segment_reader_open(folder);
    bool fine = dlq_walk(dlq, reader, count_letter, &count);
    struct segment_damage damage = segment_reader_damage(reader);
    segment_reader_close(reader);
    if (count.kind_count > 0)
        qsort(count.kinds, count.kind_count, sizeof *count.kinds, by_count);
    if (fine)
        print_pipeline(&count, pipeline, segment_list_bytes(folder));
    if (damage.places > 0)
        printf("            %" PRIu64 " damaged place%s, %" PRIu64
               " bytes: what is whole was read\n",
               damage.places, damage.places == 1 ? "" : "s", damage.bytes);
    mem_free(count.kinds);
    return fine;
}

int dlq_list(const struct dlq *dlq)
{
    struct option_strings names = dlq_pipelines(dlq);
    bool fine = true;
    for (size_t i = 0; fine && i < names.count; i++)
        fine = list_pipeline(dlq, names.items[i]);
    if (names.count == 0)
        printf("no dead letters in '%s'\n", dlq->root.ptr);
    return fine && fflush(stdout) == 0 ? EXIT_DONE : EXIT_ERROR;
}
