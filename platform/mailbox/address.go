package mailbox

import (
	"strings"
	"time"
)

// The local parts of addresses that misbehave, whatever their domain. Every other address takes every mail.
const (
	localRefused = "refused" // RCPT: 550, for good
	localBusy    = "busy"    // end of DATA: 451 twice for each Message-ID, then taken
	localSlow    = "slow"    // end of DATA: takes Config.Slow, with or without its sender
	localSilent  = "silent"  // RCPT: never answered
)

// busyTimes is how often a mail to a busy address is put off.
const busyTimes = 2

// silence is how long a sender is not answered. It is longer than any waits, but not for ever: then the line is cut.
const silence = 10 * time.Minute

// localOf is the part of an address before the @.
func localOf(address string) string {
	local, _, _ := strings.Cut(strings.ToLower(address), "@")
	return local
}
