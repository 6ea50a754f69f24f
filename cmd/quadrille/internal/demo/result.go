package demo

import "time"

// outcome of a step.
type outcome string

const (
	ok      outcome = "ok"
	failed  outcome = "failed"
	skipped outcome = "skipped"
)

// result of a step, as --json prints it.
type result struct {
	Step    string  `json:"step"`
	Result  outcome `json:"result"`
	Why     string  `json:"why,omitempty"`  // it failed or was skipped
	Seen    string  `json:"seen,omitempty"` // what happened
	Latency int64   `json:"latency_ms"`
	Trace   string  `json:"trace_id,omitempty"`

	took time.Duration
}

// summary of a run, the last line.
type summary struct {
	OK      int   `json:"ok"`
	Failed  int   `json:"failed"`
	Skipped int   `json:"skipped"`
	Started int64 `json:"platform_start_ms,omitempty"` // the first platform
	Took    int64 `json:"took_ms"`
	// Why steps were skipped, each reason once.
	Why []string `json:"why_skipped,omitempty"`

	started, took time.Duration
}
