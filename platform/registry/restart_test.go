package registry_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/quadrille-platform/quadrille/platform/internal/journal"
	"github.com/quadrille-platform/quadrille/platform/registry"
)

func TestARestartKeepsEverything(t *testing.T) {
	ctx, data := t.Context(), t.TempDir()
	r := start(t, data)
	client := connect(t, r)
	create(t, client, subject, narrow)
	create(t, client, "gone for good", strict)
	create(t, client, "hidden", wide)
	create(t, client, "with/slash and ünïcode", wide)
	setLevel(t, client, sr.CompatBackward, "hidden")
	setLevel(t, client, sr.CompatForward)
	if err := client.DeleteSchema(ctx, subject, 1, sr.SoftDelete); err != nil {
		t.Fatal(err)
	}
	create(t, client, subject, narrow) // version 2, the same id
	for _, how := range []sr.DeleteHow{sr.SoftDelete, sr.HardDelete} {
		if _, err := client.DeleteSubject(ctx, "gone for good", how); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := client.DeleteSubject(ctx, "hidden", sr.SoftDelete); err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, client)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}

	r = start(t, data)
	client = connect(t, r)
	if diff := cmp.Diff(before, snapshot(t, client)); diff != "" {
		t.Errorf("after the restart (-before +after):\n%s", diff)
	}
	if fresh := create(t, client, "fresh", record(`{"name":"fresh","type":"int"}`)); fresh.ID != 4 {
		t.Errorf("a new schema got the id %d, want 4", fresh.ID)
	}
	if back := create(t, client, "gone for good", strict); back.ID != 2 {
		t.Errorf("the deleted schema came back as %d, want its old id 2", back.ID)
	}
}

func TestConcurrentRegistrationsAgree(t *testing.T) {
	data := t.TempDir()
	r := start(t, data)
	client := connect(t, r)
	const callers, schemas = 8, 6
	ids := make([][schemas]int, callers)
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			for n := range schemas {
				field := fmt.Sprintf(`{"name":"f%d","type":"string","default":""}`, n)
				id, err := client.RegisterSchema(t.Context(), subject, sr.Schema{Schema: record(field)}, -1, -1)
				if err != nil {
					t.Error(err)
				}
				ids[caller][n] = id
			}
		})
	}
	wg.Wait()

	for caller := range callers {
		if diff := cmp.Diff(ids[0], ids[caller]); diff != "" {
			t.Errorf("callers 0 and %d were given other ids:\n%s", caller, diff)
		}
	}
	versions, err := client.SubjectVersions(t.Context(), subject)
	if err != nil || len(versions) != schemas {
		t.Errorf("versions %v, %v; want %d", versions, err, schemas)
	}
	before := snapshot(t, client)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, snapshot(t, connect(t, start(t, data)))); diff != "" {
		t.Errorf("after the restart (-before +after):\n%s", diff)
	}
}

func TestADamagedJournalIsRefused(t *testing.T) {
	data := t.TempDir()
	r := start(t, data)
	client := connect(t, r)
	create(t, client, subject, narrow)
	create(t, client, subject, wide)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(data, "schemas.journal")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	if err := os.WriteFile(path, whole[:len(whole)-1], 0o600); err != nil { // the last write was cut short
		t.Fatal(err)
	}
	r = start(t, data)
	versions, err := connect(t, r).SubjectVersions(t.Context(), subject)
	if diff := cmp.Diff([]int{1}, versions); diff != "" || err != nil {
		t.Errorf("versions %v, %v", versions, err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}

	damaged := strings.Replace(string(whole), "OrderPlaced", "OrderPlundered", 1)
	if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = registry.Open(registry.Config{Data: data, Compatible: compatible})
	if !errors.Is(err, journal.ErrCorrupt) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want one that names the damaged file", err)
	}
}

// snapshot returns all that a client can see.
func snapshot(t *testing.T, client *sr.Client) map[string]any {
	t.Helper()
	ctx := sr.WithParams(t.Context(), sr.ShowDeleted)
	all, err := client.AllSchemas(ctx)
	if err != nil {
		t.Fatal(err)
	}
	subjects, err := client.Subjects(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	state := map[string]any{"schemas": all, "subjects": subjects}
	for _, schema := range all {
		state["level of "+schema.Subject] = client.Compatibility(ctx, schema.Subject)[0].Level
	}
	state["level"] = client.Compatibility(ctx)[0].Level
	return state
}
