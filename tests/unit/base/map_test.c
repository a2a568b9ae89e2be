/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/map.h"
#include "tests/unit/base/suites.h"

enum { ROUNDS = 5000 };

/* Sets ROUNDS keys, removes every third, and looks for each. */
START_TEST(finds_what_was_set_after_removals)
{
    static int values[ROUNDS];
    struct map map;
    map_init(&map);
    char key[32];
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(key, sizeof key, "key-%d", i);
        ck_assert_ptr_null(map_set(&map, str_from(key), &values[i]));
    }
    for (int i = 0; i < ROUNDS; i += 3) {
        snprintf(key, sizeof key, "key-%d", i);
        ck_assert_ptr_eq(map_remove(&map, str_from(key)), &values[i]);
        ck_assert_ptr_null(map_remove(&map, str_from(key)));
    }
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(key, sizeof key, "key-%d", i);
        ck_assert_ptr_eq(map_get(&map, str_from(key)), i % 3 ? &values[i] : NULL);
    }
    size_t at = 0, seen = 0;
    struct str found;
    void *value;
    while (map_next(&map, &at, &found, &value))
        seen++;
    ck_assert_uint_eq(seen, map.count);
    map_release(&map);
}
END_TEST

Suite *map_suite(void)
{
    Suite *suite = suite_create("map");
    TCase *tcase = tcase_create("map");
    tcase_add_test(tcase, finds_what_was_set_after_removals);
    suite_add_tcase(suite, tcase);
    return suite;
}
