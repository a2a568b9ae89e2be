/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding zones. The names in tzdata are listed once; a name that is not in that list never reaches the file system,
 * so names may come from events. Zones are loaded when they are first asked for and stay. Fixed offsets are cached
 * too: there are at most as many as there are seconds in two days.
 */
#include "base/time/zone.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text/ascii.h"
#include "base/time/zone_data.h"

#define ZONE_DIRECTORY "/usr/share/zoneinfo"

enum {
    PATH_BYTES_MAX = 256,
    NAME_BYTES_MAX = 64,
    DIRECTORY_DEPTH_MAX = 3,
    NAMES_MAX = 4096,
    FIXED_ID_BYTES = 16,
    READ_STEP_BYTES = 4096,
    SECONDS_PER_DAY = 86400,
};

/* A name in tzdata. */
struct region {
    const char *file_name; /* what it is called now */
    struct zone *zone;     /* NULL until it is asked for */
};

static pthread_mutex_t mutex =
    PTHREAD_MUTEX_INITIALIZER; /* all below; zones themselves never change */
static bool listed;
static struct map regions; /* of struct region */
static struct map fixed;   /* of struct zone, by "+HH:MM:SS" */
static struct zone *utc;
static const struct zone *host; /* read without the mutex once it is set */

bool zone_id_byte(char c)
{
    return ascii_is_letter(c) || ascii_is_digit(c) || c == '/' || c == '_' || c == '-' || c == '+';
}

static void add_region(const char *name, const char *file_name)
{
    if (regions.count >= NAMES_MAX || map_has(&regions, str_from(name)))
        return;
    struct region *region = mem_zero(1, sizeof *region);
    region->file_name = mem_strdup(file_name);
    map_set(&regions, str_from(name), region);
}

static bool is_zone_name(const char *name)
{
    for (const char *at = name; *at; at++) {
        if (!zone_id_byte(*at))
            return false;
    }
    /* Names of zones start with a capital; "posix" and "right" hold copies. */
    return name[0] >= 'A' && name[0] <= 'Z' && strlen(name) <= NAME_BYTES_MAX;
}

static void list_directory(const char *relative, int depth)
{
    char path[PATH_BYTES_MAX];
    snprintf(path, sizeof path, "%s/%s", ZONE_DIRECTORY, relative);
    DIR *directory = opendir(path);
    if (!directory)
        return;
    const struct dirent *entry;
    while ((entry = readdir(directory))) {
        char name[PATH_BYTES_MAX];
        struct stat status;
        snprintf(name, sizeof name, "%s%s%s", relative, *relative ? "/" : "", entry->d_name);
        if (!is_zone_name(name) || fstatat(dirfd(directory), entry->d_name, &status, 0) != 0)
            continue;
        if (S_ISREG(status.st_mode))
            add_region(name, name);
        else if (S_ISDIR(status.st_mode) && depth < DIRECTORY_DEPTH_MAX)
            list_directory(name, depth + 1);
    }
    closedir(directory);
}

static void list_regions(void)
{
    if (listed)
        return;
    listed = true;
    list_directory("", 0);
    const char *name = NULL, *old_name;
    for (size_t i = 0; (old_name = zone_legacy_name(i, &name)); i++)
        add_region(old_name, name);
}

static bool read_all(int fd, struct buf *bytes)
{
    for (;;) {
        if (!buf_reserve(bytes, READ_STEP_BYTES))
            return false;
        ssize_t got = read(fd, bytes->ptr + bytes->len, READ_STEP_BYTES);
        if (got <= 0)
            return got == 0;
        bytes->len += (size_t)got;
    }
}

static struct zone *load_file(const char *path, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        error_set(err, ERROR_IO, "cannot open '%s': %s", path, strerror(errno));
        return NULL;
    }
    struct buf bytes;
    buf_init(&bytes, ZONE_FILE_BYTES_MAX + READ_STEP_BYTES);
    struct zone *zone = NULL;
    if (read_all(fd, &bytes))
        zone = zone_parse_file(buf_str(&bytes), err);
    else
        error_set(err, ERROR_IO, "cannot read '%s'", path);
    buf_release(&bytes);
    close(fd);
    return zone;
}

static struct zone *utc_locked(void)
{
    if (!utc)
        utc = zone_new_fixed(0);
    return utc;
}

static struct zone *region_locked(struct str name, struct error *err)
{
    list_regions();
    struct region *region = map_get(&regions, name);
    if (!region) {
        error_set(err, ERROR_NOT_FOUND, "'%.*s' is not a time zone that " ZONE_DIRECTORY " knows",
                  STR_FMT(name));
        return NULL;
    }
    if (!region->zone && strcmp(region->file_name, "UTC") == 0)
        region->zone = utc_locked();
    if (!region->zone) {
        char path[PATH_BYTES_MAX];
        snprintf(path, sizeof path, "%s/%s", ZONE_DIRECTORY, region->file_name);
        region->zone = load_file(path, err);
    }
    return region->zone;
}

/* Two digits; false when they are not there or too large. */
static bool take_two(struct str *text, int max, int *out)
{
    if (text->len < 2)
        return false;
    int tens = text->ptr[0] - '0', ones = text->ptr[1] - '0';
    if (tens < 0 || tens > 9 || ones < 0 || ones > 9 || tens * 10 + ones > max)
        return false;
    *out = tens * 10 + ones;
    *text = str_from_offset(*text, 2);
    return true;
}

/* +HH, +HH:MM, +HH:MM:SS, and the same without colons. */
static bool parse_offset(struct str text, int32_t *out)
{
    bool west = text.ptr[0] == '-';
    int parts[3] = {0};
    static const int MAX[] = {23, 59, 59};
    text = str_from_offset(text, 1);
    bool separated = text.len > 2 && text.ptr[2] == ':';
    for (int i = 0; i < 3 && (i == 0 || text.len > 0); i++) {
        if (i > 0 && separated) {
            if (text.ptr[0] != ':')
                return false;
            text = str_from_offset(text, 1);
        }
        if (!take_two(&text, MAX[i], &parts[i]))
            return false;
    }
    int32_t seconds = (parts[0] * 60 + parts[1]) * 60 + parts[2];
    *out = west ? -seconds : seconds;
    return text.len == 0;
}

static struct zone *fixed_locked(struct str id, struct error *err)
{
    int32_t offset;
    if (!parse_offset(id, &offset)) {
        error_set(err, ERROR_NOT_FOUND, "'%.*s' is not an offset like '+05:30'", STR_FMT(id));
        return NULL;
    }
    if (offset == 0)
        return utc_locked();
    char key[FIXED_ID_BYTES];
    int len = snprintf(key, sizeof key, "%d", (int)offset);
    struct str name = str_make(key, (size_t)len);
    struct zone *zone = map_get(&fixed, name);
    if (!zone) {
        zone = zone_new_fixed(offset);
        map_set(&fixed, name, zone);
    }
    return zone;
}

/* What is left of an id that is an offset with or without UTC, GMT or UT before it. */
static struct str offset_part(struct str id)
{
    static const struct str PREFIXES[] = {STR_INIT("UTC"), STR_INIT("GMT"), STR_INIT("UT")};
    for (size_t i = 0; i < sizeof PREFIXES / sizeof *PREFIXES; i++) {
        if (str_starts_with(id, PREFIXES[i])) {
            id = str_from_offset(id, PREFIXES[i].len);
            break;
        }
    }
    return id.len > 0 && (id.ptr[0] == '+' || id.ptr[0] == '-') ? id : str_make(id.ptr, 0);
}

static bool is_utc_id(struct str id)
{
    return str_equal(id, STR("UTC")) || str_equal(id, STR("UT")) || str_equal(id, STR("GMT")) ||
           str_equal(id, STR("Z"));
}

static const struct zone *find_locked(struct str id, struct error *err)
{
    if (is_utc_id(id))
        return utc_locked();
    list_regions();
    struct str offset = offset_part(id);
    if (offset.len > 0 && !map_has(&regions, id))
        return fixed_locked(offset, err);
    return region_locked(id, err);
}

const struct zone *zone_find(struct str id, struct error *err)
{
    pthread_mutex_lock(&mutex);
    const struct zone *zone = find_locked(id, err);
    pthread_mutex_unlock(&mutex);
    return zone;
}

const struct zone *zone_find_region(struct str name)
{
    pthread_mutex_lock(&mutex);
    const struct zone *zone = is_utc_id(name) ? utc_locked() : region_locked(name, NULL);
    pthread_mutex_unlock(&mutex);
    return zone;
}

/* What TZ says, as the C library reads it: a file, a name, or a rule. NULL when it says nothing usable. */
static const struct zone *zone_of_environment(const char *text)
{
    if (*text == ':')
        text++;
    if (*text == '/')
        return load_file(text, NULL);
    if (*text == 0)
        return utc_locked();
    const struct zone *named = find_locked(str_from(text), NULL);
    struct zone_rule rule;
    if (named || !zone_rule_parse(str_from(text), &rule))
        return named;
    struct zone *zone = zone_new_fixed(rule.standard_offset);
    zone->has_rule = true;
    zone->rule = rule;
    return zone;
}

static const struct zone *host_locked(void)
{
    const char *text = getenv("TZ");
    const struct zone *zone = text ? zone_of_environment(text) : load_file("/etc/localtime", NULL);
    return zone ? zone : utc_locked();
}

static void find_host(void)
{
    pthread_mutex_lock(&mutex);
    host = host_locked();
    pthread_mutex_unlock(&mutex);
}

const struct zone *zone_host(void)
{
    static pthread_once_t found = PTHREAD_ONCE_INIT;
    pthread_once(&found, find_host);
    return host;
}

int32_t zone_offset_at(const struct zone *zone, int64_t utc_seconds)
{
    size_t low = 0, high = zone->count; /* transitions before low are at or before the instant */
    if (zone->has_rule && (high == 0 || utc_seconds >= zone->transitions[high - 1]))
        return zone_rule_offset_at(&zone->rule, utc_seconds);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->transitions[middle] <= utc_seconds)
            low = middle + 1;
        else
            high = middle;
    }
    return zone->offsets[low];
}

bool zone_local_to_utc(const struct zone *zone, int64_t local_seconds, int64_t *utc_out)
{
    /* The offsets around the local time; no zone has ever changed twice in two days. */
    int32_t before = zone_offset_at(zone, local_seconds - SECONDS_PER_DAY);
    int32_t after = zone_offset_at(zone, local_seconds + SECONDS_PER_DAY);
    assert(before >= -ZONE_OFFSET_SECONDS_MAX && before <= ZONE_OFFSET_SECONDS_MAX);
    *utc_out = local_seconds - before;
    if (zone_offset_at(zone, *utc_out) == before)
        return true;
    *utc_out = local_seconds - after;
    return zone_offset_at(zone, *utc_out) == after;
}
