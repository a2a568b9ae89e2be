/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json/json_scan.h"

#include <assert.h>

#include "base/json/json_keys.h"
#include "base/json/json_known.h"
#include "base/json/json_string.h"
#include "base/json/json_tape.h"
#include "base/mem.h"
#include "base/text/block.h"
#include "base/text/utf8.h"

enum { KEEP_TOKENS = 16 * 1024, FIRST_TOKENS = 256, MEMBER_TOKENS = 2 };

/* Where the text is read is handed from function to function, so that it stays in a register; NULL means that the parser has
 * to be asked. */
struct scan {
    const char *start, *end;
    const char *last_block;          /* where the last one begins; NULL: there is none */
    struct json_token *next, *limit; /* of the tape */
    struct json_token *around;       /* the innermost open container */
    /* Where something is written in another way than ours was seen last: what begins behind it knows nothing of it. */
    size_t unlike;
    struct json_tape *tape;
    struct json_keys *keys;
    uint64_t known; /* the slots that tokens stand for */
    size_t depth;
    struct json_known_key *key;       /* the last one of the known ones */
    uint32_t open[JSON_SCAN_DEPTH];   /* the containers around, as places on the tape */
    uint64_t shapes[JSON_SCAN_DEPTH]; /* of the keys of each: one whose shape is missing is new */
};

void json_tape_release(struct json_tape *tape)
{
    mem_free(tape->tokens);
    json_known_free(tape->known);
    json_keys_free(tape->keys);
    *tape = (struct json_tape){0};
}

/* Every one of the pointers into it moves with the tape. */
static __attribute__((noinline)) bool grow(struct scan *scan)
{
    struct json_tape *tape = scan->tape;
    if (tape->capacity >= JSON_SCAN_TOKENS)
        return false;
    size_t count = (size_t)(scan->next - tape->tokens);
    assert(count + MEMBER_TOKENS > tape->capacity && count <= tape->capacity);
    tape->capacity = tape->capacity ? tape->capacity * 2 : FIRST_TOKENS;
    tape->tokens = mem_realloc(tape->tokens, tape->capacity * sizeof *tape->tokens);
    scan->next = tape->tokens + count;
    scan->limit = tape->tokens + tape->capacity;
    if (scan->depth > 0)
        scan->around = tape->tokens + scan->open[scan->depth - 1];
    return true;
}

/* For a key and its value; a value asks again only where there is no key. */
static inline bool has_room(struct scan *scan)
{
    return __builtin_expect(scan->limit - scan->next >= MEMBER_TOKENS, 1) || grow(scan);
}

/* There is room for it. What only containers and keys have is theirs to say. */
static inline void add(struct scan *scan, enum json_token_type type, const char *at,
                       const char *end, enum json_escapes escapes)
{
    struct json_token *token = scan->next++;
    token->at = (uint32_t)(at - scan->start);
    token->end = (uint32_t)(end - scan->start);
    token->type = (uint8_t)type;
    token->escapes = (uint8_t)escapes;
}

static inline bool is_blank(char byte)
{
    return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
}

static inline void note_unlike(struct scan *scan, const char *at)
{
    assert(scan->start <= at && at <= scan->end);
    scan->unlike = (size_t)(at - scan->start);
}

static inline const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at))
        at++;
    return at;
}

/* ---- strings ---- */

/* Any string, which has nothing but ordinary ASCII before `at`; returns what is behind its closing quote. */
static __attribute__((noinline)) const char *take_any_string(struct scan *scan, const char *start,
                                                             const char *at)
{
    struct json_string_marks marks = {0};
    const char *quote = json_string_end(at, scan->end, &marks);
    if (!quote || (marks.not_ascii && !utf8_valid(str_make(start, (size_t)(quote - start)))))
        return NULL;
    if (marks.has_spelled)
        note_unlike(scan, start);
    add(scan, JSON_STRING, start, quote,
        !marks.has_escapes  ? JSON_NO_ESCAPES
        : marks.has_spelled ? JSON_ANY_ESCAPES
                            : JSON_OUR_ESCAPES);
    return quote + 1;
}

/* At the opening quote, and there is room. Most strings have nothing but ordinary ASCII in them. */
static inline const char *take_string(struct scan *scan, const char *at)
{
    const char *start = at + 1, *from = start;
    for (; from <= scan->last_block; from += BLOCK) {
        struct block block = block_load(from);
        struct block_set stops = block_escapes(block);
        if (block_any(block_not_ascii(block)))
            break;
        if (!block_any(stops))
            continue;
        from += block_first(stops);
        if (*from != '"')
            break;
        add(scan, JSON_STRING, start, from, JSON_NO_ESCAPES);
        return from + 1;
    }
    return take_any_string(scan, start, from);
}

/* ---- numbers and words ---- */

static inline bool is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

static inline const char *skip_digits(const char *at, const char *end)
{
    while (is_digit(at, end))
        at++;
    return at;
}

/* With a fraction and no exponent, and such that the double, or the decimal, that it names is written with these digits. */
static bool is_decimal_as_written(const char *at, const char *end)
{
    enum { BEFORE_POINT_MAX = 7, DIGITS_MAX = 15, ZEROS_MAX = 2 };
    at += *at == '-';
    const char *point = skip_digits(at, end), *last = end - 1;
    if (*point != '.' || point - at > BEFORE_POINT_MAX || end - at - 1 > DIGITS_MAX ||
        skip_digits(point + 1, end) != end)
        return false;
    if (*last == '0')
        return last == point + 1 && *at != '0';
    const char *first = point + 1;
    while (*first == '0')
        first++;
    return *at != '0' || first - point - 1 <= ZEROS_MAX;
}

/* Of a number in the text, behind which there is a bracket. */
static inline const char *skip_more_digits(const char *at)
{
    while ((unsigned char)(*at - '0') <= 9)
        at++;
    return at;
}

static const char *take_number(struct scan *scan, const char *start)
{
    const char *first = start + (*start == '-'), *at = skip_more_digits(first);
    bool good = at > first && (*first != '0' || at == first + 1), is_integer = true;
    if (good && *at == '.') {
        const char *fraction = at + 1;
        at = skip_more_digits(fraction);
        good = at > fraction;
        is_integer = false;
    }
    if (good && (*at | 0x20) == 'e') {
        at++;
        at += *at == '+' || *at == '-';
        const char *exponent = at;
        at = skip_more_digits(exponent);
        good = at > exponent;
        is_integer = false;
    }
    assert(at < scan->end);
    if (!good || at - start > JSON_SCAN_NUMBER)
        return NULL;
    if (is_integer ? *start == '-' && *first == '0' : !is_decimal_as_written(start, at))
        note_unlike(scan, start);
    add(scan, is_integer ? JSON_INTEGER : JSON_DECIMAL, start, at, JSON_NO_ESCAPES);
    return at;
}

static inline const char *take_word(struct scan *scan, enum json_token_type type, const char *start,
                                    struct str word)
{
    if (!str_starts_with(str_make(start, (size_t)(scan->end - start)), word))
        return NULL;
    add(scan, type, start, start + word.len, JSON_NO_ESCAPES);
    return start + word.len;
}

/* Neither a string nor a container. There is room. */
static const char *take_plain(struct scan *scan, const char *at)
{
    assert(at < scan->end && scan->next < scan->limit);
    if (*at == 't')
        return take_word(scan, JSON_TRUE, at, STR("true"));
    if (*at == 'f')
        return take_word(scan, JSON_FALSE, at, STR("false"));
    if (*at == 'n')
        return take_word(scan, JSON_NULL, at, STR("null"));
    return take_number(scan, at);
}

/* ---- keys ---- */

/* Behind the blanks that are there; NULL at the end. */
static __attribute__((noinline)) const char *skip_some(struct scan *scan, const char *at)
{
    note_unlike(scan, at);
    at = skip_blanks(at, scan->end);
    return at < scan->end ? at : NULL;
}

/* There is a byte at `at`. The text ends with a bracket that closes something, so one is behind everything else. */
static inline const char *skip(struct scan *scan, const char *at)
{
    return __builtin_expect((unsigned char)*at > ' ', 1) ? at : skip_some(scan, at);
}

static bool is_same_key(const struct scan *scan, const struct json_token *a,
                        const struct json_token *b)
{
    uint32_t len = a->end - a->at;
    return a->mark == b->mark && len == b->end - b->at &&
           memcmp(scan->start + a->at, scan->start + b->at, len) == 0;
}

/* Is a key before this last one of the innermost object the same, or are there too many to look at? */
static bool may_be_double(const struct scan *scan, const struct json_token *key)
{
    const struct json_token *other = scan->around + 1;
    if (scan->around->items > JSON_SCAN_KEYS)
        return true;
    while (other < key && !is_same_key(scan, other, key)) {
        const struct json_token *value = other + 1;
        other = value->type >= JSON_ARRAY ? scan->tape->tokens + value->next : value + 1;
    }
    assert(other <= key);
    return other < key;
}

/* The last token is a key without escapes, and its mark is there. */
static inline void note_key(struct scan *scan, uint64_t shape)
{
    uint64_t *shapes = &scan->shapes[scan->depth - 1];
    if (__builtin_expect(*shapes & shape, 0) && may_be_double(scan, scan->next - 1))
        note_unlike(scan, scan->start + scan->next[-1].at);
    *shapes |= shape;
}

/* The last token is a key, which begins with a quote at `at`; the guess was another one. */
static void learn_key(struct scan *scan, const char *at)
{
    const struct json_token *key = scan->next - 1;
    const char *colon = scan->start + key->end + 1;
    struct str text = str_make(at, (size_t)(colon + 1 - at));
    if (*colon == ':')
        scan->key = json_keys_learn(scan->keys, scan->key, scan->depth, text, key->mark);
}

/* One that was not guessed. */
static __attribute__((noinline)) const char *take_new_key(struct scan *scan, const char *at)
{
    if (*at != '"' || !has_room(scan))
        return NULL;
    const char *behind = take_string(scan, at);
    if (!behind)
        return NULL;
    struct json_token *key = scan->next - 1;
    key->mark = str_mark(str_make(scan->start + key->at, key->end - key->at));
    if (key->escapes == JSON_NO_ESCAPES) {
        note_key(scan, json_key_shape(key->mark, key->end - key->at));
        learn_key(scan, at);
    } else {
        note_unlike(scan, scan->start + key->at);
    }
    at = skip(scan, behind);
    return at && *at == ':' ? skip(scan, at + 1) : NULL;
}

/* A key and its colon, and where the value begins. */
static inline const char *take_key(struct scan *scan, const char *at)
{
    struct json_known_key *known = json_keys_guess(scan->key, at, scan->last_block, scan->end);
    if (__builtin_expect(!known, 0) || !has_room(scan))
        return take_new_key(scan, at);
    struct json_token *key = scan->next;
    add(scan, JSON_STRING, at + 1, at + known->len - 2, JSON_NO_ESCAPES);
    key->mark = known->mark;
    note_key(scan, known->shape);
    scan->key = known;
    return skip(scan, at + known->len);
}

/* ---- containers ---- */

/* Which of the known containers has this key; JSON_KNOWN_SLOTS: none. */
static inline uint32_t slot_of(const struct scan *scan, const struct json_token *key)
{
    return scan->tape->learns && scan->around->type == JSON_OBJECT ? json_known_slot(key->mark)
                                                                   : JSON_KNOWN_SLOTS;
}

/* A container that came before, at the same key. NULL: it is another one. */
static inline const char *take_known(struct scan *scan, const char *at)
{
    uint32_t slot = slot_of(scan, scan->next - 1);
    struct str rest = str_make(at, (size_t)(scan->end - at));
    if (slot == JSON_KNOWN_SLOTS || !scan->tape->known ||
        !json_known_is_next(scan->tape->known, slot, scan->depth, rest) || !has_room(scan))
        return NULL;
    const struct json_known_container *known = scan->tape->known->slots[slot];
    struct json_token *token = scan->next;
    add(scan, *at == '{' ? JSON_OBJECT : JSON_ARRAY, at, at + known->len, JSON_NO_ESCAPES);
    token->items = known->items;
    token->next = (uint32_t)(scan->next - scan->tape->tokens);
    token->as_written = true;
    token->known = (uint8_t)(slot + 1);
    scan->known |= UINT64_C(1) << slot;
    return at + known->len;
}

/* A container was closed. What the document stands on is not forgotten. */
static void learn(struct scan *scan, const struct json_token *container)
{
    struct json_tape *tape = scan->tape;
    uint32_t slot = slot_of(scan, container - 1);
    if (slot == JSON_KNOWN_SLOTS || scan->known >> slot & 1)
        return;
    if (!tape->known)
        tape->known = mem_zero(1, sizeof *tape->known);
    struct str text = str_make(scan->start, (size_t)(scan->end - scan->start));
    json_known_learn(tape, slot, scan->depth, text, container);
}

/* Tells whoever watches of the items behind this one of the array around it that have the very same text: what is on the tape
 * of it is theirs, too, a little later in the text. Returns what is behind them. */
static const char *hand_over_alike(struct scan *scan, struct json_token *container, size_t count)
{
    struct json_tape *tape = scan->tape;
    const char *text = scan->start + container->at, *at = scan->start + container->end;
    uint32_t len = container->end - container->at, behind = container->next + (uint32_t)count - 1;
    while ((size_t)(scan->end - at) > len + 1 && *at == ',' && memcmp(at + 1, text, len) == 0) {
        for (size_t i = 0; i < count; i++) {
            container[i].at += len + 1;
            container[i].end += len + 1;
        }
        container->next = behind;
        scan->around->items++;
        json_watch_ended(tape->watch, tape, scan->around, container);
        at += len + 1;
    }
    return at;
}

/* It stands in the document's own container, or in an array there, and whoever watches is told. Returns what is behind it, or
 * behind more of its kind. */
static const char *hand_over(struct scan *scan, struct json_token *container)
{
    enum { IN_DOCUMENT = 1 };
    struct json_tape *tape = scan->tape;
    if (scan->depth > IN_DOCUMENT && scan->around->type != JSON_ARRAY)
        return scan->start + container->end;
    tape->count = (size_t)(scan->next - tape->tokens);
    size_t count = (size_t)(scan->next - container);
    scan->next = container + json_watch_ended(tape->watch, tape, scan->around, container);
    return scan->next == container ? hand_over_alike(scan, container, count)
                                   : scan->start + container->end;
}

/* What ends at `end` is closed; returns where the text goes on. */
static const char *close_container(struct scan *scan, const char *end)
{
    enum { WATCHED_DEPTH = 2 };
    struct json_token *token = scan->around;
    assert(scan->depth > 0 && end <= scan->end);
    token->end = (uint32_t)(end - scan->start);
    token->next = (uint32_t)(scan->next - scan->tape->tokens);
    token->as_written = scan->unlike <= token->at;
    if (--scan->depth == 0)
        return end;
    scan->around = scan->tape->tokens + scan->open[scan->depth - 1];
    if (token->as_written)
        learn(scan, token);
    if (__builtin_expect(scan->tape->watch != NULL, 0) && scan->depth <= WATCHED_DEPTH)
        end = hand_over(scan, token);
    return end;
}

/* Where its first member begins; or behind it when it has none, and then it is closed. */
static const char *open_container(struct scan *scan, const char *at)
{
    enum json_token_type type = *at == '{' ? JSON_OBJECT : JSON_ARRAY;
    if (scan->depth == JSON_SCAN_DEPTH || !has_room(scan))
        return NULL;
    scan->around = scan->next;
    scan->shapes[scan->depth] = 0;
    scan->open[scan->depth++] = (uint32_t)(scan->next - scan->tape->tokens);
    add(scan, type, at, at, JSON_NO_ESCAPES);
    scan->around->items = 0;
    scan->around->known = 0;
    at = skip(scan, at + 1);
    if (!at || *at != (type == JSON_OBJECT ? '}' : ']')) {
        scan->around->items = 1;
        return at;
    }
    return close_container(scan, at + 1);
}

/* Behind a value: closes what ends here. Where the next member begins, or behind the document when the depth is 0. */
static inline const char *take_separator(struct scan *scan, const char *at)
{
    while (scan->depth > 0) {
        at = at < scan->end ? skip(scan, at) : NULL;
        if (!at)
            return NULL;
        if (__builtin_expect(*at == ',', 1)) {
            scan->around->items++;
            return skip(scan, at + 1);
        }
        if (*at != (scan->around->type == JSON_OBJECT ? '}' : ']'))
            return NULL;
        at = close_container(scan, at + 1);
    }
    return at;
}

/* Behind a value that is no container, so there is a byte: as take_separator, mostly at once. */
static inline const char *take_comma(struct scan *scan, const char *at)
{
    assert(at < scan->end);
    if (__builtin_expect(*at != ',' || (unsigned char)at[1] <= ' ', 0))
        return take_separator(scan, at);
    scan->around->items++;
    return at + 1;
}

/* From the document's bracket on; returns what is behind it. */
static const char *scan_document(struct scan *scan, const char *at)
{
    at = open_container(scan, at);
    while (at && scan->depth > 0) {
        if (scan->around->type == JSON_OBJECT)
            at = take_key(scan, at);
        else if (!has_room(scan))
            return NULL;
        if (!at)
            break;
        if (*at == '{' || *at == '[') {
            size_t depth = scan->depth;
            const char *behind = take_known(scan, at);
            at = behind ? behind : open_container(scan, at);
            if (at && scan->depth <= depth)
                at = take_separator(scan, at);
        } else {
            at = *at == '"' ? take_string(scan, at) : take_plain(scan, at);
            if (at)
                at = take_comma(scan, at);
        }
    }
    return at;
}

/* No document goes on there. */
static const char *behind_last_bracket(struct str text)
{
    const char *end = text.ptr + text.len;
    while (end > text.ptr && end[-1] != '}' && end[-1] != ']')
        end--;
    return end;
}

bool json_scan(struct json_tape *tape, struct str text, size_t *end_out)
{
    if (text.len == 0 || text.len > UINT32_MAX)
        return false;
    if (tape->capacity > KEEP_TOKENS) {
        mem_free(tape->tokens);
        tape->tokens = NULL;
        tape->capacity = 0;
    }
    struct scan scan; /* the rest is written before it is read */
    scan.start = text.ptr;
    scan.end = behind_last_bracket(text);
    scan.last_block = scan.end - scan.start >= BLOCK ? scan.end - BLOCK : NULL;
    scan.tape = tape;
    scan.next = tape->tokens;
    scan.limit = tape->tokens ? tape->tokens + tape->capacity : NULL;
    scan.depth = scan.unlike = 0;
    scan.known = 0;
    if (!tape->keys)
        tape->keys = json_keys_new();
    scan.keys = tape->keys;
    scan.key = json_keys_start(tape->keys, text);
    const char *at = scan.end > scan.start ? skip(&scan, text.ptr) : NULL;
    if (!at || (*at != '{' && *at != '['))
        return false;
    at = scan_document(&scan, at);
    if (!at)
        return false;
    tape->count = (size_t)(scan.next - tape->tokens);
    assert(scan.depth == 0 && tape->count > 0 && tape->tokens[0].next == tape->count);
    if (end_out)
        *end_out = (size_t)(at - scan.start);
    const char *end = text.ptr + text.len;
    return end_out || skip_blanks(at, end) == end;
}
