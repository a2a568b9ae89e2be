/* SPDX-License-Identifier: Apache-2.0 */
#include "io/service_notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/io/suites.h"

enum { STATE_MAX = 64 };

/* A manager that listens at this name, as NOTIFY_SOCKET has it ('@': abstract). */
static int manager_at(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(name);
    ck_assert(len < sizeof address.sun_path);
    memcpy(address.sun_path, name, len);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, address_len), 0);
    return fd;
}

static void expect_state(int fd, const char *state)
{
    char got[STATE_MAX] = "";
    ck_assert_int_eq(recv(fd, got, sizeof got - 1, MSG_DONTWAIT), (ssize_t)strlen(state));
    ck_assert_str_eq(got, state);
}

static void check_manager(const char *name)
{
    int fd = manager_at(name);
    setenv("NOTIFY_SOCKET", name, 1);
    ck_assert(service_notify(SERVICE_READY));
    expect_state(fd, "READY=1");
    ck_assert(service_notify(SERVICE_STOPPING));
    expect_state(fd, "STOPPING=1");
    close(fd);
}

START_TEST(reaches_a_socket_in_the_file_system)
{
    char folder[] = "/tmp/millrace-notify-XXXXXX", name[STATE_MAX];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(name, sizeof name, "%s/socket", folder);
    check_manager(name);
    unlink(name);
    rmdir(folder);
}
END_TEST

START_TEST(reaches_an_abstract_socket)
{
    char name[STATE_MAX];
    snprintf(name, sizeof name, "@millrace-notify-%d", (int)getpid());
    check_manager(name);
}
END_TEST

START_TEST(nobody_to_tell_is_no_error)
{
    char long_name[200];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[0] = '/';
    long_name[sizeof long_name - 1] = '\0';
    const char *const NAMES[] = {"", "/", "@", "relative", "/nonexistent/socket", long_name};
    unsetenv("NOTIFY_SOCKET");
    ck_assert(!service_notify(SERVICE_READY));
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        setenv("NOTIFY_SOCKET", NAMES[i], 1);
        ck_assert_msg(!service_notify(SERVICE_READY), "%s", NAMES[i]);
    }
    unsetenv("NOTIFY_SOCKET");
}
END_TEST

Suite *service_notify_suite(void)
{
    Suite *suite = suite_create("service_notify");
    TCase *tcase = tcase_create("service_notify");
    tcase_add_test(tcase, reaches_a_socket_in_the_file_system);
    tcase_add_test(tcase, reaches_an_abstract_socket);
    tcase_add_test(tcase, nobody_to_tell_is_no_error);
    suite_add_tcase(suite, tcase);
    return suite;
}
