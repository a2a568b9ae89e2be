/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

bool error_setv(struct error *err, enum error_code code, const char *format, va_list args)
{
    if (err) {
        *err = (struct error){.code = code};
        vsnprintf(err->text, sizeof err->text, format, args);
    }
    return false;
}

bool error_set(struct error *err, enum error_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_setv(err, code, format, args);
    va_end(args);
    return false;
}

bool error_set_at(struct error *err, struct error_position position, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_setv(err, ERROR_CONFIG, format, args);
    va_end(args);
    if (err)
        err->position = position;
    return false;
}

bool error_prefix(struct error *err, const char *format, ...)
{
    if (!err)
        return false;
    char prefix[sizeof err->text], joined[sizeof err->text];
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    size_t len = strlen(prefix);
    memcpy(joined, prefix, len);
    snprintf(joined + len, sizeof joined - len, ": %s", err->text);
    memcpy(err->text, joined, sizeof joined);
    err->text[sizeof err->text - 1] = 0;
    return false;
}

void error_list_init(struct error_list *list)
{
    *list = (struct error_list){0};
}

void error_list_release(struct error_list *list)
{
    mem_free(list->items);
    mem_free(list->warnings);
    error_list_init(list);
}

/* Of errors without a position and of other files this says nothing: they stay in the order found. */
static bool stands_before(const struct error_position *a, const struct error_position *b)
{
    if (!a->file || !b->file || strcmp(a->file, b->file) != 0)
        return false;
    return a->line != b->line ? a->line < b->line : a->column < b->column;
}

static void insert(struct error_list *list, const struct error *err, bool warning)
{
    size_t at = list->count++;
    for (; at > 0 && stands_before(&err->position, &list->items[at - 1].position); at--) {
        list->items[at] = list->items[at - 1];
        list->warnings[at] = list->warnings[at - 1];
    }
    list->items[at] = *err;
    list->warnings[at] = warning;
}

static void add(struct error_list *list, const struct error *err, bool warning)
{
    list->errors += !warning;
    if (list->count == ERROR_LIST_MAX) {
        list->dropped++;
        return;
    }
    if (list->count == list->capacity) {
        size_t capacity = list->capacity;
        list->items = mem_grow(list->items, list->count, &capacity, sizeof *list->items);
        list->warnings = mem_realloc(list->warnings, capacity * sizeof *list->warnings);
        list->capacity = capacity;
    }
    insert(list, err, warning);
}

void error_list_add(struct error_list *list, const struct error *err)
{
    add(list, err, false);
}

void error_list_add_warning(struct error_list *list, const struct error *err)
{
    add(list, err, true);
}

void error_list_at(struct error_list *list, struct error_position position, const char *format, ...)
{
    struct error err;
    va_list args;
    va_start(args, format);
    error_setv(&err, ERROR_CONFIG, format, args);
    va_end(args);
    err.position = position;
    add(list, &err, false);
}

void error_list_warn_at(struct error_list *list, struct error_position position, const char *format,
                        ...)
{
    struct error err;
    va_list args;
    va_start(args, format);
    error_setv(&err, ERROR_CONFIG, format, args);
    va_end(args);
    err.position = position;
    add(list, &err, true);
}
