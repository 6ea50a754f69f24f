package mailbox

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestOnlyTheNewestStay fills a small book, and opens it again and again: the newest are there, the folder stays small,
// ids go on.
func TestOnlyTheNewestStay(t *testing.T) {
	tests := map[string]struct{ mails, bytes int }{"many": {10, 1 << 20}, "large": {1_000, 100}}
	for name, keep := range tests {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			for round := range 5 {
				b, err := openBook(data, time.Now)
				if err != nil {
					t.Fatal(err)
				}
				b.keepMails, b.keepBytes = keep.mails, keep.bytes
				for i := range 13 {
					n := round*13 + i + 1
					if err := b.add(read(fmt.Appendf(nil, "%010d", n))); err != nil {
						t.Fatal(err)
					}
					found, err := b.newest(1_000)
					if err != nil {
						t.Fatal(err)
					}
					var got, want []string
					for k, m := range found {
						if k < 10 {
							got = append(got, fmt.Sprintf("%d %s", m.ID, m.raw))
						}
					}
					for k := n; k > max(0, n-10); k-- {
						want = append(want, fmt.Sprintf("%d %010d", k, k))
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Fatalf("the newest of %d (-want +got):\n%s", n, diff)
					}
				}
				if err := b.close(); err != nil {
					t.Fatal(err)
				}
				files, err := filepath.Glob(filepath.Join(data, "*"))
				if err != nil || len(files) > volumes {
					t.Fatalf("%d files %v, %v", len(files), files, err)
				}
			}
		})
	}
}

func TestABusyAddressForgetsWhatItTook(t *testing.T) {
	b, err := openBook("", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 * maxPutOff {
		b.putOff(fmt.Sprint(i))
	}
	if len(b.putOffs) > maxPutOff {
		t.Errorf("%d Message-IDs are remembered", len(b.putOffs))
	}
}
