/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stddef.h>

#include "base/text/suggest.h"

enum { SUGGEST_MAX_LEN = 64 };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* How many letters must be changed, added, left out or swapped with their neighbour. */
static size_t edit_distance(struct str a, struct str b)
{
    size_t rows[3][SUGGEST_MAX_LEN + 1];
    assert(a.len <= SUGGEST_MAX_LEN && b.len <= SUGGEST_MAX_LEN);
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *now = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            bool same = lower(a.ptr[i - 1]) == lower(b.ptr[j - 1]);
            now[j] = min3(up[j] + 1, now[j - 1] + 1, up[j - 1] + !same);
            bool swapped = i > 1 && j > 1 && lower(a.ptr[i - 1]) == lower(b.ptr[j - 2]) &&
                           lower(a.ptr[i - 2]) == lower(b.ptr[j - 1]);
            if (swapped && up2[j - 2] + 1 < now[j])
                now[j] = up2[j - 2] + 1;
        }
    }
    return rows[a.len % 3][b.len];
}

/* A third of the letters may be wrong. */
const char *suggest_name(struct str written, const char *const *names)
{
    const char *best = NULL;
    size_t allowed = (written.len + 1) / 3;
    if (written.len < 2 || written.len > SUGGEST_MAX_LEN)
        return NULL;
    for (; *names; names++) {
        struct str name = str_from(*names);
        if (name.len > SUGGEST_MAX_LEN)
            continue;
        size_t distance = edit_distance(written, name);
        if (distance <= allowed && distance < name.len) {
            best = *names;
            if (distance == 0)
                break;
            allowed = distance - 1;
        }
    }
    return best;
}
