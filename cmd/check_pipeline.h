/* SPDX-License-Identifier: Apache-2.0
 *
 * `millrace test`: tests of pipelines in YAML files beside them. The parts:
 * reading a file (check_pipeline_read.c), running its cases and comparing
 * (check_pipeline_run.c, check_pipeline_compare.c), saying how it went
 * (check_pipeline_report.c), and writing a case from what a pipeline does today
 * (check_pipeline_record.c). docs/pipeline-tests.md says what the files are.
 */
#ifndef MILLRACE_CMD_CHECK_PIPELINE_H
#define MILLRACE_CMD_CHECK_PIPELINE_H

#include "cmd/event_diff.h"
#include "cmd/terminal.h"
#include "cmd/trial.h"
#include "conf/yaml_tree.h"
#include "pipeline/event/event_json.h"

/* ---- what a file says ---- */

struct check_input {
    struct str line; /* ptr NULL: an event */
    struct value fields;
    struct error_position position;
};

struct check_pattern {
    struct str path;
    struct regex *regex;
    struct str text;
};

/* What one of the events that come out has to be; what is not said is not
 * looked at. */
struct check_event {
    struct error_position position;
    struct value fields; /* OBJECT: paths and what is there */
    struct value whole;  /* OBJECT, or null: all fields but those of `ignore` */
    struct check_pattern *patterns;
    size_t pattern_count;
    struct value absent, present; /* ARRAY of paths */
    struct value tags, routes;    /* ARRAY, or null */
};

struct check_case {
    struct str name;
    struct error_position position;
    struct check_input *inputs;
    size_t input_count;
    struct str input_name; /* which input gets them; empty: the only one */
    bool has_count, has_dropped;
    int64_t count, dropped;
    struct check_event *events;
    size_t event_count;
    bool has_events;     /* these and no others */
    struct value ignore; /* ARRAY of paths, of `event` */
};

struct check_file {
    struct arena *arena;
    const char *path;
    struct str pipeline; /* a path, a folder or a pattern, beside the file; ptr
                          NULL: by -f */
    struct instant now;
    bool online;
    struct yaml_tree env; /* MAP of texts; count 0: none */
    struct check_case *cases;
    size_t case_count;
};

/* False: *err says where. Frees nothing but by check_file_release; all else is
 * the arena's. */
bool check_file_read(struct arena *arena, const char *path, struct check_file *out,
                     struct error *err);
void check_file_release(struct check_file *file);
/* When a file says nothing: 2000-01-01T00:00:00Z. */
struct instant check_default_now(void);

/* ---- what a pipeline makes of events ---- */

struct check_route {
    struct str id, name;  /* of the output */
    struct str label;     /* the id that it was given, else its name */
    struct str refused;   /* why it can never send the event; ptr NULL: it sends it */
    struct value request; /* as describe_item says (pipeline/plugin.h) */
    struct str bytes;
};

struct check_made {
    const struct event *seen; /* while it is under way */
    struct event_fields fields;
    struct check_route *routes;
    size_t route_count, route_capacity;
};

/* An observer that keeps the events which come out of the filters, and where
 * they go. */
struct check_world {
    struct observer observer; /* first */
    struct arena arena;
    struct check_made *made;
    size_t count, capacity;
    size_t dropped;            /* events that ended within the filters and live on in no
                     other */
    const struct event **gone; /* under way, and counted as dropped */
    size_t gone_count, gone_capacity;
};

void check_world_init(struct check_world *world);
void check_world_release(struct check_world *world);
void check_world_forget(struct check_world *world);
/* Runs it from trial_begin to trial_end with the inputs of a case. False: *err
 * says what could not be given; or err is empty and it was printed. */
bool check_world_run(struct check_world *world, struct trial *trial, const struct check_case *what,
                     bool online, struct error *err);
/* Of a trial_run: the same numbers each time, from check_random_begin on. */
uint64_t check_random(void *ctx);
void check_random_begin(void);

/* ---- comparing ---- */

/* Appends, in lines that end, how what came differs from what was expected;
 * nothing: it does not. */
void check_compare(const struct check_case *expected, const struct check_world *world,
                   const struct terminal *terminal, struct buf *out);

/* ---- reporting ---- */

struct check_result {
    struct check_result *next;
    struct str file, name, difference; /* difference empty: passed */
    struct error_position position;
    uint64_t took_ns;
    bool broken; /* it could not be run: difference says why */
};
struct check_results {
    struct arena arena;
    struct check_result *first, *last;
    size_t passed, failed;
    uint64_t took_ns;
};

/* The lines of one case. */
void check_report_case(const struct check_result *result, const struct terminal *terminal,
                       bool only_failures);
void check_report_end(const struct check_results *results, const struct terminal *terminal);
/* False with *err when the file cannot be written. */
bool check_report_junit(const struct check_results *results, const char *path, struct error *err);

/* ---- recording ---- */

/* A line, or a JSON object for an event; texts are borrowed or in the arena. */
void check_case_of(struct arena *arena, struct json_reader *reader, struct str text,
                   struct check_case *out);
/* Appends a case for each text to the file, which is made with its head when it
 * is not there. False: printed. */
bool check_record(struct trial *trial, const char *pipeline, const char *path,
                  const struct check_case *cases, size_t count, struct instant now);

#endif
