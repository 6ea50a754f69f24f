package sim

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// unseenFile lists the branches of the domains that no run needs to see: the file and the text of the line at which the
// branch begins, with * for whatever is between, and why.
const unseenFile = "unseen.txt"

var profileLine = regexp.MustCompile(`^\S+?/(services/\S+\.go):(\d+)\.(\d+),(\d+)\.\d+ [1-9]\d* (\d+)$`)

type block struct {
	file     string
	from, at int // the line and column at which it begins
}

// rareFrom is how many seeds see what is rare as well. Fewer than often is how often a branch is rarely seen.
const (
	rareFrom = 4000
	often    = 10
)

// checkCoverage reports each branch of a domain that the workers never came to in so many seeds and that unseen.txt
// does not excuse, and each excuse that fits no branch. An excuse that is rare counts in runs that are too short for it.
func checkCoverage(t *testing.T, profiles string, seeds int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(profiles, "*"))
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[block]int)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			m := profileLine.FindStringSubmatch(strings.TrimSpace(line))
			if m == nil {
				continue
			}
			from, _ := strconv.Atoi(m[2])
			at, _ := strconv.Atoi(m[3])
			b := block{m[1], from, at}
			times, _ := strconv.Atoi(m[5])
			seen[b] += times
		}
	}
	if len(seen) == 0 {
		t.Error("no branch of a domain is in the coverage profiles")
	}
	excuses := readUnseen(t)
	fits := make(map[*excuse]bool)
	branches, excused := 0, 0
	for b, times := range seen {
		branches++
		name := b.file + ": " + textOf(t, b)
		pardoned := false
		for _, e := range excuses {
			if e.pattern.MatchString(name) {
				fits[e] = true
				pardoned = pardoned || !e.rare || seeds < rareFrom
			}
		}
		switch {
		case times >= often:
		case times > 0:
			fmt.Printf("seen %d times in %d seeds: %s (line %d)\n", times, seeds, name, b.from)
		case pardoned:
			excused++
		default:
			t.Errorf("never seen: %s (line %d)", name, b.from)
		}
	}
	for _, e := range excuses {
		if !fits[e] {
			t.Errorf("%s excuses what is not there: %s", unseenFile, e.line)
		}
	}
	t.Logf("%d branches of the domains were seen, %d are excused", branches-excused, excused)
}

// textOf is what the branch says: its first line that is more than its opening.
func textOf(t *testing.T, b block) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", b.file))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	text := strings.TrimSpace(lines[b.from-1])
	if strings.HasSuffix(text, "{") || strings.HasSuffix(text, ":") {
		text += " " + strings.TrimSpace(lines[b.from])
	}
	return text
}

// excuse is a line of unseen.txt.
type excuse struct {
	line    string
	pattern *regexp.Regexp
	rare    bool
}

func readUnseen(t *testing.T) (excuses []*excuse) {
	t.Helper()
	file, err := os.Open(unseenFile)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, why, ok := strings.Cut(line, " // ")
		if !ok || strings.TrimSpace(why) == "" {
			t.Fatalf("%s: %q does not say why", unseenFile, line)
		}
		pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(name)), `\*`, ".*")
		excuses = append(excuses, &excuse{
			line, regexp.MustCompile("^" + pattern + "$"), strings.HasPrefix(why, "rare: "),
		})
	}
	return excuses
}
