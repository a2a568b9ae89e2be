# SPDX-License-Identifier: Apache-2.0
"""A document store for tests: `millrace store` on a free port, and a few words to talk to it."""
import json
import re
import urllib.error
import urllib.request

import support


class Store:
    """One process on a folder of its own. call() gives (status, decoded answer)."""

    def __init__(self, case, folder, *arguments, port=0):
        self.process = case.start('store', '--path', folder, '--listen', f'127.0.0.1:{port}', *arguments, data=False)
        pattern = r'listening on http://127\.0\.0\.1:(\d+)'
        self.process.wait_for(lambda: re.search(pattern, self.process.stdout), 'the store to listen')
        self.port = int(re.search(pattern, self.process.stdout).group(1))

    @property
    def address(self):
        return f'127.0.0.1:{self.port}'

    def raw(self, method, path, body=None, headers=None):
        if body is not None and not isinstance(body, bytes):
            body = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        request = urllib.request.Request(f'http://{self.address}{path}', body, headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60 * support.PATIENCE) as answer:
                return answer.status, answer.read(), answer.headers
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(), error.headers

    def call(self, method, path, body=None, headers=None):
        status, text, _ = self.raw(method, path, body, headers)
        return status, json.loads(text) if text else None

    def get(self, path):
        return self.call('GET', path)

    def count(self, index):
        return self.get(f'/{index}/_count')[1]['count']


def bulk(*lines):
    return ''.join((line if isinstance(line, str) else json.dumps(line)) + '\n' for line in lines)
