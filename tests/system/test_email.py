# SPDX-License-Identifier: Apache-2.0
"""The email output, with an SMTP server of these tests that keeps what it gets."""
import base64
import email
import email.header
import json
import socket
import threading

import support


class SmtpServer:
    """answer(command) may return a line to say instead of the usual one, or None."""

    def __init__(self, case, answer=None, login=False, port=0):
        self.mails, self.commands, self.answer, self.login = [], [], answer or (lambda command: None), login
        self.server = socket.create_server(('127.0.0.1', port))
        self.port = self.server.getsockname()[1]
        case.addCleanup(self.server.close)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        stream = client.makefile('rwb')
        try:
            self.say(stream, '220 test')
            while line := stream.readline():
                if not self.take(stream, line.decode().strip()):
                    break
        except OSError:
            pass
        client.close()

    def say(self, stream, *lines):
        stream.write(''.join(line + '\r\n' for line in lines).encode())
        stream.flush()

    def take(self, stream, command):
        self.commands.append(command)
        verb = command.split(' ')[0].split(':')[0].upper()
        instead = self.answer(command)
        if instead:
            self.say(stream, instead)
        elif verb == 'EHLO':
            self.say(stream, '250-test', *(['250 AUTH PLAIN LOGIN CRAM-MD5'] if self.login else ['250 HELP']))
        elif verb == 'AUTH':
            wanted = (2 if 'LOGIN' in command else 1) - (len(command.split()) > 2)
            for _ in range(wanted):
                self.say(stream, '334 ')
                self.commands.append(stream.readline().decode().strip())
            self.say(stream, '235 fine')
        elif verb == 'MAIL':
            self.sender, self.recipients = command[10:], []
            self.say(stream, '250 fine')
        elif verb == 'RCPT':
            self.recipients.append(command[8:])
            self.say(stream, '250 fine')
        elif verb == 'DATA':
            self.say(stream, '354 go on')
            lines = []
            while (line := stream.readline()) != b'.\r\n':
                lines.append(line[1:] if line.startswith(b'.') else line)
            self.mails.append((self.sender, self.recipients, b''.join(lines)))
            self.say(stream, '250 taken')
        else:
            self.say(stream, '221 bye' if verb == 'QUIT' else '250 fine')
        return verb != 'QUIT'


def header(message, name):
    return str(email.header.make_header(email.header.decode_header(message[name])))


class Email(support.Case):
    def send(self, server, options, *events, arguments=()):
        counters = self.folder / 'counters'
        self.run_to_end('-w', '1', '-e', f'input {{ stdin {{ codec => json_lines }} }} output {{ email {{ address => "127.0.0.1" port => {server.port} '
                        f'{options} }} }}', '--counters', counters, stdin=''.join(json.dumps(event) + '\n' for event in events).encode())
        return json.loads(counters.read_text())['pipelines']['main']['plugins']['outputs'][0]['events']

    def test_a_mail(self):
        server = SmtpServer(self)
        counted = self.send(server, 'to => "a@example.com, B <b@example.com>" cc => "%{cc}" bcc => "d@example.com" from => "me@example.com" '
                            'replyto => "r@example.com" subject => "disk of %{host}" body => "one\\n%{message}\\n.\\n..two"',
                            {'host': 'web-1', 'message': 'full', 'cc': 'c@example.com'}, {'host': 'web-2', 'message': 'x', 'cc': ''})
        self.assertEqual((2, 0), (counted['delivered'], counted['refused']))
        sender, recipients, content = server.mails[0]
        self.assertEqual('<me@example.com>', sender)
        self.assertEqual(['<a@example.com>', '<b@example.com>', '<c@example.com>', '<d@example.com>'], recipients)
        message = email.message_from_bytes(content)
        self.assertEqual(('a@example.com, B <b@example.com>', 'c@example.com', 'me@example.com', 'r@example.com', 'disk of web-1', 'text/plain'),
                         (message['To'], message['Cc'], message['From'], message['Reply-To'], message['Subject'], message.get_content_type()))
        self.assertIsNone(message['Bcc'])
        self.assertTrue(message['Date'] and message['Message-ID'])
        self.assertEqual('one\r\nfull\r\n.\r\n..two\r\n', message.get_payload(decode=True).decode())
        self.assertEqual(3, len(server.mails[1][1]))
        self.assertNotEqual(message['Message-ID'], email.message_from_bytes(server.mails[1][2])['Message-ID'])

    def test_a_name_in_quotes_may_have_a_comma(self):
        server = SmtpServer(self)
        self.send(server, r'''to => '"Doe, \"J\"" <a@example.com>,b@example.com' body => "x"''', {'a': 1})
        self.assertEqual(['<a@example.com>', '<b@example.com>'], server.mails[0][1])

    def test_what_is_not_ascii(self):
        server = SmtpServer(self)
        subject, body = 'Grüße aus 서울 ' + 'ß' * 60, 'é' * 2000 + '\n'
        self.send(server, 'to => "a@example.com" subject => "%{s}" body => "%{b}"', {'s': subject, 'b': body})
        message = email.message_from_bytes(server.mails[0][2])
        self.assertEqual((subject, body), (header(message, 'Subject'), message.get_payload(decode=True).decode()))
        self.assertTrue(all(len(line) <= 100 for line in server.mails[0][2].split(b'\r\n')))

    def test_a_text_cannot_break_the_headers(self):
        server = SmtpServer(self)
        counted = self.send(server, 'to => "%{to}" subject => "%{s}" body => "b"',
                            {'to': 'a@example.com', 's': 'x\r\nBcc: evil@example.com\r\n\r\nbody'},
                            {'to': 'a@example.com>\r\nRCPT TO:<evil@example.com', 's': 'y'}, {'to': '', 's': 'z'})
        self.assertEqual((1, 2), (counted['delivered'], counted['refused']))
        message = email.message_from_bytes(server.mails[0][2])
        self.assertIsNone(message['Bcc'])
        self.assertEqual('x  Bcc: evil@example.com    body', message['Subject'])
        self.assertNotIn('evil', ' '.join(command for command in server.commands if command.startswith('RCPT')))

    def test_html_and_attachments(self):
        server, attached = SmtpServer(self), self.write('report.bin', bytes(range(256)) * 10)
        self.send(server, f'to => "a@example.com" body => "text" htmlbody => "<b>%{{n}}</b>" attachments => ["{attached}"]', {'n': 5})
        message = email.message_from_bytes(server.mails[0][2])
        self.assertEqual('multipart/mixed', message.get_content_type())
        body, file = message.get_payload()
        self.assertEqual(['text', '<b>5</b>'], [part.get_payload(decode=True).decode() for part in body.get_payload()])
        self.assertEqual(('report.bin', bytes(range(256)) * 10), (file.get_filename(), file.get_payload(decode=True)))

    def test_logins(self):
        for way in ('plain', 'login'):
            with self.subTest(way):
                server = SmtpServer(self, login=True)
                self.send(server, f'to => "a@example.com" body => "b" username => "kim" password => "secret" authentication => {way}', {'n': 1})
                said = ' '.join(server.commands)
                self.assertIn(f'AUTH {way.upper()}', said)
                self.assertIn(base64.b64encode(b'kim' if way == 'login' else b'\0kim\0secret').decode(), said)
                self.assertEqual(1, len(server.mails))

    def test_what_the_server_refuses(self):
        server = SmtpServer(self, lambda command: '550 no such user' if 'bad@' in command else None)
        counted = self.send(server, 'to => "%{to}" body => "b"', {'to': 'bad@example.com'}, {'to': 'good@example.com'})
        self.assertEqual((1, 1), (counted['delivered'], counted['refused']))

    def test_what_may_succeed_later(self):
        busy = iter(['451 later', '451 later'])
        server = SmtpServer(self, lambda command: next(busy, None) if command.startswith('MAIL') else None)
        counted = self.send(server, 'to => "a@example.com" body => "b"', {'n': 1})
        self.assertEqual((1, 1), (counted['delivered'], len(server.mails)))

    def test_a_server_that_comes_later(self):
        port = support.free_port()
        millrace = self.start('-e', f'input {{ generator {{ count => 1 }} }} output {{ email {{ address => "127.0.0.1" port => {port} '
                              'to => "a@example.com" } }')
        millrace.wait_for_log('a mail cannot be sent, trying again')
        server = SmtpServer(self, port=port)
        self.assertEqual(0, millrace.wait())
        self.assertEqual(1, len(server.mails))

    def test_options(self):
        for options, said in (('via => sendmail', 'via => sendmail is not there'), ('template_file => "/x"', 'htmlbody'),
                              ('username => "x"', 'belong together')):
            millrace = self.run_to_end('-t', '-e', f'input {{ stdin {{ }} }} output {{ email {{ to => "a" {options} }} }}', status=1)
            self.assertIn(said, millrace.stderr)


if __name__ == '__main__':
    support.unittest.main()
