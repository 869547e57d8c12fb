package localcloud

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/streaming-service/streaming-service/internal/atomicfile"
)

// The bodies of objects are large and never change, so each lies in a file of
// its own, named by its sum. They are written before the file that names them
// and removed after it: whenever a save is cut short, what that file names is
// there.

// body reads what was saved of an object.
func (s *store) body(sum string) ([]byte, error) {
	content, err := os.ReadFile(filepath.Join(s.dir, bodiesDir, sum))
	if err != nil {
		return nil, fmt.Errorf("reading object %s: %w", sum, bare(err))
	}
	return content, nil
}

// addBodies writes those that are not there.
func (s *store) addBodies(bodies map[string][]byte) error {
	dir := filepath.Join(s.dir, bodiesDir)
	for sum, content := range bodies {
		path := filepath.Join(dir, sum)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("saving objects: %w", bare(err))
		}
		if err := atomicfile.Replace(path, content); err != nil {
			return fmt.Errorf("saving object %s: %w", sum, err)
		}
	}
	return nil
}

// dropBodies removes those that nothing names any more, and what a cut save
// left.
func (s *store) dropBodies(bodies map[string][]byte) error {
	dir := filepath.Join(s.dir, bodiesDir)
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, file := range files {
		if _, named := bodies[file.Name()]; !named {
			err = errors.Join(err, os.Remove(filepath.Join(dir, file.Name())))
		}
	}
	if err != nil {
		return fmt.Errorf("removing objects: %w", err)
	}
	return nil
}
