/* SPDX-License-Identifier: Apache-2.0 */
#include "io/resolver.h"

#include <ares.h>
#include <arpa/inet.h>
#include <assert.h>
#include <idn2.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ip_network.h"
#include "base/map.h"
#include "base/mem.h"
#include "io/hosts_file.h"
#include "io/loop_timer.h"

enum {
    DNS_CLASS_INTERNET = 1,
    DNS_A = 1,
    DNS_PTR = 12,
    DNS_AAAA = 28,
    REVERSE_NAME_MAX = 80, /* 32 digits with dots, and ip6.arpa */
    SERVER_TEXT_MAX = 64,
    PORT_MAX = 65535,
};

/* A question; lookup is what others see of it. */
struct question {
    struct lookup lookup; /* first */
    struct resolver *resolver;
    struct question *newer, *older;
    unsigned references; /* of the askers, and one while it is pending */
    unsigned retries_left;
    int type;   /* of the record asked for now */
    char *name; /* as it is asked, in ASCII; the key in resolver->pending */
};

/* A socket of c-ares; the handle lives a little longer than the socket. */
struct watched_socket {
    uv_poll_t poll;
    struct resolver *resolver;
    ares_socket_t fd;
    struct watched_socket *next;
};

struct resolver {
    uv_loop_t *loop;
    ares_channel channel;     /* NULL: only hosts */
    struct loop_timer *timer; /* for the timeouts of c-ares */
    struct watched_socket *sockets;
    struct map pending;
    struct question *newest; /* of all lookups */
    const struct hosts_file *hosts;
    size_t host_count;
    unsigned retries;
    void (*answered)(void *ctx);
    void *ctx;
    bool closing;
};

/* ---- c-ares on the loop --------------------------------------------------------------------------- */

static void set_timer(struct resolver *resolver)
{
    struct timeval left;
    if (ares_timeout(resolver->channel, NULL, &left))
        loop_timer_start(resolver->timer,
                         (uint64_t)left.tv_sec * 1000 + (uint64_t)left.tv_usec / 1000 + 1);
    else
        loop_timer_stop(resolver->timer);
}

static void on_timer(void *ctx)
{
    struct resolver *resolver = ctx;
    ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_timer(resolver);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    const struct watched_socket *sock = poll->data;
    struct resolver *resolver = sock->resolver;
    bool readable = status < 0 || (events & UV_READABLE);
    bool writable = status < 0 || (events & UV_WRITABLE);
    ares_process_fd(resolver->channel, readable ? sock->fd : ARES_SOCKET_BAD,
                    writable ? sock->fd : ARES_SOCKET_BAD);
    set_timer(resolver);
}

static void on_socket_closed(uv_handle_t *handle)
{
    mem_free(handle->data);
}

static struct watched_socket *add_socket(struct resolver *resolver, ares_socket_t fd)
{
    struct watched_socket *sock = mem_zero(1, sizeof *sock);
    if (uv_poll_init(resolver->loop, &sock->poll, fd) != 0) {
        mem_free(sock); /* the questions of this socket time out */
        return NULL;
    }
    sock->poll.data = sock;
    sock->resolver = resolver;
    sock->fd = fd;
    sock->next = resolver->sockets;
    resolver->sockets = sock;
    return sock;
}

/* c-ares opened the socket, wants other events of it, or (neither) closes it right after this. */
static void on_socket_state(void *data, ares_socket_t fd, int readable, int writable)
{
    struct resolver *resolver = data;
    struct watched_socket **at = &resolver->sockets;
    while (*at && (*at)->fd != fd)
        at = &(*at)->next;
    struct watched_socket *sock = *at;
    if (!readable && !writable) {
        if (sock) {
            *at = sock->next;
            uv_close((uv_handle_t *)&sock->poll, on_socket_closed);
        }
        return;
    }
    if (!sock)
        sock = add_socket(resolver, fd);
    if (sock)
        uv_poll_start(&sock->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0),
                      on_poll);
}

/* ---- lookups -------------------------------------------------------------------------------------- */

static struct question *new_question(struct resolver *resolver)
{
    struct question *question = mem_zero(1, sizeof *question);
    question->resolver = resolver;
    question->references = 1;
    question->older = resolver->newest;
    if (resolver->newest)
        resolver->newest->newer = question;
    resolver->newest = question;
    return question;
}

static void free_question(struct question *question)
{
    *(question->newer ? &question->newer->older : &question->resolver->newest) = question->older;
    if (question->older)
        question->older->newer = question->newer;
    union {
        const char *text;
        void *memory;
    } answer = {.text = question->lookup.answer.ptr};
    if (question->lookup.state == LOOKUP_FOUND)
        mem_free(answer.memory);
    mem_free(question->name);
    mem_free(question);
}

void lookup_ref(struct lookup *lookup)
{
    struct question *question = (struct question *)lookup;
    assert(question->references > 0);
    question->references++;
}

void lookup_unref(struct lookup *lookup)
{
    struct question *question = (struct question *)lookup;
    assert(question->references > 0);
    if (--question->references == 0)
        free_question(question);
}

static void answer(struct question *question, enum lookup_state state, const char *text)
{
    assert(question->lookup.state == LOOKUP_PENDING && state != LOOKUP_PENDING);
    question->lookup.state = state;
    if (state == LOOKUP_FOUND)
        question->lookup.answer = str_from(mem_strdup(text));
}

/* A name as people write it; what is no IDNA stays as it is. */
static void answer_name(struct question *question, const char *name)
{
    char *unicode = NULL;
    bool decoded = strstr(name, "xn--") && idn2_to_unicode_8z8z(name, &unicode, 0) == IDN2_OK;
    answer(question, LOOKUP_FOUND, decoded ? unicode : name);
    idn2_free(unicode);
}

/* ---- answers of servers --------------------------------------------------------------------------- */

static void ask_servers(struct question *question);

static void finish(struct question *question, enum lookup_state state, const char *text)
{
    struct resolver *resolver = question->resolver;
    map_remove(&resolver->pending, str_from(question->name));
    if (state == LOOKUP_FOUND && question->type == DNS_PTR)
        answer_name(question, text);
    else
        answer(question, state, text);
    lookup_unref(&question->lookup);
    resolver->answered(resolver->ctx);
}

/* The first record; the names of a PTR answer are all aliases, in their order. */
static int read_reply(int type, const unsigned char *bytes, int len, char text[RESOLVER_NAME_MAX])
{
    struct hostent *host = NULL;
    int status = type == DNS_A      ? ares_parse_a_reply(bytes, len, &host, NULL, NULL)
                 : type == DNS_AAAA ? ares_parse_aaaa_reply(bytes, len, &host, NULL, NULL)
                                    : ares_parse_ptr_reply(bytes, len, NULL, 0, AF_INET, &host);
    if (status != ARES_SUCCESS)
        return status;
    const char *name = host->h_aliases && host->h_aliases[0] ? host->h_aliases[0] : host->h_name;
    if (type != DNS_PTR && (!host->h_addr_list || !host->h_addr_list[0]))
        status = ARES_ENODATA;
    else if (type != DNS_PTR)
        inet_ntop(host->h_addrtype, host->h_addr_list[0], text, RESOLVER_NAME_MAX);
    else if (name && strlen(name) < RESOLVER_NAME_MAX)
        snprintf(text, RESOLVER_NAME_MAX, "%s", name);
    else
        status = ARES_ENODATA;
    ares_free_hostent(host);
    return status;
}

/* c-ares' callback. Nobody who listens on a server's port counts as no answer, as in Ruby; an address of the other family
 * is asked for when there is none of the first. */
static void on_reply(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
    struct question *question = arg;
    char text[RESOLVER_NAME_MAX];
    (void)timeouts;
    if (question->resolver->closing)
        return;
    if (status == ARES_SUCCESS)
        status = read_reply(question->type, bytes, len, text);
    if (status == ARES_SUCCESS) {
        finish(question, LOOKUP_FOUND, text);
    } else if (status == ARES_ENODATA && question->type == DNS_A) {
        question->type = DNS_AAAA;
        ask_servers(question);
    } else if (status != ARES_ETIMEOUT && status != ARES_ECONNREFUSED) {
        finish(question, LOOKUP_NOT_FOUND, NULL);
    } else if (question->retries_left > 0) {
        question->retries_left--;
        ask_servers(question);
    } else {
        finish(question, LOOKUP_TIMED_OUT, NULL);
    }
}

static void ask_servers(struct question *question)
{
    ares_channel channel = question->resolver->channel;
    if (question->type == DNS_PTR)
        ares_query(channel, question->name, DNS_CLASS_INTERNET, question->type, on_reply, question);
    else
        ares_search(channel, question->name, DNS_CLASS_INTERNET, question->type, on_reply,
                    question);
}

/* ---- asking --------------------------------------------------------------------------------------- */

static bool is_ascii(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80)
            return false;
    return true;
}

/* What is asked for a name. False: no name at all. */
static bool ascii_name(struct str text, char out[RESOLVER_NAME_MAX])
{
    if (text.len == 0 || text.len >= RESOLVER_NAME_MAX || memchr(text.ptr, 0, text.len))
        return false;
    memcpy(out, text.ptr, text.len);
    out[text.len] = 0;
    if (is_ascii(text))
        return true;
    char *ascii = NULL;
    bool fits = idn2_to_ascii_8z(out, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK &&
                strlen(ascii) < RESOLVER_NAME_MAX;
    if (fits)
        snprintf(out, RESOLVER_NAME_MAX, "%s", ascii);
    idn2_free(ascii);
    return fits;
}

bool resolver_is_address(struct str text)
{
    struct ip_network address;
    return text.len > 0 && !memchr(text.ptr, '/', text.len) && !memchr(text.ptr, 0, text.len) &&
           ip_network_parse(text, &address);
}

static void reverse_name(const struct ip_network *address, char out[REVERSE_NAME_MAX])
{
    size_t len = 0;
    for (unsigned i = address->bytes; i-- > 0;) {
        unsigned byte = address->address[i];
        if (address->bytes == 4)
            len += (size_t)snprintf(out + len, REVERSE_NAME_MAX - len, "%u.", byte);
        else
            len += (size_t)snprintf(out + len, REVERSE_NAME_MAX - len, "%x.%x.", byte & 15u,
                                    byte >> 4);
    }
    snprintf(out + len, REVERSE_NAME_MAX - len, address->bytes == 4 ? "in-addr.arpa" : "ip6.arpa");
}

static bool ask_hosts(struct question *question, enum lookup_question kind, struct str text)
{
    const struct resolver *resolver = question->resolver;
    for (size_t i = 0; i < resolver->host_count; i++) {
        struct str found = kind == LOOKUP_NAME ? hosts_file_name(&resolver->hosts[i], text)
                                               : hosts_file_address(&resolver->hosts[i], text);
        if (found.len == 0)
            continue;
        if (kind == LOOKUP_NAME)
            answer_name(question, found.ptr);
        else
            answer(question, LOOKUP_FOUND, found.ptr);
        return true;
    }
    return false;
}

/* Without servers. False: they have to be asked; name says what for. */
static bool answer_at_once(struct question *question, enum lookup_question kind, struct str text,
                           char name[RESOLVER_NAME_MAX])
{
    struct ip_network address;
    bool is_address = resolver_is_address(text) && ip_network_parse(text, &address);
    if (!is_address && (kind == LOOKUP_NAME || !ascii_name(text, name))) {
        answer(question, LOOKUP_NOT_FOUND, NULL);
        return true;
    }
    if (is_address && kind == LOOKUP_ADDRESS) {
        snprintf(name, RESOLVER_NAME_MAX, "%.*s", STR_FMT(text));
        answer(question, LOOKUP_FOUND, name);
        return true;
    }
    if (ask_hosts(question, kind, is_address ? text : str_from(name)))
        return true;
    if (kind == LOOKUP_NAME)
        reverse_name(&address, name);
    if (!question->resolver->channel)
        answer(question, LOOKUP_NOT_FOUND, NULL);
    return question->lookup.state != LOOKUP_PENDING;
}

struct lookup *resolver_ask(struct resolver *resolver, enum lookup_question kind, struct str text)
{
    char name[RESOLVER_NAME_MAX];
    struct question *question = new_question(resolver);
    if (answer_at_once(question, kind, text, name))
        return &question->lookup;
    struct question *same = map_get(&resolver->pending, str_from(name));
    if (same || resolver->pending.count >= RESOLVER_IN_FLIGHT_MAX) {
        free_question(question);
        if (!same)
            return NULL;
        lookup_ref(&same->lookup);
        return &same->lookup;
    }
    question->name = mem_strdup(name);
    question->retries_left = resolver->retries;
    question->type = kind == LOOKUP_NAME ? DNS_PTR : DNS_A;
    map_set(&resolver->pending, str_from(name), question);
    lookup_ref(&question->lookup);
    ask_servers(question);
    set_timer(resolver);
    return &question->lookup;
}

/* ---- life ----------------------------------------------------------------------------------------- */

/* "ADDRESS" or "ADDRESS:PORT"; one of IPv6 with a port stands in brackets. */
bool resolver_server_is_valid(struct str text)
{
    int64_t port;
    if (resolver_is_address(text))
        return true;
    if (text.len == 0 || text.len >= SERVER_TEXT_MAX)
        return false;
    const char *colon = memrchr(text.ptr, ':', text.len);
    if (!colon || !str_to_int(str_from_offset(text, (size_t)(colon + 1 - text.ptr)), &port) ||
        port < 1 || port > PORT_MAX)
        return false;
    struct str host = str_make(text.ptr, (size_t)(colon - text.ptr));
    bool brackets = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (brackets)
        host = str_make(host.ptr + 1, host.len - 2);
    return resolver_is_address(host) && (memchr(host.ptr, ':', host.len) != NULL) == brackets;
}

static int set_servers(struct resolver *resolver, const struct resolver_options *options)
{
    struct buf csv;
    bool fits = true;
    buf_init(&csv, RESOLVER_SERVERS_MAX * SERVER_TEXT_MAX);
    for (size_t i = 0; i < options->server_count; i++)
        fits = fits && buf_printf(&csv, "%s%.*s", i > 0 ? "," : "", STR_FMT(options->servers[i]));
    fits = fits && buf_append_char(&csv, 0);
    assert(fits && options->server_count <= RESOLVER_SERVERS_MAX);
    int status = options->server_count > 0 ? ares_set_servers_ports_csv(resolver->channel, csv.ptr)
                                           : ARES_SUCCESS;
    buf_release(&csv);
    return status;
}

static int open_channel(struct resolver *resolver, const struct resolver_options *options)
{
    struct arena arena;
    char *domains[RESOLVER_SEARCH_MAX];
    assert(options->search_count <= RESOLVER_SEARCH_MAX);
    arena_init(&arena, NULL);
    for (size_t i = 0; i < options->search_count; i++)
        domains[i] = arena_cstr(&arena, options->search[i]);
    struct ares_options ares = {
        .flags = ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP, /* a server that fails has answered */
        .timeout = (int)options->timeout_ms,
        .tries = 1, /* repeated here: c-ares would double the time each round */
        .ndots = options->ndots,
        .domains = domains,
        .ndomains = (int)options->search_count,
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = resolver,
    };
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
    if (options->server_count > 0)
        mask |= ARES_OPT_NDOTS | ARES_OPT_DOMAINS;
    int status = ares_init_options(&resolver->channel, &ares, mask);
    arena_release(&arena);
    return status == ARES_SUCCESS ? set_servers(resolver, options) : status;
}

struct resolver *resolver_new(uv_loop_t *loop, const struct resolver_options *options,
                              struct error *err)
{
    struct resolver *resolver = mem_zero(1, sizeof *resolver);
    resolver->loop = loop;
    resolver->hosts = options->hosts;
    resolver->host_count = options->host_count;
    resolver->retries = options->retries;
    resolver->answered = options->answered;
    resolver->ctx = options->ctx;
    resolver->timer = loop_timer_new(loop, on_timer, resolver);
    map_init(&resolver->pending);
    int status = options->only_hosts ? ARES_SUCCESS : open_channel(resolver, options);
    if (status == ARES_SUCCESS)
        return resolver;
    error_set(err, ERROR_IO, "cannot start DNS lookups: %s", ares_strerror(status));
    resolver_close(resolver);
    return NULL;
}

void resolver_close(struct resolver *resolver)
{
    if (!resolver)
        return;
    resolver->closing = true;
    if (resolver->channel)
        ares_destroy(resolver->channel);
    assert(!resolver->sockets);
    while (resolver->newest)
        free_question(resolver->newest);
    map_release(&resolver->pending);
    loop_timer_close(resolver->timer);
    mem_free(resolver);
}
