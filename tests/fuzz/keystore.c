/* SPDX-License-Identifier: Apache-2.0
 *
 * A keystore: bytes as its file, as the text that is in there, and as commands, beside a list that does the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/keystore.h"

enum { INPUT_MAX_BYTES = 16 * 1024, MODEL_MAX = 256 };

struct model {
    struct str names[MODEL_MAX], values[MODEL_MAX];
    size_t count;
};

static void need(bool is_so)
{
    if (!is_so)
        abort();
}

/* ---- its file ------------------------------------------------------------------------------------- */

static void load(struct str bytes)
{
    static char path[64];
    struct error err = {0};
    if (path[0] == '\0') {
        (void)snprintf(path, sizeof path, "%s/millrace-fuzz-XXXXXX",
                       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        need(close(mkstemp(path)) == 0);
    }
    FILE *file = fopen(path, "we");
    need(file && fwrite(bytes.ptr, 1, bytes.len, file) == bytes.len);
    need(fclose(file) == 0 && chmod(path, 0600) == 0);
    struct keystore *keystore = keystore_load(path, NULL, &err);
    need(keystore || err.text[0] != '\0');
    keystore_free(keystore);
    need(unlink(path) == 0);
    path[0] = '\0';
}

/* ---- what is in it -------------------------------------------------------------------------------- */

/* Names ascend, and each has a value. */
static size_t check_names(const struct keystore *keystore)
{
    struct str name, before = STR("");
    size_t count = 0;
    for (; (name = keystore_name(keystore, count)).ptr; count++) {
        need(strcmp(before.ptr, name.ptr) < 0 && keystore_get(keystore, name));
        before = name;
    }
    return count;
}

static void read_text(struct str text)
{
    struct keystore *keystore = keystore_new();
    (void)keystore_read_entries(keystore, text);
    (void)check_names(keystore);
    keystore_free(keystore);
}

/* ---- commands ------------------------------------------------------------------------------------- */

static bool is_same_name(struct str one, struct str other)
{
    for (size_t i = 0; i < one.len && one.len == other.len; i++) {
        char a = one.ptr[i], b = other.ptr[i];
        a = (char)(a >= 'A' && a <= 'Z' ? a + 32 : a);
        b = (char)(b >= 'A' && b <= 'Z' ? b + 32 : b);
        if (a != b)
            return false;
    }
    return one.len == other.len;
}

static size_t place_of(const struct model *model, struct str name)
{
    size_t at = 0;
    while (at < model->count && !is_same_name(model->names[at], name))
        at++;
    return at;
}

static struct str take(struct str *rest, char end)
{
    const char *at = rest->len > 0 ? memchr(rest->ptr, end, rest->len) : NULL;
    struct str taken = str_make(rest->ptr, at ? (size_t)(at - rest->ptr) : rest->len);
    *rest = str_from_offset(*rest, taken.len + (at ? 1 : 0));
    return taken;
}

static void put(struct keystore *keystore, struct model *model, struct str name, struct str value)
{
    size_t at = place_of(model, name);
    if (at == MODEL_MAX || !keystore_put(keystore, name, value, NULL))
        return;
    model->names[at] = name;
    model->values[at] = value;
    model->count += at == model->count;
}

static void remove_one(struct keystore *keystore, struct model *model, struct str name)
{
    size_t at = place_of(model, name);
    need(keystore_remove(keystore, name) == (at < model->count));
    if (at == model->count)
        return;
    model->count--;
    model->names[at] = model->names[model->count];
    model->values[at] = model->values[model->count];
}

/* A line each: NAME=VALUE puts, NAME takes away. */
static void obey(struct str lines)
{
    struct model model = {.count = 0};
    struct keystore *keystore = keystore_new();
    while (lines.len > 0) {
        struct str line = take(&lines, '\n'), value = line;
        struct str name = take(&value, '=');
        if (memchr(name.ptr, '\0', name.len)) /* no argument of a command has one */
            continue;
        if (name.len < line.len)
            put(keystore, &model, name, value);
        else
            remove_one(keystore, &model, name);
    }
    need(check_names(keystore) == model.count);
    for (size_t i = 0; i < model.count; i++) {
        const char *value = keystore_get(keystore, model.names[i]);
        need(value && str_equal(str_from(value), model.values[i]));
    }
    keystore_free(keystore);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > INPUT_MAX_BYTES)
        return 0;
    struct str rest = str_make((const char *)data + 1, size - 1);
    switch (data[0]) {
    case 'f':
        load(rest);
        break;
    case 't':
        read_text(rest);
        break;
    default:
        obey(rest);
    }
    return 0;
}
