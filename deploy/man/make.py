#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the manual page: make.py PROGRAM TEMPLATE VERSION SYSCONFDIR DATADIR >millrace.1

What is said about commands and flags is what the program itself prints for --help and COMMAND --help, so the page
cannot say anything else."""
import re
import subprocess
import sys

COMMAND = re.compile(r'^  (\w+) +(\S.*)$', re.M)
FLAG = re.compile(r'^  (?:(-\w), |    )(--\S+)(?: ([A-Z]+))? +(\S.*)$')


def printed(program, *arguments):
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=True).stdout


def roff(text):
    """Text that means nothing to troff: no escapes, no requests, hyphens that can be copied as such."""
    text = text.replace('\\', '\\e').replace('-', '\\-')
    return re.sub(r"^([.'])", r'\\&\1', text, flags=re.M)


def unwrapped(help_text):
    """The help with each flag on one line again: what it is for stands beside it or indented below."""
    return re.sub(r'\n {34}(?=\S)', ' ', help_text)


def flags(help_text):
    for line in re.split(r'\n(?=\n|  |[A-Z][\w ]*\n)', unwrapped(help_text)):
        line = line.strip('\n')
        row = FLAG.match(line)
        if row:
            letter, name, value, doc = row.groups()
            names = ', '.join(f'\\fB{roff(word)}\\fR' for word in (letter, name) if word)
            yield f'.TP\n{names}' + (f' \\fI{value}\\fR' if value else '') + f'\n{roff(doc)}'
        elif line and not line.startswith(' '):
            yield f'.SS {line}' if len(line.split()) < 6 else f'.PP\n{roff(line)}'


def commands(program, help_text):
    for name, summary in COMMAND.findall(help_text):
        yield f'.SS {name}\n{roff(summary[0].upper() + summary[1:])}.'
        if name not in ('run', 'help'):
            yield f'.PP\n.EX\n{roff(printed(program, name, "--help").rstrip())}\n.EE'


def main():
    program, template, version, sysconfdir, datadir = sys.argv[1:]
    before, flag_text = printed(program, '--help').split('\nFlags', 1)
    parts = {
        'VERSION': version, 'SYSCONFDIR': sysconfdir, 'DATADIR': datadir,
        'COMMANDS': '\n'.join(commands(program, before.split('\nCommands', 1)[1])),
        'FLAGS': '\n'.join(flags('Flags' + flag_text)),
    }
    with open(template) as text:
        print(re.sub(r'@([A-Z]+)@', lambda found: parts[found[1]], text.read()), end='')


if __name__ == '__main__':
    main()
