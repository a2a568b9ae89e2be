/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log_memory.h"

#include <pthread.h>

#include "base/mem.h"
#include "base/text/utf8.h"

struct kept_line {
    struct instant at;
    enum log_level level;
    size_t scope_len, text_len;
    char scope[LOG_MEMORY_SCOPE_BYTES], text[LOG_MEMORY_TEXT_BYTES];
};

struct log_memory {
    pthread_mutex_t lock;
    struct kept_line lines[LOG_MEMORY_LINES];
    size_t count; /* of all that were ever added */
};

struct log_memory *log_memory_new(void)
{
    struct log_memory *memory = mem_zero(1, sizeof *memory);
    if (pthread_mutex_init(&memory->lock, NULL) != 0)
        mem_abort("cannot make a mutex");
    return memory;
}

void log_memory_free(struct log_memory *memory)
{
    if (!memory)
        return;
    pthread_mutex_destroy(&memory->lock);
    mem_free(memory);
}

/* A text that is cut ends with a whole character. */
static size_t keep(char *out, size_t max, struct str text)
{
    if (text.len > max)
        text.len = utf8_valid_prefix(str_make(text.ptr, max));
    if (text.len > 0)
        memcpy(out, text.ptr, text.len);
    return text.len;
}

void log_memory_add(struct log_memory *memory, const struct log_memory_line *line)
{
    pthread_mutex_lock(&memory->lock);
    struct kept_line *kept = &memory->lines[memory->count++ % LOG_MEMORY_LINES];
    kept->at = line->at;
    kept->level = line->level;
    kept->scope_len = keep(kept->scope, sizeof kept->scope, line->scope);
    kept->text_len = keep(kept->text, sizeof kept->text, line->text);
    pthread_mutex_unlock(&memory->lock);
}

size_t log_memory_last(struct log_memory *memory, struct str scope, struct arena *arena,
                       struct log_memory_line *out, size_t most)
{
    size_t found = 0;
    if (!memory)
        return 0;
    char wanted[LOG_MEMORY_SCOPE_BYTES];
    struct str cut = str_make(wanted, keep(wanted, sizeof wanted, scope));
    pthread_mutex_lock(&memory->lock);
    size_t kept = memory->count < LOG_MEMORY_LINES ? memory->count : LOG_MEMORY_LINES;
    for (size_t back = 1; back <= kept && found < most; back++) {
        const struct kept_line *line = &memory->lines[(memory->count - back) % LOG_MEMORY_LINES];
        struct str from = str_make(line->scope, line->scope_len);
        if (!str_equal(from, cut))
            continue;
        out[found++] = (struct log_memory_line){
            .at = line->at,
            .level = line->level,
            .scope = arena_dup(arena, from),
            .text = arena_dup(arena, str_make(line->text, line->text_len)),
        };
    }
    pthread_mutex_unlock(&memory->lock);
    return found;
}
