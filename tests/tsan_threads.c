/* SPDX-License-Identifier: Apache-2.0
 *
 * For ThreadSanitizer alone. It knows the threads, locks and conditions of pthread and not those of C11, which librdkafka
 * uses: a thread that it has not seen begin makes it crash. So here the ones are the others; glibc's types have the same
 * size and meaning.
 *
 * Nor does it see the system calls that libuv closes descriptors with: who gets the number next, for another file, seemed to
 * race with whoever had it before. So that call is the function that it knows.
 */
#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <threads.h>
#include <unistd.h>

static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "mtx_t");
static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "cnd_t");
static_assert(sizeof(thrd_t) == sizeof(pthread_t), "thrd_t");

struct start {
    thrd_start_t run;
    void *arg;
};

static int result(int failed)
{
    return failed ? thrd_error : thrd_success;
}

static void *begin(void *arg)
{
    struct start start = *(struct start *)arg;
    free(arg);
    return (void *)(intptr_t)start.run(start.arg);
}

int thrd_create(thrd_t *thread, thrd_start_t run, void *arg)
{
    struct start *start = malloc(sizeof *start);
    if (!start)
        return thrd_nomem;
    *start = (struct start){run, arg};
    return result(pthread_create(thread, NULL, begin, start));
}

int thrd_join(thrd_t thread, int *result_out)
{
    void *ended;
    int failed = pthread_join(thread, &ended);
    if (result_out)
        *result_out = failed ? 0 : (int)(intptr_t)ended;
    return result(failed);
}

int mtx_init(mtx_t *lock, int type)
{
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, type & mtx_recursive ? PTHREAD_MUTEX_RECURSIVE
                                                          : PTHREAD_MUTEX_NORMAL);
    int failed = pthread_mutex_init((pthread_mutex_t *)lock, &kind);
    pthread_mutexattr_destroy(&kind);
    return result(failed);
}

int mtx_lock(mtx_t *lock)
{
    return result(pthread_mutex_lock((pthread_mutex_t *)lock));
}

int mtx_unlock(mtx_t *lock)
{
    return result(pthread_mutex_unlock((pthread_mutex_t *)lock));
}

void mtx_destroy(mtx_t *lock)
{
    pthread_mutex_destroy((pthread_mutex_t *)lock);
}

int cnd_init(cnd_t *condition)
{
    return result(pthread_cond_init((pthread_cond_t *)condition, NULL));
}

int cnd_signal(cnd_t *condition)
{
    return result(pthread_cond_signal((pthread_cond_t *)condition));
}

int cnd_broadcast(cnd_t *condition)
{
    return result(pthread_cond_broadcast((pthread_cond_t *)condition));
}

int cnd_wait(cnd_t *condition, mtx_t *lock)
{
    return result(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)lock));
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict lock,
                  const struct timespec *restrict until)
{
    int failed =
        pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)lock, until);
    return failed == ETIMEDOUT ? thrd_timedout : result(failed);
}

void cnd_destroy(cnd_t *condition)
{
    pthread_cond_destroy((pthread_cond_t *)condition);
}

/* As many arguments as a system call may have; what is behind those that were given does not matter. Seen by libuv, which is
 * a shared library. */
__attribute__((visibility("default"))) long syscall(long number, ...)
{
    long arg[6];
    va_list args;
    va_start(args, number);
    for (size_t i = 0; i < sizeof arg / sizeof *arg; i++)
        arg[i] = va_arg(args, long);
    va_end(args);
    if (number == SYS_close)
        return close((int)arg[0]);
    static _Atomic(void *) next;
    void *found = atomic_load(&next);
    if (!found)
        atomic_store(&next, found = dlsym(RTLD_NEXT, "syscall"));
    long (*real)(long, ...);
    memcpy(&real, &found, sizeof real);
    return real(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}
