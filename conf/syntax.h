/* SPDX-License-Identifier: Apache-2.0
 *
 * The syntax tree of a pipeline file, as Logstash's grammar has it. Everything lives in the arena that
 * was given to conf_parse; strings are as written between their quotes (escapes applied when
 * config.support_escapes is on), with ${VAR} already replaced. Positions name the real file even when
 * several files were joined.
 */
#ifndef MILLRACE_CONF_SYNTAX_H
#define MILLRACE_CONF_SYNTAX_H

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

enum conf_value_type {
    CONF_STRING, /* quoted */
    CONF_BAREWORD,
    CONF_NUMBER, /* text as Ruby prints the number: 1.50 is 1.5; is_float when it has a '.' */
    CONF_ARRAY,
    CONF_HASH,
    CONF_BLOCK, /* a nested plugin, as in codec => json { … } */
};

struct conf_plugin;
struct conf_pair;

struct conf_value {
    enum conf_value_type type;
    bool is_float;
    bool
        lost_brackets; /* ARRAY: a text in [ ] with a variable in it, which Logstash takes for a list */
    struct error_position position;
    struct str text;          /* STRING, BAREWORD, NUMBER */
    struct str written;       /* before ${VAR} was replaced in it; empty: nothing was */
    struct conf_value *items; /* ARRAY */
    struct conf_pair *pairs;  /* HASH, in order */
    size_t count;             /* of items or pairs */
    struct conf_plugin *block;
};

struct conf_pair {
    struct conf_value key; /* STRING, BAREWORD or NUMBER */
    struct conf_value value;
};

struct conf_attribute {
    struct str name;
    struct error_position position;
    struct conf_value value;
};

enum conf_section { CONF_INPUT, CONF_FILTER, CONF_OUTPUT, CONF_CODEC };

struct conf_plugin {
    enum conf_section section;
    struct str name;
    struct error_position position;
    struct conf_attribute *attributes; /* in order; repeated names are still separate rows here */
    size_t count;
    bool broken; /* there was an error inside, so attributes may be missing or wrong */
};

/* The same name and attributes, in the same order, wherever they stand. */
bool conf_value_equal(const struct conf_value *one, const struct conf_value *other);
bool conf_plugin_equal(const struct conf_plugin *one, const struct conf_plugin *other);

enum conf_expr_type {
    CONF_AND,
    CONF_OR,
    CONF_XOR,
    CONF_NAND,   /* left, right */
    CONF_NOT,    /* left */
    CONF_TRUTHY, /* left: an operand */
    CONF_EQ,
    CONF_NE,
    CONF_LT,
    CONF_LE,
    CONF_GT,
    CONF_GE,
    CONF_MATCH,
    CONF_NO_MATCH, /* right: CONF_OPERAND with a regexp or string value */
    CONF_IN,
    CONF_NOT_IN,
    CONF_OPERAND,
};

enum conf_operand_type {
    CONF_OPERAND_STRING,
    CONF_OPERAND_NUMBER,
    CONF_OPERAND_FIELD,
    CONF_OPERAND_LIST,
    CONF_OPERAND_REGEXP
};

struct conf_expr {
    enum conf_expr_type type;
    struct error_position position;
    struct conf_expr *left, *right;
    /* CONF_OPERAND only */
    enum conf_operand_type operand;
    bool is_float;           /* NUMBER */
    bool is_bareword;        /* STRING, in a list */
    struct str text;         /* STRING, NUMBER, REGEXP (without slashes), FIELD: "[a][b]" */
    struct conf_expr *items; /* LIST */
    size_t count;
};

struct conf_statement;

struct conf_block {
    struct conf_statement *statements;
    size_t count;
};

/* if / else if / else: the arms in order; the last has condition NULL when it is an else. */
struct conf_arm {
    struct conf_expr *condition;
    struct error_position position;
    struct str text; /* as it is written, up to its block: "else if [a] == 1" */
    struct conf_block block;
};

struct conf_statement {
    struct conf_plugin *plugin; /* or NULL: a branch */
    struct conf_arm *arms;
    size_t arm_count;
};

struct conf_tree {
    struct conf_block inputs, filters, outputs; /* sections of one kind joined in order */
    bool has_input_section, has_output_section;
    bool broken; /* read with errors: good for finding more of them, not for running */
};

#endif
