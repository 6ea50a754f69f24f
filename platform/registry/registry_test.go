package registry_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/avro"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/quadrille-platform/quadrille/platform/registry"
)

const subject = "order.events-quadrille.order.OrderPlaced"

// Three schemas, and what they may follow: each field of wide has a default, total of strict has none.
var (
	narrow = record(`{"name":"order_id","type":"string"}`)
	wide   = record(`{"name":"order_id","type":"string"},{"name":"note","type":"string","default":""}`)
	strict = record(`{"name":"order_id","type":"string"},{"name":"total","type":"long"}`)
)

func TestASchemaIsRegisteredOnceAndFoundAgain(t *testing.T) {
	ctx := t.Context()
	client := connect(t, start(t, t.TempDir()))

	first := create(t, client, subject, narrow)
	again := create(t, client, subject, narrow)
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("registered twice (-first +again):\n%s", diff)
	}
	if second := create(t, client, subject, wide); second.Version != 2 || second.ID == first.ID {
		t.Errorf("the next schema got version %d and id %d", second.Version, second.ID)
	}
	if elsewhere := create(t, client, "other", narrow); elsewhere.ID != first.ID {
		t.Errorf("the same schema got the id %d in another subject, %d in the first", elsewhere.ID, first.ID)
	}

	byID, err := client.SchemaByID(ctx, first.ID)
	if err != nil || byID.Schema != narrow {
		t.Errorf("by id: %q, %v", byID.Schema, err)
	}
	found, err := client.LookupSchema(ctx, subject, sr.Schema{Schema: wide})
	if err != nil || found.Version != 2 {
		t.Errorf("lookup: version %d, %v", found.Version, err)
	}
	if _, err := client.LookupSchema(ctx, subject, sr.Schema{Schema: strict}); !is(err, sr.ErrSchemaNotFound) {
		t.Errorf("lookup of an unknown schema: %v", err)
	}
	latest, err := client.SchemaByVersion(ctx, subject, -1)
	if err != nil || latest.Version != 2 {
		t.Errorf("latest: version %d, %v", latest.Version, err)
	}
	types, err := client.SupportedTypes(ctx)
	if diff := cmp.Diff([]sr.SchemaType{sr.TypeAvro}, types); diff != "" || err != nil {
		t.Errorf("types: %v, %v", types, err)
	}
}

func TestEachLevelRefusesWhatItForbids(t *testing.T) {
	// Against the latest, and against an earlier version that the latest hides.
	type expectation map[sr.CompatibilityLevel]bool
	tests := []struct {
		name      string
		earlier   []string
		schema    string
		permitted expectation
	}{
		{"a field without default is added", []string{narrow}, strict, expectation{
			sr.CompatNone: true, sr.CompatForward: true, sr.CompatForwardTransitive: true}},
		{"a field without default is removed", []string{strict}, narrow, expectation{
			sr.CompatNone: true, sr.CompatBackward: true, sr.CompatBackwardTransitive: true}},
		{"a field with default is added", []string{narrow}, wide, expectation{
			sr.CompatNone: true, sr.CompatForward: true, sr.CompatForwardTransitive: true, sr.CompatBackward: true,
			sr.CompatBackwardTransitive: true, sr.CompatFull: true, sr.CompatFullTransitive: true}},
		{"only the version before the latest is broken", []string{strict, narrow}, wide, expectation{
			sr.CompatNone: true, sr.CompatForward: true, sr.CompatBackward: true, sr.CompatBackwardTransitive: true,
			sr.CompatFull: true}},
	}
	for _, test := range tests {
		for level := sr.CompatNone; level <= sr.CompatFullTransitive; level++ {
			t.Run(test.name+"/"+level.String(), func(t *testing.T) {
				client := connect(t, start(t, ""))
				setLevel(t, client, sr.CompatNone)
				for _, schema := range test.earlier {
					create(t, client, subject, schema)
				}
				setLevel(t, client, level, subject)

				verdict, err := client.CheckCompatibility(t.Context(), subject, -2, sr.Schema{Schema: test.schema})
				if err != nil || verdict.Is != test.permitted[level] || verdict.Is == (len(verdict.Messages) > 0) {
					t.Errorf("asked: %+v, %v; want %v", verdict, err, test.permitted[level])
				}
				_, err = client.RegisterSchema(t.Context(), subject, sr.Schema{Schema: test.schema}, -1, -1)
				if test.permitted[level] && err != nil {
					t.Errorf("refused: %v", err)
				}
				if !test.permitted[level] && !is(err, sr.ErrIncompatibleSchema) {
					t.Errorf("error %v, want incompatible", err)
				}
			})
		}
	}
}

func TestCompatibilityIsToldOfOneVersion(t *testing.T) {
	client := connect(t, start(t, ""))
	setLevel(t, client, sr.CompatNone)
	create(t, client, subject, strict)
	create(t, client, subject, narrow)
	setLevel(t, client, sr.CompatFullTransitive)

	for version, want := range map[int]bool{1: false, 2: true, -1: true} {
		got, err := client.CheckCompatibility(t.Context(), subject, version, sr.Schema{Schema: wide})
		if err != nil || got.Is != want {
			t.Errorf("version %d: %+v, %v; want %v", version, got, err, want)
		}
	}
	_, err := client.CheckCompatibility(t.Context(), subject, 3, sr.Schema{Schema: wide})
	if !is(err, sr.ErrVersionNotFound) {
		t.Errorf("unknown version: %v", err)
	}
	_, err = client.CheckCompatibility(t.Context(), "nobody", -1, sr.Schema{Schema: wide})
	if !is(err, sr.ErrSubjectNotFound) {
		t.Errorf("unknown subject: %v", err)
	}
}

func TestAKnownSchemaKeepsItsIDWhateverTheLevelHasBecome(t *testing.T) {
	client := connect(t, start(t, ""))
	setLevel(t, client, sr.CompatNone)
	first := create(t, client, subject, strict)
	create(t, client, subject, narrow)
	setLevel(t, client, sr.CompatFullTransitive)

	if diff := cmp.Diff(first, create(t, client, subject, strict)); diff != "" {
		t.Errorf("registered again (-first +again):\n%s", diff)
	}
}

func TestFullTransitiveIsTheDefault(t *testing.T) {
	client := connect(t, start(t, ""))
	if got := client.Compatibility(t.Context(), subject)[0]; got.Err != nil || got.Level != sr.CompatFullTransitive {
		t.Errorf("level %v, %v", got.Level, got.Err)
	}
}

func TestPermanentDeletionNeedsASoftOneFirst(t *testing.T) {
	ctx := t.Context()
	client := connect(t, start(t, ""))
	create(t, client, subject, narrow)

	if err := client.DeleteSchema(ctx, subject, 1, sr.HardDelete); !is(err, sr.ErrSchemaVersionNotSoftDeleted) {
		t.Errorf("version: %v", err)
	}
	if _, err := client.DeleteSubject(ctx, subject, sr.HardDelete); !is(err, sr.ErrSubjectNotSoftDeleted) {
		t.Errorf("subject: %v", err)
	}
	if _, err := client.DeleteSubject(ctx, subject, sr.SoftDelete); err != nil {
		t.Fatal(err)
	}
	_, err := client.RegisterSchema(ctx, subject, sr.Schema{Schema: narrow}, -1, -1)
	if !is(err, sr.ErrOperationNotPermitted) {
		t.Errorf("registering into a deleted subject: %v", err)
	}
}

func TestBadRequestsAreRefused(t *testing.T) {
	r := start(t, "")
	tests := map[string]struct {
		method, path, body string
		status             int
	}{
		"no JSON":           {"POST", "/subjects/s/versions", "{", 422},
		"no schema":         {"POST", "/subjects/s/versions", `{}`, 422},
		"no Avro":           {"POST", "/subjects/s/versions", `{"schema":"{\"type\":\"rekord\"}"}`, 422},
		"a protobuf schema": {"POST", "/subjects/s/versions", `{"schema":"x","schemaType":"PROTOBUF"}`, 422},
		"a reference": {"POST", "/subjects/s/versions",
			`{"schema":"\"string\"","references":[{"name":"x"}]}`, 422},
		"an id":                {"POST", "/subjects/s/versions", `{"schema":"\"string\"","id":7}`, 422},
		"a huge body":          {"POST", "/subjects/s/versions", strings.Repeat(" ", 1<<20+1), 413},
		"an unknown level":     {"PUT", "/config", `{"compatibility":"SOME"}`, 422},
		"no level":             {"PUT", "/config/s", `{}`, 422},
		"a mode":               {"PUT", "/mode", `{"mode":"IMPORT"}`, 405},
		"an unknown version":   {"GET", "/subjects/s/versions/1", "", 404},
		"a version of letters": {"DELETE", "/subjects/s/versions/x", "", 422},
		"an unknown resource":  {"GET", "/nothing", "", 404},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), test.method, "http://"+r.Addr()+test.path,
				strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			var body [512]byte
			n, _ := response.Body.Read(body[:])
			if response.StatusCode != test.status || !strings.HasPrefix(string(body[:n]), `{"error_code":`) {
				t.Errorf("answered %d %s, want %d with an error code", response.StatusCode, body[:n], test.status)
			}
		})
	}
}

func TestABusyPortIsReportedWithItsCure(t *testing.T) {
	taken := start(t, "")
	_, err := registry.Start(registry.Config{Addr: taken.Addr(), Compatible: compatible})
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), "the schema registry needs it") {
		t.Errorf("error %v", err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := registry.Run(ctx, registry.Config{Compatible: compatible}); err != nil {
		t.Error(err)
	}
}

func TestWithoutACheckThereIsNoRegistry(t *testing.T) {
	if r, err := registry.Open(registry.Config{}); err == nil {
		t.Errorf("opened: %v", r.Close())
	}
}

// is reports whether the registry answered with the code.
func is(err error, want *sr.Error) bool {
	var answer *sr.ResponseError
	return errors.As(err, &answer) && answer.SchemaError() == want
}

func start(t *testing.T, data string) *registry.Registry {
	t.Helper()
	r, err := registry.Start(registry.Config{Data: data, Compatible: compatible})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func connect(t *testing.T, r *registry.Registry) *sr.Client {
	t.Helper()
	client, err := sr.NewClient(sr.URLs("http://" + r.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func create(t *testing.T, client *sr.Client, subject, schema string) sr.SubjectSchema {
	t.Helper()
	created, err := client.CreateSchema(t.Context(), subject, sr.Schema{Schema: schema})
	if err != nil {
		t.Fatalf("register in %q: %v", subject, err)
	}
	return created
}

func setLevel(t *testing.T, client *sr.Client, level sr.CompatibilityLevel, subjects ...string) {
	t.Helper()
	for _, got := range client.SetCompatibility(t.Context(), sr.SetCompatibility{Level: level}, subjects...) {
		if got.Err != nil {
			t.Fatalf("set level %v: %v", level, got.Err)
		}
	}
}

// compatible is Avro's rule by a library of its own.
func compatible(reader, writer string) error {
	in, err := avro.Parse(reader)
	if err != nil {
		return err
	}
	out, err := avro.Parse(writer)
	if err != nil {
		return err
	}
	return avro.CheckCompatibility(out, in)
}

func record(fields string) string {
	return `{"type":"record","name":"OrderPlaced","namespace":"quadrille.order","fields":[` + fields + `]}`
}
