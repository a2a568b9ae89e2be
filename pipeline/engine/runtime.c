/* SPDX-License-Identifier: Apache-2.0
 *
 * A loop of libuv can be run by another one that waits for its descriptor and its next timer. Here that other one is a wait
 * on an epoll set of those descriptors: a loop that is ready or due has one turn that does not block.
 */
#include "pipeline/engine/runtime.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"
#include "pipeline/engine/engine.h"

enum { EVENTS_AT_ONCE = 64, MS_NS = 1000 * 1000 };

struct runtime_thread {
    struct runtime *runtime;
    uv_thread_t thread;
    int epoll_fd, bell_fd;
    _Atomic(struct runtime_seat *) arrived;
    struct runtime_seat *seats; /* in the order of their turns; of this thread alone */
    atomic_size_t seat_count;   /* with those that arrived */
    atomic_uint batches;
    atomic_uint_fast64_t slept_ns;
    atomic_bool ends;
};

struct runtime {
    uv_mutex_t lock; /* of `over` in all seats, for who waits */
    uv_cond_t left;
    struct runtime_thread *threads[LANES_MAX];
    size_t thread_count;
    atomic_uint main_batches;
};

/* ---- on a thread ---------------------------------------------------------------------------------- */

static uint64_t now_ms(void)
{
    return uv_hrtime() / MS_NS;
}

static void watch(struct runtime_thread *thread, int fd, struct runtime_seat *seat)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = seat};
    int failed = epoll_ctl(thread->epoll_fd, EPOLL_CTL_ADD, fd, &event);
    assert(!failed); /* a descriptor of ours, and memory for it is the kernel's */
    (void)failed;
}

static void take_arrived(struct runtime_thread *thread)
{
    struct runtime_seat *seat =
        atomic_exchange_explicit(&thread->arrived, NULL, memory_order_acquire);
    while (seat) {
        struct runtime_seat *next = seat->next;
        watch(thread, uv_backend_fd(seat->loop), seat);
        seat->next = thread->seats;
        seat->due_ms = 0;
        thread->seats = seat;
        seat = next;
    }
}

/* Invariant 3: whoever waits for it may free it as soon as the lock is given back. */
static void leave(struct runtime_thread *thread, struct runtime_seat **at)
{
    struct runtime_seat *seat = *at;
    struct runtime *runtime = thread->runtime;
    *at = seat->next;
    epoll_ctl(thread->epoll_fd, EPOLL_CTL_DEL, uv_backend_fd(seat->loop), NULL);
    atomic_fetch_sub_explicit(&thread->seat_count, 1, memory_order_relaxed);
    uv_mutex_lock(&runtime->lock);
    assert(!atomic_load(&seat->over));
    atomic_store(&seat->over, true);
    uv_cond_broadcast(&runtime->left);
    uv_mutex_unlock(&runtime->lock);
}

/* False: nothing is open on its loop any more. */
static bool turn(struct runtime_seat *seat)
{
    seat->ready = false;
    if (uv_run(seat->loop, UV_RUN_NOWAIT) == 0)
        return false;
    int timeout_ms = uv_backend_timeout(seat->loop);
    seat->due_ms = timeout_ms < 0 ? UINT64_MAX : uv_now(seat->loop) + (uint64_t)timeout_ms;
    return true;
}

static void give_turns(struct runtime_thread *thread)
{
    struct runtime_seat **at = &thread->seats;
    while (*at) {
        struct runtime_seat *seat = *at;
        if ((seat->ready || seat->due_ms <= now_ms()) && !turn(seat))
            leave(thread, at);
        else
            at = &seat->next;
    }
}

/* In milliseconds, until the first timer; as epoll_wait wants it. */
static int patience(const struct runtime_thread *thread)
{
    uint64_t due_ms = UINT64_MAX, now = now_ms();
    for (const struct runtime_seat *seat = thread->seats; seat; seat = seat->next)
        if (seat->due_ms < due_ms)
            due_ms = seat->due_ms;
    if (due_ms == UINT64_MAX)
        return -1;
    uint64_t left_ms = due_ms > now ? due_ms - now : 0;
    return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}

static void ring_off(struct runtime_thread *thread)
{
    uint64_t rings;
    ssize_t got = read(thread->bell_fd, &rings, sizeof rings);
    assert(got == sizeof rings);
    (void)got;
}

/* Looks at the descriptors, and waits for one when nothing is due. */
static void look(struct runtime_thread *thread)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int timeout_ms = patience(thread);
    uint64_t began_ns = timeout_ms == 0 ? 0 : uv_hrtime();
    int count = epoll_wait(thread->epoll_fd, events, EVENTS_AT_ONCE, timeout_ms);
    assert(count >= 0 || errno == EINTR);
    if (began_ns > 0)
        atomic_store_explicit(&thread->slept_ns, runtime_slept_ns(thread) + uv_hrtime() - began_ns,
                              memory_order_relaxed);
    for (int i = 0; i < count; i++) {
        struct runtime_seat *seat = events[i].data.ptr;
        if (seat)
            seat->ready = true;
        else
            ring_off(thread);
    }
}

static void run_thread(void *arg)
{
    struct runtime_thread *thread = arg;
    while (!atomic_load(&thread->ends)) {
        take_arrived(thread);
        give_turns(thread);
        look(thread);
    }
    assert(!thread->seats);
}

/* ---- on the main thread --------------------------------------------------------------------------- */

static void ring(struct runtime_thread *thread)
{
    uint64_t once = 1;
    ssize_t put = write(thread->bell_fd, &once, sizeof once);
    assert(put == sizeof once);
    (void)put;
}

static void free_thread(struct runtime_thread *thread)
{
    if (thread->epoll_fd >= 0)
        close(thread->epoll_fd);
    if (thread->bell_fd >= 0)
        close(thread->bell_fd);
    mem_free(thread);
}

static bool add_thread(struct runtime *runtime, struct error *err)
{
    struct runtime_thread *thread = mem_zero(1, sizeof *thread);
    thread->runtime = runtime;
    thread->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    thread->bell_fd = eventfd(0, EFD_CLOEXEC);
    bool made = thread->epoll_fd >= 0 && thread->bell_fd >= 0;
    if (made) {
        watch(thread, thread->bell_fd, NULL);
        made = thread_start(&thread->thread, run_thread, thread);
    }
    if (!made) {
        free_thread(thread);
        return error_set(err, ERROR_IO, "cannot start the thread of lane %zu",
                         runtime->thread_count + 1);
    }
    runtime->threads[runtime->thread_count++] = thread;
    return true;
}

struct runtime *runtime_new(void)
{
    struct runtime *runtime = mem_zero(1, sizeof *runtime);
    int failed = uv_mutex_init(&runtime->lock) || uv_cond_init(&runtime->left);
    assert(!failed);
    (void)failed;
    return runtime;
}

void runtime_free(struct runtime *runtime)
{
    if (!runtime)
        return;
    for (size_t i = 0; i < runtime->thread_count; i++) {
        struct runtime_thread *thread = runtime->threads[i];
        assert(atomic_load(&thread->seat_count) == 0 && !atomic_load(&thread->arrived));
        atomic_store(&thread->ends, true);
        ring(thread);
        uv_thread_join(&thread->thread);
        free_thread(thread);
    }
    assert(atomic_load(&runtime->main_batches) == 0);
    uv_cond_destroy(&runtime->left);
    uv_mutex_destroy(&runtime->lock);
    mem_free(runtime);
}

static void begin(struct runtime_seat *seat)
{
    struct runtime_thread *thread = seat->thread;
    struct runtime_seat *top = atomic_load_explicit(&thread->arrived, memory_order_relaxed);
    do {
        seat->next = top;
    } while (!atomic_compare_exchange_weak_explicit(&thread->arrived, &top, seat,
                                                    memory_order_release, memory_order_relaxed));
    ring(thread);
}

/* Of those that are not taken; the first of several with as few. */
static size_t emptiest(const struct runtime *runtime, const bool *taken)
{
    size_t best = SIZE_MAX, fewest = SIZE_MAX;
    for (size_t i = 0; i < runtime->thread_count; i++) {
        size_t seats = atomic_load_explicit(&runtime->threads[i]->seat_count, memory_order_relaxed);
        if (taken[i] || seats >= fewest)
            continue;
        best = i;
        fewest = seats;
    }
    assert(best < runtime->thread_count);
    return best;
}

bool runtime_seat(struct runtime *runtime, struct runtime_seat *const *seats, size_t count,
                  struct error *err)
{
    bool taken[LANES_MAX] = {0};
    assert(count < LANES_MAX);
    while (runtime->thread_count < count)
        if (!add_thread(runtime, err))
            return false;
    for (size_t i = 0; i < count; i++) {
        size_t best = emptiest(runtime, taken);
        taken[best] = true;
        assert(!seats[i]->thread && seats[i]->loop);
        seats[i]->thread = runtime->threads[best];
        atomic_fetch_add_explicit(&seats[i]->thread->seat_count, 1, memory_order_relaxed);
    }
    for (size_t i = 0; i < count; i++)
        begin(seats[i]);
    return true;
}

bool runtime_seat_is_over(const struct runtime_seat *seat)
{
    return atomic_load(&seat->over);
}

void runtime_wait(struct runtime *runtime, struct runtime_seat *seat)
{
    assert(seat->thread);
    uv_mutex_lock(&runtime->lock);
    while (!atomic_load(&seat->over))
        uv_cond_wait(&runtime->left, &runtime->lock);
    uv_mutex_unlock(&runtime->lock);
}

size_t runtime_thread_count(const struct runtime *runtime)
{
    return runtime->thread_count;
}

atomic_uint *runtime_batches(struct runtime *runtime, struct runtime_thread *thread)
{
    return thread ? &thread->batches : &runtime->main_batches;
}

uint64_t runtime_slept_ns(const struct runtime_thread *thread)
{
    return atomic_load_explicit(&thread->slept_ns, memory_order_relaxed);
}
