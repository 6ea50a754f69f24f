package loadtest

import (
	"strings"
	"testing"
	"time"
)

func TestThePlatformIsTheDocumentedOneUnlessToldOtherwise(t *testing.T) {
	a, err := Command{}.addresses(t.Context())
	if err != nil || a.Kafka != "127.0.0.1:9092" || a.Services["order"] != "127.0.0.1:8081" {
		t.Errorf("by default %+v, %v", a, err)
	}
	if a, err := (Command{Against: "nowhere.json"}).addresses(t.Context()); err == nil {
		t.Errorf("against nothing %+v", a)
	}
}

func TestWhatCannotBeDoneIsRefused(t *testing.T) {
	good := Command{Rate: 1, Duration: time.Second, InFlight: 1}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for flag, change := range map[string]func(*Command){
		"--rate":      func(c *Command) { c.Rate = 0 },
		"--duration":  func(c *Command) { c.Duration = -time.Second },
		"--in-flight": func(c *Command) { c.InFlight = 0 },
		"--settle":    func(c *Command) { c.Settle = -1 },
		"less than":   func(c *Command) { c.Duration = time.Millisecond },
	} {
		c := good
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestAPlatformThatIsAwayIsNamedWithTheCure(t *testing.T) {
	const away = `{"kafka":"127.0.0.1:1","registry":"127.0.0.1:1","gateway":"127.0.0.1:1",` +
		`"services":{"order":"127.0.0.1:1","inventory":"127.0.0.1:1"},"admin":{"order":"127.0.0.1:1"}}`
	c := Command{Rate: 1, Duration: time.Second, InFlight: 1, Against: away}
	err := c.run(t.Context(), nil, nil)
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") || !strings.Contains(err.Error(), "--against") {
		t.Errorf("error %v", err)
	}
}
