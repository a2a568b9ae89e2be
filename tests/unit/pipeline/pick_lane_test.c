/* SPDX-License-Identifier: Apache-2.0
 *
 * The rule by which a batch gets its lane.
 */
#include "pipeline/engine/pick_lane.h"

#include "tests/unit/pipeline/suites.h"

static const struct {
    struct lane_load loads[4];
    size_t count, home, expected;
} PICKS[] = {
    {{{0, true}, {0, false}}, 2, 0, 1},             /* a busy reader gives its batch away */
    {{{0, true}, {1, false}}, 2, 0, 1},             /* also to one that runs a batch */
    {{{0, true}, {2, false}}, 2, 0, 0},             /* and works itself when the other has enough */
    {{{1, true}, {2, false}}, 2, 0, 1},             /* in turn */
    {{{0, true}, {0, true}}, 2, 0, 0},              /* two busy readers keep what is theirs */
    {{{0, true}, {0, true}}, 2, 1, 1},              /* both of them */
    {{{3, true}, {0, true}}, 2, 0, 1},              /* until one is far behind */
    {{{0, true}, {0, false}, {0, false}}, 3, 0, 1}, /* the next of those with as little */
    {{{0, false}, {0, false}, {0, true}}, 3, 2, 0}, /* seen from its own place */
    {{{0, true}, {1, false}, {0, false}}, 3, 0, 2},
    {{{5, true}, {4, false}, {3, true}, {6, false}}, 4, 0, 1},
    {{{9, true}}, 1, 0, 0},
};

START_TEST(picks_the_lane_with_the_least_to_do)
{
    ck_assert_uint_eq(pick_least_loaded(PICKS[_i].loads, PICKS[_i].count, PICKS[_i].home),
                      PICKS[_i].expected);
}
END_TEST

/* One source that is always busy, lanes that take as long for a batch as reading one takes: every lane gets its part. */
START_TEST(one_busy_source_occupies_all_lanes)
{
    enum { LANES = 4, BATCHES = 400 };
    struct lane_load loads[LANES] = {{.reads = true}};
    unsigned got[LANES] = {0};
    for (unsigned i = 0; i < BATCHES; i++) {
        size_t lane = pick_least_loaded(loads, LANES, 0);
        got[lane]++;
        loads[lane].batches++;
        if (i % 4 == 3) /* each lane has run one meanwhile */
            for (size_t k = 0; k < LANES; k++)
                loads[k].batches -= loads[k].batches > 0;
    }
    for (size_t k = 1; k < LANES; k++)
        ck_assert_uint_ge(got[k], BATCHES / LANES);
}
END_TEST

START_TEST(a_lane_rests_when_it_sleeps_for_a_quarter)
{
    const uint64_t ms = 1000000;
    struct lane_rest rest = {0};
    ck_assert(lane_rest_look(&rest, 1000 * ms, 900 * ms));     /* long asleep */
    ck_assert(lane_rest_look(&rest, 1000 * ms + 1, 900 * ms)); /* too soon to say anything else */
    ck_assert(!lane_rest_look(&rest, 1010 * ms, 902 * ms));    /* two of ten */
    ck_assert(!lane_rest_look(&rest, 1010 * ms + 5, 902 * ms + 5));
    ck_assert(lane_rest_look(&rest, 1020 * ms, 905 * ms)); /* three of ten */
    ck_assert(!lane_rest_look(&rest, 1030 * ms, 905 * ms));
}
END_TEST

Suite *pick_lane_suite(void)
{
    Suite *suite = suite_create("pick_lane");
    TCase *tcase = tcase_create("pick_lane");
    tcase_add_loop_test(tcase, picks_the_lane_with_the_least_to_do, 0,
                        sizeof PICKS / sizeof *PICKS);
    tcase_add_test(tcase, one_busy_source_occupies_all_lanes);
    tcase_add_test(tcase, a_lane_rests_when_it_sleeps_for_a_quarter);
    suite_add_tcase(suite, tcase);
    return suite;
}
