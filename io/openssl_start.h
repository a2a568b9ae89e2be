/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MILLRACE_IO_OPENSSL_START_H
#define MILLRACE_IO_OPENSSL_START_H

/* Before anything else of OpenSSL, once for the process: what OpenSSL has is not taken away at exit. Threads of the pool still run
 * then (libuv joins them later), and each frees its own part of OpenSSL's state when it ends, which it can only as long as the
 * rest is there. */
void openssl_start(void);

#endif
