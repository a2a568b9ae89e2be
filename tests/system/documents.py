# SPDX-License-Identifier: Apache-2.0
"""The documents as tests see them: fenced blocks, with the comment that may stand before a block, links, headings.

What a block is says its language, and a comment in the line before it:

    ```sh                        commands; every one has to succeed
    ```console                   `$ ` commands (`> ` goes on), and below each what it prints. `…` in it is anything, a line
                                 of `…` any number of lines. Times of the log are not compared
    ```logstash                  a pipeline; millrace -t takes it
    ```json yaml text ini …      to read

    <!-- background: TEXT -->    a command that stays; it is ready when it prints TEXT, and is stopped at the page's end
    <!-- not run: REASON -->     cannot be run by a test, for the reason given
    <!-- tested by: PATH -->     that test runs it; it has to name each command
    <!-- numbers differ -->      of a console block: numbers are not compared
    <!-- saved as: NAME -->      the block is a file that later commands of the page use
    <!-- refused: NAME -->       a pipeline with mistakes, to show what is said of them; kept as a file
    <!-- part: filter -->        a piece of that section
    <!-- file: PATH -->          the whole of that file
    <!-- input: RECIPE N-M -->   lines of the recipe's sample
    <!-- event: RECIPE N -->     a line of what the recipe has to make, laid out
"""
import collections
import json
import re

import support

RECIPES = support.ROOT / 'deploy/pipelines/cookbook'
FENCE = re.compile(r'^(?:<!-- (?P<note>[^\n]*?) -->\n)?(?P<fence>```+)(?P<language>[\w-]*)\n(?P<text>.*?)^(?P=fence)$', re.M | re.S)
KINDS = ('', 'background', 'not run', 'tested by', 'numbers differ', 'saved as', 'refused', 'part', 'file', 'input', 'event')

Block = collections.namedtuple('Block', 'page line language kind argument text start end')


def pages():
    """The README and what is below docs/; not the reference, which is made from tables and has a test of its own."""
    below = [path for path in sorted((support.ROOT / 'docs').rglob('*.md')) if 'reference' not in path.parts]
    return [support.ROOT / 'README.md', *below]


def name_of(page):
    return str(page.relative_to(support.ROOT))


def blocks(page):
    content = page.read_text('utf-8')
    for match in FENCE.finditer(content):
        kind, _, argument = (match['note'] or '').partition(': ')
        line = content.count('\n', 0, match.start('fence')) + 1
        if kind not in KINDS:
            raise AssertionError(f'{name_of(page)}:{line}: a comment before a block that nobody knows: {kind}')
        yield Block(page, line, match['language'], kind, argument, match['text'], match.start('text'), match.end('text'))


def wanted(block):
    """What a block has to be that a file or a recipe says; None for the others."""
    if block.kind == 'file':
        return (support.ROOT / block.argument).read_text('utf-8')
    if block.kind in ('input', 'event'):
        name, _, number = block.argument.partition(' ')
        first, _, last = number.partition('-')
        suffix = 'input' if block.kind == 'input' else 'expected'
        lines = (RECIPES / f'{name}.{suffix}').read_text('utf-8').splitlines()[int(first) - 1:int(last or first)]
        return ''.join(f'{shown(line) if block.kind == "event" else line}\n' for line in lines)
    return None


def shown(line):
    """An event in several lines, small objects in one."""
    return layout(json.loads(line), '')


def layout(value, indent):
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict) or not value or indent and len(flat) + len(indent) < 90:
        return flat
    items = [f'{indent}  {json.dumps(key)}: {layout(item, indent + "  ")}' for key, item in value.items()]
    return '{\n' + ',\n'.join(items) + f'\n{indent}}}'


def write(page):
    """Writes the blocks anew that a file or a recipe says."""
    content = page.read_text('utf-8')
    for block in reversed(list(blocks(page))):
        if wanted(block) is not None:
            content = content[:block.start] + wanted(block) + content[block.end:]
    page.write_text(content, 'utf-8')


def links(page):
    """(line, target) of every link that is not in a fenced block."""
    text = FENCE.sub(lambda match: '\n' * match[0].count('\n'), page.read_text('utf-8'))
    for match in re.finditer(r'\]\(([^()\s]+)\)|src="([^"]+)"', text):
        yield text.count('\n', 0, match.start()) + 1, match[1] or match[2]


def anchors(page):
    """The names that a code host gives the headings of a page."""
    text = FENCE.sub('', page.read_text('utf-8'))
    for heading in re.findall(r'^#+ (.*)$', text, re.M):
        yield re.sub(r'[^\w\- ]', '', re.sub(r'\[([^]]*)\]\([^)]*\)', r'\1', heading).lower()).replace(' ', '-')
