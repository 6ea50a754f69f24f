package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// prefixes of the values' types, without the name of the service.
const typePrefix = "quadrille."

// newID has the form of a UUID.
func newID() string {
	a, b := rand.Uint64(), rand.Uint64()
	return fmt.Sprintf("%08x-%04x-8%03x-8%03x-%012x", uint32(a), uint16(a>>32), a>>48&0xfff, b&0xfff, b>>16)
}

// newOrderID grows with time, as UUIDv7 does.
func newOrderID() string {
	ms, b := uint64(time.Now().UnixMilli()), rand.Uint64()
	return fmt.Sprintf("%08x-%04x-7%03x-8%03x-%012x", ms>>16, ms&0xffff, rand.Uint64()&0xfff, b&0xfff, b>>16)
}

func newTrace() string {
	return fmt.Sprintf("00-%016x%016x-%s", rand.Uint64(), rand.Uint64(), newSpan())
}

func newSpan() string { return fmt.Sprintf("%016x-01", rand.Uint64()) }

// headers of a fact, as the outbox keeps them.
func headers(service string, f fact) (string, error) {
	text, err := json.Marshal([][2]string{
		{"ce_specversion", "1.0"},
		{"ce_id", f.id},
		{"ce_type", typePrefix + service + "." + f.kind},
		{"ce_source", "/quadrille/" + service},
		{"ce_subject", f.key},
		{"ce_time", f.because.at.Format(time.RFC3339Nano)},
		{"ce_sequence", strconv.FormatInt(f.version, 10)},
		{"ce_correlationid", f.because.correlation},
		{"ce_causationid", f.because.cause},
		{"content-type", "application/avro"},
		{"traceparent", f.because.trace},
	})
	return string(text), err
}

// messageOf reads the headers of a record.
func messageOf(r *kgo.Record, now time.Time) *message {
	m := &message{scope: r.Topic, key: string(r.Key), digest: digest(r.Value), at: now, value: r.Value}
	for _, h := range r.Headers {
		value := string(h.Value)
		switch h.Key {
		case "ce_id":
			m.id, m.cause = value, value
		case "ce_type":
			for i := len(value) - 1; i >= 0; i-- {
				if value[i] == '.' {
					m.kind = value[i+1:]
					break
				}
			}
		case "ce_correlationid":
			m.correlation = value
		case "traceparent":
			m.trace = value
		}
	}
	return m
}
