# SPDX-License-Identifier: Apache-2.0
"""An Elasticsearch that behaves as badly as servers do: slow, refusing, lying, torn, reset. What it says it has taken,
and what it took without saying so, is kept by document number."""
import gzip
import json
import random
import socket
import struct
import threading

INFO = {'name': 'sink', 'version': {'number': '8.11.0'}, 'tagline': 'You Know, for Search'}
TOO_LARGE_BYTES = 6000

# How a bulk request is met, and how often among the faults.
FAULTS = ('slow', 'slow', 'overloaded', 'away', 'broken', 'forbidden', 'too_large', 'some_busy', 'some_broken', 'torn',
          'too_few', 'too_many', 'no_status', 'garbage', 'empty', 'reset_before', 'reset_after', 'hang', 'packed')


class HostileSink:
    """Serves on a free port until close(). `calm` ends all faults; `kinds` counts what was done."""

    faults = FAULTS

    def __init__(self, seed, share):
        self.random, self.share, self.calm = random.Random(seed), share, threading.Event()
        self.lock, self.taken, self.kinds = threading.Lock(), {}, {}
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.calm.set()
        self.listener.shutdown(socket.SHUT_RDWR)  # or whoever waits in accept goes on waiting, and the port stays open
        self.listener.close()

    def numbers(self):
        with self.lock:
            return set(self.taken)

    def twice(self):
        with self.lock:
            return sum(times - 1 for times in self.taken.values())

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                if self.listener.fileno() < 0:
                    return
                continue  # one that went before it was accepted
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            with connection, connection.makefile('rb') as source:
                while line := source.readline():
                    body = source.read(self._read_head(source))
                    if not self._answer(connection, line, body):
                        return
        except OSError:
            pass

    @staticmethod
    def key(document):
        """What a document is known by."""
        return document['n']

    def read_documents(self, body):
        return [self.key(json.loads(text)) for text in body.splitlines()[1::2]]

    @staticmethod
    def _read_head(source):
        length = 0
        while header := source.readline().strip():
            name, _, value = header.partition(b':')
            if name.lower() == b'content-length':
                length = int(value)
        return length

    def _choose(self):
        with self.lock:
            faulty = not self.calm.is_set() and self.random.random() < self.share
            kind = self.random.choice(self.faults) if faulty else 'well'
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
            return kind, random.Random(self.random.random())

    def _take(self, documents):
        with self.lock:
            for number in documents:
                self.taken[number] = self.taken.get(number, 0) + 1

    def _answer(self, connection, line, body):
        if b'_bulk' not in line:
            connection.sendall(whole(200, INFO))
            return True
        documents = self.read_documents(body)
        kind, chance = self._choose()
        return getattr(self, f'_{kind}', self._well)(connection, documents, body, chance)

    def _well(self, connection, documents, body, chance):
        self._take(documents)
        connection.sendall(whole(200, reply(201 for _ in documents)))
        return True

    def _slow(self, connection, documents, body, chance):
        self.calm.wait(chance.uniform(0.02, 0.3))
        return self._well(connection, documents, body, chance)

    def _refuse(self, connection, status, headers=''):
        connection.sendall(whole(status, {'error': {'type': 'told_to', 'reason': 'told to'}, 'status': status}, headers))
        return True

    def _overloaded(self, connection, documents, body, chance):
        return self._refuse(connection, 429, 'retry-after: 0\r\n' if chance.random() < 0.3 else '')

    def _away(self, connection, documents, body, chance):
        return self._refuse(connection, 503)

    def _broken(self, connection, documents, body, chance):
        return self._refuse(connection, chance.choice((500, 502, 504)))

    def _forbidden(self, connection, documents, body, chance):
        return self._refuse(connection, chance.choice((401, 403)))

    def _too_large(self, connection, documents, body, chance):
        if len(body) <= TOO_LARGE_BYTES or len(documents) == 1:
            return self._well(connection, documents, body, chance)
        return self._refuse(connection, 413)

    def _some(self, connection, documents, chance, status):
        failed = {number for number in documents if chance.random() < 0.2}
        self._take(number for number in documents if number not in failed)
        connection.sendall(whole(200, reply(status if number in failed else 201 for number in documents)))
        return True

    def _some_busy(self, connection, documents, body, chance):
        return self._some(connection, documents, chance, 429)

    def _some_broken(self, connection, documents, body, chance):
        return self._some(connection, documents, chance, chance.choice((500, 503, 403)))

    def _torn(self, connection, documents, body, chance):
        """Half of a good answer; whether the documents were stored nobody knows."""
        if chance.random() < 0.5:
            self._take(documents)
        answer = whole(200, reply(201 for _ in documents))
        connection.sendall(answer[:chance.randrange(1, len(answer))])
        return False

    def _lie(self, connection, statuses):
        connection.sendall(whole(200, reply(statuses)))
        return True

    def _too_few(self, connection, documents, body, chance):
        return self._lie(connection, [201] * (len(documents) - 1))

    def _too_many(self, connection, documents, body, chance):
        return self._lie(connection, [201] * (len(documents) + 1))

    def _no_status(self, connection, documents, body, chance):
        return self._lie(connection, [None] * len(documents))

    def _garbage(self, connection, documents, body, chance):
        connection.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>')
        return True

    def _empty(self, connection, documents, body, chance):
        connection.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
        return True

    def _reset(self, connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        return False

    def _reset_before(self, connection, documents, body, chance):
        return self._reset(connection)

    def _reset_after(self, connection, documents, body, chance):
        self._well(connection, documents, body, chance)
        return self._reset(connection)

    def _hang(self, connection, documents, body, chance):
        """As a server that is stopped: it takes the request and never answers."""
        self.calm.wait(3)
        return False

    def _packed(self, connection, documents, body, chance):
        """A good answer in a coding that nobody asked for."""
        self._take(documents)
        body = gzip.compress(json.dumps(reply(201 for _ in documents)).encode())
        connection.sendall(b'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n%s' %
                           (len(body), body))
        return True


def reply(statuses):
    items = [{'index': {'status': status} if status else {}} for status in statuses]
    return {'errors': any(item['index'].get('status', 200) > 299 for item in items), 'items': items}


def whole(status, body, headers=''):
    text = json.dumps(body)
    return f'HTTP/1.1 {status} Said\r\n{headers}content-length: {len(text)}\r\n\r\n{text}'.encode()
