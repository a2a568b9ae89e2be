/* SPDX-License-Identifier: Apache-2.0
 *
 * How long documents stay: whole indices go, oldest first, when all they hold is older than a number of days, or while
 * the documents together take more bytes than they may. An index is as old as the date in its name says, else as its
 * newest @timestamp, else as its creation. Inside a transaction of the writer.
 */
#ifndef MILLRACE_SERVICES_STORE_RETENTION_H
#define MILLRACE_SERVICES_STORE_RETENTION_H

#include "services/store/catalog.h"

struct retention {
    uint64_t days;  /* 0: no limit */
    uint64_t bytes; /* of the documents as they were sent; 0: no limit */
};

enum { RETENTION_DELETED_MAX = 100 }; /* at once; the rest goes at the next time */

struct retention_deleted {
    char name[INDEX_NAME_MAX + 1];
    int64_t docs, bytes;
    bool by_age;
};

/* Deletes what is to go, and fills deleted (room for RETENTION_DELETED_MAX). The newest index stays whatever it takes. */
size_t retention_apply(struct catalog *catalog, const struct retention *retention, int64_t now_ms,
                       struct retention_deleted *deleted);
/* How old an index is: all it holds is from before this moment, in milliseconds. */
int64_t retention_end_ms(const struct store_index *index);

#endif
