#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The picture of a terminal in the README: runs commands in a terminal of their own and draws what they print, in their
colours. `./dev docs` calls it.

    terminal.py MILLRACE OUTPUT.svg"""
import html
import os
import pathlib
import pty
import re
import subprocess
import sys
import tempfile

FILES = {'shop.conf': '''input { beats { prot => 5044 } }
filter {
  grok { match => { "message" => "%{COMBINEDAPACHELOGS}" } }
  if [status] = 500 { mutate { add_tag => [ "failed" ] } }
}
output { elasticsaerch { } }
'''}
COMMANDS = (
    'millrace -t -f shop.conf',
    '''echo 'kim paid 730 KRW' | millrace --log.level error -e '
  filter { grok { match => { "message" => "%{WORD:user} paid %{INT:won:int}" }
                  remove_field => [ "event", "host", "@timestamp" ] } }' ''',
    "millrace grok '%{IP:client} %{WORD:verb} %{NUMBER:bytes:int}' '10.0.0.1 GET many'",
)
COLUMNS, CHARACTER, LINE, MARGIN, TITLE = 100, 8.4, 19, 18, 34
COLOURS = {'31': '#ff7b72', '32': '#7ee787', '33': '#e3b341', '34': '#79c0ff', '35': '#d2a8ff', '36': '#56d4dd', '90': '#8b949e'}
NO_BREAK = '\u00a0'  # other blanks are not all drawn
PLAIN, PROMPT = '#e6edf3', '#7ee787'
SEQUENCE = re.compile(r'\033\[([\d;]*)m')


def in_terminal(command, folder, binary):
    """What a command prints where there is a terminal."""
    ours, theirs = pty.openpty()
    environment = {'PATH': f'{pathlib.Path(binary).parent}:/usr/bin:/bin', 'TERM': 'xterm-256color', 'LANG': 'C.UTF-8',
                   'HOME': folder, 'COLUMNS': str(COLUMNS), 'XDG_STATE_HOME': folder}
    child = subprocess.Popen(['sh', '-c', command], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
    os.close(theirs)
    output = b''
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # how Linux says that the other end is closed
            part = b''
        if not part:
            break
        output += part
    child.wait(60)
    os.close(ours)
    return output.decode('utf-8').replace('\r\n', '\n').rstrip('\n')


def spans(line, style):
    """(text, style) for each piece, and the style that goes on. A style is (colour, bold, dim)."""
    pieces, at = [], 0
    for match in SEQUENCE.finditer(line):
        pieces.append((line[at:match.start()], style))
        at = match.end()
        for code in match[1].split(';'):
            colour, bold, dim = style
            style = ((COLOURS[code], bold, dim) if code in COLOURS else (colour, True, dim) if code == '1'
                     else (colour, bold, True) if code == '2' else (PLAIN, False, False) if code in ('', '0') else style)
    pieces.append((line[at:], style))
    return [piece for piece in pieces if piece[0]], style


def draw_line(pieces, y):
    text, column = '', 0
    for piece, (colour, bold, dim) in pieces:
        attributes = (' font-weight="bold"' if bold else '') + (' opacity="0.65"' if dim else '')
        text += f'<tspan x="{MARGIN + column * CHARACTER:.1f}" fill="{colour}"{attributes}>{html.escape(piece, quote=False).replace(" ", NO_BREAK)}</tspan>'
        column += len(piece)
    return f'<text y="{y}">{text}</text>'


def picture(lines):
    columns = max(sum(len(text) for text, _ in pieces) for pieces in lines)
    width, height = int(MARGIN * 2 + columns * CHARACTER), TITLE + len(lines) * LINE + MARGIN
    drawn = '\n'.join(draw_line(pieces, TITLE + number * LINE + 14) for number, pieces in enumerate(lines) if pieces)
    lights = ''.join(f'<circle cx="{20 + 18 * i}" cy="17" r="5.5" fill="{colour}"/>'
                     for i, colour in enumerate(('#ff5f57', '#febc2e', '#28c840')))
    return f'''<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">
<title>millrace at a terminal</title>
<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="9" fill="#0d1117" stroke="#8b949e" stroke-opacity="0.5"/>
{lights}
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">
{drawn}
</g>
</svg>
'''


def main(binary, output):
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for name, text in FILES.items():
            (pathlib.Path(folder) / name).write_text(text)
        for command in COMMANDS:
            shown = command.rstrip().split('\n')
            lines += [[('$ ' if number == 0 else '', (PROMPT, True, False)), (line, (PLAIN, True, False))] for number, line in enumerate(shown)]
            style = (PLAIN, False, False)
            for line in in_terminal(command, folder, os.path.abspath(binary)).split('\n'):
                pieces, style = spans(line, style)
                lines.append(pieces)
            lines.append([])
    pathlib.Path(output).write_text(picture(lines[:-1]), 'utf-8')


if __name__ == '__main__':
    main(*sys.argv[1:])
