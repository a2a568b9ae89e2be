# SPDX-License-Identifier: Apache-2.0
"""Chromium without a window, driven over its debugging port: a page is opened, asked, typed at and photographed, and whatever its
console says is kept. One process for each browser, in a folder of its own."""
import base64
import json
import os
import pathlib
import socket
import struct
import subprocess
import urllib.request

import support

KEYS = {'Tab': 9, 'Enter': 13, 'Escape': 27, 'ArrowLeft': 37, 'ArrowUp': 38, 'ArrowRight': 39, 'ArrowDown': 40, 'End': 35, 'Home': 36}
FLAGS = ('--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-extensions',
         '--disable-background-networking', '--disable-component-update', '--disable-sync', '--hide-scrollbars',
         '--force-color-profile=srgb', '--remote-debugging-port=0', '--window-size=1600,1000')


class WebSocket:
    """As much of RFC 6455 as a client of the debugging port needs."""

    def __init__(self, url):
        host, path = url.removeprefix('ws://').split('/', 1)
        name, port = host.split(':')
        self.socket = socket.create_connection((name, int(port)), timeout=30 * support.PATIENCE)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(f'GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
                            f'Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n'.encode())
        self.rest = b''
        while b'\r\n\r\n' not in self.rest:
            self.rest += self._more()
        head, self.rest = self.rest.split(b'\r\n\r\n', 1)
        assert b' 101 ' in head.split(b'\r\n')[0], head

    def _more(self):
        chunk = self.socket.recv(65536)
        if not chunk:
            raise ConnectionError('the browser hung up')
        return chunk

    def _take(self, count):
        while len(self.rest) < count:
            self.rest += self._more()
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def send(self, text):
        data, mask = text.encode(), os.urandom(4)
        length = struct.pack('!B', 0x80 | len(data)) if len(data) < 126 else struct.pack('!BH', 0x80 | 126, len(data))
        self.socket.sendall(b'\x81' + length + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)))

    def receive(self):
        """One message of text, put together of its frames."""
        message = b''
        while True:
            first, second = self._take(2)
            length = second & 0x7F
            if length >= 126:
                length = struct.unpack('!H', self._take(2))[0] if length == 126 else struct.unpack('!Q', self._take(8))[0]
            data = self._take(length)
            if first & 0x0F in (0, 1):
                message += data
                if first & 0x80:
                    return message.decode()


class Browser:
    def __init__(self, case):
        self.folder = pathlib.Path(case.folder, 'chromium')
        program = support.need_command('chromium', 'the page is looked at in a real browser (apt-get install chromium)')
        self.child = subprocess.Popen([program, *FLAGS, f'--user-data-dir={self.folder}', 'about:blank'],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                      env={**os.environ, 'HOME': str(case.folder)})
        self.web = None
        case.addCleanup(self.close)
        port_file = self.folder / 'DevToolsActivePort'
        port = support.wait_until(lambda: port_file.exists() and port_file.read_text().split('\n')[0], 'the debugging port', 60)
        targets = support.wait_until(lambda: [target for target in json.load(urllib.request.urlopen(
            f'http://127.0.0.1:{port}/json', timeout=30)) if target['type'] == 'page'], 'a page', 60)
        self.web = WebSocket(targets[0]['webSocketDebuggerUrl'])
        self.number, self.console = 0, []
        for domain in ('Page', 'Runtime', 'Log', 'Network'):
            self.call(f'{domain}.enable')

    def close(self):
        if self.web:
            self.web.socket.close()
        self.child.kill()
        self.child.wait()

    def _note(self, message):
        method, values = message.get('method'), message.get('params', {})
        if method == 'Runtime.consoleAPICalled':
            self.console.append(' '.join(str(value.get('value', value.get('description'))) for value in values['args']))
        elif method == 'Runtime.exceptionThrown':
            self.console.append(values['exceptionDetails'].get('exception', {}).get('description', 'an exception'))
        elif method == 'Log.entryAdded':
            self.console.append(f"{values['entry']['text']} {values['entry'].get('url', '')}")

    def call(self, method, **values):
        self.number += 1
        self.web.send(json.dumps({'id': self.number, 'method': method, 'params': values}))
        while True:
            message = json.loads(self.web.receive())
            if message.get('id') == self.number:
                assert 'error' not in message, (method, message)
                return message['result']
            self._note(message)

    def run(self, script):
        """What an expression is, also a promised one."""
        result = self.call('Runtime.evaluate', expression=script, returnByValue=True, awaitPromise=True)
        assert 'exceptionDetails' not in result, result
        return result['result'].get('value')

    def wait(self, script, what, timeout=30):
        return support.wait_until(lambda: self.run(script), what, timeout)

    def look(self, width, height=1000, dark=False):
        self.call('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'},
                                                          {'name': 'prefers-reduced-motion', 'value': 'reduce'}])

    def open(self, url):
        self.call('Page.navigate', url=url)
        self.wait(f'location.href.startsWith({json.dumps(url.split("#")[0])}) && document.readyState === "complete"', 'the page')

    def press(self, *keys):
        for key in keys:
            text = {'text': '\r'} if key == 'Enter' else {}
            for kind in ('keyDown', 'keyUp'):
                self.call('Input.dispatchKeyEvent', type=kind, key=key, code=key, windowsVirtualKeyCode=KEYS[key],
                          **(text if kind == 'keyDown' else {}))

    def type(self, text):
        self.call('Input.insertText', text=text)

    def picture(self, path, full=False):
        data = self.call('Page.captureScreenshot', format='png', captureBeyondViewport=full)['data']
        pathlib.Path(path).write_bytes(base64.b64decode(data))
