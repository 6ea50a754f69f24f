package events

import (
	"testing"
	"time"
)

func TestFrom(t *testing.T) {
	tests := map[string]From{
		"beginning":                 {given: true},
		"end":                       {given: true, end: true},
		"0":                         {given: true},
		"17":                        {given: true, offset: 17},
		"10m":                       {given: true, ago: 10 * time.Minute},
		"10m ago":                   {given: true, ago: 10 * time.Minute},
		"1h30m ago":                 {given: true, ago: 90 * time.Minute},
		"2026-03-01":                {given: true, at: start.Add(-12 * time.Hour)},
		"2026-03-01T12:00":          {given: true, at: start},
		"2026-03-01 12:00:00":       {given: true, at: start},
		"2026-03-01T12:00:00Z":      {given: true, at: start},
		"2026-03-01T13:00:00+01:00": {given: true, at: start},
		"-1":                        {},
		"-10m":                      {},
		"now":                       {},
		"":                          {},
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			var got From
			err := got.UnmarshalText([]byte(text))
			if (err == nil) != want.given || !got.at.Equal(want.at) {
				t.Fatalf("%+v, %v", got, err)
			}
			got.at, want.at = time.Time{}, time.Time{}
			if got != want {
				t.Errorf("%+v", got)
			}
		})
	}
}
