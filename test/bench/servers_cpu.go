package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// find finds the servers' processes. Kafka and the registry are grandchildren of ours, below the shells that watch
// them.
func (s *servers) find() error {
	text, err := os.ReadFile(filepath.Join(s.dir, "postgres", "data", "postmaster.pid"))
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	if s.postmaster, err = strconv.Atoi(first); err != nil {
		return fmt.Errorf("process id of PostgreSQL: %w", err)
	}
	for pid, parent := range parents() {
		grandparent, _, _, err := processTimes(parent)
		line, failed := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		program, arguments, _ := strings.Cut(string(line), "\x00")
		if err != nil || failed != nil || grandparent != os.Getpid() || filepath.Base(program) != "java" {
			continue // a shell's own helper has its arguments, and theirs
		}
		switch {
		case strings.Contains(arguments, "kafka.Kafka\x00"):
			s.pids["Kafka"] = pid
		case strings.Contains(arguments, "quarkus-run.jar"):
			s.pids["registry"] = pid
		}
	}
	return nil
}

// cpu adds the processor time that the servers have used. That of PostgreSQL is the postmaster's, its children's, and
// that of those which have ended.
func (s *servers) cpu(used map[string]time.Duration) {
	for name, pid := range s.pids {
		if _, spent, _, err := processTimes(pid); err == nil {
			used[name] = spent
		}
	}
	_, spent, ended, err := processTimes(s.postmaster)
	if err != nil {
		return
	}
	used["PostgreSQL"] = spent + ended
	for pid, parent := range parents() {
		if parent == s.postmaster {
			_, spent, _, _ := processTimes(pid) // one that has ended is in its parent's by now
			used["PostgreSQL"] += spent
		}
	}
}
