/* SPDX-License-Identifier: Apache-2.0 */
#include "io/keystore.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "tests/unit/io/suites.h"

static char folder[64];
static char path[128];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/millrace-keystore-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/millrace.keystore", folder);
}

static void remove_folder(void)
{
    unlink(path);
    rmdir(folder);
}

static void put(struct keystore *keystore, const char *name, const char *value)
{
    struct error err = {0};
    ck_assert_msg(keystore_put(keystore, str_from(name), str_from(value), &err), "%s", err.text);
}

START_TEST(names_and_values)
{
    struct keystore *keystore = keystore_new();
    put(keystore, "ES_PWD", "one");
    put(keystore, "a.b", "two");
    put(keystore, "es_pwd", "three");
    ck_assert_str_eq("three", keystore_get(keystore, STR("Es_Pwd")));
    ck_assert_ptr_null(keystore_get(keystore, STR("ES_PW")));
    ck_assert(str_equal(STR("a.b"), keystore_name(keystore, 0)));
    ck_assert(str_equal(STR("es_pwd"), keystore_name(keystore, 1)));
    ck_assert_ptr_null(keystore_name(keystore, 2).ptr);
    ck_assert(keystore_remove(keystore, STR("A.B")) && !keystore_remove(keystore, STR("A.B")));
    ck_assert(str_equal(STR("es_pwd"), keystore_name(keystore, 0)));
    keystore_free(keystore);
}
END_TEST

START_TEST(what_cannot_be_kept)
{
    static const char *const NAMES[] = {"", "1a", ".a", "a-b", "a b", "a}", "\xC3\xA9"};
    struct keystore *keystore = keystore_new();
    struct error err = {0};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        ck_assert_msg(!keystore_put(keystore, str_from(NAMES[i]), STR("x"), &err), "%s", NAMES[i]);
    ck_assert(!keystore_put(keystore, STR("a"), STR(""), &err));
    ck_assert(!keystore_put(keystore, STR("a"), str_make("x\0y", 3), &err));
    ck_assert_ptr_null(keystore_name(keystore, 0).ptr);
    keystore_free(keystore);
}
END_TEST

START_TEST(a_file_gives_back_what_was_kept)
{
    struct error err = {0};
    struct stat info;
    struct keystore *keystore = keystore_new();
    put(keystore, "A", "geheim");
    put(keystore, "B", "\xED\x95\x9C \"quoted\" $x");
    ck_assert(keystore_save(keystore, path, "pass", &err));
    keystore_free(keystore);
    ck_assert(stat(path, &info) == 0 && (info.st_mode & 07777) == 0600);
    struct arena arena;
    struct str bytes;
    arena_init(&arena, NULL);
    ck_assert(file_read(&arena, path, KEYSTORE_MAX_BYTES, &bytes, &err));
    ck_assert(str_find(bytes, STR("geheim")) == SIZE_MAX);
    arena_release(&arena);
    keystore = keystore_load(path, "pass", &err);
    ck_assert_ptr_nonnull(keystore);
    ck_assert_str_eq("geheim", keystore_get(keystore, STR("a")));
    ck_assert_str_eq("\xED\x95\x9C \"quoted\" $x", keystore_get(keystore, STR("b")));
    keystore_free(keystore);
    ck_assert_ptr_null(keystore_load(path, "other", &err));
    ck_assert_ptr_null(keystore_load(path, NULL, &err));
    ck_assert(strstr(err.text, "MILLRACE_KEYSTORE_PASS"));
}
END_TEST

static void write_bytes(struct str bytes)
{
    struct error err = {0};
    ck_assert(file_write_private(path, bytes, &err));
}

/* Every kind of place: the magic, the salt, the nonce, the entries, the tag; and cuts. */
START_TEST(a_damaged_file_is_refused)
{
    struct error err = {0};
    struct arena arena;
    struct str bytes;
    struct keystore *keystore = keystore_new();
    put(keystore, "A", "geheim");
    ck_assert(keystore_save(keystore, path, "", &err));
    keystore_free(keystore);
    arena_init(&arena, NULL);
    ck_assert(file_read(&arena, path, KEYSTORE_MAX_BYTES, &bytes, &err));
    char *copy = arena_bytes(&arena, bytes.len);
    const size_t PLACES[] = {0, 21, 37, 50, bytes.len - 1};
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
        memcpy(copy, bytes.ptr, bytes.len);
        copy[PLACES[i]] = (char)(copy[PLACES[i]] ^ 1);
        write_bytes(str_make(copy, bytes.len));
        ck_assert_ptr_null(keystore_load(path, "", &err));
    }
    for (size_t len = 0; len < bytes.len; len += 11) {
        write_bytes(str_make(bytes.ptr, len));
        ck_assert_ptr_null(keystore_load(path, "", &err));
    }
    write_bytes(bytes);
    ck_assert(chmod(path, 0644) == 0);
    ck_assert_ptr_null(keystore_load(path, "", &err));
    ck_assert(strstr(err.text, "everyone on this machine"));
    arena_release(&arena);
}
END_TEST

Suite *keystore_suite(void)
{
    Suite *suite = suite_create("keystore");
    TCase *tests = tcase_create("keystore");
    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, names_and_values);
    tcase_add_test(tests, what_cannot_be_kept);
    tcase_add_test(tests, a_file_gives_back_what_was_kept);
    tcase_add_test(tests, a_damaged_file_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
