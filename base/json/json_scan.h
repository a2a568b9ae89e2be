/* SPDX-License-Identifier: Apache-2.0
 *
 * The fast way through JSON: one pass that finds every token and checks it. It knows only the JSON of RFC 8259, and of that
 * what is common: whatever it is not sure of (an error of any kind, nesting past JSON_SCAN_DEPTH, a number of more than
 * JSON_SCAN_NUMBER bytes, invalid UTF-8, a document that is no container) it does not read, and the parser of json.h has to be
 * asked, which also words every error. What it does read, that parser reads alike: tests/fuzz/json_scan.c holds them together.
 */
#ifndef MILLRACE_BASE_JSON_JSON_SCAN_H
#define MILLRACE_BASE_JSON_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum {
    JSON_SCAN_DEPTH = 64,
    JSON_SCAN_NUMBER = 40,
    JSON_SCAN_TOKENS = 256 * 1024, /* more of them are not held in memory */
    JSON_SCAN_KEYS = 32,           /* so many keys of an object are looked through for doubles */
};

/* False: a build that asks the parser alone (-Dfast_json=false). */
#ifdef MILLRACE_YAJL_ALONE
enum { JSON_FAST = false };
#else
enum { JSON_FAST = true };
#endif

enum json_token_type {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_INTEGER, /* digits, and a minus before them */
    JSON_DECIMAL, /* with a fraction or an exponent */
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

enum json_escapes {
    JSON_NO_ESCAPES,
    JSON_OUR_ESCAPES, /* as json_write.c writes them: \" \\ \b \f \n \r \t */
    JSON_ANY_ESCAPES,
};

/* Tokens stand in the order of the text: a container before what is in it, a key (a JSON_STRING) before its value. */
struct json_token {
    uint32_t at, end; /* offsets in the text; of a string: between the quotes */
    union {
        uint32_t items; /* of a container: members */
        uint32_t mark;  /* of a key: str_mark of what is between the quotes */
    };
    uint32_t next;   /* of a container: the token behind all that is in it */
    uint8_t type;    /* enum json_token_type */
    uint8_t escapes; /* of a string: enum json_escapes */
    /* Of a container: no blanks, no key twice, every string and number as we write it. False when that is not sure. */
    bool as_written;
    uint8_t
        known; /* of a container: 0, or it came before and has no tokens here: json_note_members */
};

struct json_known;
struct json_keys;
struct json_watch;

/* Kept between documents. */
struct json_tape {
    struct json_token *tokens;
    size_t count, capacity;
    struct json_known *known; /* json_known.h; NULL: nothing was learnt */
    struct json_keys *keys;   /* json_keys.h; the same */
    struct json_watch *watch; /* json_tape.h; NULL: all stays */
    bool
        learns; /* the owner asks for members only of a container that came before (json_known.h) */
};

void json_tape_release(struct json_tape *tape);

/* Scans one document. end_out NULL: only blanks may follow it; else it is told where the document ends. False: ask the
 * parser; what the tape holds then means nothing. */
bool json_scan(struct json_tape *tape, struct str text, size_t *end_out);

/* A member of a container that is as we write it. Members are noted in the order of the text, a container before what is in
 * it; where each begins follows from the lengths of those before, since there are no blanks. */
struct json_member {
    uint16_t key_len; /* of an object's member: between the quotes; keys have no escapes */
    uint16_t len;     /* of the value; of a string between the quotes */
    uint8_t type;     /* enum json_token_type */
    uint8_t escapes;  /* of a string: enum json_escapes */
    uint8_t count;    /* of a container: members */
    uint8_t inside;   /* of a container: all that stand behind it here because they are in it */
};
enum { JSON_MEMBER_TEXT_MAX = UINT16_MAX, JSON_MEMBERS_MAX = UINT8_MAX };

/* All that is in the container, which is as written and JSON_MEMBER_TEXT_MAX long at most; how many they are. SIZE_MAX: more
 * than JSON_MEMBERS_MAX. */
size_t json_note_members(const struct json_tape *tape, const struct json_token *container,
                         struct json_member out[JSON_MEMBERS_MAX]);

#endif
