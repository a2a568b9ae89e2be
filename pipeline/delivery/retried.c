/* SPDX-License-Identifier: Apache-2.0
 *
 * What goes again, by the status of the answer. A counter is made when its status first comes, by the thread of the instance:
 * most never do, and nobody wants to read their zeros.
 */
#include <assert.h>

#include "pipeline/delivery/delivery_private.h"
#include "pipeline/engine/instance.h"

/* The last one is all others, so a destination cannot make more of them. metric.c knows the beginning of the names. */
static const struct {
    int status;
    const char *counter;
} STATUSES[] = {
    {400, "retried_status_400"}, {401, "retried_status_401"}, {403, "retried_status_403"},
    {404, "retried_status_404"}, {405, "retried_status_405"}, {407, "retried_status_407"},
    {408, "retried_status_408"}, {409, "retried_status_409"}, {413, "retried_status_413"},
    {425, "retried_status_425"}, {429, "retried_status_429"}, {500, "retried_status_500"},
    {502, "retried_status_502"}, {503, "retried_status_503"}, {504, "retried_status_504"},
    {507, "retried_status_507"}, {529, "retried_status_529"}, {0, "retried_status_other"},
};

_Static_assert(sizeof STATUSES / sizeof *STATUSES == RETRIED_STATUSES,
               "there is a counter for each");

void retried_count(struct delivery *delivery, int status, size_t events)
{
    size_t i = 0;
    if (status == 0 || events == 0)
        return;
    assert(status > 0);
    while (STATUSES[i].status != status && STATUSES[i].status != 0)
        i++;
    if (!delivery->retried_by_status[i])
        delivery->retried_by_status[i] = instance_counter(delivery->instance, STATUSES[i].counter);
    counter_add(delivery->retried_by_status[i], events);
}
