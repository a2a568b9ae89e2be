/* SPDX-License-Identifier: Apache-2.0
 *
 * Names to addresses and addresses to names over DNS, on the loop: nothing here blocks. c-ares makes and reads the packets;
 * its sockets are watched by uv_poll.
 *
 * A question is bounded in time: each server is waited for timeout_ms, the round is repeated `retries` times when none
 * answered, and that for each search domain. At most RESOLVER_IN_FLIGHT_MAX questions are under way; the same question is
 * under way once. A lookup belongs to all who asked, until each has given it back.
 */
#ifndef MILLRACE_IO_RESOLVER_H
#define MILLRACE_IO_RESOLVER_H

#include <uv.h>

#include "base/error.h"
#include "base/str.h"

enum {
    RESOLVER_IN_FLIGHT_MAX =
        256, /* so many small packets find room in the socket of a usual server */
    RESOLVER_NAME_MAX =
        1024, /* bytes of a name as it is written, of which no more than 253 can exist */
    RESOLVER_SEARCH_MAX = 6,
    RESOLVER_SERVERS_MAX = 16,
};

struct hosts_file;
struct resolver;

struct resolver_options {
    const struct hosts_file *hosts; /* asked first, in this order; they outlive the resolver */
    size_t host_count;
    bool only_hosts;
    /* "10.0.0.1", "10.0.0.1:5353", "[fd00::1]:5353". None: what /etc/resolv.conf says, with search and ndots. */
    const struct str *servers;
    size_t server_count;
    const struct str *search;
    size_t search_count;
    int ndots; /* a name with fewer dots is first tried with the search domains */
    unsigned timeout_ms, retries;
    void (*answered)(
        void *ctx); /* one or more lookups are no longer pending, or there is room again */
    void *ctx;
};

enum lookup_question { LOOKUP_ADDRESS, LOOKUP_NAME };
enum lookup_state { LOOKUP_PENDING, LOOKUP_FOUND, LOOKUP_NOT_FOUND, LOOKUP_TIMED_OUT };

struct lookup {
    enum lookup_state state;
    struct str
        answer; /* when FOUND: an address, or a name without a dot at its end; never changes */
};

bool resolver_is_address(struct str text);
/* Whether the text is a server as above. */
bool resolver_server_is_valid(struct str text);
struct resolver *resolver_new(uv_loop_t *loop, const struct resolver_options *options,
                              struct error *err);
/* Frees all lookups as well, whoever still has them. NULL is ok. */
void resolver_close(struct resolver *resolver);

/* A name in UTF-8 becomes the ASCII form of IDNA, and back; an address is its own ADDRESS. What cannot be asked is
 * NOT_FOUND at once. NULL: too many are under way. */
struct lookup *resolver_ask(struct resolver *resolver, enum lookup_question question,
                            struct str text);
void lookup_ref(struct lookup *lookup);
void lookup_unref(struct lookup *lookup);

#endif
