/* SPDX-License-Identifier: Apache-2.0
 *
 * Names with secrets in one encrypted file, for ${NAME} in pipelines: "MILLRACE-KEYSTORE-1\n", a salt, a nonce, and what
 * AES-256-GCM makes of the entries; its key comes from the password by scrypt. Without a password the file hides nothing from who
 * can read it, which is its owner alone. Names are told apart without regard to case, as Logstash does. What is in memory is
 * overwritten before it is given back.
 */
#ifndef MILLRACE_IO_KEYSTORE_H
#define MILLRACE_IO_KEYSTORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

enum { KEYSTORE_MAX_BYTES = 1024 * 1024, KEYSTORE_NAME_MAX = 255, KEYSTORE_VALUE_MAX = 64 * 1024 };

struct keystore;

struct keystore *keystore_new(void);
void keystore_free(struct keystore *keystore); /* NULL ok */

/* password: NULL or empty is none. NULL with *err when the file cannot be opened with it, is damaged, or may be read by
 * everyone. */
struct keystore *keystore_load(const char *path, const char *password, struct error *err);
/* Whole or not at all, readable for its owner alone. */
bool keystore_save(const struct keystore *keystore, const char *path, const char *password,
                   struct error *err);

/* Takes entries from the text that a file holds, decrypted: NAME NUL VALUE NUL ... False: it is no such text. */
bool keystore_read_entries(struct keystore *keystore, struct str text);

/* With a NUL behind it, until the keystore is changed; NULL: not there. */
const char *keystore_get(const struct keystore *keystore, struct str name);
/* A name begins with a letter or _, and has letters, digits, _ and dots; a value holds no NUL. */
bool keystore_put(struct keystore *keystore, struct str name, struct str value, struct error *err);
bool keystore_remove(struct keystore *keystore, struct str name); /* false: it was not there */
/* In the order of names; ptr NULL behind the last. */
struct str keystore_name(const struct keystore *keystore, size_t index);

#endif
