/* SPDX-License-Identifier: Apache-2.0
 *
 * How many files may be open. open() gives the lowest number that is free, so a number near the limit of the process
 * says that nearly all are taken, by whomever: such a one is given back, for outputs and the sincedb. Then a file that has
 * nothing to say gives up its own, or the new one waits. One file is always read.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/machine.h"
#include "inputs/file/file_input.h"

void descriptors_init(struct file_input *input)
{
    input->descriptor_limit = (int)machine_descriptors_for_inputs();
}

/* Its place in the file is known, and nothing of it is under way. */
static bool can_close(const struct watched_file *file)
{
    assert(file->state == WATCHED_IDLE && file->fd >= 0);
    if (file->gone || !file->stream)
        return false;
    const struct codec_instance *codec = stream_codec(file->stream);
    bool flushes = codec->codec->flush_after_ms && codec->codec->flush_after_ms(codec->self) > 0;
    return stream_count(file->stream) == 0 && stream_in_flight(file->stream) == 0 &&
           !(flushes && stream_codec_pending(file->stream) > 0);
}

static bool give_up_one(struct file_input *input)
{
    for (struct watched_file *file = input->idle_files.first; file; file = file->next) {
        if (file->fd < 0 || !can_close(file))
            continue;
        opening_close(file);
        states_set(file, WATCHED_CLOSED);
        return true;
    }
    return false;
}

static bool is_out_of_descriptors(int number)
{
    return number == EMFILE || number == ENFILE;
}

static bool try_open(struct watched_file *file)
{
    struct file_input *input = file->input;
    errno = EMFILE;
    if ((int64_t)input->open_count >= input->options.max_open_files)
        return false;
    file->fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (file->fd >= input->descriptor_limit && input->open_count > 0) {
        close(file->fd);
        file->fd = -1;
        errno = EMFILE;
    }
    return file->fd >= 0;
}

static void tell_blocked(struct file_input *input)
{
    if (input->told_blocked)
        return;
    input->told_blocked = true;
    log_warn(input->env->log, "files_wait",
             "more files than may be open at once: some wait until others have nothing new; see "
             "max_open_files and `ulimit -n`",
             LOG_INT("open", (int64_t)input->open_count),
             LOG_INT("max_open_files", input->options.max_open_files),
             LOG_INT("descriptors_for_files", input->descriptor_limit));
}

enum descriptor_result descriptors_open(struct watched_file *file)
{
    struct file_input *input = file->input;
    assert(file->fd < 0);
    while (!try_open(file)) {
        if (!is_out_of_descriptors(errno))
            return DESCRIPTOR_FAILED;
        if (!give_up_one(input)) {
            tell_blocked(input);
            return DESCRIPTOR_BLOCKED;
        }
    }
    input->open_count++;
    return DESCRIPTOR_OPEN;
}

void descriptors_close(struct watched_file *file)
{
    struct file_input *input = file->input;
    assert(file->fd >= 0 && input->open_count > 0);
    close(file->fd);
    file->fd = -1;
    input->open_count--;
}

void descriptors_wake(struct file_input *input)
{
    if (input->blocked.first && !input->stopping)
        states_enqueue(input->blocked.first);
}
