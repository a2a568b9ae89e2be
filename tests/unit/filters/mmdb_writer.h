/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes small databases in MaxMind's format. Records are given as JSON; whole numbers become uint32, others doubles.
 */
#ifndef MILLRACE_TESTS_UNIT_FILTERS_MMDB_WRITER_H
#define MILLRACE_TESTS_UNIT_FILTERS_MMDB_WRITER_H

#include "pipeline/event/event_json.h"

struct mmdb_record {
    const char *network; /* "81.2.69.0/24"; NULL ends the list */
    const char *json;
};

/* Writes the file; ip_version 4 or 6 (IPv4 networks go below ::/96). */
void mmdb_write(const char *path, const char *type, unsigned ip_version,
                const struct mmdb_record *records);

#endif
