/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: one byte that picks the options, then the message. The filter must answer, and what it leaves must be an event
 * that can be written.
 */
#include "tests/fuzz/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char *const OPTIONS[] = {
    "target => kv",
    "target => kv recursive => true trim_value => '<>,' allow_duplicate_values => false",
    "target => kv field_split => '&?' value_split => ':' allow_empty_values => true",
    "target => kv field_split_pattern => '; *' value_split_pattern => ': +' whitespace => strict "
    "transform_key => capitalize remove_char_key => 'x'",
};

enum { OPTION_SETS = sizeof OPTIONS / sizeof *OPTIONS };

static void *filters[OPTION_SETS];

static void open_filters(void)
{
    static struct arena forever;
    static struct plugin_env env;
    arena_init(&forever, NULL);
    fuzz_env_init(&env, &forever);
    for (size_t i = 0; i < OPTION_SETS; i++)
        filters[i] = fuzz_open(&filter_kv, &env, fuzz_parse(&forever, OPTIONS[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena arena;
    if (!filters[0])
        open_filters();
    if (len < 1)
        return 0;
    arena_init(&arena, NULL);
    fuzz_apply(&filter_kv, filters[data[0] % OPTION_SETS], &arena,
               str_make((const char *)data + 1, len - 1));
    arena_release(&arena);
    return 0;
}
