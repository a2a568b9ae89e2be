/* SPDX-License-Identifier: Apache-2.0
 *
 * Standard input and output without blocking the loop, and without making the description that is shared with the shell
 * and other processes non-blocking: pipes and terminals are opened once more through /proc.
 */
#ifndef MILLRACE_IO_STANDARD_FD_H
#define MILLRACE_IO_STANDARD_FD_H

enum standard_fd_kind {
    STANDARD_FD_POLLED, /* non-blocking: wait with uv_poll */
    STANDARD_FD_FILE,   /* a file or another thing that cannot be polled */
};

struct standard_fd {
    int fd; /* own: close it */
    enum standard_fd_kind kind;
};

/* Before anything else is opened: what is closed of 0, 1 and 2 is taken, so that no other descriptor gets the number. What
 * stands there cannot be read or written (2 can be written, to nowhere), and standard_fd_open says that it is not open. */
void standard_fd_reserve(void);
/* number: 0 to read, 1 to write. fd is -1 when that is not open. */
struct standard_fd standard_fd_open(int number);

#endif
