/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: the template in the first line, then the message. Any template must be refused or taken apart any message, and
 * what is left must be an event that can be written.
 */
#include "tests/fuzz/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena arena;
    struct plugin_env env;
    struct str rest = str_make((const char *)data, len);
    arena_init(&arena, NULL);
    fuzz_env_init(&env, &arena);
    struct conf_plugin *plugin = fuzz_parse(
        &arena, "mapping => { message => '' } convert_datatype => { 'a' => int 'b' => float }");
    fuzz_value(plugin, 0)->text = fuzz_line(&arena, &rest);
    void *self = fuzz_open(&filter_dissect, &env, plugin);
    if (self)
        fuzz_apply(&filter_dissect, self, &arena, rest);
    arena_release(&arena);
    return 0;
}
