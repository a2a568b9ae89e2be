# SPDX-License-Identifier: Apache-2.0
"""What the structure checks share: which files there are, a C file without its comments, its functions."""
import os
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDERS = ('base', 'conf', 'io', 'pipeline', 'codecs', 'script', 'inputs', 'filters', 'outputs', 'services', 'cmd',
           'tests', 'bench')
# Comments, then string and character literals, in the order in which a C compiler would see them.
TOKENS = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
CONTROL = re.compile(r'^( *)(?:\} else )?(?:if|for|while|switch|do)\b')


def c_files(folders=FOLDERS):
    """The paths of all .c and .h files below the folders, relative to the root, sorted."""
    found = []
    for folder in folders:
        for where, _, names in os.walk(ROOT / folder):
            found += [pathlib.Path(where, name).relative_to(ROOT) for name in names if name.endswith(('.c', '.h'))]
    return sorted(found)


def read(path):
    return (ROOT / path).read_text('utf-8')


def without_comments(text, literals=True):
    """The text with comments blanked, and unless `literals` the insides of literals too; lines stay where they are."""
    def blank(match):
        token = match.group()
        if token[0] in '"\'':
            return token if literals else token[0] * 2
        return '\n' * token.count('\n') or ' '
    return TOKENS.sub(blank, text)


class Function:
    """One function definition: name, line of its signature, lines of its body, arguments, depth of control flow."""

    def __init__(self, signature, line, body):
        self.signature, self.line, self.body = signature, line, body
        self.name = re.search(r'(\w+)\s*\(', signature).group(1)

    @property
    def lines(self):
        return len(self.body)

    @property
    def arguments(self):
        inside = self.signature[self.signature.index('(') + 1:self.signature.rindex(')')].strip()
        if inside in ('', 'void'):
            return 0
        depth, count = 0, 1
        for character in inside:
            depth += (character == '(') - (character == ')')
            count += character == ',' and depth == 0
        return count

    @property
    def nesting(self):
        depths = [len(match.group(1)) // 4 for line in self.body if (match := CONTROL.match(line))]
        return max(depths, default=0)


def functions(text):
    """The functions of a C file in the house format: the body's braces stand alone in the first column."""
    lines = without_comments(text, literals=False).split('\n')
    found, start = [], None
    for number, line in enumerate(lines):
        if line == '{':
            start = number
        elif line == '}' and start is not None:
            first = start
            while first > 0 and lines[first - 1].strip() and lines[first - 1][0] not in '}#' \
                    and not lines[first - 1].endswith(';'):
                first -= 1
            signature = ' '.join(lines[first:start])
            if '(' in signature:
                found.append(Function(signature, first + 1, lines[start + 1:number]))
            start = None
    return found
