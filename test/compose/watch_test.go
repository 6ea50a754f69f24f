//go:build compose

package compose

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// watching is the profile that watches the platform.
const watching = "observability"

// watched brings up the profile observability beside what runs. Its configuration is proven elsewhere; here it is that
// its containers find it, the services, and each other.
func (s *stack) watched(t *testing.T) {
	s.engine = s.engine.With("COMPOSE_PROFILES="+watching, "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318")
	var composed struct {
		Services map[string]struct{ Image string }
	}
	if err := json.Unmarshal([]byte(s.must(t, "config", "--format", "json")), &composed); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name, service := range composed.Services {
		if !slices.Contains(s.without, service.Image) {
			names = append(names, name)
		}
	}
	took := s.up(t, append([]string{"--scale", "inventory=2"}, names...)...)
	t.Logf("up with %s took %s", watching, took.Round(100*time.Millisecond))

	s.confirmed(t, s.order(t, "tok_visa"))
	s.until(t, "all targets to be scraped", s.scraped)
	s.until(t, "all rules to be well", s.ruled)
	for _, service := range services {
		for _, query := range []string{
			`traces_span_metrics_calls_total{service_name="` + service + `"}`,
			`kafka_consumer_group_lag{group="` + service + `"}`,
		} {
			s.until(t, query, func(ctx context.Context) error { return s.answered(ctx, query) })
		}
	}
	s.until(t, "the mail of an alert", s.alerted)
	s.memory(t)
}

// ask asks Prometheus.
func (s *stack) ask(ctx context.Context, path string, data any) error {
	answer := struct{ Data any }{data}
	_, err := s.Call(ctx, http.MethodGet, "http://"+s.addresses["PROMETHEUS_PORT"]+path, nil, &answer)
	return err
}

// scraped wants each replica of each service to be scraped, and the collector.
func (s *stack) scraped(ctx context.Context) error {
	var found struct {
		ActiveTargets []struct {
			ScrapePool, ScrapeURL, Health, LastError string
		}
	}
	if err := s.ask(ctx, "/api/v1/targets?state=active", &found); err != nil {
		return err
	}
	well := make(map[string]int)
	for _, target := range found.ActiveTargets {
		if target.Health != "up" {
			return fmt.Errorf("%s is %s: %s", target.ScrapeURL, target.Health, target.LastError)
		}
		well[target.ScrapePool]++
	}
	if want := map[string]int{"order": 1, "inventory": 2, "payment": 1, "notification": 1, "collector": 2}; !maps.Equal(
		well, want) {
		return fmt.Errorf("%v are scraped, want %v", well, want)
	}
	return nil
}

// ruled wants the rules to have been evaluated, and somebody to tell of alerts.
func (s *stack) ruled(ctx context.Context) error {
	var rules struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError string }
		}
	}
	if err := s.ask(ctx, "/api/v1/rules", &rules); err != nil {
		return err
	}
	if len(rules.Groups) == 0 {
		return errors.New("there are no rules")
	}
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			if rule.Health != "ok" {
				return fmt.Errorf("rule %s is %s: %s", rule.Name, rule.Health, rule.LastError)
			}
		}
	}
	var managers struct{ ActiveAlertmanagers []struct{ URL string } }
	if err := s.ask(ctx, "/api/v1/alertmanagers", &managers); err != nil {
		return err
	}
	if len(managers.ActiveAlertmanagers) != 1 {
		return fmt.Errorf("the alertmanagers are %v", managers.ActiveAlertmanagers)
	}
	return nil
}

// answered wants a query to have an answer.
func (s *stack) answered(ctx context.Context, query string) error {
	var found struct{ Result []json.RawMessage }
	err := s.ask(ctx, "/api/v1/query?query="+url.QueryEscape(query), &found)
	if err == nil && len(found.Result) == 0 {
		err = errors.New("no samples")
	}
	return err
}

// alerted posts an alert until its mail is in the mailbox.
func (s *stack) alerted(ctx context.Context) error {
	const name = "TheProofIsWatched"
	alerts := []map[string]any{{
		"labels":      map[string]string{"alertname": name, "severity": "warning"},
		"annotations": map[string]string{"summary": "the mail gets through"},
	}}
	to := "http://" + s.addresses["ALERTMANAGER_PORT"] + "/api/v2/alerts"
	if _, err := s.Call(ctx, http.MethodPost, to, alerts, nil); err != nil {
		return err
	}
	mails, err := s.AllMails(ctx)
	if err != nil {
		return err
	}
	for _, mail := range mails {
		if strings.Contains(mail.Subject, name) {
			return nil
		}
	}
	return fmt.Errorf("%d mails, none of them it", len(mails))
}
