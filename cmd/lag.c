/* SPDX-License-Identifier: Apache-2.0
 *
 * millrace lag: how far behind the consumer groups of a pipeline's Kafka inputs are. What the brokers have is asked of them;
 * what is under way, of running processes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/mem.h"
#include "base/time/clock.h"
#include "cmd/commands.h"
#include "cmd/keystore.h"
#include "cmd/run_pipeline.h"
#include "inputs/inputs.h"
#include "inputs/kafka/kafka.h"
#include "io/http_client.h"
#include "io/kafka_survey.h"
#include "pipeline/event/event_json.h"

enum {
    APIS_MAX = 64,
    API_CONNECT_MS = 5000,
    API_TIMEOUT_MS = 10 * 1000,
    API_ANSWER_MAX_BYTES = 64 * 1024 * 1024,
    AGE_BYTES = 32,
    LAG_MEMORY_BYTES = 64 * 1024 * 1024, /* how much is fetched at once follows from it */
    TOPIC_WIDTH = 24,
    MS_PER_S = 1000,
};

enum { FLAG_FILE, FLAG_TEXT, FLAG_API, FLAG_HELP };

const struct flag lag_flags[] = {
    {"path.config", 'f', true, FLAG_FILE},
    {"config.string", 'e', true, FLAG_TEXT},
    {"api", 0, true, FLAG_API},
    {"help", 'h', false, FLAG_HELP},
    {NULL, 0, false, 0},
};

static const char USAGE[] =
    "usage: millrace lag -f PATH | -e TEXT [--api HOST:PORT]...\n"
    "\n"
    "For each Kafka input of the pipeline and each partition of its topics: where it\n"
    "ends, up to where the group has committed, how many records lie between, and how\n"
    "old the first of them is. With the address of the monitoring API of each copy\n"
    "also how many events are under way in them.\n";

struct lag {
    struct arena arena;
    char *path, *text;
    const char *apis[APIS_MAX];
    size_t api_count;
    struct value answers[APIS_MAX]; /* /_node/stats/pipelines of each */
    struct json_reader *json;
};

/* ---- processes ------------------------------------------------------------------------------------ */

struct asked {
    struct lag *lag;
    struct value *answer;
    bool ok;
    struct error err;
};

static void on_answer(void *ctx, const struct http_result *result)
{
    struct asked *asked = ctx;
    struct arena *arena = &asked->lag->arena;
    if (result->outcome != HTTP_ANSWERED)
        error_set(&asked->err, ERROR_IO, "%s", result->error);
    else if (result->status != 200)
        error_set(&asked->err, ERROR_IO, "it answered %d", result->status);
    else
        asked->ok = json_decode(asked->lag->json, arena, arena_dup(arena, result->body),
                                asked->answer, &asked->err);
}

static bool ask_api(struct lag *lag, size_t index)
{
    uv_loop_t loop;
    struct asked asked = {.lag = lag, .answer = &lag->answers[index]};
    struct http_client_options options = {
        .loop = &loop,
        .max_connections = 1,
        .max_host_connections = 1,
        .connect_timeout_ms = API_CONNECT_MS,
        .timeout_ms = API_TIMEOUT_MS,
        .max_response_bytes = API_ANSWER_MAX_BYTES,
        .user_agent = "millrace-lag/" MILLRACE_VERSION,
    };
    uv_loop_init(&loop);
    struct http_client *client = http_client_new(&options);
    struct http_request request = {
        .method = HTTP_GET,
        .url = arena_printf(&lag->arena, "http://%s/_node/stats/pipelines", lag->apis[index]),
        .done = on_answer,
        .ctx = &asked,
    };
    http_client_send(client, &request);
    while (!asked.ok && !asked.err.code)
        uv_run(&loop, UV_RUN_ONCE);
    http_client_close(client);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    if (!asked.ok)
        fprintf(stderr, "millrace lag: http://%s: %s\n", lag->apis[index], asked.err.text);
    return asked.ok;
}

static const struct value *member(const struct value *object, const char *name)
{
    return object && object->type == VALUE_OBJECT ? value_object_get(object, str_from(name)) : NULL;
}

static int64_t number(const struct value *object, const char *name)
{
    const struct value *found = member(object, name);
    return found && found->type == VALUE_INT ? value_as_int(found) : -1;
}

static bool is_place(const struct value *item, const struct kafka_place *place)
{
    const struct value *topic = member(item, "topic");
    return value_is_str(topic) && str_equal(value_as_str(topic), str_from(place->topic)) &&
           number(item, "partition") == place->partition;
}

static int64_t in_flight_of_input(const struct value *input, const struct kafka_place *place)
{
    const struct value *list = member(input, "partitions");
    int64_t sum = 0;
    for (size_t i = 0; list && list->type == VALUE_ARRAY && i < value_array_count(list); i++)
        if (is_place(value_array_at(list, i), place))
            sum += number(value_array_at(list, i), "in_flight");
    return sum;
}

static int64_t in_flight_of_process(const struct value *answer, const struct kafka_place *place)
{
    const struct value *pipelines = member(answer, "pipelines");
    int64_t sum = 0;
    if (!pipelines || pipelines->type != VALUE_OBJECT)
        return 0;
    for (size_t i = 0; i < value_object_count(pipelines); i++) {
        struct str id;
        const struct value *plugins = member(value_object_at(pipelines, i, &id), "plugins");
        const struct value *inputs = member(plugins, "inputs");
        for (size_t j = 0; inputs && inputs->type == VALUE_ARRAY && j < value_array_count(inputs);
             j++)
            sum += in_flight_of_input(value_array_at(inputs, j), place);
    }
    return sum;
}

/* ---- the table ------------------------------------------------------------------------------------ */

static const char *age_text(const struct kafka_place *place, char out[AGE_BYTES])
{
    int64_t age_s = clock_now().seconds - place->oldest_timestamp_ms / MS_PER_S;
    if (place->oldest_timestamp_ms < 0)
        return "-";
    snprintf(out, AGE_BYTES, "%" PRId64 " s", age_s < 0 ? 0 : age_s);
    return out;
}

static void print_place(const struct lag *lag, const struct kafka_place *place)
{
    char age[AGE_BYTES], watermark[AGE_BYTES] = "-", in_flight[AGE_BYTES] = "-";
    int64_t from = place->committed > place->low ? place->committed : place->low;
    int64_t sum = 0;
    for (size_t i = 0; i < lag->api_count; i++)
        sum += in_flight_of_process(&lag->answers[i], place);
    if (lag->api_count > 0)
        snprintf(in_flight, sizeof in_flight, "%" PRId64, sum);
    if (place->committed != KAFKA_NO_OFFSET)
        snprintf(watermark, sizeof watermark, "%" PRId64, place->committed);
    printf("%-*s %9" PRId32 " %12" PRId64 " %12s %12" PRId64 " %10s %10s\n", TOPIC_WIDTH,
           place->topic, place->partition, place->end, watermark,
           place->end > from ? place->end - from : 0, in_flight, age_text(place, age));
}

static void print_places(const struct lag *lag, const struct kafka_input_options *options,
                         const struct kafka_places *places)
{
    printf("group %.*s at %.*s\n", STR_FMT(options->group_id),
           STR_FMT(options->client.bootstrap_servers));
    printf("%-*s %9s %12s %12s %12s %10s %10s\n", TOPIC_WIDTH, "topic", "partition", "end",
           "watermark", "lag", "in flight", "oldest");
    for (size_t i = 0; i < places->count; i++)
        print_place(lag, &places->items[i]);
}

static bool show_input(struct lag *lag, const struct kafka_input_options *options)
{
    struct error err = {0};
    struct kafka_places places = {0};
    struct kafka_conf *conf = kafka_input_conf(options, LAG_MEMORY_BYTES, &lag->arena, &err);
    struct kafka_survey *survey = conf ? kafka_survey_open(conf, &err) : NULL;
    bool ok =
        survey &&
        kafka_survey_topics(survey, kafka_input_topics(options, &lag->arena), &places, &err) &&
        kafka_survey_offsets(survey, &places, &err);
    if (ok) {
        kafka_survey_ages(survey, &places);
        print_places(lag, options, &places);
    } else {
        fprintf(stderr, "millrace lag: %.*s: %s\n", STR_FMT(options->client.bootstrap_servers),
                err.text);
    }
    kafka_places_release(&places);
    kafka_survey_close(survey);
    return ok;
}

/* ---- the pipeline --------------------------------------------------------------------------------- */

static bool show_plan(struct lag *lag, const struct plan *plan)
{
    bool ok = true, any = false;
    for (size_t i = 0; i < plan->plugin_count; i++) {
        const struct plan_plugin *plugin = plan->plugins[i];
        if (plugin->section != CONF_INPUT || plugin->as.input != &input_kafka)
            continue;
        any = true;
        ok = show_input(lag, plugin->options) && ok;
    }
    if (!any)
        fputs("millrace lag: the pipeline has no input 'kafka'\n", stderr);
    return ok && any;
}

static bool load(struct lag *lag, struct settings *settings)
{
    struct error_list errors;
    static char name[] = "lag", path_flag[] = "-f", text_flag[] = "-e";
    char *words[] = {name, lag->path ? path_flag : text_flag, lag->path ? lag->path : lag->text,
                     NULL};
    error_list_init(&errors);
    bool ok = keystore_settings(settings, &lag->arena, 3, words, &errors) == SETTINGS_OK;
    conf_print_errors(stderr, NULL, &errors);
    error_list_release(&errors);
    return ok;
}

static bool show(struct lag *lag)
{
    struct settings settings;
    struct log log;
    struct budget budget;
    struct data_path data;
    if (!load(lag, &settings))
        return false;
    log_init(&log, LOG_LEVEL_WARN, LOG_FORMAT_PLAIN, STDERR_FILENO);
    data_path_init(&data, settings.path_data.ptr);
    budget_init(&budget, LAG_MEMORY_BYTES);
    struct run_shared shared = {.log = &log, .data = &data, .budget = &budget};
    struct run_pipeline *pipeline = run_pipeline_new(&settings, NULL);
    bool ok =
        run_pipeline_compile(pipeline, &shared, false, stderr) && show_plan(lag, pipeline->plan);
    run_pipeline_free(pipeline);
    data_path_release(&data);
    budget_release(&budget);
    return ok;
}

static char *own(struct lag *lag, const char *text)
{
    size_t bytes = strlen(text) + 1;
    return memcpy(arena_bytes(&lag->arena, bytes), text, bytes);
}

/* False: *status_out says how the command ends. */
static bool read_flags(struct lag *lag, int argc, char **argv, int *status_out)
{
    struct flags flags = {argc, argv, lag_flags, .at = 1};
    bool good = true, help = false;
    for (int id; good && !help && (id = flags_next(&flags)) != FLAGS_END;) {
        help = id == FLAG_HELP;
        good = id != FLAGS_BAD && (id != FLAGS_OPERAND || flags_unexpected(&flags)) &&
               (id != FLAG_API || lag->api_count < APIS_MAX);
        if (id == FLAG_FILE)
            lag->path = own(lag, flags.value);
        if (id == FLAG_TEXT)
            lag->text = own(lag, flags.value);
        if (good && id == FLAG_API)
            lag->apis[lag->api_count++] = flags.value;
    }
    if (good && !help && !lag->path == !lag->text) {
        flags_missing(&flags, "-f PATH or -e TEXT");
        good = false;
    }
    if (good && !help)
        return true;
    *status_out = flags_end(&flags, help, USAGE);
    return false;
}

int cmd_lag(int argc, char **argv)
{
    struct lag *lag = mem_zero(1, sizeof *lag);
    int status = EXIT_ERROR;
    arena_init(&lag->arena, NULL);
    lag->json = json_reader_new();
    if (read_flags(lag, argc, argv, &status)) {
        bool ok = true;
        for (size_t i = 0; ok && i < lag->api_count; i++)
            ok = ask_api(lag, i);
        status = ok && show(lag) ? EXIT_DONE : EXIT_ERROR;
    }
    json_reader_free(lag->json);
    arena_release(&lag->arena);
    mem_free(lag);
    return status;
}
