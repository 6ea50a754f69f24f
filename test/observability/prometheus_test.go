//go:build observability

package observability

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// prometheus is asked by its HTTP API.
type prometheus struct{ url string }

// samples counts what a query yields over a time, without what is no number.
func (p *prometheus) samples(ctx context.Context, query string, from, to time.Time) (n int, err error) {
	var data struct {
		Result []struct {
			Values [][2]any `json:"values"`
		} `json:"result"`
	}
	err = p.get(ctx, "/api/v1/query_range", url.Values{
		"query": {query}, "start": {seconds(from)}, "end": {seconds(to)}, "step": {"1"},
	}, &data)
	for _, series := range data.Result {
		for _, sample := range series.Values {
			value, failed := strconv.ParseFloat(fmt.Sprint(sample[1]), 64)
			if failed == nil && !math.IsNaN(value) {
				n++
			}
		}
	}
	return n, err
}

// active returns the alerts that are pending or firing, each with its state before its name and its job behind it.
func (p *prometheus) active(ctx context.Context) (active []string, err error) {
	var data struct {
		Alerts []struct {
			Labels map[string]string `json:"labels"`
			State  string            `json:"state"`
		} `json:"alerts"`
	}
	err = p.get(ctx, "/api/v1/alerts", nil, &data)
	for _, a := range data.Alerts {
		active = append(active, strings.TrimSpace(a.State+" "+a.Labels["alertname"]+" "+a.Labels["job"]))
	}
	return active, err
}

func (p *prometheus) get(ctx context.Context, path string, query url.Values, data any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer := struct {
		Status string          `json:"status"`
		Error  string          `json:"error"`
		Data   json.RawMessage `json:"data"`
	}{}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return fmt.Errorf("%s: %s: %w", path, res.Status, err)
	}
	if answer.Status != "success" {
		return fmt.Errorf("%s: %s", path, answer.Error)
	}
	return json.Unmarshal(answer.Data, data)
}

func seconds(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64) }
