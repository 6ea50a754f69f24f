//go:build !windows

package journal

import (
	"errors"
	"os"
)

// syncFolder makes the name of a new file in the folder durable, which syncing the file does not.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
