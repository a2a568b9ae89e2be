/* SPDX-License-Identifier: Apache-2.0
 *
 * The floor that bench/peers.py compares with: yajl's callbacks over every line of a file and nothing else.
 * A handle for each line, as the library wants it; the callbacks only count, so that nobody can leave them out.
 *
 * usage: yajl_bare FILE        prints how many values it was told of
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

static int told(void *count)
{
    ++*(unsigned long long *)count;
    return 1;
}
static int told_boolean(void *count, int value)
{
    (void)value;
    return told(count);
}
static int told_text(void *count, const unsigned char *text, size_t length)
{
    (void)text, (void)length;
    return told(count);
}
static int told_number(void *count, const char *text, size_t length)
{
    (void)text, (void)length;
    return told(count);
}

static const yajl_callbacks callbacks = {
    .yajl_null = told,
    .yajl_boolean = told_boolean,
    .yajl_number = told_number,
    .yajl_string = told_text,
    .yajl_start_map = told,
    .yajl_map_key = told_text,
    .yajl_end_map = told,
    .yajl_start_array = told,
    .yajl_end_array = told,
};

static int read_line(const char *line, size_t length, unsigned long long *count)
{
    yajl_handle handle = yajl_alloc(&callbacks, NULL, count);
    if (!handle)
        return -1;
    int failed = yajl_parse(handle, (const unsigned char *)line, length) != yajl_status_ok ||
                 yajl_complete_parse(handle) != yajl_status_ok;
    yajl_free(handle);
    return failed ? -1 : 0;
}

int main(int argc, char **argv)
{
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!file)
        return fprintf(stderr, "usage: yajl_bare FILE\n"), 2;
    char *line = NULL;
    size_t room = 0;
    unsigned long long count = 0;
    for (ssize_t length; (length = getline(&line, &room, file)) > 0;) {
        if (read_line(line, (size_t)length, &count))
            return fprintf(stderr, "no JSON: %s", line), 1;
    }
    free(line);
    fclose(file);
    printf("%llu values\n", count);
    return 0;
}
