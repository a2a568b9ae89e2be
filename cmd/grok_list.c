/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/grok_list.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/grok/grok_patterns.h"

enum { LINE_WIDTH = 78 };

/* How a name is written: NAME, and how it is marked when one set only has it. */
struct style {
    const char *before, *behind, *separator;
    bool wraps;
};

static const struct style TERMINAL = {"", "", " ", true}, MARKDOWN = {"`", "`", ", ", false};

static bool has(const struct grok_pattern *table, const char *name)
{
    for (; table && table->name; table++)
        if (strcmp(table->name, name) == 0)
            return true;
    return false;
}

static void print_name(const struct style *style, const char *name, const char *mark,
                       size_t *column)
{
    size_t wide = strlen(name) + strlen(mark) + 1;
    assert(wide < LINE_WIDTH);
    if (style->wraps && *column + wide > LINE_WIDTH)
        *column = 0;
    if (*column > 0)
        fputs(style->separator, stdout);
    else if (style->wraps)
        fputs("\n ", stdout);
    printf("%s%s%s%s", style->before, name, style->behind, mark);
    *column += wide;
}

/* The names of a table; those that the other set has too are left to it when it comes first. */
static void print_table(const struct style *style, const struct grok_pattern *table,
                        const struct grok_pattern *other, bool is_first, size_t *column)
{
    for (; table && table->name; table++) {
        bool in_both = has(other, table->name);
        if (is_first || !in_both)
            print_name(style, table->name, in_both ? "" : is_first ? "(legacy)" : "(ecs)", column);
    }
}

static void print_family(const struct style *style, const struct grok_family *family)
{
    size_t column = 0;
    for (const struct grok_pattern *row = family->common; row && row->name; row++)
        print_name(style, row->name, "", &column);
    print_table(style, family->legacy, family->ecs, true, &column);
    print_table(style, family->ecs, family->legacy, false, &column);
}

void grok_list_print(void)
{
    for (const struct grok_family *family = GROK_FAMILIES; family->name; family++) {
        printf("%s:", family->title);
        print_family(&TERMINAL, family);
        puts("\n");
    }
    puts("(legacy): only with ecs_compatibility => disabled; (ecs): only with v1 or v8.");
}

void grok_list_print_markdown(void)
{
    puts(
        "# Patterns of `grok`\n\nThe names that a [grok filter](filter/grok.md) knows without a "
        "pattern file: those of Logstash. \"(legacy)\" is\nthere only with `ecs_compatibility => "
        "disabled`, \"(ecs)\" only with `v1` or `v8`; of the others some set other fields "
        "in\neach. "
        "`millrace grok --expand '%{NAME}'` shows what one is, `millrace grok '%{NAME}' TEXT` what "
        "it makes of a text.\n\n| what | patterns |\n| --- | --- |");
    for (const struct grok_family *family = GROK_FAMILIES; family->name; family++) {
        printf("| %s | ", family->title);
        print_family(&MARKDOWN, family);
        puts(" |");
    }
    puts("\n*Made from the pattern tables by `millrace grok --list --markdown`.*");
}
