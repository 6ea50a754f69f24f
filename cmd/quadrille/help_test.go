package main

import (
	"context"
	"regexp"
	"strings"
	"testing"
)

// Every command says what it is for and shows at least one example; every example is understood.
func TestEveryCommandHasHelpWithExamplesThatParse(t *testing.T) {
	parser, err := newParser(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range parser.Model.Leaves(true) {
		t.Run(command.Name, func(t *testing.T) {
			if command.Help == "" {
				t.Error("does not say what it does")
			}
			for _, flag := range command.Flags {
				if flag.Help == "" {
					t.Errorf("--%s has no help", flag.Name)
				}
			}
			examples := examplesOf(command.Detail)
			if len(examples) == 0 {
				t.Fatalf("has no example:\n%s", command.Detail)
			}
			own := 0
			for _, line := range examples {
				args := words(t, line)
				if args[0] != "quadrille" || len(args) < 2 {
					t.Fatalf("%q is no example", line)
				}
				if strings.HasPrefix(line+" ", command.FullPath()+" ") {
					own++
				}
				fresh, err := newParser(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				if _, err := fresh.Parse(args[1:]); err != nil {
					t.Errorf("%s: %v", line, err)
				}
			}
			if own == 0 {
				t.Error("its examples are of other commands")
			}
		})
	}
}

// examplesOf a help text: the command lines under its last heading, without what is said behind them and without where
// the shell sends their output.
func examplesOf(detail string) []string {
	_, list, _ := strings.Cut(detail, "Examples:\n")
	var lines []string
	for line := range strings.Lines(list) {
		line, _, _ := strings.Cut(strings.TrimSpace(line), "   ")
		line, _, _ = strings.Cut(line, " > ")
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// words of a command line, in which only single quotes are special.
func words(t *testing.T, line string) []string {
	t.Helper()
	var found []string
	for _, word := range regexp.MustCompile(`('[^']*'|[^\s'])+`).FindAllString(line, -1) {
		found = append(found, strings.ReplaceAll(word, "'", ""))
	}
	return found
}

func TestWhatIsNotUnderstoodNamesWhatIsNear(t *testing.T) {
	tests := map[string]struct {
		args              []string
		says, seesHelpFor string
	}{
		"a command":           {[]string{"event"}, `did you mean "events"`, "quadrille"},
		"a flag":              {[]string{"events", "--folow"}, `did you mean "--follow"`, "quadrille events"},
		"a service":           {[]string{"service", "ordr"}, `must be one of "order"`, "quadrille service"},
		"a start":             {[]string{"events", "--from", "then"}, "10m ago", "quadrille events"},
		"a rate":              {[]string{"loadtest", "--rate", "0"}, "--rate must be at least 1", "quadrille loadtest"},
		"nothing to do":       {nil, "expected one of", "quadrille"},
		"a value that is not": {[]string{"loadtest", "--duration", "long"}, "duration", "quadrille loadtest"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			parser, err := newParser(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, err = parser.Parse(test.args)
			if !isUsage(err) || !strings.Contains(err.Error(), test.says) || commandOf(err) != test.seesHelpFor {
				t.Errorf("%v; help is at %s", err, commandOf(err))
			}
		})
	}
}

// Whatever prints data prints it as JSON on demand. What prints none, or only what it is told to, is named here.
func TestEveryCommandThatPrintsDataHasJSON(t *testing.T) {
	without := map[string]string{
		"service": "its log is JSON", "gateway": "its log", "completion": "code for a shell",
		"configuration": "pages of this repository", "mailbox": "its log", "broker": "its address",
		"healthcheck": "its exit status", "forward": "its log",
	}
	parser, err := newParser(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range parser.Model.Leaves(false) {
		has := false
		for _, flag := range command.Flags {
			has = has || flag.Name == "json" && flag.IsBool()
		}
		if _, exempt := without[command.Name]; has == exempt {
			t.Errorf("%s has --json: %t", command.Name, has)
		}
	}
}
