package e2e

import (
	"os"
	"os/exec"
	"testing"
)

// Each API is checked against the description that it serves itself: every documented status and body, and the refusal
// of whatever the description does not allow.
func TestTheAPIsAnswerAsTheirDescriptionsSay(t *testing.T) {
	program := os.Getenv("QUADRILLE_TEST_SCHEMATHESIS")
	if program == "" {
		program = "schemathesis"
	}
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("schemathesis is missing (pip install schemathesis): %v", err)
		}
		t.Skip("SKIPPED, THE APIS WERE NOT CHECKED: schemathesis is missing; `pip install schemathesis` brings it")
	}
	examples := "100"
	if testing.Short() {
		examples = "20"
	}
	p := up(t, "--ephemeral")
	for _, name := range []string{"order", "inventory", "payment"} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(program, "run", "http://"+p.Services[name]+"/openapi.json",
				"--phases", "examples,coverage,fuzzing", "--checks", "all",
				// A sku or an order that fits the description need not exist.
				"--exclude-checks", "positive_data_acceptance",
				"--max-examples", examples, "--request-timeout", "30", "--no-color", "--seed", "1")
			cmd.Dir = t.TempDir() // it leaves its notes where it runs
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			t.Logf("%s", out[max(0, len(out)-600):])
		})
	}
}
