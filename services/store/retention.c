/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/retention.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { MS_PER_DAY = 86400000 };

int64_t retention_end_ms(const struct store_index *index)
{
    int64_t end_ms;
    if (index_name_date(index->name, &end_ms))
        return end_ms;
    return index->newest_ms != INT64_MIN ? index->newest_ms : index->created_ms;
}

static int older_first(const void *a, const void *b)
{
    const struct store_index *left = *(struct store_index *const *)a;
    const struct store_index *right = *(struct store_index *const *)b;
    int64_t x = retention_end_ms(left), y = retention_end_ms(right);
    return x != y ? (x < y ? -1 : 1) : str_compare(left->name, right->name);
}

static void note(const struct store_index *index, bool by_age, struct retention_deleted *out)
{
    *out = (struct retention_deleted){.docs = index->docs, .bytes = index->bytes, .by_age = by_age};
    snprintf(out->name, sizeof out->name, "%.*s", STR_FMT(index->name));
}

size_t retention_apply(struct catalog *catalog, const struct retention *retention, int64_t now_ms,
                       struct retention_deleted *deleted)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct index_list all;
    struct api_error err;
    size_t gone = 0;
    uint64_t bytes = 0;
    const struct index_selection everything = {.lenient = true};
    bool resolved = catalog_resolve(catalog, &arena, everything, &all, &err);
    assert(resolved);
    (void)resolved;
    qsort(all.items, all.count, sizeof(*all.items), older_first);
    for (size_t i = 0; i < all.count; i++)
        bytes += (uint64_t)all.items[i]->bytes;
    int64_t oldest_ms = now_ms - (int64_t)retention->days * MS_PER_DAY;
    for (size_t i = 0; i < all.count && gone < RETENTION_DELETED_MAX; i++) {
        bool old = retention->days > 0 && retention_end_ms(all.items[i]) < oldest_ms;
        bool much = retention->bytes > 0 && bytes > retention->bytes && i + 1 < all.count;
        if (!old && !much)
            break;
        bytes -= (uint64_t)all.items[i]->bytes;
        note(all.items[i], old, &deleted[gone++]);
        if (!catalog_drop(catalog, all.items[i]))
            break;
    }
    arena_release(&arena);
    return gone;
}
