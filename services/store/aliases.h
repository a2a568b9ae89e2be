/* SPDX-License-Identifier: Apache-2.0
 *
 * Aliases: other names for indices. Each index has its own, as the JSON object that the API shows; an alias of several
 * indices is one in each. One that filters documents is kept and shown, but cannot be searched through. One thread.
 */
#ifndef MILLRACE_SERVICES_STORE_ALIASES_H
#define MILLRACE_SERVICES_STORE_ALIASES_H

#include "services/store/catalog.h"

struct store_alias {
    struct str name; /* owned */
    bool is_write_index, filters;
};

/* What the object says; NULL or what is no object: none. */
void aliases_set(struct store_index *index, const struct value *object);
void aliases_release(struct store_index *index);
/* NULL: the index does not have it. */
const struct store_alias *aliases_find(const struct store_index *index, struct str name);
/* Whether an expression of index names names one of them. */
bool aliases_match(const struct store_index *index, struct str expression);

bool catalog_has_alias(const struct catalog *catalog, struct str name);
/* The index that a name writes to: its own, or the one that its alias says. NULL without *err when there is no such name,
 * with err->status when the alias does not say one. */
struct store_index *catalog_write_index(const struct catalog *catalog, struct str name,
                                        struct api_error *err);
/* The object of an index changed; writes it. False with *err. */
bool catalog_put_aliases(struct catalog *catalog, struct store_index *index,
                         const struct value *object, struct api_error *err);

#endif
