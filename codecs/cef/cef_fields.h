/* SPDX-License-Identifier: Apache-2.0
 *
 * The extension fields that CEF names: the long name, the short key that most senders write, and the field of ECS. Facts
 * only, immutable.
 */
#ifndef MILLRACE_CODECS_CEF_CEF_FIELDS_H
#define MILLRACE_CODECS_CEF_CEF_FIELDS_H

#include <stdint.h>

#include "base/str.h"

enum { CEF_FIELD_COUNT = 239 };
enum cef_field_flags {
    CEF_PREFERRED = 1, /* of several fields with one ECS field the one that is written */
    CEF_TIME = 2,      /* a time: with ECS it is read */
};

struct cef_field {
    const char *name, *key;     /* key NULL: the name */
    const char *ecs, *host_ecs; /* host_ecs NULL: ecs */
    const char *legacy;         /* a name that it had; NULL */
    unsigned flags;
};

extern const struct cef_field cef_fields[];

/* By name, key or older name; NULL when CEF does not know it. */
const struct cef_field *cef_field_find(struct str name, bool *legacy_out);
const char *cef_field_ecs(const struct cef_field *field, bool device_is_host);
/* The field that a field of ECS is written as. */
const struct cef_field *cef_field_find_ecs(struct str ecs, bool device_is_host);

#endif
