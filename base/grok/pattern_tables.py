#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the C tables of the grok patterns that ship: pattern_tables.py FAMILY.grok... > grok_patterns.c

A family is one file. Its second line is its title. `[common]`, `[legacy]` and `[ecs]` head the patterns of both sets, of
the old field names, and of the Elastic Common Schema; `[let]` heads pieces that the patterns of this file may use as
${name}. A line is NAME, a blank, the expression. A line that begins with blanks goes on with the one before it, behind
one blank, or directly behind it when that ends in a backslash."""
import os
import re
import sys

SECTIONS = ('common', 'legacy', 'ecs')


def logical_lines(text):
    """(number, line) of each line that is no comment, with those that go on with it."""
    number, line = 0, ''
    for at, raw in enumerate(text.splitlines(), 1):
        if raw.startswith(' ') and line:
            line = line[:-1] + raw.lstrip(' ') if line.endswith('\\') else f'{line} {raw.lstrip(" ")}'
            continue
        if line:
            yield number, line
        number, line = at, '' if raw.startswith('#') else raw
    if line:
        yield number, line


def read_family(path):
    """The title, and for each section a list of (name, expression)."""
    with open(path, encoding='utf-8') as file:
        text = file.read()
    title = text.splitlines()[1].lstrip('# ')
    pieces, sections, section = {}, {name: [] for name in SECTIONS}, None
    for number, line in logical_lines(text):
        head = re.fullmatch(r'\[(\w+)\]', line)
        if head:
            section = head[1]
            continue
        name, _, expression = line.partition(' ')
        expression = re.sub(r'\$\{(\w+)\}', lambda match: pieces[match[1]], expression)
        if section == 'let':
            pieces[name] = expression
        elif section in sections and re.fullmatch(r'[A-Z][A-Z0-9_]*', name) and expression:
            sections[section].append((name, expression))
        else:
            raise SystemExit(f'{path}:{number}: not NAME EXPRESSION below [common], [legacy], [ecs] or [let]')
    return title, sections


def literal(text):
    """A C string; split, as no compiler has to take more than 4095 bytes of one."""
    quoted = text.replace('\\', '\\\\').replace('"', '\\"').replace('??', '?\\?')
    return ' '.join(f'"{part}"' for part in re.findall(r'(?:\\.|[^\\]){1,900}', quoted))


def main(paths):
    families = []
    sys.stdout.reconfigure(encoding='utf-8')
    print('/* Made by pattern_tables.py. */\n#include <stddef.h>\n\n#include "base/grok/grok_patterns.h"\n')
    for path in paths:
        name = os.path.splitext(os.path.basename(path))[0]
        title, sections = read_family(path)
        row = [f'"{name}"', literal(title)]
        for section in SECTIONS:
            table = f'{name}_{section}'.upper()
            if not sections[section]:
                row.append('NULL')
                continue
            row.append(table)
            print(f'static const struct grok_pattern {table}[] = {{')
            for pattern, expression in sections[section]:
                print(f'    {{"{pattern}", {literal(expression)}}},')
            print('    {NULL, NULL},\n};')
        families.append(f'    {{{", ".join(row)}}},')
    print('const struct grok_family GROK_FAMILIES[] = {')
    print('\n'.join(families))
    print('    {NULL, NULL, NULL, NULL, NULL},\n};')


if __name__ == '__main__':
    main(sys.argv[1:])
