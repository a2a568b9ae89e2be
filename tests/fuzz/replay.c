/* SPDX-License-Identifier: Apache-2.0
 *
 * A plain main for fuzz targets: runs LLVMFuzzerTestOneInput over every file named on the command
 * line and every file below every folder named there, or over standard input when nothing is named.
 * The test suite builds the targets with it under gcc, so that each input that once found a fault
 * is tried again on every run; `./dev fuzz` builds the same targets with libFuzzer's main instead.
 *
 * Each input is handed over in a heap block of exactly its size, so that AddressSanitizer sees a
 * read past its end. A folder without a single file is an error: a corpus that got lost must not
 * look like a corpus that passed.
 */
#include <assert.h>
#include <errno.h>
#include <ftw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REPLAY_MAX_INPUT_BYTES = 16 << 20,
    REPLAY_MAX_OPEN_FOLDERS = 16,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static unsigned replayed; /* nftw hands its callback no context of ours */

static void replay_bytes(const char *bytes, size_t len)
{
    uint8_t *exact = calloc(1, len ? len : 1);
    if (!exact)
        abort();
    if (len)
        memcpy(exact, bytes, len);
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    replayed++;
}

/* Reads the stream to its end; false on a read error and when it is larger than the limit. */
static bool replay_stream(FILE *stream)
{
    size_t capacity = 1 << 16, len = 0;
    char *bytes = malloc(capacity);
    while (bytes && len < REPLAY_MAX_INPUT_BYTES) {
        size_t got = fread(bytes + len, 1, capacity - len, stream);
        if (got == 0)
            break;
        len += got;
        if (len == capacity) {
            capacity *= 2;
            bytes = realloc(bytes, capacity);
        }
    }
    if (!bytes)
        abort();
    assert(len <= capacity);
    bool complete = feof(stream) && !ferror(stream);
    if (complete)
        replay_bytes(bytes, len);
    free(bytes);
    return complete;
}

static int replay_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)where;
    if (kind == FTW_D)
        return 0;
    FILE *stream = kind == FTW_F ? fopen(path, "rb") : NULL;
    if (!stream || !replay_stream(stream)) {
        fprintf(stderr, "cannot read '%s': %s\n", path, errno ? strerror(errno) : "too large");
        return 1;
    }
    fclose(stream);
    return 0;
}

static bool replay_path(const char *path)
{
    unsigned before = replayed;
    errno = 0;
    int result = nftw(path, replay_entry, REPLAY_MAX_OPEN_FOLDERS, FTW_PHYS);
    if (result < 0)
        fprintf(stderr, "cannot walk '%s': %s\n", path, strerror(errno));
    else if (result == 0 && replayed == before)
        fprintf(stderr, "no inputs in '%s'\n", path);
    return result == 0 && replayed > before;
}

int main(int argc, char **argv)
{
    bool fine = true;
    replay_bytes("", 0);
    for (int i = 1; i < argc; i++)
        fine = replay_path(argv[i]) && fine;
    if (argc == 1)
        fine = replay_stream(stdin);
    printf("%u inputs replayed\n", replayed);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
