package mail_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
)

// TestEveryInterleavingLeadsToTheSameMails delivers the events of each topic in their order, the topics in any, every
// single message once more at every later place, and the outcome of each mail, be it sent or not, at any time.
func TestEveryInterleavingLeadsToTheSameMails(t *testing.T) {
	tests := map[string]struct {
		orders, payments []mail.Message
		want             []mail.Kind
	}{
		"placed only":       {[]mail.Message{place()}, nil, nil},
		"confirmed":         {[]mail.Message{place(), confirm()}, nil, []mail.Kind{mail.Confirmation}},
		"cancelled":         {[]mail.Message{place(), cancel()}, nil, []mail.Kind{mail.Cancellation}},
		"nothing to refund": {[]mail.Message{place(), cancel()}, []mail.Message{refund(0)}, []mail.Kind{mail.Cancellation}},
		"refunded": {
			[]mail.Message{place(), cancel()}, []mail.Message{refund(total)}, []mail.Kind{mail.Cancellation, mail.Refund},
		},
		"confirmed, cancelled, refunded": {
			[]mail.Message{place(), confirm(), cancel()}, []mail.Message{refund(total)},
			[]mail.Kind{mail.Confirmation, mail.Cancellation, mail.Refund},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := search{t: t, want: test.want, seen: map[string]bool{}}
			s.from(walk{Room: &mail.Room{}, Left: [2]int{len(test.orders), len(test.payments)}},
				[2][]mail.Message{test.orders, test.payments})
			t.Logf("%d states", len(s.seen))
		})
	}
}

// walk is one way that the messages can go so far.
type walk struct {
	Room      *mail.Room
	Left      [2]int // by topic, how many events are not delivered yet
	Delivered []string
	Told      []mail.Kind // whose mails were tried, in order
	Repeated  bool

	delivered []mail.Message
}

type search struct {
	t    *testing.T
	want []mail.Kind
	seen map[string]bool
}

func (s *search) from(w walk, topics [2][]mail.Message) {
	key, err := json.Marshal(w)
	if err != nil {
		s.t.Fatal(err)
	}
	if s.seen[string(key)] {
		return
	}
	s.seen[string(key)] = true

	moved := false
	for i, events := range topics {
		if w.Left[i] > 0 {
			moved = true
			next := s.deliver(w, events[len(events)-w.Left[i]])
			next.Left[i]--
			s.from(next, topics)
		}
	}
	if l := w.Room.Logs[order]; l != nil {
		if call, due := l.Next(); due {
			moved = true
			for _, outcome := range []mail.Outcome{mail.Sent, mail.Refused} {
				next := s.deliver(w, answer(call.Kind, outcome))
				next.Told = append(slices.Clone(w.Told), call.Kind)
				s.from(next, topics)
			}
		}
	}
	if !w.Repeated {
		for _, m := range w.delivered {
			next := s.deliver(w, m)
			next.Repeated = true
			if diff := cmp.Diff(w.Room, next.Room); diff != "" {
				s.t.Fatalf("%+v repeated after %q changed (-before +after):\n%s", m, w.Delivered, diff)
			}
			s.from(next, topics)
		}
	}
	if !moved {
		if diff := cmp.Diff(s.want, w.Told); diff != "" {
			s.t.Fatalf("after %q the mails are (-want +got):\n%s", w.Delivered, diff)
		}
	}
}

func (s *search) deliver(w walk, m mail.Message) walk {
	logs := maps.Clone(w.Room.Logs)
	for id, l := range logs {
		copied := *l
		logs[id] = &copied
	}
	w.Room = &mail.Room{Logs: logs}
	if _, err := m.Decide(w.Room); err != nil {
		s.t.Fatalf("%+v after %q: %v", m, w.Delivered, err)
	}
	w.Delivered = append(slices.Clone(w.Delivered), fmt.Sprintf("%T", m))
	slices.Sort(w.Delivered)
	w.delivered = append(slices.Clone(w.delivered), m)
	return w
}
