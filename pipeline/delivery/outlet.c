/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/delivery/outlet.h"

#include <assert.h>
#include <uv.h>

#include "base/mem.h"
#include "base/text/utf8.h"
#include "pipeline/delivery/retry.h"
#include "pipeline/delivery/spool.h"
#include "pipeline/plugin.h"

enum {
    FIRST_LIMIT = 4,
    LEAST_LIMIT = 2,    /* however slow it becomes */
    SHARE_WHOLE = 1024, /* refused: all of the last requests */
    SHARE_WEIGHT = 16,  /* requests that the share looks back on, about */
    SHARE_DOWN = 768,   /* three in four */
    SHARE_AFTER_DOWN = 512,
    DOWN_IN_A_ROW = 8,
    FIRST_PAUSE_MS = 100,
    BASE_WINDOW_MS = 10 * 1000, /* the best latency of this and the last window counts */
    SLACK_FLAT_US = 5000,
    SLACK_GROWN_US = 20000,
    GATHER_FRACTION = 4, /* of the latency */
    BYTES_MIN = 1024,
    PROBE_FIRST_MS =
        200, /* so long after a 413 larger requests are tried again; doubled each time */
    PROBE_MAX_MS = 60 * 1000,
};

struct outlet {
    struct spool *spool; /* set before anybody joins */
    uv_mutex_t lock;
    struct outlet_member *members;
    struct output_limits limits; /* max_in_flight 0 until the first member came */
    unsigned in_flight, limit;
    uint64_t denied_ms; /* when a permit was last denied for want of room */

    unsigned refused_share, samples;
    unsigned failures; /* in a row */
    unsigned pauses;   /* in a row, while it is down */
    uint64_t paused_until_ms;

    uint64_t base_us[2],
        base_since_ms;   /* best latency of this window and of the one before; 0: none */
    uint64_t latency_us; /* of any request, smoothed */
    uint64_t cut_ms;     /* when the limit was last lowered */

    size_t max_bytes;
    uint64_t probe_at_ms, probe_wait_ms;

    uint64_t rejected_us; /* when a request was last rejected that is not part of one */
    bool passed_since;    /* a request that was sent later got through */

    /* For outlet_look */
    uint64_t moved_ms;         /* when something last ended, or the first of now went */
    uint64_t failing_since_ms; /* while failures > 0 or untaken > 0 */
    uint64_t untaken;          /* requests in a row of which nothing was taken */
    enum send_cause cause;     /* of the last failure */
    char reason[OUTLET_REASON_BYTES];
};

struct outlet *outlet_new(void)
{
    struct outlet *outlet = mem_zero(1, sizeof *outlet);
    if (uv_mutex_init(&outlet->lock) != 0)
        mem_abort("cannot make a mutex");
    return outlet;
}

void outlet_set_spool(struct outlet *outlet, struct spool *spool)
{
    assert(!outlet->spool && !outlet->members);
    outlet->spool = spool;
}

struct spool *outlet_spool(const struct outlet *outlet)
{
    return outlet->spool;
}

void outlet_drop_spool(struct outlet *outlet)
{
    assert(!outlet->members);
    spool_unref(outlet->spool);
    outlet->spool = NULL;
}

void outlet_free(struct outlet *outlet)
{
    if (!outlet)
        return;
    outlet_drop_spool(outlet);
    uv_mutex_destroy(&outlet->lock);
    mem_free(outlet);
}

void outlet_join(struct outlet *outlet, struct outlet_member *member,
                 const struct output_limits *limits)
{
    assert(limits->max_in_flight > 0 && limits->max_bytes > 0);
    uv_mutex_lock(&outlet->lock);
    if (outlet->limits.max_in_flight == 0) {
        outlet->limits = *limits;
        outlet->limit = limits->max_in_flight < FIRST_LIMIT ? limits->max_in_flight : FIRST_LIMIT;
        outlet->max_bytes = limits->max_bytes;
    }
    member->next = outlet->members;
    outlet->members = member;
    uv_mutex_unlock(&outlet->lock);
}

/* ---- permits -------------------------------------------------------------------------------------- */

static bool is_down(const struct outlet *outlet)
{
    return outlet->failures >= DOWN_IN_A_ROW || outlet->refused_share > SHARE_DOWN;
}

static unsigned allowed(const struct outlet *outlet)
{
    if (is_down(outlet))
        return 1;
    unsigned refused = (outlet->limit * outlet->refused_share + SHARE_WHOLE / 2) / SHARE_WHOLE;
    return refused < outlet->limit ? outlet->limit - refused : 1;
}

bool outlet_take_permit(struct outlet *outlet, struct outlet_member *member, uint64_t now_ms,
                        uint64_t *again_ms_out)
{
    uv_mutex_lock(&outlet->lock);
    bool taken = false;
    *again_ms_out = UINT64_MAX;
    if (outlet->paused_until_ms > now_ms) {
        *again_ms_out = outlet->paused_until_ms;
    } else if (outlet->in_flight < allowed(outlet)) {
        taken = true;
        member->denied = false; /* who has one waits for none, until it asks for more */
        if (outlet->in_flight++ == 0)
            outlet->moved_ms = now_ms;
    } else {
        member->denied = true;
        outlet->denied_ms = now_ms;
    }
    assert(outlet->in_flight <= outlet->limits.max_in_flight);
    uv_mutex_unlock(&outlet->lock);
    return taken;
}

static void move_to_end(struct outlet_member **at)
{
    struct outlet_member *member = *at;
    *at = member->next;
    while (*at)
        at = &(*at)->next;
    *at = member;
    member->next = NULL;
}

/* Members take turns: one that is told goes to the end of the list. */
static void nudge_denied(struct outlet *outlet)
{
    unsigned may_go = allowed(outlet);
    struct outlet_member **at = &outlet->members;
    for (unsigned going = outlet->in_flight; *at && going < may_go;) {
        struct outlet_member *member = *at;
        if (!member->denied) {
            at = &member->next;
            continue;
        }
        member->denied = false;
        member->nudge(member);
        move_to_end(at);
        going++;
    }
}

/* ---- learning ------------------------------------------------------------------------------------- */

static uint64_t best_latency(struct outlet *outlet, uint64_t us, uint64_t now_ms)
{
    if (now_ms - outlet->base_since_ms >= BASE_WINDOW_MS) {
        outlet->base_us[1] = outlet->base_us[0];
        outlet->base_us[0] = 0;
        outlet->base_since_ms = now_ms;
    }
    if (outlet->base_us[0] == 0 || us < outlet->base_us[0])
        outlet->base_us[0] = us > 0 ? us : 1;
    uint64_t before = outlet->base_us[1];
    return before > 0 && before < outlet->base_us[0] ? before : outlet->base_us[0];
}

static void learn_latency(struct outlet *outlet, const struct outlet_report *report)
{
    uint64_t us = report->now_us - report->sent_us, now_ms = report->now_us / 1000;
    outlet->latency_us = outlet->latency_us ? (outlet->latency_us * 7 + us) / 8 : us;
    if (!report->full)
        return;
    uint64_t best = best_latency(outlet, us, now_ms);
    if (us <= best + best / 2 + SLACK_FLAT_US) {
        if (outlet->denied_ms >= report->sent_us / 1000 &&
            outlet->limit < outlet->limits.max_in_flight)
            outlet->limit++;
    } else if (us > 2 * best + SLACK_GROWN_US && outlet->limit > LEAST_LIMIT &&
               now_ms >= outlet->cut_ms + us / 1000) {
        outlet->limit -= outlet->limit / 8 + 1;
        if (outlet->limit < LEAST_LIMIT)
            outlet->limit = LEAST_LIMIT;
        outlet->cut_ms = now_ms;
    }
}

static void halve_size(struct outlet *outlet, const struct outlet_report *report)
{
    size_t half = report->bytes / 2 > BYTES_MIN ? report->bytes / 2 : BYTES_MIN;
    if (half < outlet->max_bytes)
        outlet->max_bytes = half;
}

/* After a 413 larger requests are tried again when a while is over, which doubles with each that is refused. */
static void learn_too_large(struct outlet *outlet, const struct outlet_report *report)
{
    uint64_t now_ms = report->now_us / 1000;
    halve_size(outlet, report);
    if (now_ms >= outlet->probe_at_ms) {
        uint64_t wait = outlet->probe_wait_ms * 2;
        outlet->probe_wait_ms = wait == 0             ? PROBE_FIRST_MS
                                : wait < PROBE_MAX_MS ? wait
                                                      : PROBE_MAX_MS;
    }
    outlet->probe_at_ms = now_ms + outlet->probe_wait_ms;
}

static void learn_size(struct outlet *outlet, const struct outlet_report *report)
{
    size_t most = outlet->limits.max_bytes;
    if (report->bytes > most / 2)
        outlet->probe_wait_ms = 0;
    if (report->bytes < outlet->max_bytes / 2 || report->now_us / 1000 < outlet->probe_at_ms)
        return;
    outlet->max_bytes = outlet->max_bytes < most / 2 ? outlet->max_bytes * 2 : most;
}

static void succeed(struct outlet *outlet, const struct outlet_report *report)
{
    if (report->took_nothing && outlet->untaken + outlet->failures == 0)
        outlet->failing_since_ms = report->now_us / 1000;
    outlet->untaken = report->took_nothing ? outlet->untaken + 1 : 0;
    if (is_down(outlet) && outlet->refused_share > SHARE_AFTER_DOWN)
        outlet->refused_share = SHARE_AFTER_DOWN;
    outlet->failures = outlet->pauses = 0;
    outlet->passed_since |= report->sent_us > outlet->rejected_us;
    if (outlet->samples < SHARE_WEIGHT)
        outlet->samples++;
    outlet->refused_share -= (outlet->refused_share + outlet->samples - 1) / outlet->samples;
    learn_latency(outlet, report);
    learn_size(outlet, report);
}

static void remember_failure(struct outlet *outlet, const struct outlet_report *report)
{
    if (outlet->failures + outlet->untaken == 0)
        outlet->failing_since_ms = report->now_us / 1000;
    outlet->cause = report->cause;
    size_t len =
        report->reason.len < sizeof outlet->reason ? report->reason.len : sizeof outlet->reason - 1;
    len = utf8_valid_prefix(str_make(report->reason.ptr, len));
    if (len > 0)
        memcpy(outlet->reason, report->reason.ptr, len);
    outlet->reason[len] = 0;
}

static void fail(struct outlet *outlet, const struct outlet_report *report)
{
    uint64_t now_ms = report->now_us / 1000;
    remember_failure(outlet, report);
    outlet->failures++;
    if (outlet->samples < SHARE_WEIGHT)
        outlet->samples++;
    outlet->refused_share += (SHARE_WHOLE - outlet->refused_share) / outlet->samples;
    assert(outlet->refused_share <= SHARE_WHOLE);
    if (!is_down(outlet))
        return;
    /* Servers also say "overloaded" of a request that is larger than what they have room for. */
    if (report->cause == SEND_OVERLOADED)
        halve_size(outlet, report);
    struct output_limits pace = {.retry_initial_ms = FIRST_PAUSE_MS,
                                 .retry_max_ms = outlet->limits.retry_max_ms};
    uint64_t pause =
        retry_backoff_ms(&pace, outlet->pauses, report->retry_after_ms, report->random);
    /* Those that were under way when it went down come back together and count as one. */
    if (now_ms >= outlet->paused_until_ms)
        outlet->pauses++;
    if (now_ms + pause > outlet->paused_until_ms)
        outlet->paused_until_ms = now_ms + pause;
}

void outlet_finish(struct outlet *outlet, const struct outlet_report *report)
{
    uv_mutex_lock(&outlet->lock);
    assert(outlet->in_flight > 0);
    outlet->in_flight--;
    outlet->moved_ms = report->now_us / 1000;
    switch (report->cause) {
    case SEND_ANSWERED:
        succeed(outlet, report);
        break;
    case SEND_TOO_LARGE:
        learn_too_large(outlet, report);
        break;
    case SEND_REJECTED:
        if (report->fresh) {
            outlet->rejected_us = report->now_us;
            outlet->passed_since = false;
        }
        fail(outlet, report);
        break;
    case SEND_UNREACHABLE:
    case SEND_OVERLOADED:
    case SEND_FORBIDDEN:
        fail(outlet, report);
        break;
    case SEND_STOPPED:
        break;
    }
    nudge_denied(outlet);
    uv_mutex_unlock(&outlet->lock);
}

void outlet_pass_on(struct outlet *outlet)
{
    uv_mutex_lock(&outlet->lock);
    nudge_denied(outlet);
    uv_mutex_unlock(&outlet->lock);
}

void outlet_leave(struct outlet *outlet, struct outlet_member *member)
{
    uv_mutex_lock(&outlet->lock);
    struct outlet_member **at = &outlet->members;
    while (*at && *at != member)
        at = &(*at)->next;
    assert(*at);
    *at = member->next;
    nudge_denied(outlet); /* it may have been told of a permit */
    uv_mutex_unlock(&outlet->lock);
}

bool outlet_blames_item(struct outlet *outlet)
{
    uv_mutex_lock(&outlet->lock);
    bool blamed = outlet->passed_since;
    uv_mutex_unlock(&outlet->lock);
    return blamed;
}

/* ---- reading -------------------------------------------------------------------------------------- */

size_t outlet_max_bytes(struct outlet *outlet)
{
    uv_mutex_lock(&outlet->lock);
    size_t bytes = outlet->max_bytes;
    uv_mutex_unlock(&outlet->lock);
    return bytes;
}

unsigned outlet_gather_ms(struct outlet *outlet)
{
    uv_mutex_lock(&outlet->lock);
    uint64_t part = outlet->latency_us / 1000 / GATHER_FRACTION + 1;
    unsigned flush_ms = outlet->limits.flush_ms;
    uv_mutex_unlock(&outlet->lock);
    return part < flush_ms ? (unsigned)part : flush_ms;
}

static enum outlet_state state_of(const struct outlet *outlet, uint64_t quiet_ms)
{
    if (outlet->failures > 0)
        return is_down(outlet) ? OUTLET_DOWN : OUTLET_FAILS;
    if (outlet->untaken > 0)
        return OUTLET_FAILS;
    if (outlet->in_flight == 0)
        return OUTLET_IDLE;
    return quiet_ms > OUTLET_MOMENT_MS ? OUTLET_WAITS : OUTLET_ANSWERS;
}

struct outlet_look outlet_look(struct outlet *outlet, uint64_t now_us)
{
    static const char *const CAUSES[] = {
        [SEND_ANSWERED] = NULL,
        [SEND_UNREACHABLE] = "it cannot be reached",
        [SEND_OVERLOADED] = "it asks for less",
        [SEND_TOO_LARGE] = NULL,
        [SEND_REJECTED] = "it rejects requests as a whole",
        [SEND_FORBIDDEN] = "it forbids requests",
        [SEND_STOPPED] = NULL,
    };
    struct outlet_look look = {.for_ms = 0};
    uint64_t now_ms = now_us / 1000;
    uv_mutex_lock(&outlet->lock);
    uint64_t quiet_ms = now_ms > outlet->moved_ms ? now_ms - outlet->moved_ms : 0;
    look.state = state_of(outlet, quiet_ms);
    look.failures = outlet->failures + outlet->untaken;
    if (look.failures > 0)
        quiet_ms = now_ms > outlet->failing_since_ms ? now_ms - outlet->failing_since_ms : 0;
    if (look.state >= OUTLET_WAITS)
        look.for_ms = quiet_ms;
    if (outlet->untaken > 0)
        look.cause = "it takes nothing of what it is sent";
    if (outlet->failures > 0) {
        look.cause = CAUSES[outlet->cause];
        memcpy(look.reason, outlet->reason, sizeof look.reason);
    }
    uv_mutex_unlock(&outlet->lock);
    return look;
}

void outlet_usage(struct outlet *outlet, unsigned *in_flight_out, unsigned *allowed_out)
{
    uv_mutex_lock(&outlet->lock);
    *in_flight_out = outlet->in_flight;
    *allowed_out = allowed(outlet);
    uv_mutex_unlock(&outlet->lock);
}
