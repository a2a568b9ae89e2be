/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "io/rabbitmq_private.h"

/* ---- setting up ----------------------------------------------------------------------------------- */

static amqp_bytes_t text(const char *text_or_null)
{
    return rabbit_bytes(str_from(text_or_null ? text_or_null : ""));
}

static void send_qos(struct rabbit *rabbit)
{
    amqp_basic_qos_t qos = {.prefetch_count = rabbit->options.setup->prefetch};
    rabbit_send_method(rabbit, RABBIT_CHANNEL, AMQP_BASIC_QOS_METHOD, &qos);
}

static void send_queue(struct rabbit *rabbit)
{
    const struct rabbit_setup *setup = rabbit->options.setup;
    amqp_table_entry_t entries[RABBIT_TABLE_MAX];
    amqp_queue_declare_t declare = {
        .queue = text(setup->queue),
        .passive = setup->queue_passive,
        .durable = setup->queue_durable,
        .exclusive = setup->queue_exclusive,
        .auto_delete = setup->queue_auto_delete,
        .arguments = rabbit_table(setup->arguments, setup->argument_count, entries),
    };
    rabbit_send_method(rabbit, RABBIT_CHANNEL, AMQP_QUEUE_DECLARE_METHOD, &declare);
}

static void send_exchange(struct rabbit *rabbit)
{
    const struct rabbit_setup *setup = rabbit->options.setup;
    amqp_exchange_declare_t declare = {
        .exchange = text(setup->exchange),
        .type = text(setup->exchange_type),
        .passive = setup->exchange_passive,
        .durable = setup->exchange_durable,
    };
    rabbit_send_method(rabbit, RABBIT_CHANNEL, AMQP_EXCHANGE_DECLARE_METHOD, &declare);
}

static void send_bind(struct rabbit *rabbit)
{
    amqp_queue_bind_t bind = {
        .queue = text(rabbit->queue),
        .exchange = text(rabbit->options.setup->exchange),
        .routing_key = text(rabbit->options.setup->binding),
    };
    rabbit_send_method(rabbit, RABBIT_CHANNEL, AMQP_QUEUE_BIND_METHOD, &bind);
}

static void send_consume(struct rabbit *rabbit)
{
    amqp_basic_consume_t consume = {
        .queue = text(rabbit->queue),
        .no_ack = !rabbit->options.setup->acknowledges,
    };
    rabbit_send_method(rabbit, RABBIT_CHANNEL, AMQP_BASIC_CONSUME_METHOD, &consume);
}

static void send_confirm(struct rabbit *rabbit)
{
    amqp_confirm_select_t confirm = {0};
    rabbit_send_method(rabbit, RABBIT_CHANNEL, AMQP_CONFIRM_SELECT_METHOD, &confirm);
}

static bool needs_qos(const struct rabbit_setup *setup)
{
    return setup->consume && setup->acknowledges && setup->prefetch > 0;
}
static bool needs_queue(const struct rabbit_setup *setup)
{
    return setup->queue != NULL;
}
static bool needs_exchange(const struct rabbit_setup *setup)
{
    return setup->exchange && setup->exchange_type;
}
static bool needs_bind(const struct rabbit_setup *setup)
{
    return setup->exchange && setup->binding;
}
static bool needs_consume(const struct rabbit_setup *setup)
{
    return setup->consume;
}
static bool needs_confirm(const struct rabbit_setup *setup)
{
    return setup->confirm;
}

static const struct {
    bool (*needed)(const struct rabbit_setup *setup);
    void (*send)(struct rabbit *rabbit);
    amqp_method_number_t answer;
} STEPS[STEP_DONE] = {
    [STEP_QOS] = {needs_qos, send_qos, AMQP_BASIC_QOS_OK_METHOD},
    [STEP_QUEUE] = {needs_queue, send_queue, AMQP_QUEUE_DECLARE_OK_METHOD},
    [STEP_EXCHANGE] = {needs_exchange, send_exchange, AMQP_EXCHANGE_DECLARE_OK_METHOD},
    [STEP_BIND] = {needs_bind, send_bind, AMQP_QUEUE_BIND_OK_METHOD},
    [STEP_CONSUME] = {needs_consume, send_consume, AMQP_BASIC_CONSUME_OK_METHOD},
    [STEP_CONFIRM] = {needs_confirm, send_confirm, AMQP_CONFIRM_SELECT_OK_METHOD},
};

/* The next step that the setup has; behind the last it is ready. */
static void set_up_from(struct rabbit *rabbit, enum setup_step step)
{
    while (step < STEP_DONE && !STEPS[step].needed(rabbit->options.setup))
        step++;
    rabbit->step = step;
    if (step < STEP_DONE) {
        STEPS[step].send(rabbit);
        return;
    }
    rabbit->state = RABBIT_READY;
    client_stream_wait_over(rabbit->stream);
    rabbit->options.ready(rabbit->options.ctx);
}

/* ---- greeting ------------------------------------------------------------------------------------- */

static void answer_start(struct rabbit *rabbit)
{
    static const struct rabbit_pair ABLE[] = {
        {STR_INIT("publisher_confirms"), {.kind = RABBIT_BOOL, .boolean = true}},
        {STR_INIT("consumer_cancel_notify"), {.kind = RABBIT_BOOL, .boolean = true}},
        {STR_INIT("connection.blocked"), {.kind = RABBIT_BOOL, .boolean = true}},
        {STR_INIT("authentication_failure_close"), {.kind = RABBIT_BOOL, .boolean = true}},
    };
    amqp_table_entry_t able[RABBIT_TABLE_MAX], properties[2];
    char plain[PLAIN_MAX];
    int len = snprintf(plain, sizeof plain, "%c%s%c%s", '\0', rabbit->options.user, '\0',
                       rabbit->options.password);
    if (len < 0 || (size_t)len >= sizeof plain) {
        rabbit_lose(rabbit, "user and password are longer than 500 bytes");
        return;
    }
    properties[0] = (amqp_table_entry_t){
        .key = text("product"),
        .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = text("millrace")}};
    properties[1] = (amqp_table_entry_t){
        .key = text("capabilities"),
        .value = {.kind = AMQP_FIELD_KIND_TABLE,
                  .value.table = rabbit_table(ABLE, sizeof ABLE / sizeof *ABLE, able)}};
    amqp_connection_start_ok_t start = {
        .client_properties = {.num_entries = 2, .entries = properties},
        .mechanism = text("PLAIN"),
        .response = rabbit_bytes(str_make(plain, (size_t)len)),
        .locale = text("en_US"),
    };
    rabbit_send_method(rabbit, 0, AMQP_CONNECTION_START_OK_METHOD, &start);
}

static void answer_tune(struct rabbit *rabbit, const amqp_connection_tune_t *tune)
{
    rabbit->frame_max = RABBIT_FRAME_MAX;
    if (tune->frame_max >= FRAME_MIN && tune->frame_max < RABBIT_FRAME_MAX)
        rabbit->frame_max = tune->frame_max;
    amqp_connection_tune_ok_t answer = {
        .channel_max = tune->channel_max,
        .frame_max = (uint32_t)rabbit->frame_max,
        .heartbeat = (uint16_t)rabbit->options.heartbeat_s,
    };
    amqp_connection_open_t open = {.virtual_host = text(rabbit->options.vhost)};
    (void)amqp_tune_connection(rabbit->decoder, 0, RABBIT_FRAME_MAX, 0);
    rabbit_send_method(rabbit, 0, AMQP_CONNECTION_TUNE_OK_METHOD, &answer);
    rabbit_send_method(rabbit, 0, AMQP_CONNECTION_OPEN_METHOD, &open);
    if (rabbit->options.heartbeat_s > 0)
        loop_timer_start(rabbit->heartbeat, rabbit->options.heartbeat_s * 500u);
}

static void open_channel(struct rabbit *rabbit)
{
    amqp_channel_open_t open = {.out_of_band = amqp_empty_bytes};
    rabbit_send_method(rabbit, RABBIT_CHANNEL, AMQP_CHANNEL_OPEN_METHOD, &open);
}

static void keep_queue_name(struct rabbit *rabbit, const amqp_queue_declare_ok_t *declared)
{
    snprintf(rabbit->queue, sizeof rabbit->queue, "%.*s", (int)declared->queue.len,
             (const char *)declared->queue.bytes);
}

void rabbit_on_step(struct rabbit *rabbit, const amqp_method_t *method)
{
    if (rabbit->state != RABBIT_SETTING_UP || rabbit->step >= STEP_DONE ||
        method->id != STEPS[rabbit->step].answer)
        return; /* nothing that concerns us */
    if (method->id == AMQP_QUEUE_DECLARE_OK_METHOD)
        keep_queue_name(rabbit, method->decoded);
    set_up_from(rabbit, rabbit->step + 1);
}

void rabbit_on_greeting(struct rabbit *rabbit, const amqp_method_t *method)
{
    switch (method->id) {
    case AMQP_CONNECTION_START_METHOD:
        answer_start(rabbit);
        break;
    case AMQP_CONNECTION_TUNE_METHOD:
        answer_tune(rabbit, method->decoded);
        break;
    case AMQP_CONNECTION_OPEN_OK_METHOD:
        open_channel(rabbit);
        break;
    case AMQP_CHANNEL_OPEN_OK_METHOD:
        rabbit->state = RABBIT_SETTING_UP;
        set_up_from(rabbit, STEP_QOS);
        break;
    default:
        rabbit_lose(rabbit, "the broker greets in an unknown way");
    }
}
