/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/api_error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text/utf8.h"
#include "pipeline/event/event_json.h"

bool api_error_set(struct api_error *err, int status, const char *type, const char *format, ...)
{
    assert(status >= 400 && status < 600 && type);
    err->status = status;
    err->of_search = false;
    err->type = type;
    err->cause_type = NULL;
    err->cause[0] = err->index[0] = 0;
    va_list args;
    va_start(args, format);
    vsnprintf(err->reason, sizeof err->reason, format, args);
    va_end(args);
    return false;
}

bool api_error_cause(struct api_error *err, const char *type, const char *format, ...)
{
    assert(err->type && type);
    err->cause_type = type;
    va_list args;
    va_start(args, format);
    vsnprintf(err->cause, sizeof err->cause, format, args);
    va_end(args);
    return false;
}

/* The text may have been cut inside a character. */
static bool write_text(const char *text, struct buf *out)
{
    struct str whole = str_from(text);
    return json_encode_str(str_make(whole.ptr, utf8_valid_prefix(whole)), out);
}

static bool write_pair(const char *type, const char *reason, struct buf *out)
{
    return buf_append_str(out, STR("\"type\":")) && write_text(type, out) &&
           buf_append_str(out, STR(",\"reason\":")) && write_text(reason, out);
}

static bool write_cause(const struct api_error *err, struct buf *out)
{
    if (!err->cause_type)
        return true;
    return buf_append_str(out, STR(",\"caused_by\":{")) &&
           write_pair(err->cause_type, err->cause, out) && buf_append_char(out, '}');
}

bool api_error_write_item(const struct api_error *err, struct buf *out)
{
    return buf_append_char(out, '{') && write_pair(err->type, err->reason, out) &&
           write_cause(err, out) && buf_append_char(out, '}');
}

static bool write_root(const struct api_error *err, struct buf *out)
{
    bool done = buf_append_str(out, STR("{\"error\":{\"root_cause\":[{")) &&
                write_pair(err->type, err->reason, out);
    if (done && err->index[0])
        done = buf_append_str(out, STR(",\"index\":")) && write_text(err->index, out);
    return done && buf_append_str(out, STR("}],"));
}

/* A search that failed on an index: what happened is the reason of its one shard. */
static bool write_failed_shard(const struct api_error *err, struct buf *out)
{
    return write_pair("search_phase_execution_exception", "all shards failed", out) &&
           buf_append_str(out, STR(",\"phase\":\"query\",\"grouped\":true,\"failed_shards\":[{"
                                   "\"shard\":0,\"index\":")) &&
           write_text(err->index, out) &&
           buf_append_str(out, STR(",\"node\":\"millrace\",\"reason\":")) &&
           api_error_write_item(err, out) && buf_append_str(out, STR("}]"));
}

bool api_error_write(const struct api_error *err, struct buf *out)
{
    bool done = write_root(err, out);
    if (err->of_search)
        done = done && write_failed_shard(err, out);
    else
        done = done && write_pair(err->type, err->reason, out) && write_cause(err, out);
    return done && buf_printf(out, "},\"status\":%d}", err->status);
}
