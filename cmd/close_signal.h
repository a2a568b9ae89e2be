/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MILLRACE_CMD_CLOSE_SIGNAL_H
#define MILLRACE_CMD_CLOSE_SIGNAL_H

#include <uv.h>

/*
 * Closes a handle that watches a signal, at the end of a command. libuv gives the signal its default action back, so one
 * that came while the last things are put away would kill a program that has done all it was asked for. From here on the
 * signal is ignored instead. Main thread.
 */
void close_signal(uv_signal_t *handle);

#endif
