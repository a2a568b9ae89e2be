// SPDX-License-Identifier: Apache-2.0

// Command lumber sends events through go-lumber, the client library inside Filebeat, and reports as JSON what was
// acknowledged. It is the Beats client of the tests that this project did not write.
//
// Events are numbered messages, or the lines of a file. A batch whose acknowledgement failed is sent again on a new
// connection, unless -once is given; its events are then counted as sent again.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	lumber "github.com/elastic/go-lumber/client/v2"
)

type event map[string]interface{}

type settings struct {
	to, file, prefix, service string
	count, window, inflight   int
	compress                  int
	timeout, wait             time.Duration
	once                      bool
	ca, cert, key, name       string
}

type report struct {
	Events      int      `json:"events"`
	Acked       int      `json:"acked"`
	SentAgain   int      `json:"sent_again"`
	Connections int      `json:"connections"`
	Batches     []int    `json:"batches"` // acknowledged, in the order of the acknowledgements: number of the first event
	Errors      []string `json:"errors"`
	Seconds     float64  `json:"seconds"`
}

const maxErrors = 20

func parseFlags() settings {
	var s settings
	flag.StringVar(&s.to, "to", "", "HOST:PORT")
	flag.StringVar(&s.file, "file", "", "send the lines of this file")
	flag.StringVar(&s.prefix, "prefix", "event ", "messages are PREFIX and a number")
	flag.StringVar(&s.service, "service", "", "[fields][service]")
	flag.IntVar(&s.count, "n", 10, "events, when no file is given")
	flag.IntVar(&s.window, "window", 2048, "events in a batch")
	flag.IntVar(&s.inflight, "inflight", 0, "0: the synchronous client; else go-lumber's inflight")
	flag.IntVar(&s.compress, "compress", 0, "0 to 9")
	flag.DurationVar(&s.timeout, "timeout", 30*time.Second, "of dialling, writing and waiting for an acknowledgement")
	flag.DurationVar(&s.wait, "wait", 60*time.Second, "give up after so long")
	flag.BoolVar(&s.once, "once", false, "do not send again")
	flag.StringVar(&s.ca, "ca", "", "speak TLS, and trust the authorities of this PEM file")
	flag.StringVar(&s.cert, "cert", "", "the client's certificate, a PEM file")
	flag.StringVar(&s.key, "key", "", "its key, a PEM file")
	flag.StringVar(&s.name, "name", "localhost", "the name that the server's certificate must have")
	flag.Parse()
	return s
}

func makeEvent(s settings, message string, offset int) event {
	made := event{
		"@timestamp": time.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		"@metadata":  event{"beat": "filebeat", "type": "_doc", "version": "7.17.29"},
		"agent":      event{"name": "tests", "type": "filebeat", "version": "7.17.29"},
		"host":       event{"name": "tests"},
		"log":        event{"offset": offset, "file": event{"path": s.file}},
		"message":    message,
	}
	if s.service != "" {
		made["fields"] = event{"service": s.service}
	}
	return made
}

func makeEvents(s settings) ([]interface{}, error) {
	var events []interface{}
	if s.file == "" {
		for i := 0; i < s.count; i++ {
			events = append(events, makeEvent(s, fmt.Sprintf("%s%d", s.prefix, i), i))
		}
		return events, nil
	}
	file, err := os.Open(s.file)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for offset := 0; lines.Scan(); offset += len(lines.Bytes()) + 1 {
		events = append(events, makeEvent(s, lines.Text(), offset))
	}
	return events, lines.Err()
}

// sender holds the batches that still have to be acknowledged.
type sender struct {
	settings
	events []interface{}
	mutex  sync.Mutex
	left   map[int]bool // first event of each batch without acknowledgement
	sent   map[int]bool
	report report
}

func newSender(s settings, events []interface{}) *sender {
	r := &sender{settings: s, events: events, left: map[int]bool{}, sent: map[int]bool{}}
	r.report = report{Events: len(events), Batches: []int{}, Errors: []string{}}
	for first := 0; first < len(events); first += s.window {
		r.left[first] = true
	}
	return r
}

func (s *sender) batch(first int) []interface{} {
	last := first + s.window
	if last > len(s.events) {
		last = len(s.events)
	}
	return s.events[first:last]
}

func (s *sender) begin(first int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.sent[first] {
		s.report.SentAgain += len(s.batch(first))
	}
	s.sent[first] = true
}

func (s *sender) finish(first int, acked int, err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if err == nil && acked == len(s.batch(first)) {
		delete(s.left, first)
		s.report.Acked += acked
		s.report.Batches = append(s.report.Batches, first)
		return
	}
	s.fail(fmt.Errorf("batch %d: acknowledged %d: %v", first, acked, err))
}

func (s *sender) fail(err error) {
	if len(s.report.Errors) < maxErrors {
		s.report.Errors = append(s.report.Errors, err.Error())
	}
}

func (s *sender) waiting() []int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var waiting []int
	for first := 0; first < len(s.events); first += s.window {
		if s.left[first] {
			waiting = append(waiting, first)
		}
	}
	return waiting
}

// dial connects, over TLS when an authority is named.
func (s *sender) dial(network, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: s.timeout}
	if s.ca == "" {
		return dialer.Dial(network, address)
	}
	text, err := os.ReadFile(s.ca)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: s.name}
	config.RootCAs.AppendCertsFromPEM(text)
	if s.cert != "" {
		pair, err := tls.LoadX509KeyPair(s.cert, s.key)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return tls.DialWithDialer(dialer, network, address, config)
}

func (s *sender) options() []lumber.Option {
	return []lumber.Option{lumber.Timeout(s.timeout), lumber.CompressionLevel(s.compress)}
}

func (s *sender) runSync() error {
	client, err := lumber.SyncDialWith(s.dial, s.to, s.options()...)
	if err != nil {
		return err
	}
	defer client.Close()
	s.report.Connections++
	for _, first := range s.waiting() {
		s.begin(first)
		acked, err := client.Send(s.batch(first))
		s.finish(first, acked, err)
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *sender) runAsync() error {
	client, err := lumber.AsyncDialWith(s.dial, s.to, s.inflight, s.options()...)
	if err != nil {
		return err
	}
	s.report.Connections++
	var pending sync.WaitGroup
	for _, first := range s.waiting() {
		first := first
		s.begin(first)
		pending.Add(1)
		if err = client.Send(func(acked uint32, err error) {
			s.finish(first, int(acked), err)
			pending.Done()
		}, s.batch(first)); err != nil {
			break
		}
	}
	if err == nil {
		pending.Wait()
	}
	client.Close()
	return err
}

func (s *sender) run() {
	started := time.Now()
	for len(s.waiting()) > 0 && time.Since(started) < s.wait {
		var err error
		if s.inflight > 0 {
			err = s.runAsync()
		} else {
			err = s.runSync()
		}
		if err != nil {
			s.mutex.Lock()
			s.fail(err)
			s.mutex.Unlock()
		}
		if s.once {
			break
		}
		if len(s.waiting()) > 0 {
			time.Sleep(100 * time.Millisecond)
		}
	}
	s.report.Seconds = time.Since(started).Seconds()
}

func main() {
	settings := parseFlags()
	events, err := makeEvents(settings)
	if err != nil {
		fmt.Fprintln(os.Stderr, "lumber:", err)
		os.Exit(2)
	}
	sender := newSender(settings, events)
	sender.run()
	json.NewEncoder(os.Stdout).Encode(sender.report)
	if len(sender.waiting()) > 0 {
		os.Exit(1)
	}
}
