package launch

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Ended says whether no process runs under an id. What has ended and was not waited for counts as ended where the
// system tells, which is Linux: an orphan stays a zombie if process 1 does not wait for it, as in many containers.
func Ended(pid int) bool {
	// The state comes after the name of the program, which stands in parentheses and may hold some.
	if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil {
		state := bytes.TrimSpace(stat[bytes.LastIndexByte(stat, ')')+1:])
		return bytes.HasPrefix(state, []byte("Z")) || bytes.HasPrefix(state, []byte("X"))
	}
	return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}
