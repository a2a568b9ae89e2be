/* SPDX-License-Identifier: Apache-2.0
 *
 * Regexp and MatchData on base/regex. A literal is compiled once for each lane: mruby evaluates /x/ as
 * Regexp.compile("x", flags) every time, which finds the object made before.
 */
#ifndef MILLRACE_SCRIPT_REGEXP_H
#define MILLRACE_SCRIPT_REGEXP_H

#include "script/vm.h"

enum { REGEXP_CACHE_MAX = 1000, MATCH_GROUPS_MAX = 1000 };

/* One Regexp object. */
struct script_regexp {
    struct regex *regex;
    unsigned flags; /* enum regex_flags */
};

/* The match of a Regexp object with a string that nobody changes any more. */
struct script_match {
    unsigned count; /* groups with group 0 */
    struct {
        size_t start, end; /* bytes; start SIZE_MAX: the group took no part */
    } groups[];
};

/* NULL when the object is no Regexp. */
const struct script_regexp *script_regexp_of(mrb_state *mrb, mrb_value object);
/* A Regexp as it is; a String becomes one that matches it literally. Raises for anything else. */
mrb_value script_to_regexp(mrb_state *mrb, mrb_value pattern);
mrb_value script_quote(mrb_state *mrb, struct str text);
/* The Regexp of that source, from the cache where it was seen before. Raises RegexpError. */
mrb_value script_new_regexp(struct script_vm *vm, struct str source, unsigned flags);

/* Searches subject from a byte offset and sets $~ and its relatives; false (and $~ nil) when there is no match.
 * Raises when the text is not UTF-8 or a limit was met. The scratch of the lane then holds the groups. */
bool script_search(mrb_state *mrb, mrb_value regexp, mrb_value subject, size_t from);
/* The same without $~ and for text that is known to be valid UTF-8. */
bool script_search_quietly(mrb_state *mrb, const struct script_regexp *regexp, struct str subject,
                           size_t from);
/* Raises unless text is valid UTF-8. */
void script_check_text(mrb_state *mrb, struct str text);
/* Sets $~ from the groups of the last search in subject, or to nil. */
void script_set_last_match(mrb_state *mrb, mrb_value regexp, mrb_value subject);
void script_clear_last_match(mrb_state *mrb);
mrb_value script_last_match(mrb_state *mrb);
/* A group's text of the last search, or nil. */
mrb_value script_last_group(mrb_state *mrb, mrb_value subject, unsigned group);

void script_define_regexp(struct script_vm *vm);
void script_define_match(struct script_vm *vm);
void script_define_string_patterns(struct script_vm *vm);
void script_define_string(struct script_vm *vm);

/* Characters and bytes of valid UTF-8 text. */
size_t script_characters(struct str text);
/* The byte offset of a character; text.len when it lies behind the end. */
size_t script_byte_offset(struct str text, size_t character);

#endif
