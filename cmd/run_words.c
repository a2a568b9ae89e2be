/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/run_words.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "conf/settings.h"

enum whose { OURS, THEIRS };

/* A flag as one of the two tables has it. */
struct known {
    const char *name;
    char letter;
    bool takes_value;
};

/* How many words the flag is, which the first one names; 0: it is another flag. */
static int length(const struct known *flag, const char *word, const char *next)
{
    size_t len = strlen(flag->name);
    bool is_long = strncmp(word, "--", 2) == 0 && strncmp(word + 2, flag->name, len) == 0;
    bool is_short = flag->letter && word[0] == '-' && word[1] == flag->letter;
    if (is_long && word[2 + len] == '=')
        return 1;
    if ((is_long && word[2 + len] == '\0') || (is_short && word[2] == '\0'))
        return flag->takes_value && next ? 2 : 1;
    return is_short ? 1 : 0;
}

static int length_of_ours(const struct flag *table, const char *word, const char *next)
{
    int words = 0;
    for (const struct flag *flag = table; flag->name && words == 0; flag++)
        words = length(&(struct known){flag->name, flag->letter, flag->takes_value}, word, next);
    return words;
}

static int length_of_theirs(const char *word, const char *next)
{
    struct settings_flag row;
    int words = 0;
    for (size_t i = 0; words == 0 && settings_flag_at(i, &row); i++)
        words = length(&(struct known){row.name, row.letter, row.value != NULL}, word, next);
    if (words > 0)
        return words;
    /* A flag that nobody knows: the settings say so, before anybody wonders about what may be its value. */
    return next && next[0] != '-' && !strchr(word, '=') ? 2 : 1;
}

static int whose(const struct flag *table, const char *word, const char *next, enum whose *out)
{
    int words = length_of_ours(table, word, next);
    *out = OURS;
    if (words > 0 || word[0] != '-' || word[1] == '\0')
        return words > 0 ? words : 1;
    *out = THEIRS;
    return length_of_theirs(word, next);
}

static void add(struct run_words *words, enum whose to, char *word)
{
    if (to == OURS)
        words->ours[words->ours_count++] = word;
    else
        words->theirs[words->theirs_count++] = word;
}

void run_words_part(struct run_words *words, const struct flag *table, int argc, char **argv)
{
    assert(argc >= 1);
    *words = (struct run_words){
        .ours = mem_zero((size_t)argc + 1, sizeof *words->ours),
        .theirs = mem_zero((size_t)argc + 1, sizeof *words->theirs),
    };
    add(words, OURS, argv[0]);
    add(words, THEIRS, argv[0]);
    bool only_operands = false;
    for (int i = 1; i < argc;) {
        enum whose to = OURS;
        int count = 1;
        only_operands |= strcmp(argv[i], "--") == 0;
        if (!only_operands)
            count = whose(table, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &to);
        for (; count > 0; count--)
            add(words, to, argv[i++]);
    }
}

void run_words_release(struct run_words *words)
{
    mem_free(words->ours);
    mem_free(words->theirs);
    *words = (struct run_words){.ours = NULL};
}
