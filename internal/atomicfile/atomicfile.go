// Package atomicfile writes files that are read while they are replaced.
package atomicfile

import (
	"os"
	"path/filepath"
)

// Replace gives a file new content. Whoever reads it meanwhile, or after a
// crash, finds the old content or the new one and never a part. The directory
// must exist.
func Replace(path string, content []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) //nolint:errcheck // gone after the rename
	_, err = temporary.Write(content)
	if err == nil {
		err = temporary.Sync()
	}
	if closed := temporary.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}
