/* SPDX-License-Identifier: Apache-2.0
 *
 * The one place that changes the state of a file, and the lists of those that wait for something: their turn, a
 * descriptor, or that somebody needs theirs.
 */
#include <assert.h>

#include "inputs/file/file_input.h"

void states_unlink(struct watched_file *file)
{
    struct file_list *list = file->list;
    if (!list)
        return;
    *(file->previous ? &file->previous->next : &list->first) = file->next;
    *(file->next ? &file->next->previous : &list->last) = file->previous;
    file->next = file->previous = NULL;
    file->list = NULL;
}

static void append(struct file_list *list, struct watched_file *file)
{
    assert(!file->list);
    file->previous = list->last;
    *(list->last ? &list->last->next : &list->first) = file;
    list->last = file;
    file->list = list;
}

static void prepend(struct file_list *list, struct watched_file *file)
{
    assert(!file->list);
    file->next = list->first;
    *(list->first ? &list->first->previous : &list->last) = file;
    list->first = file;
    file->list = list;
}

void states_set(struct watched_file *file, enum watched_state state)
{
    struct file_input *input = file->input;
    bool from_queue =
        state == WATCHED_READING || state == WATCHED_WAITING || state == WATCHED_BLOCKED;
    assert(!from_queue || file->state == WATCHED_QUEUED);
    assert(file->state != WATCHED_DRAINING || state == WATCHED_CLOSED);
    assert((state != WATCHED_CLOSED && state != WATCHED_BLOCKED) || file->fd < 0);
    states_unlink(file);
    file->state = state;
    if (state == WATCHED_IDLE)
        append(&input->idle_files, file);
    else if (state == WATCHED_BLOCKED)
        append(&input->blocked, file);
}

void states_enqueue(struct watched_file *file)
{
    struct file_input *input = file->input;
    if (input->stopping && !file->leaving)
        return;
    states_set(file, WATCHED_QUEUED);
    file->turn_bytes = 0;
    append(&input->queue, file);
    uv_idle_start(input->idle, reader_on_idle);
}

void states_enqueue_first(struct watched_file *file)
{
    struct file_input *input = file->input;
    states_set(file, WATCHED_QUEUED);
    prepend(&input->queue, file);
    uv_idle_start(input->idle, reader_on_idle);
}
