/* SPDX-License-Identifier: Apache-2.0 */
#include "io/service_notify.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { SERVICE_NOTIFY_SECONDS = 2 }; /* a manager whose queue is full may take that long */

/* A path, or with '@' in front a name of the abstract namespace, whose first byte is NUL. */
static bool read_address(const char *text, struct sockaddr_un *address, socklen_t *len_out)
{
    size_t len = strlen(text);
    bool fits = len > 1 && len < sizeof address->sun_path;
    if (!fits || (text[0] != '/' && text[0] != '@'))
        return false;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, text, len);
    if (text[0] == '@')
        address->sun_path[0] = '\0';
    *len_out = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    return true;
}

bool service_notify(const char *state)
{
    struct sockaddr_un address;
    socklen_t address_len;
    const char *text = getenv("NOTIFY_SOCKET");
    assert(state && *state);
    if (!text || !read_address(text, &address, &address_len))
        return false;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    struct timeval patience = {.tv_sec = SERVICE_NOTIFY_SECONDS};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    size_t len = strlen(state);
    ssize_t sent = sendto(fd, state, len, MSG_NOSIGNAL, (struct sockaddr *)&address, address_len);
    close(fd);
    return sent == (ssize_t)len;
}
