/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/run_words.h"

#include <string.h>

#include "base/mem.h"

/* Whether the word is a flag of the table; how many words it takes. */
static int words_of(const struct flag *table, const char *word, const char *next)
{
    for (const struct flag *flag = table; flag->name; flag++) {
        size_t len = strlen(flag->name);
        bool is_long = strncmp(word, "--", 2) == 0 && strncmp(word + 2, flag->name, len) == 0;
        bool is_short =
            flag->letter && flag->takes_value && word[0] == '-' && word[1] == flag->letter;
        if (is_long && word[2 + len] == '=')
            return 1;
        if ((is_long && word[2 + len] == '\0') || (is_short && word[2] == '\0'))
            return flag->takes_value && next ? 2 : 1;
        if (is_short)
            return 1;
    }
    return 0;
}

void run_words_part(struct run_words *words, const struct flag *table, int argc, char **argv)
{
    *words = (struct run_words){.ours = mem_zero((size_t)argc + 1, sizeof *words->ours),
                                .theirs = mem_zero((size_t)argc + 1, sizeof *words->theirs)};
    words->ours[words->ours_count++] = words->theirs[words->theirs_count++] = argv[0];
    for (int i = 1; i < argc;) {
        int count = words_of(table, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
        for (int n = count > 0 ? count : 1; n > 0; n--, i++) {
            if (count > 0)
                words->ours[words->ours_count++] = argv[i];
            else
                words->theirs[words->theirs_count++] = argv[i];
        }
    }
}

void run_words_release(struct run_words *words)
{
    mem_free(words->ours);
    mem_free(words->theirs);
}
