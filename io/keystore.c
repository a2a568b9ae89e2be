/* SPDX-License-Identifier: Apache-2.0 */
#include "io/keystore.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text/ascii.h"

static const char MAGIC[] = "MILLRACE-KEYSTORE-1\n";

enum {
    MAGIC_BYTES = sizeof MAGIC - 1,
    SALT_BYTES = 16,
    NONCE_BYTES = 12,
    TAG_BYTES = 16,
    KEY_BYTES = 32,
    HEAD_BYTES = MAGIC_BYTES + SALT_BYTES + NONCE_BYTES,
    SCRYPT_N = 1 << 15, /* 32 MiB and some tens of milliseconds for each guess */
    SCRYPT_R = 8,
    SCRYPT_P = 1,
    SCRYPT_MAX_BYTES = 64 * 1024 * 1024,
};

struct entry {
    char *name; /* in lower case */
    char *value;
};

struct keystore {
    struct entry *entries; /* by name */
    size_t count;
};

/* ---- entries -------------------------------------------------------------------------------------- */

struct keystore *keystore_new(void)
{
    return mem_zero(1, sizeof(struct keystore));
}

static void wipe(char *text)
{
    if (text)
        OPENSSL_cleanse(text, strlen(text));
    mem_free(text);
}

void keystore_free(struct keystore *keystore)
{
    if (!keystore)
        return;
    for (size_t i = 0; i < keystore->count; i++) {
        wipe(keystore->entries[i].name);
        wipe(keystore->entries[i].value);
    }
    mem_free(keystore->entries);
    mem_free(keystore);
}

static char *copy(struct str text)
{
    char *out = mem_alloc(text.len + 1);
    if (text.len > 0)
        memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return out;
}

static char *lower_case(struct str name)
{
    char *out = copy(name);
    for (char *at = out; *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    return out;
}

/* Where the name is, or belongs. */
static bool find(const struct keystore *keystore, const char *name, size_t *out)
{
    size_t low = 0, high = keystore->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(keystore->entries[middle].name, name);
        *out = middle;
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *out = low;
    return false;
}

const char *keystore_get(const struct keystore *keystore, struct str name)
{
    size_t at;
    char *wanted = lower_case(name);
    bool found = find(keystore, wanted, &at);
    mem_free(wanted);
    return found ? keystore->entries[at].value : NULL;
}

struct str keystore_name(const struct keystore *keystore, size_t index)
{
    return index < keystore->count ? str_from(keystore->entries[index].name) : (struct str){0};
}

static bool is_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = ascii_is_letter(c) || c == '_';
        if (!letter && (i == 0 || !(ascii_is_digit(c) || c == '.')))
            return false;
    }
    return name.len > 0 && name.len <= KEYSTORE_NAME_MAX;
}

static void put(struct keystore *keystore, char *name, struct str value)
{
    size_t at;
    if (find(keystore, name, &at)) {
        wipe(name);
        wipe(keystore->entries[at].value);
        keystore->entries[at].value = copy(value);
        return;
    }
    keystore->entries =
        mem_realloc(keystore->entries, (keystore->count + 1) * sizeof *keystore->entries);
    memmove(keystore->entries + at + 1, keystore->entries + at,
            (keystore->count - at) * sizeof *keystore->entries);
    keystore->entries[at] = (struct entry){name, copy(value)};
    keystore->count++;
}

bool keystore_put(struct keystore *keystore, struct str name, struct str value, struct error *err)
{
    if (!is_name(name))
        return error_set(err, ERROR_CONFIG,
                         "'%.*s' cannot be a name: it begins with a letter or _, and has letters, "
                         "digits, _ and dots",
                         STR_FMT(name));
    if (value.len == 0 || value.len > KEYSTORE_VALUE_MAX || memchr(value.ptr, '\0', value.len))
        return error_set(err, ERROR_LIMIT, "a value has 1 to %d bytes, none of them NUL",
                         KEYSTORE_VALUE_MAX);
    put(keystore, lower_case(name), value);
    return true;
}

bool keystore_remove(struct keystore *keystore, struct str name)
{
    size_t at;
    char *wanted = lower_case(name);
    bool found = find(keystore, wanted, &at);
    mem_free(wanted);
    if (!found)
        return false;
    wipe(keystore->entries[at].name);
    wipe(keystore->entries[at].value);
    keystore->count--;
    memmove(keystore->entries + at, keystore->entries + at + 1,
            (keystore->count - at) * sizeof *keystore->entries);
    return true;
}

/* ---- text: NAME NUL VALUE NUL ... ----------------------------------------------------------------- */

static bool write_entries(const struct keystore *keystore, struct buf *out)
{
    bool fits = true;
    for (size_t i = 0; fits && i < keystore->count; i++) {
        const struct entry *entry = &keystore->entries[i];
        fits = buf_append(out, entry->name, strlen(entry->name) + 1) &&
               buf_append(out, entry->value, strlen(entry->value) + 1);
    }
    return fits;
}

static bool take_text(struct str *rest, struct str *out)
{
    const char *end = rest->len > 0 ? memchr(rest->ptr, '\0', rest->len) : NULL;
    if (!end)
        return false;
    *out = str_make(rest->ptr, (size_t)(end - rest->ptr));
    *rest = str_from_offset(*rest, out->len + 1);
    return true;
}

bool keystore_read_entries(struct keystore *keystore, struct str text)
{
    struct str name, value;
    while (text.len > 0)
        if (!take_text(&text, &name) || !take_text(&text, &value) ||
            !keystore_put(keystore, name, value, NULL))
            return false;
    return true;
}

/* ---- encryption ----------------------------------------------------------------------------------- */

static bool derive(const char *password, const unsigned char *salt, unsigned char *key)
{
    const char *text = password ? password : "";
    return EVP_PBE_scrypt(text, strlen(text), salt, SALT_BYTES, SCRYPT_N, SCRYPT_R, SCRYPT_P,
                          SCRYPT_MAX_BYTES, key, KEY_BYTES) == 1;
}

/* The magic and the salt are authenticated as well. out has room for the text. */
static bool seal(const unsigned char *key, const unsigned char *head, struct str text,
                 unsigned char *out, unsigned char *tag)
{
    int len = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool ok =
        ctx &&
        EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, head + MAGIC_BYTES + SALT_BYTES) ==
            1 &&
        EVP_EncryptUpdate(ctx, NULL, &len, head, MAGIC_BYTES + SALT_BYTES) == 1 &&
        EVP_EncryptUpdate(ctx, out, &len, (const unsigned char *)text.ptr, (int)text.len) == 1 &&
        EVP_EncryptFinal_ex(ctx, out + len, &len) == 1 &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, tag) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

static bool unseal(const unsigned char *key, struct str file, unsigned char *out)
{
    int len = 0;
    const unsigned char *head = (const unsigned char *)file.ptr;
    struct str body = str_from_offset(file, HEAD_BYTES);
    body.len -= TAG_BYTES;
    unsigned char tag[TAG_BYTES];
    memcpy(tag, body.ptr + body.len, TAG_BYTES);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool ok =
        ctx &&
        EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, head + MAGIC_BYTES + SALT_BYTES) ==
            1 &&
        EVP_DecryptUpdate(ctx, NULL, &len, head, MAGIC_BYTES + SALT_BYTES) == 1 &&
        EVP_DecryptUpdate(ctx, out, &len, (const unsigned char *)body.ptr, (int)body.len) == 1 &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1 &&
        EVP_DecryptFinal_ex(ctx, out + len, &len) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

/* ---- files ---------------------------------------------------------------------------------------- */

bool keystore_save(const struct keystore *keystore, const char *path, const char *password,
                   struct error *err)
{
    unsigned char head[HEAD_BYTES], key[KEY_BYTES], tag[TAG_BYTES];
    struct buf text, file;
    buf_init(&text, KEYSTORE_MAX_BYTES - HEAD_BYTES - TAG_BYTES);
    buf_init(&file, KEYSTORE_MAX_BYTES);
    memcpy(head, MAGIC, MAGIC_BYTES);
    bool ok = write_entries(keystore, &text);
    if (!ok)
        error_set(err, ERROR_LIMIT, "the entries are more than %d bytes", KEYSTORE_MAX_BYTES);
    if (ok && (RAND_bytes(head + MAGIC_BYTES, SALT_BYTES + NONCE_BYTES) != 1 ||
               !derive(password, head + MAGIC_BYTES, key)))
        ok = error_set(err, ERROR_IO, "no key can be made");
    if (ok) {
        bool fits = buf_append(&file, head, HEAD_BYTES) && buf_reserve(&file, text.len + TAG_BYTES);
        assert(fits);
        ok = fits && seal(key, head, buf_str(&text), (unsigned char *)file.ptr + file.len, tag);
        file.len += text.len;
        ok = (ok && buf_append(&file, tag, TAG_BYTES)) ||
             error_set(err, ERROR_IO, "the entries cannot be encrypted");
    }
    ok = ok && file_write_private(path, buf_str(&file), err);
    OPENSSL_cleanse(key, sizeof key);
    if (text.len > 0)
        OPENSSL_cleanse(text.ptr, text.len);
    buf_release(&text);
    buf_release(&file);
    return ok;
}

static struct keystore *decrypt(struct str file, const char *password, struct error *err)
{
    unsigned char key[KEY_BYTES];
    size_t len = file.len - HEAD_BYTES - TAG_BYTES;
    unsigned char *text = mem_alloc(len + 1);
    struct keystore *keystore = keystore_new();
    bool ok = derive(password, (const unsigned char *)file.ptr + MAGIC_BYTES, key) &&
              unseal(key, file, text);
    if (!ok)
        error_set(err, ERROR_CONFIG,
                  password && *password
                      ? "the password is not the keystore's, or the file is damaged"
                      : "the keystore has a password, or is damaged; give the password in "
                        "MILLRACE_KEYSTORE_PASS");
    else if (!keystore_read_entries(keystore, str_make((char *)text, len)))
        ok = error_set(err, ERROR_FORMAT, "the file is damaged");
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(text, len + 1);
    mem_free(text);
    if (ok)
        return keystore;
    keystore_free(keystore);
    return NULL;
}

struct keystore *keystore_load(const char *path, const char *password, struct error *err)
{
    struct arena arena;
    struct str file;
    struct keystore *keystore = NULL;
    arena_init(&arena, NULL);
    if (file_read(&arena, path, KEYSTORE_MAX_BYTES, &file, err) && file_check_private(path, err)) {
        if (file.len < HEAD_BYTES + TAG_BYTES || memcmp(file.ptr, MAGIC, MAGIC_BYTES) != 0)
            error_set(err, ERROR_FORMAT, "this is no keystore of millrace");
        else
            keystore = decrypt(file, password, err);
    }
    arena_release(&arena);
    return keystore;
}
