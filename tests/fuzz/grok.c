/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: one byte of options; the expression in the first line; lines of pattern definitions up to an empty one; then the
 * message. Any expression must be refused or tried, and what is left must be an event that can be written.
 */
#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/grok/grok.h"
#include "tests/fuzz/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char *const OPTIONS[] = {
    "", "named_captures_only => false break_on_match => false keep_empty_captures => true",
    "target => '[a][b]' overwrite => [message]",
    "overwrite => [message]", /* under the legacy names */
};

enum { OPTION_SETS = sizeof OPTIONS / sizeof *OPTIONS, INPUT_MAX = 2048 };

/* The definitions go through a file as those of patterns_dir do; this one is in memory only. */
static int write_definitions(struct str *rest)
{
    const char *end = rest->len > 0 ? memmem(rest->ptr, rest->len, "\n\n", 2) : NULL;
    struct str lines = str_make(rest->ptr, end ? (size_t)(end - rest->ptr) : 0);
    int file = memfd_create("patterns", MFD_CLOEXEC);
    assert(file >= 0);
    bool written = write(file, lines.ptr, lines.len) == (ssize_t)lines.len;
    assert(written);
    if (end)
        *rest = str_from_offset(*rest, lines.len + 2);
    return file;
}

static void run(struct arena *arena, unsigned set, struct str input)
{
    struct plugin_env env;
    fuzz_env_init(&env, arena);
    env.ecs = set == OPTION_SETS - 1 ? ECS_DISABLED : ECS_V8;
    struct str expression = fuzz_line(arena, &input);
    int file = write_definitions(&input);
    struct str options =
        arena_printf(arena, "match => { message => '' } patterns_dir => '/proc/self/fd/%d' %s",
                     file, OPTIONS[set]);
    struct conf_plugin *plugin = fuzz_parse(arena, options.ptr);
    fuzz_value(plugin, 0)->text = expression;
    void *self = fuzz_open(&filter_grok, &env, plugin);
    close(file);
    if (!self)
        return;
    fuzz_apply(&filter_grok, self, arena, input);
    filter_grok.close(self);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena arena;
    if (len < 1 || len > INPUT_MAX)
        return 0;
    arena_init(&arena, NULL);
    run(&arena, data[0] % OPTION_SETS, str_make((const char *)data + 1, len - 1));
    arena_release(&arena);
    return 0;
}
