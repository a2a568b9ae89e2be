/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to conf/: the table of the settings, and setting one of them.
 */
#ifndef MILLRACE_CONF_SETTINGS_PRIVATE_H
#define MILLRACE_CONF_SETTINGS_PRIVATE_H

#include "conf/bind.h"
#include "conf/settings.h"

enum setting_traits {
    SETTING_PIPELINE = 1,       /* may differ between pipelines: allowed in pipelines.yml */
    SETTING_FLAG_ONLY = 2,      /* not in a file */
    SETTING_WITHOUT_EFFECT = 4, /* said, with the note, when it is not the default; not in --help */
};

struct setting {
    struct option option; /* the name is that of the flag and of the key in logstash.yml */
    char letter;          /* short flag, or 0 */
    const char *value;    /* what --help calls the value; NULL for a switch */
    const char *group;    /* where --help lists it */
    unsigned traits;
};

extern const struct setting settings_table[]; /* ends with a row without a name */
size_t settings_table_count(void);

/* Names that begin so are accepted with one note for all of them. */
struct setting_family {
    const char *prefix;
    const char *note;
};
extern const struct setting_family settings_families[]; /* ends with prefix NULL */

const struct setting *setting_find(struct str name);
const struct setting *setting_find_letter(char letter);
const char *setting_suggest(struct settings *settings, struct str name);

enum setting_origin {
    SETTING_FROM_DEFAULT,
    SETTING_FROM_FILE,
    SETTING_FROM_FLAG,
    SETTING_FROM_PIPELINE
};

/* Binds the value unless a stronger origin has set it. Problems are added with the position. */
bool setting_apply(struct settings *settings, const struct setting *setting,
                   const struct conf_value *value, enum setting_origin origin,
                   struct error_list *errors);
bool setting_is_given(const struct settings *settings, const void *member);
void settings_defaults(struct settings *settings, struct arena *arena, struct error_list *errors);

/* settings_flags.c */
bool settings_read_flags(struct settings *settings, int argc, char **argv,
                         struct error_list *errors);

/* settings_api.c. Without a password the API is turned off where others could reach it. */
void settings_check_api(struct settings *settings, struct error_list *errors);

/* settings_file.c */
bool settings_read_file(struct settings *settings, struct error_list *errors);

#endif
