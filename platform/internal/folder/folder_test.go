package folder

import (
	"errors"
	"path/filepath"
	"testing"
)

func TestAFolderHasOneOwnerAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "not", "there", "yet")
	release, err := Own(path, "broker")
	if err != nil {
		t.Fatal(err)
	}

	if _, err := Own(path, "broker"); !errors.Is(err, ErrInUse) {
		t.Errorf("second owner: error %v, want ErrInUse", err)
	}

	if err := release(); err != nil {
		t.Fatal(err)
	}
	again, err := Own(path, "broker")
	if err != nil {
		t.Fatalf("after release: %v", err)
	}
	if err := again(); err != nil {
		t.Fatal(err)
	}
}

func TestWithoutAFolderThereIsNothingToOwn(t *testing.T) {
	for range 2 {
		if _, err := Own("", "broker"); err != nil {
			t.Fatal(err)
		}
	}
}
