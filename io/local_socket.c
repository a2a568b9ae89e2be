/* SPDX-License-Identifier: Apache-2.0 */
#include "io/local_socket.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 32, MODE = 0600 };

/* Through directory_fd, which is -1 when the path is short enough to be used as it is. False: the name is too long. */
static bool make_address(const char *directory, int directory_fd, const char *name,
                         struct sockaddr_un *out)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    int len = directory_fd < 0
                  ? snprintf(out->sun_path, sizeof out->sun_path, "%s/%s", directory, name)
                  : snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/%s",
                             directory_fd, name);
    return len > 0 && (size_t)len < sizeof out->sun_path;
}

/* A socket and its address; *directory_fd_out is to be closed after use, unless it is -1. */
static int prepare(const char *directory, const char *name, struct sockaddr_un *address,
                   int *directory_fd_out)
{
    assert(strlen(name) <= LOCAL_SOCKET_NAME_MAX);
    *directory_fd_out = -1;
    if (!make_address(directory, -1, name, address)) {
        *directory_fd_out = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (*directory_fd_out < 0 || !make_address(directory, *directory_fd_out, name, address))
            return -1;
    }
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void done_with(int fd)
{
    int kept = errno;
    if (fd >= 0)
        close(fd);
    errno = kept;
}

int local_socket_connect(const char *directory, const char *name)
{
    struct sockaddr_un address;
    int directory_fd, fd = prepare(directory, name, &address, &directory_fd);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        done_with(fd);
        fd = -1;
    }
    done_with(directory_fd);
    return fd;
}

/* Nobody can connect between bind and chmod: it does not listen yet. */
static bool start_listening(int fd, const struct sockaddr_un *address)
{
    if (unlink(address->sun_path) != 0 && errno != ENOENT)
        return false;
    return bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 &&
           chmod(address->sun_path, MODE) == 0 && listen(fd, BACKLOG) == 0 &&
           fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

int local_socket_listen(const char *directory, const char *name, struct error *err)
{
    struct sockaddr_un address;
    int directory_fd, fd = prepare(directory, name, &address, &directory_fd);
    if (fd < 0 || !start_listening(fd, &address)) {
        error_set(err, ERROR_IO, "cannot listen on '%s/%s': %s", directory, name, strerror(errno));
        done_with(fd);
        fd = -1;
    }
    done_with(directory_fd);
    return fd;
}

void local_socket_remove(const char *directory, const char *name)
{
    int directory_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory_fd >= 0)
        (void)unlinkat(directory_fd, name, 0);
    done_with(directory_fd);
}
