/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "tests/unit/base/suites.h"

START_TEST(charges_what_it_takes)
{
    struct account charged = {0};
    struct arena arena;
    arena_init(&arena, &charged);
    ck_assert_uint_eq(charged.used, 0);
    for (int i = 0; i < 1000; i++)
        memset(arena_alloc(&arena, 1000), 1, 1000);
    memset(arena_alloc(&arena, 1 << 20), 2, 1 << 20);
    ck_assert_uint_ge(charged.used, 1000 * 1000 + (1 << 20));
    ck_assert_uint_eq(charged.used, arena.total_bytes);
    arena_reset(&arena);
    ck_assert_uint_eq(charged.used, ARENA_CHUNK_BYTES);
    arena_release(&arena);
    ck_assert_uint_eq(charged.used, 0);
}
END_TEST

START_TEST(aligns_and_grows_in_place)
{
    struct arena arena;
    arena_init(&arena, NULL);
    arena_bytes(&arena, 3);
    char *text = arena_alloc(&arena, 10);
    ck_assert_uint_eq((uintptr_t)text % ARENA_ALIGNMENT, 0);
    memcpy(text, "0123456789", 10);
    ck_assert_ptr_eq(arena_grow(&arena, text, 10, 20), text);
    arena_bytes(&arena, 1);
    char *moved = arena_grow(&arena, text, 20, 40);
    ck_assert_ptr_ne(moved, text);
    ck_assert_mem_eq(moved, "0123456789", 10);
    ck_assert_str_eq(arena_printf(&arena, "%d-%s", 7, "x").ptr, "7-x");
    arena_release(&arena);
}
END_TEST

/* Chunks are large only where there is as much already. */
START_TEST(grows_in_larger_steps)
{
    enum { PIECE = 1000, ALL = 8 * 1024 * 1024, SMALL_ONES = 4 };
    struct account charged = {0};
    struct arena arena;
    arena_init(&arena, &charged);
    size_t before = 0, steps = 0;
    for (size_t used = 0; used < ALL; used += PIECE) {
        memset(arena_bytes(&arena, PIECE), 1, PIECE);
        if (charged.used == before)
            continue;
        bool is_large = before >= ARENA_LARGE_CHUNK_BYTES;
        size_t step = is_large ? ARENA_LARGE_CHUNK_BYTES : ARENA_CHUNK_BYTES;
        ck_assert_uint_eq(charged.used, before + step);
        before = charged.used;
        steps++;
    }
    ck_assert_uint_ge(charged.used, ALL);
    ck_assert_uint_le(steps, SMALL_ONES + ALL / ARENA_LARGE_CHUNK_BYTES);
    arena_reset(&arena);
    ck_assert_uint_eq(charged.used, ARENA_CHUNK_BYTES);
    arena_release(&arena);
    ck_assert_uint_eq(charged.used, 0);
}
END_TEST

/* Of thousands of them none costs more than it holds, up to where it holds much. */
START_TEST(a_frugal_one_takes_little)
{
    enum { PIECE = 24, LITTLE = 10 * PIECE, ALL = 8 * ARENA_CHUNK_BYTES };
    struct account charged = {0};
    struct arena arena;
    arena_init_frugal(&arena, &charged);
    char *first = memset(arena_alloc(&arena, LITTLE), 1, LITTLE);
    ck_assert_uint_eq(charged.used, ARENA_SMALL_CHUNK_BYTES);
    memset(arena_alloc(&arena, ARENA_SMALL_CHUNK_BYTES), 2, ARENA_SMALL_CHUNK_BYTES);
    ck_assert_uint_le(charged.used, 3 * ARENA_SMALL_CHUNK_BYTES);
    for (size_t used = 0; used < ALL; used += PIECE)
        memset(arena_alloc(&arena, PIECE), 3, PIECE);
    ck_assert_uint_eq(charged.used, arena.total_bytes);
    ck_assert_uint_ge(charged.used, ALL + LITTLE);
    ck_assert_int_eq(first[LITTLE - 1], 1);
    arena_reset(&arena);
    ck_assert_uint_le(charged.used, ARENA_CHUNK_BYTES);
    memset(arena_alloc(&arena, LITTLE), 4, LITTLE);
    arena_release(&arena);
    ck_assert_uint_eq(charged.used, 0);
}
END_TEST

Suite *arena_suite(void)
{
    Suite *suite = suite_create("arena");
    TCase *tcase = tcase_create("arena");
    tcase_add_test(tcase, charges_what_it_takes);
    tcase_add_test(tcase, grows_in_larger_steps);
    tcase_add_test(tcase, a_frugal_one_takes_little);
    tcase_add_test(tcase, aligns_and_grows_in_place);
    suite_add_tcase(suite, tcase);
    return suite;
}
