package pgserver

import (
	"fmt"
	"io"
	"strings"
)

// logBytes bounds what is read of a log, and logLines what an error repeats of it.
const (
	logBytes = 64 << 10
	logLines = 5
)

// failure says by its log why the server has gone.
func failure(log io.ReaderAt) error {
	text, err := io.ReadAll(io.NewSectionReader(log, 0, logBytes))
	if err != nil {
		return fmt.Errorf("it ended at once, and its log cannot be read: %w", err)
	}
	if strings.Contains(string(text), "Address already in use") {
		return errPortTaken
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	lines = lines[max(0, len(lines)-logLines):]
	return fmt.Errorf("it ended at once: %s", strings.Join(lines, "; "))
}
