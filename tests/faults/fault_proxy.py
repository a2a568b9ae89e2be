# SPDX-License-Identifier: Apache-2.0
"""Stands between a client and a server, and cuts their connections when it is told to: resets either side, or says to one of them that
nothing more comes from the other."""
import socket
import struct
import threading

WAYS = ('reset client', 'reset server', 'half-close client', 'half-close server')


class FaultProxy:
    """Serves on a free port until close(); `cuts` counts connections that were cut."""

    def __init__(self, port_behind):
        self.port_behind, self.pairs, self.lock, self.cuts = port_behind, [], threading.Lock(), 0
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut(WAYS[0])

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                if self.listener.fileno() < 0:
                    return
                continue  # one that went before it was accepted
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            server = socket.create_connection(('127.0.0.1', self.port_behind), timeout=10)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        pair = (client, server)
        with self.lock:
            self.pairs.append(pair)
        there = threading.Thread(target=self._carry, args=(client, server), daemon=True)
        there.start()
        self._carry(server, client)
        there.join()
        with self.lock:
            self.pairs.remove(pair)
        client.close()
        server.close()

    @staticmethod
    def _carry(source, target):
        """Until either is cut; then the other hears of it."""
        try:
            while data := source.recv(1 << 16):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (source, target):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def cut(self, way):
        """All connections that there are."""
        with self.lock:
            pairs = list(self.pairs)
        for client, server in pairs:
            end = client if way.endswith('client') else server
            try:
                if way.startswith('reset'):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                    end.shutdown(socket.SHUT_RD)
                    end.close()
                else:
                    end.shutdown(socket.SHUT_WR)
                self.cuts += 1
            except OSError:
                pass
