/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/search/search_hits.h"

#include <assert.h>

#include "base/mem.h"

void hits_init(struct hits *hits, const struct sort *sort, size_t capacity)
{
    *hits = (struct hits){.sort = sort, .capacity = capacity};
}

void hits_release(struct hits *hits)
{
    for (size_t i = 0; i < hits->count; i++)
        mem_free(hits->items[i]);
    mem_free(hits->items);
    *hits = (struct hits){0};
}

size_t hit_size(size_t keys)
{
    return sizeof(struct hit) + keys * sizeof(struct sort_value);
}

/* ---- order ------------------------------------------------------------------------------------------------- */

/* <0: a comes before b. Equal hits stand in the order of storage. */
static int compare(const struct hits *hits, const struct hit *a, const struct hit *b)
{
    int order = 0;
    if (hits->sort->count > 0)
        order = sort_compare(hits->sort, a->sort, b->sort);
    else if (a->score != b->score)
        order = a->score > b->score ? -1 : 1;
    return order ? order : (a->number > b->number) - (a->number < b->number);
}

bool hits_would_keep(const struct hits *hits, const struct hit *hit)
{
    if (hits->capacity == 0)
        return false;
    return hits->count < hits->capacity || compare(hits, hit, hits->items[0]) < 0;
}

static void swap(struct hits *hits, size_t a, size_t b)
{
    struct hit *item = hits->items[a];
    hits->items[a] = hits->items[b];
    hits->items[b] = item;
}

static void sift_up(struct hits *hits, size_t at)
{
    while (at > 0 && compare(hits, hits->items[(at - 1) / 2], hits->items[at]) < 0) {
        swap(hits, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

static void sift_down(struct hits *hits, size_t at, size_t count)
{
    for (;;) {
        size_t worst = at, left = at * 2 + 1, right = left + 1;
        if (left < count && compare(hits, hits->items[worst], hits->items[left]) < 0)
            worst = left;
        if (right < count && compare(hits, hits->items[worst], hits->items[right]) < 0)
            worst = right;
        if (worst == at)
            return;
        swap(hits, at, worst);
        at = worst;
    }
}

void hits_finish(struct hits *hits)
{
    for (size_t count = hits->count; count > 1; count--) {
        swap(hits, 0, count - 1);
        sift_down(hits, 0, count - 1);
    }
}

/* ---- copies -------------------------------------------------------------------------------------------------- */

static struct str copy_text(char **at, struct str text)
{
    struct str copy = str_make(*at, text.len);
    if (text.len > 0)
        memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return copy;
}

static bool has_text(const struct sort_value *value)
{
    return value->type >= SORT_TEXT;
}

static size_t size_of(const struct hits *hits, const struct hit *hit)
{
    size_t size = hit_size(hits->sort->count) + hit->id.len + hit->source.len + hit->fields.len;
    for (size_t i = 0; i < hits->sort->count; i++)
        size += has_text(&hit->sort[i]) ? hit->sort[i].as.text.len : 0;
    return size;
}

static struct hit *copy_of(const struct hits *hits, const struct hit *hit, size_t size)
{
    size_t fixed = hit_size(hits->sort->count);
    struct hit *copy = mem_alloc(size);
    memcpy(copy, hit, fixed);
    char *at = (char *)copy + fixed;
    copy->id = copy_text(&at, hit->id);
    copy->source = copy_text(&at, hit->source);
    copy->fields = copy_text(&at, hit->fields);
    for (size_t i = 0; i < hits->sort->count; i++) {
        if (has_text(&copy->sort[i]))
            copy->sort[i].as.text = copy_text(&at, hit->sort[i].as.text);
    }
    assert(at == (char *)copy + size);
    return copy;
}

static void drop_worst(struct hits *hits)
{
    hits->bytes -= size_of(hits, hits->items[0]);
    mem_free(hits->items[0]);
    hits->items[0] = hits->items[--hits->count];
    sift_down(hits, 0, hits->count);
}

void hits_add(struct hits *hits, const struct hit *hit)
{
    assert(hits_would_keep(hits, hit));
    if (hits->count == hits->capacity)
        drop_worst(hits);
    size_t size = size_of(hits, hit);
    hits->items = mem_grow(hits->items, hits->count, &hits->room, sizeof(struct hit *));
    hits->items[hits->count++] = copy_of(hits, hit, size);
    hits->bytes += size;
    sift_up(hits, hits->count - 1);
}
