/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/delivery/spool.h"

#include <assert.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text/ascii.h"
#include "pipeline/delivery/delivery_private.h"
#include "pipeline/delivery/disk_queue.h"
#include "pipeline/delivery/queue_record.h"
#include "pipeline/event/event_binary.h"

enum {
    RECORD_BYTES = 1024 * 1024,
    AHEAD_READINGS = 2, /* so many requests are under way for it at most, about */
    SYNC_MS = 1000,
    PAGE_BYTES = 16 * 1024 * 1024,
    /* The marks of an item, and above them its form (struct output; 0: it is not known) */
    ITEM_OWN_ID = 1,
    ITEM_CARRIES = 2, /* with a form: the event is within the bytes */
    ITEM_FORM_SHIFT = 2,
};

struct spool {
    struct spool *next; /* of the engine's */
    struct disk_queue *queue;
    struct delivery *delivery; /* that is served (P4) */
    struct lane *lane;         /* the main one; set by spool_start */
    size_t references;
    bool retired;
    struct spool_options options;
    char name[SPOOL_NAME_MAX];
    char folder[PATH_MAX];
};

/* What was read, on its way to the delivery's lane. */
struct arrival {
    struct inbox_item link; /* first */
    struct arena arena;
    struct spool *spool;
    struct queue_reading *reading;
};

/* ---- putting -------------------------------------------------------------------------------------- */

/* An item: text bytes · text note · number attempts · number marks (event/event_binary.h has texts and numbers) */
static uint64_t marks_of(const struct group *group, const struct group_item *item)
{
    const struct delivery *delivery = group->delivery;
    struct str bytes = str_make(group->bytes.ptr + item->offset, item->len);
    uint64_t marks = item->own_id ? ITEM_OWN_ID : 0;
    if (!delivery->output->form)
        return marks;
    marks |= delivery_carried_event(delivery, bytes).len > 0 ? ITEM_CARRIES : 0;
    return marks | (uint64_t)delivery->output->form(delivery->instance->self) << ITEM_FORM_SHIFT;
}

static bool put_item(struct buf *out, const struct group *group, const struct group_item *item)
{
    struct str note = group_note(group, item);
    unsigned attempts = group->attempts + item->attempts;
    return binary_put_number(out, item->len) &&
           buf_append(out, group->bytes.ptr + item->offset, item->len) &&
           binary_put_number(out, note.len) && buf_append_str(out, note) &&
           binary_put_number(out, attempts) && binary_put_number(out, marks_of(group, item));
}

/* The items from `at` on that belong to one receipt. */
static size_t put_run(struct spool *spool, struct group *group, size_t at)
{
    uint32_t run = group->items[at].run, count = 0, in_record = 0;
    struct receipt *receipt = group->runs[run].receipt;
    struct queue_parcel *parcel = queue_parcel_new(spool->options.account, receipt);
    struct buf *out = &parcel->bytes;
    size_t begin = 0;
    bool fits = true;
    for (; fits && at + count < group->count && group->items[at + count].run == run; count++) {
        if (in_record == 0)
            fits = queue_record_begin_items(out, &begin);
        fits = fits && put_item(out, group, &group->items[at + count]);
        in_record++;
        if (out->len - begin >= RECORD_BYTES) {
            queue_parcel_add(parcel, queue_record_end_items(out, begin, in_record), in_record);
            in_record = 0;
        }
    }
    if (!fits)
        mem_abort("a group is larger than a spool can take");
    if (in_record > 0)
        queue_parcel_add(parcel, queue_record_end_items(out, begin, in_record), in_record);
    parcel->parts = count;
    assert(group->runs[run].open >= count);
    group->runs[run].open -= count;
    disk_queue_put(spool->queue, parcel);
    return count;
}

size_t spool_put(struct spool *spool, struct group *group)
{
    size_t count = group_left(group);
    assert(!group->spooled); /* P2 */
    for (size_t at = group->taken; at < group->count;)
        at += put_run(spool, group, at);
    group->taken = group->count;
    return count;
}

bool spool_is_holding(struct spool *spool)
{
    struct disk_queue_figures figures;
    disk_queue_figures(spool->queue, &figures);
    return figures.events > 0 || figures.waiting_bytes > 0;
}

/* ---- what comes back ------------------------------------------------------------------------------ */

static struct arena *begin(void *ctx, struct queue_reading *reading)
{
    struct spool *spool = ctx;
    struct arrival *arrival = mem_zero(1, sizeof *arrival);
    arena_init(&arrival->arena, spool->options.account);
    arrival->spool = spool;
    arrival->reading = reading;
    reading->batch = arrival;
    return &arrival->arena;
}

static void say_what_stays(const struct spool *spool)
{
    struct disk_queue_figures figures;
    disk_queue_figures(spool->queue, &figures);
    if (spool->retired && figures.events > 0)
        log_warn(spool->options.log, "spool_kept",
                 "an output is gone or changed its name and has left events in its spool: they are "
                 "kept until it is back, with the id that it had",
                 LOG_CSTR("path", spool->folder), LOG_INT("events", figures.events));
}

/* P5 */
static void close_if_over(struct spool *spool)
{
    if (spool->references > 0 || !disk_queue_is_back(spool->queue))
        return;
    struct spool **at = spool->options.all;
    while (*at != spool) {
        assert(*at);
        at = &(*at)->next;
    }
    *at = spool->next;
    say_what_stays(spool);
    disk_queue_close(spool->queue);
    mem_free(spool);
}

static void give_back(struct spool *spool, struct queue_reading *reading, bool done)
{
    disk_queue_done(spool->queue, reading, done);
    close_if_over(spool);
}

static void on_settled(struct inbox_item *item)
{
    struct receipt *receipt = (struct receipt *)item;
    receipt->is_home = true;
    give_back(receipt->spool, receipt->reading,
              receipt_outcome(receipt) == RECEIPT_DELIVERED); /* P2 */
    receipt_free(receipt);
}

static bool take_bytes(struct event_reader *reader, struct str *out)
{
    uint64_t len;
    if (!binary_take_number(reader, &len) || len > (size_t)(reader->end - reader->at))
        return false;
    *out = str_make((const char *)reader->at, (size_t)len);
    reader->at += len;
    return true;
}

struct spooled_item {
    struct str bytes, note;
    uint64_t attempts, marks;
};

static bool read_item(struct event_reader *reader, struct spooled_item *item)
{
    return take_bytes(reader, &item->bytes) && take_bytes(reader, &item->note) &&
           binary_take_number(reader, &item->attempts) && binary_take_number(reader, &item->marks);
}

/* Its output was another one then, and this one could not read it. */
static bool is_foreign(const struct delivery *delivery, const struct spooled_item *item)
{
    uint64_t form = item->marks >> ITEM_FORM_SHIFT;
    return form > 0 && delivery->output->form &&
           form != delivery->output->form(delivery->instance->self);
}

static bool take_foreign(const struct spooled_item *item, struct group *group,
                         struct receipt *receipt)
{
    struct delivery *delivery = group->delivery;
    struct str carried = {0}, event, metadata;
    if ((item->marks & ITEM_CARRIES) && delivery->output->item_event)
        carried =
            delivery->output->item_event((uint32_t)(item->marks >> ITEM_FORM_SHIFT), item->bytes);
    if ((item->marks & ITEM_CARRIES) && carried.len == 0)
        return false;
    delivery_split_note(carried, item->note, &event, &metadata);
    return delivery_encode_anew(delivery, group, event, metadata, receipt);
}

static bool take_item(struct event_reader *reader, struct group *group, struct receipt *receipt)
{
    struct spooled_item item;
    size_t offset = group->bytes.len, note_offset = group->notes.len, count = group->count;
    if (!read_item(reader, &item))
        return false;
    if (is_foreign(group->delivery, &item)) {
        if (!take_foreign(&item, group, receipt))
            return false;
    } else {
        if (!buf_append_str(&group->bytes, item.bytes) || !buf_append_str(&group->notes, item.note))
            return false;
        group_push(group, offset, note_offset, receipt, (item.marks & ITEM_OWN_ID) != 0);
    }
    if (group->count > count)
        group->items[count].attempts =
            (uint8_t)(item.attempts < UINT8_MAX ? item.attempts : UINT8_MAX);
    return true;
}

static void take_record(struct spool *spool, const struct queue_read_record *record,
                        struct group *group, struct receipt *receipt)
{
    const unsigned char *at = (const unsigned char *)record->bytes.ptr;
    struct event_reader reader = {.at = at + QUEUE_RECORD_HEAD_BYTES,
                                  .end = at + record->bytes.len};
    bool whole = queue_record_is_items(record->bytes);
    for (uint32_t i = 0; whole && i < record->events; i++)
        whole = take_item(&reader, group, receipt);
    if (!whole)
        disk_queue_keep_apart(spool->queue, record->at, record->bytes);
}

static void free_arrival(struct arrival *arrival)
{
    arena_release(&arrival->arena);
    mem_free(arrival);
}

/* On the delivery's lane. */
static void on_arrived(struct inbox_item *item)
{
    struct arrival *arrival = (struct arrival *)item;
    struct spool *spool = arrival->spool;
    struct delivery *delivery = spool->delivery;
    struct queue_reading *reading = arrival->reading;
    if (!delivery || delivery->closing) {
        free_arrival(arrival);
        give_back(spool, reading, false);
        return;
    }
    struct receipt *receipt = receipt_new(NULL, delivery->lane, on_settled);
    receipt->spool = spool;
    receipt->reading = reading;
    struct group *group = group_take(delivery, false);
    for (size_t i = 0; i < reading->count; i++)
        take_record(spool, &reading->records[i], group, receipt);
    free_arrival(arrival);
    delivery_hand_in(delivery);
    group->spooled = true;
    delivery_receive_spooled(delivery, group);
    receipt_release(receipt, 1, RECEIPT_DELIVERED);
}

static void arrived(void *ctx, struct queue_reading *reading)
{
    struct spool *spool = ctx;
    struct arrival *arrival = reading->batch;
    arrival->link.run = on_arrived;
    lane_post(spool->lane, &arrival->link);
}

static void changed(void *ctx)
{
    (void)ctx; /* nobody waits for a spool to be empty */
}

/* ---- beginning and end ----------------------------------------------------------------------------- */

bool spool_name(struct str type, struct str id, char out[SPOOL_NAME_MAX])
{
    int len = snprintf(out, SPOOL_NAME_MAX, "%.*s-", STR_FMT(type));
    for (size_t i = 0; i < id.len && len < SPOOL_NAME_MAX - 4; i++) {
        unsigned char byte = (unsigned char)id.ptr[i];
        bool plain = ascii_is_letter(byte) || ascii_is_digit(byte) || byte == '-' || byte == '_';
        len += snprintf(out + len, (size_t)(SPOOL_NAME_MAX - len), plain ? "%c" : "%%%02x", byte);
    }
    return len < SPOOL_NAME_MAX - 4;
}

struct spool *spool_open(const struct spool_options *options, struct error *err)
{
    struct spool *spool = mem_zero(1, sizeof *spool);
    spool->options = *options;
    spool->references = 1;
    bool named = spool_name(options->type, options->id, spool->name);
    int len = snprintf(spool->folder, sizeof spool->folder, "%s/%s", options->root, spool->name);
    struct disk_queue_options queue = {
        .folder = spool->folder,
        .log = options->log,
        .max_bytes = options->max_bytes,
        .page_bytes = PAGE_BYTES,
        .durability = DURABLE_ACK,
        .sync_ms = SYNC_MS,
    };
    if (!named || len < 0 || len >= (int)sizeof spool->folder)
        error_set(err, ERROR_LIMIT, "the name of the spool of output '%.*s' is too long",
                  STR_FMT(options->id));
    else
        spool->queue = disk_queue_open(&queue, err);
    if (!spool->queue) {
        mem_free(spool);
        return NULL;
    }
    disk_queue_stop_reading(spool->queue); /* until it serves somebody */
    spool->next = *options->all;
    *options->all = spool;
    return spool;
}

struct spool *spool_find(struct spool *all, struct str type, struct str id)
{
    char name[SPOOL_NAME_MAX];
    if (!spool_name(type, id, name))
        return NULL;
    while (all && (all->references == 0 || strcmp(all->name, name) != 0))
        all = all->next;
    return all;
}

void spool_ref(struct spool *spool)
{
    assert(spool->references > 0);
    spool->references++;
}

void spool_unref(struct spool *spool)
{
    if (!spool)
        return;
    assert(spool->references > 0);
    if (--spool->references > 0)
        return;
    assert(!spool->delivery);
    disk_queue_stop(spool->queue);
    close_if_over(spool);
}

bool spool_start(struct spool *spool, const struct delivery *delivery, struct error *err)
{
    if (spool->lane)
        return true;
    struct disk_queue_user user = {
        .ctx = spool,
        .batch_events = delivery->fill_items,
        .batch_bytes = delivery->fill_bytes,
        .ahead_bytes = AHEAD_READINGS * delivery->fill_bytes,
        .ahead_readings = AHEAD_READINGS,
        .gives_again = true,
        .begin = begin,
        .arrived = arrived,
        .changed = changed,
    };
    spool->lane = delivery->lane;
    return disk_queue_start(spool->queue, &user, err);
}

void spool_serve(struct spool *spool, struct delivery *delivery, uint64_t max_bytes)
{
    assert(spool->lane == delivery->lane && spool->references > 0);
    spool->delivery = delivery;
    spool->retired = false;
    disk_queue_set_max_bytes(spool->queue, max_bytes);
    disk_queue_read_on(spool->queue);
}

bool spool_serves(const struct spool *spool, const struct delivery *delivery)
{
    return spool->delivery == delivery;
}

void spool_leave(struct spool *spool, const struct delivery *delivery)
{
    if (spool->delivery != delivery)
        return;
    spool->delivery = NULL;
    disk_queue_stop_reading(spool->queue);
}

void spool_retire(struct spool *spool)
{
    spool->retired = true;
    disk_queue_stop_reading(spool->queue);
}

void spool_stop_all(struct spool *all)
{
    for (; all; all = all->next)
        disk_queue_stop(all->queue);
}

/* ---- spools of nobody ------------------------------------------------------------------------------ */

void spool_name_others(const char *root, const struct log *log,
                       bool (*is_known)(const void *ctx, struct str name), const void *ctx)
{
    DIR *directory = opendir(root);
    for (const struct dirent *entry; directory && (entry = readdir(directory));) {
        char folder[PATH_MAX];
        int len = snprintf(folder, sizeof folder, "%s/%s", root, entry->d_name);
        if (entry->d_name[0] == '.' || len < 0 || len >= (int)sizeof folder ||
            is_known(ctx, str_from(entry->d_name)))
            continue;
        uint64_t left = disk_queue_left(folder);
        if (left > 0)
            log_warn(log, "spool_of_nobody",
                     "a spool has events for an output that is not there any more, or is another "
                     "one: it is kept until the output is back, with the id that it had",
                     LOG_CSTR("path", folder), LOG_INT("events", left));
    }
    if (directory)
        closedir(directory);
}
