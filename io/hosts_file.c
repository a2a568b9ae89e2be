/* SPDX-License-Identifier: Apache-2.0 */
#include "io/hosts_file.h"

#include <string.h>

#include "base/file.h"

static struct str next_line(struct str *text)
{
    const char *end = memchr(text->ptr, '\n', text->len);
    size_t len = end ? (size_t)(end - text->ptr) : text->len;
    struct str line = str_make(text->ptr, len);
    *text = str_from_offset(*text, end ? len + 1 : len);
    return line;
}

/* Up to a blank; empty at the end of the line. */
static struct str next_word(struct str *line)
{
    static const char BLANKS[] = " \t\r\f\v";
    size_t start = 0;
    while (start < line->len && memchr(BLANKS, line->ptr[start], sizeof BLANKS - 1))
        start++;
    size_t end = start;
    while (end < line->len && !memchr(BLANKS, line->ptr[end], sizeof BLANKS - 1))
        end++;
    struct str word = str_make(line->ptr + start, end - start);
    *line = str_from_offset(*line, end);
    return word;
}

static void add_line(struct hosts_file *hosts, struct str line)
{
    const char *comment = memchr(line.ptr, '#', line.len);
    if (comment)
        line.len = (size_t)(comment - line.ptr);
    struct str address = next_word(&line), name;
    char *address_text = address.len > 0 ? arena_cstr(&hosts->arena, address) : NULL;
    while ((name = next_word(&line)).len > 0) {
        map_set(&hosts->addresses, name, address_text);
        if (!map_has(&hosts->names, address))
            map_set(&hosts->names, address, arena_cstr(&hosts->arena, name));
    }
}

bool hosts_file_read(struct hosts_file *hosts, const char *path, struct error *err)
{
    struct str text;
    arena_init(&hosts->arena, NULL);
    map_init(&hosts->addresses);
    map_init(&hosts->names);
    if (!file_read(&hosts->arena, path, HOSTS_FILE_MAX_BYTES, &text, err)) {
        hosts_file_release(hosts);
        return false;
    }
    while (text.len > 0)
        add_line(hosts, next_line(&text));
    return true;
}

void hosts_file_release(struct hosts_file *hosts)
{
    map_release(&hosts->addresses);
    map_release(&hosts->names);
    arena_release(&hosts->arena);
}

static struct str find(const struct map *map, struct str key)
{
    const char *text = map_get(map, key);
    return text ? str_from(text) : STR("");
}

struct str hosts_file_address(const struct hosts_file *hosts, struct str name)
{
    return find(&hosts->addresses, name);
}

struct str hosts_file_name(const struct hosts_file *hosts, struct str address)
{
    return find(&hosts->names, address);
}
