/* SPDX-License-Identifier: Apache-2.0
 *
 * Identifiers that the store gives to documents which bring none: 20 characters that say the index's random tag and the
 * number of the row, so that they need no index of their own.
 */
#ifndef MILLRACE_SERVICES_STORE_DOCUMENT_ID_H
#define MILLRACE_SERVICES_STORE_DOCUMENT_ID_H

#include "services/store/catalog.h"

enum { DOCUMENT_ID_BYTES = 20, DOCUMENT_ID_MAX = 512 };

void document_id_make(const unsigned char tag[INDEX_TAG_BYTES], int64_t seq,
                      char out[DOCUMENT_ID_BYTES]);
/* False: not one that this index has made. */
bool document_id_read(const unsigned char tag[INDEX_TAG_BYTES], struct str id, int64_t *seq_out);

#endif
