#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the lines that plugins have in common: what two plugins both need belongs further down.

A block of 6 or more lines that stands in two files, blanks and comments aside, counts as duplicated in both. More than
2 % of all lines fail; every block is printed."""
import sys

import source

FOLDERS = ('codecs', 'inputs', 'filters', 'outputs')
BLOCK_LINES, MOST_PERCENT = 6, 2.0


def code_lines(text):
    """(number, line) of what counts: no blanks, no comments, no includes, no lone braces."""
    for number, line in enumerate(source.without_comments(text).split('\n'), 1):
        line = ' '.join(line.split())
        if line and not line.startswith('#include') and line.strip('{}();,'):
            yield number, line


def duplicated(files):
    """For the lines of each file: which of them stand in a block that another file has too, and in which."""
    blocks, found = {}, {name: {} for name in files}
    for name, lines in files.items():
        for start in range(len(lines) - BLOCK_LINES + 1):
            block = tuple(line for _, line in lines[start:start + BLOCK_LINES])
            blocks.setdefault(block, []).append((name, start))
    for places in blocks.values():
        names = {name for name, _ in places}
        for name, start in places if len(names) > 1 else ():
            for number, _ in files[name][start:start + BLOCK_LINES]:
                found[name][number] = sorted(names - {name})[0]
    return found


def self_test():
    shared = [(number, f'call_{number}();') for number in range(1, BLOCK_LINES + 1)]
    found = duplicated({'a': shared, 'b': [(9, 'x();'), *((n + 9, line) for n, line in shared)], 'c': shared[:-1]})
    assert len(found['a']) == len(found['b']) == BLOCK_LINES and not found['c'] and 9 not in found['b']
    assert list(code_lines('/* a */\n\n#include "x.h"\n}\n  int  a;\n')) == [(5, 'int a;')]


def main():
    self_test()
    files = {str(path): list(code_lines(source.read(path))) for path in source.c_files(FOLDERS)}
    found = duplicated(files)
    total, shared = sum(map(len, files.values())), sum(map(len, found.values()))
    percent = 100 * shared / max(total, 1)
    for name, lines in found.items():
        for other in sorted(set(lines.values())):
            numbers = sorted(number for number, where in lines.items() if where == other)
            print(f'{name}:{numbers[0]}: {len(numbers)} lines as in {other}')
    print(f'{total} lines of plugins, {shared} duplicated ({percent:.1f} %, {MOST_PERCENT:g} % at most)')
    return 1 if percent > MOST_PERCENT else 0


if __name__ == '__main__':
    sys.exit(main())
