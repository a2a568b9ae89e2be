/* SPDX-License-Identifier: Apache-2.0
 *
 * What a PKCS#12 store holds, as PEM text, for those who take certificates in that form. Any thread; nothing is kept.
 */
#ifndef MILLRACE_IO_TLS_STORE_H
#define MILLRACE_IO_TLS_STORE_H

#include "base/buf.h"
#include "io/tls_context.h"

enum { TLS_STORE_PEM_MAX_BYTES = 4 * 1024 * 1024 };

/* Appends the certificate with its chain, and its key without encryption. False with *err, which names the file. */
bool tls_store_identity(const struct tls_store *store, struct buf *certificates, struct buf *key,
                        struct error *err);
/* Appends all certificates. option: for messages. */
bool tls_store_authorities(const char *option, const struct tls_store *store, struct buf *out,
                           struct error *err);

#endif
