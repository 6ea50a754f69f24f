package docs

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// request of docs/requests.http.
type request struct {
	title, name  string // the name is that under which later ones refer to its answer
	method, url  string
	header       http.Header
	body         string
	want         int // 0: any 2xx
	part, target string
}

// parseRequests returns the variables of a file of requests, and the requests.
func parseRequests(t *testing.T, file string) (variables map[string]string, requests []request) {
	t.Helper()
	variables = make(map[string]string)
	head, rest, _ := strings.Cut(file, "\n### ")
	for _, line := range strings.Split(head, "\n") {
		if name, value, ok := strings.Cut(line, " = "); ok && strings.HasPrefix(name, "@") {
			variables[name[1:]] = value
		}
	}
	for _, block := range strings.Split(rest, "\n### ") {
		top, body, _ := strings.Cut(block, "\n\n")
		r := request{header: make(http.Header), body: strings.TrimSpace(body)}
		for i, line := range strings.Split(strings.TrimSpace(top), "\n") {
			switch {
			case i == 0:
				r.title = line
			case strings.HasPrefix(line, "# @name "):
				r.name = strings.TrimPrefix(line, "# @name ")
			case strings.HasPrefix(line, "# Answers "):
				r.want, _ = strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(line, "# Answers "), "."))
			case r.method == "":
				r.method, r.url, _ = strings.Cut(line, " ")
			default:
				name, value, _ := strings.Cut(line, ": ")
				r.header.Set(name, value)
			}
		}
		parts := regexp.MustCompile(`^{{(\w+)}}(/[^?]*)`).FindStringSubmatch(r.url)
		if parts == nil {
			t.Fatalf("%s: %q is not {{part}}/path", r.title, r.url)
		}
		r.part, r.target = parts[1], parts[2]
		requests = append(requests, r)
	}
	return variables, requests
}

func TestTheRequestsAreThoseOfTheAPIs(t *testing.T) {
	world := up(t)
	variables, requests := parseRequests(t, read(t, "docs/requests.http"))
	for name, addr := range world.Services {
		if variables[name] == "" {
			t.Errorf("there is no @%s", name)
		}
		operations := operationsOf(t, addr)
		for _, operation := range operations {
			if !slices.ContainsFunc(requests, func(r request) bool { return r.part == name && r.asks(operation) }) {
				t.Errorf("nothing asks %s for %s", name, operation)
			}
		}
		for _, r := range requests {
			if r.part == name && !slices.ContainsFunc(operations, r.asks) {
				t.Errorf("%s: %s has no %s %s", r.title, name, r.method, r.target)
			}
		}
	}
	t.Run("and are answered in order", func(t *testing.T) { sendAll(t, world, variables, requests) })
}

// sendAll sends the requests as a reader does, to the platform instead of the usual addresses.
func sendAll(t *testing.T, world *platform, variables map[string]string, requests []request) {
	for name := range variables {
		if addr := world.Services[name]; addr != "" {
			variables[name] = "http://" + addr
		}
	}
	variables["gateway"] = "http://" + world.Gateway
	answers := make(map[string]map[string]any)
	for _, r := range requests {
		url := fill(t, r.url, variables, answers)
		req, err := http.NewRequestWithContext(t.Context(), r.method, url, strings.NewReader(r.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = r.header
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		said, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if ok := res.StatusCode/100 == 2; r.want == 0 && !ok || r.want != 0 && r.want != res.StatusCode {
			t.Errorf("%s: %s %s: %s %s", r.title, r.method, url, res.Status, said)
		}
		if r.name != "" {
			var answer map[string]any
			if err := json.Unmarshal(said, &answer); err != nil {
				t.Fatalf("%s: %v", r.title, err)
			}
			answers[r.name] = answer
		}
	}
}

// fill puts variables in their places, and fields of earlier answers.
func fill(t *testing.T, text string, variables map[string]string, answers map[string]map[string]any) string {
	t.Helper()
	field := regexp.MustCompile(`^(\w+)\.response\.body\.\$\.(\w+)$`)
	placeholder := regexp.MustCompile(`{{([^}]+)}}`)
	for placeholder.MatchString(text) {
		text = placeholder.ReplaceAllStringFunc(text, func(match string) string {
			name := strings.Trim(match, "{}")
			if value, ok := variables[name]; ok {
				return value
			}
			if m := field.FindStringSubmatch(name); m != nil && answers[m[1]][m[2]] != nil {
				return fmt.Sprint(answers[m[1]][m[2]])
			}
			t.Fatalf("nothing stands for %s", match)
			return ""
		})
	}
	return text
}

// operationsOf a service, as "GET /v1/orders/{id}".
func operationsOf(t *testing.T, addr string) []string {
	t.Helper()
	var api struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := call(t, http.MethodGet, addr, "/openapi.json", "", &api); err != nil {
		t.Fatal(err)
	}
	var operations []string
	for path, methods := range api.Paths {
		for method := range methods {
			operations = append(operations, strings.ToUpper(method)+" "+path)
		}
	}
	return operations
}

// asks reports whether the request is one for the operation.
func (r request) asks(operation string) bool {
	method, path, _ := strings.Cut(operation, " ")
	steps, given := strings.Split(path, "/"), strings.Split(r.target, "/")
	return method == r.method && slices.EqualFunc(steps, given, func(step, given string) bool {
		return step == given || strings.HasPrefix(step, "{") && given != ""
	})
}
