#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sizes of functions and files. Hard caps fail; soft ones are printed, with the figures of the whole tree.

Function: 80 lines of body at most, 50 as a rule, the median 15; 5 arguments; control flow 3 deep. File: 900 lines at
most, 500 as a rule, a header 150. Asserts: 8 for each 1000 lines. Tables of data are not functions and do not count."""
import statistics
import sys

import source

HARD_FUNCTION, HARD_FILE = 80, 900
SOFT_FUNCTION, SOFT_MEDIAN, SOFT_FILE, SOFT_HEADER = 50, 15, 500, 150
SOFT_ARGUMENTS, SOFT_NESTING, SOFT_ASSERTS_PER_1000 = 5, 3, 8
# Files that are one table of facts: their length is that of the facts.
TABLES = {'codecs/netflow/netflow_fields.c'}


def findings_of_function(path, function):
    where = f'{path}:{function.line}: {function.name}'
    if function.lines > HARD_FUNCTION:
        yield 'hard', f'{where} has {function.lines} lines, more than {HARD_FUNCTION}'
    elif function.lines > SOFT_FUNCTION:
        yield 'soft', f'{where} has {function.lines} lines, more than {SOFT_FUNCTION}'
    if function.arguments > SOFT_ARGUMENTS:
        yield 'soft', f'{where} has {function.arguments} arguments, more than {SOFT_ARGUMENTS}'
    if function.nesting > SOFT_NESTING:
        yield 'soft', f'{where} nests control flow {function.nesting} deep, more than {SOFT_NESTING}'


def findings(path, text):
    lines = text.count('\n')
    soft = SOFT_HEADER if str(path).endswith('.h') else SOFT_FILE
    if lines > HARD_FILE and str(path) not in TABLES:
        yield 'hard', f'{path} has {lines} lines, more than {HARD_FILE}'
    elif lines > soft and str(path) not in TABLES:
        yield 'soft', f'{path} has {lines} lines, more than {soft}'
    for function in source.functions(text):
        yield from findings_of_function(path, function)


def summary(texts):
    lengths = [function.lines for text in texts for function in source.functions(text)]
    lines = sum(text.count('\n') for text in texts)
    asserts = sum(source.without_comments(text, False).count('assert(') for text in texts) * 1000 / max(lines, 1)
    median = statistics.median(lengths or [0])
    if median > SOFT_MEDIAN:
        print(f'soft: the median function has {median:g} lines, more than {SOFT_MEDIAN}')
    if asserts < SOFT_ASSERTS_PER_1000:
        print(f'soft: {asserts:.1f} asserts for each 1000 lines, fewer than {SOFT_ASSERTS_PER_1000}')
    print(f'{lines} lines, {len(lengths)} functions, median {median:g} lines, '
          f'{asserts:.1f} asserts for each 1000 lines')


def self_test():
    body = '    first();\n    if (a) {\n        second("}{");\n    }\n'
    text = f'static int table[] = {{\n    1,\n}};\n\n/* Says {{ and }}. */\nint\nlong_one(int a, void (*b)(int, int))\n{{\n{body}}}\n'
    (function,) = source.functions(text)
    assert (function.name, function.line, function.lines, function.arguments, function.nesting) == ('long_one', 6, 4, 2, 1)
    assert not list(findings('a.c', text))
    long = text.replace(body, '    x();\n' * (HARD_FUNCTION + 1))
    assert [kind for kind, _ in findings('a.c', long)] == ['hard']
    assert [kind for kind, _ in findings('a.h', '\n' * (SOFT_HEADER + 1))] == ['soft']
    assert [kind for kind, _ in findings('a.c', '\n' * (HARD_FILE + 1))] == ['hard']


def main():
    self_test()
    texts = {path: source.read(path) for path in source.c_files()}
    found = [finding for path, text in texts.items() for finding in findings(path, text)]
    for kind, message in found:
        print(f'{kind}: {message}')
    summary([text for path, text in texts.items() if path.parts[0] not in ('tests', 'bench')])
    return 1 if any(kind == 'hard' for kind, _ in found) else 0


if __name__ == '__main__':
    sys.exit(main())
