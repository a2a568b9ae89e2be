/* SPDX-License-Identifier: Apache-2.0
 *
 * A hosts file (/etc/hosts), read once, as Ruby's Resolv::Hosts has it: of several addresses of a name the last in the
 * file, of several names of an address the first; both compared as they are written.
 */
#ifndef MILLRACE_IO_HOSTS_FILE_H
#define MILLRACE_IO_HOSTS_FILE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/map.h"

enum { HOSTS_FILE_MAX_BYTES = 64 * 1024 * 1024 };

struct hosts_file {
    struct arena arena;
    struct map addresses; /* by name; the values are C strings */
    struct map names;     /* by address */
};

bool hosts_file_read(struct hosts_file *hosts, const char *path, struct error *err);
void hosts_file_release(struct hosts_file *hosts);
/* Empty: not there. */
struct str hosts_file_address(const struct hosts_file *hosts, struct str name);
struct str hosts_file_name(const struct hosts_file *hosts, struct str address);

#endif
