# SPDX-License-Identifier: Apache-2.0
"""The Lumberjack protocol for tests: frames as bytes, a client that says anything, a server that answers anything."""
import io
import json
import socket
import struct
import threading
import time
import zlib

import support

ANSWER_SECONDS = 10.0 * support.PATIENCE
CLOSED = 'closed'  # what Client.acks ends with when the server ended the connection in order
RESET = 'reset'


def window(count, version=2):
    return b'%dW' % version + struct.pack('>I', count)


def data(sequence, event, version=2):
    """A J frame; event is an object, or the bytes of the payload."""
    text = event if isinstance(event, bytes) else json.dumps(event, ensure_ascii=False).encode()
    return b'%dJ' % version + struct.pack('>II', sequence, len(text)) + text


def pairs(sequence, fields, version=1, count=None):
    """A D frame."""
    frame = b'%dD' % version + struct.pack('>II', sequence, len(fields) if count is None else count)
    for part in (part for pair in fields.items() for part in pair):
        frame += struct.pack('>I', len(part.encode())) + part.encode()
    return frame


def packed(content, version=2, level=3):
    return raw_packed(zlib.compress(content, level), version)


def raw_packed(stream, version=2, length=None):
    return b'%dC' % version + struct.pack('>I', len(stream) if length is None else length) + stream


def batch(events, first=1, version=2, compress=None):
    """A whole window of events."""
    frames = b''.join(data(first + i, event, version) if version == 2 else pairs(first + i, event)
                      for i, event in enumerate(events))
    return window(len(events), version) + (frames if compress is None else packed(frames, version, compress))


def messages(*texts):
    return [{'message': text} for text in texts]


def numbered(prefix, count):
    return messages(*(f'{prefix}{i}' for i in range(count)))


class Client:
    """A connection on which a test says what it likes. Acks are pairs (version, number)."""

    def __init__(self, port, timeout=ANSWER_SECONDS, tls=None):
        """tls: an ssl context, with which it speaks TLS to localhost."""
        self.socket = socket.create_connection(('127.0.0.1', port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname='localhost')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, *parts):
        for part in parts:
            self.socket.sendall(part)
        return self

    def send_slowly(self, content, piece=1, pause=0.0):
        for at in range(0, len(content), piece):
            self.socket.sendall(content[at:at + piece])
            if pause:
                time.sleep(pause)
        return self

    def end(self):
        """Half-close: nothing more will be sent."""
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def read_ack(self, timeout=ANSWER_SECONDS):
        """One ack, CLOSED, RESET, or None when nothing came in time."""
        self.socket.settimeout(timeout)
        frame = b''
        try:
            while len(frame) < 6:
                piece = self.socket.recv(6 - len(frame))
                if not piece:
                    assert frame == b'', f'cut ack: {frame!r}'
                    return CLOSED
                frame += piece
        except TimeoutError:
            assert frame == b'', f'cut ack: {frame!r}'
            return None
        except ConnectionError:
            return RESET
        assert frame[1:2] == b'A', f'not an ack: {frame!r}'
        return int(frame[:1]), struct.unpack('>I', frame[2:])[0]

    def read_acks(self, count, timeout=ANSWER_SECONDS, keepalives=False):
        """The next acks, without keep-alives unless they are asked for; ends early at the end of the connection."""
        found = []
        limit = time.monotonic() + timeout
        while len(found) < count and (left := limit - time.monotonic()) > 0:
            ack = self.read_ack(left)
            if ack is None:
                break
            if keepalives or ack != (2, 0):
                found.append(ack)
            if ack in (CLOSED, RESET):
                break
        return found

    def read_to_end(self, timeout=ANSWER_SECONDS):
        """Everything until the server closes: acks, then CLOSED or RESET."""
        return self.read_acks(1 << 30, timeout, keepalives=True)


class Server:
    """Takes windows and answers with what `answer(connection number, window number, count)` returns: the number to
    acknowledge, bytes to send as they are, None for silence, or CLOSED to hang up."""

    def __init__(self, answer=None, port=0):
        self.answer = answer or (lambda connection, number, count: count)
        self.windows = []  # (connection number, [payload, …])
        self.connections = 0
        self.listener = socket.create_server(('127.0.0.1', port))
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def events(self):
        with self.lock:
            return [json.loads(payload) for _, payloads in self.windows for payload in payloads]

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client, self.connections), daemon=True).start()

    def _serve(self, client, connection):
        with client, client.makefile('rb') as stream:
            for number in range(1 << 30):
                try:
                    taken = self._read_window(stream)
                    if taken is None or not self._reply(client, connection, number, taken):
                        return
                except (OSError, struct.error):
                    return

    def _reply(self, client, connection, number, taken):
        answer = self.answer(connection, number, len(taken))
        with self.lock:
            self.windows.append((connection, taken))
        if answer == CLOSED:
            return False
        if isinstance(answer, int):
            answer = b'2A' + struct.pack('>I', answer)
        if answer:
            client.sendall(answer)
        return True

    def _read_window(self, stream):
        if stream.read(2) != b'2W':
            return None
        count, = struct.unpack('>I', stream.read(4))
        taken = []
        while len(taken) < count:
            self._read_frame(stream, taken)
        return taken

    def _read_frame(self, stream, taken):
        kind = stream.read(2)
        if kind == b'2C':
            size, = struct.unpack('>I', stream.read(4))
            content = zlib.decompress(stream.read(size))
            inner = io.BytesIO(content)
            while inner.tell() < len(content):
                self._read_frame(inner, taken)
            return
        if kind != b'2J':
            raise OSError(f'frame {kind!r}')
        sequence, size = struct.unpack('>II', stream.read(8))
        if sequence != len(taken) + 1:
            raise OSError(f'sequence {sequence} after {len(taken)} events')
        taken.append(stream.read(size))
