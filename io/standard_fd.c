/* SPDX-License-Identifier: Apache-2.0 */
#include "io/standard_fd.h"

#include <assert.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_again(int number)
{
    char path[32];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", number);
    int access = number == 0 ? O_RDONLY : O_WRONLY;
    return open(path, access | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

/* Devices such as /dev/null and /dev/zero are always ready and refuse epoll. */
static bool can_poll(int fd)
{
    int poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0)
        return false;
    struct epoll_event event = {.events = EPOLLIN};
    bool accepted = epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) == 0;
    close(poller);
    return accepted;
}

void standard_fd_reserve(void)
{
    static const int ACCESS[] = {O_WRONLY, O_RDONLY, O_RDWR}; /* 0 and 1 the wrong way round */
    for (int number = 0; number <= STDERR_FILENO; number++) {
        if (fcntl(number, F_GETFD) >= 0)
            continue;
        int fd = open("/dev/null", ACCESS[number] | O_NOCTTY);
        if (fd < 0)
            fd = open("/",
                      O_RDONLY | O_DIRECTORY); /* without /dev: nothing can be read there either */
        assert(fd < 0 || fd == number);        /* the lowest one that is free */
    }
}

static bool has_access(int number)
{
    int wanted = number == STDIN_FILENO ? O_RDONLY : O_WRONLY;
    int access = fcntl(number, F_GETFL) & O_ACCMODE;
    return access == wanted || access == O_RDWR;
}

struct standard_fd standard_fd_open(int number)
{
    assert(number == 0 || number == 1);
    struct standard_fd result = {.fd = -1, .kind = STANDARD_FD_FILE};
    struct stat status;
    if (fstat(number, &status) != 0 || !has_access(number))
        return result;
    if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode))
        result.fd = open_again(number);
    if (result.fd < 0) /* also without /proc: then the shared description becomes non-blocking */
        result.fd = fcntl(number, F_DUPFD_CLOEXEC, 3);
    if (result.fd >= 0 && can_poll(result.fd))
        result.kind = STANDARD_FD_POLLED;
    return result;
}
