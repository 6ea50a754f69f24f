package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// statements are the texts that were executed, by service.
type statements map[string]map[string]bool

var (
	// logged begins a statement in the server's log: its database, then its text, which further lines may go on with.
	logged = regexp.MustCompile(`^(\w+)\|LOG:  (?:execute [^:]+|statement): (.*)`)
	// writing is what a floor must not leave out. The services read at intervals too, whatever they are asked for.
	writing = regexp.MustCompile(`\b(INSERT|UPDATE|DELETE|SHARE)\b`)
)

// logStatements has PostgreSQL write every statement to its log, which slows everything down.
func (s *servers) logStatements(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.postgres.URL())
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, text := range []string{
		"ALTER SYSTEM SET log_statement = 'all'", "ALTER SYSTEM SET log_line_prefix = '%d|'",
		"ALTER SYSTEM SET log_parameter_max_length = 0", "SELECT pg_reload_conf()",
	} {
		if _, err := conn.Exec(ctx, text); err != nil {
			return fmt.Errorf("have PostgreSQL log statements: %w", err)
		}
	}
	return nil
}

func (s *servers) logPath() string { return filepath.Join(s.dir, "postgres", "server.log") }

// logSize is where the next statement will be in the log.
func (s *servers) logSize() (int64, error) {
	info, err := os.Stat(s.logPath())
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// statementsFrom reads the log from an offset on.
func (s *servers) statementsFrom(offset int64) (statements, error) {
	file, err := os.Open(s.logPath())
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(file)
	return parseStatements(string(text)), err
}

func parseStatements(log string) statements {
	found := make(statements)
	var database, text string
	end := func() {
		if text != "" && slices.Contains(serviceNames, database) {
			if found[database] == nil {
				found[database] = make(map[string]bool)
			}
			found[database][strings.Join(strings.Fields(text), " ")] = true
		}
		text = ""
	}
	for line := range strings.Lines(log) {
		if strings.HasPrefix(line, "\t") {
			text += " " + line
			continue
		}
		end()
		if m := logged.FindStringSubmatch(line); m != nil {
			database, text = m[1], m[2]
		}
	}
	end()
	return found
}

// compare is an error unless all that the floor executes the services execute too, to the letter, and the floor leaves
// out nothing of theirs that writes or locks.
func compare(floor, services statements) error {
	var errs []error
	for _, name := range serviceNames {
		if len(floor[name]) == 0 || len(services[name]) == 0 {
			errs = append(errs, fmt.Errorf("no statements of %s are in PostgreSQL's log", name))
		}
		for _, text := range slices.Sorted(maps.Keys(floor[name])) {
			if !services[name][text] {
				errs = append(errs, fmt.Errorf("only the floor executes, for %s: %s", name, text))
			}
		}
		for _, text := range slices.Sorted(maps.Keys(services[name])) {
			if writing.MatchString(text) && !floor[name][text] {
				errs = append(errs, fmt.Errorf("the floor leaves out, of %s: %s", name, text))
			}
		}
	}
	return errors.Join(errs...)
}
