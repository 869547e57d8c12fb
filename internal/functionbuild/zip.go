package functionbuild

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/streaming-service/streaming-service/internal/atomicfile"
)

// bootstrap is the name of the executable that the provided.al2023 runtime
// starts.
const bootstrap = "bootstrap"

// modified is the time of every entry, the earliest that zip can express, so
// that the time of a build does not change its bytes.
var modified = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// level of compression: above flate's default, where a package is smaller by a few
// kilobytes in hardly more time.
const level = 7

// pack writes a zip with the executable at path, unless it is there already.
// The file appears at once and whole.
func pack(executable, path string, method uint16) error {
	code, err := os.ReadFile(executable)
	if err != nil {
		return fmt.Errorf("reading executable: %w", err)
	}
	sum := sha256.Sum256(code)
	digest := hex.EncodeToString(sum[:])
	if digestOf(path) == digest {
		return nil
	}
	content, err := archive(code, digest, method)
	if err != nil {
		return err
	}
	if err := atomicfile.Replace(path, content); err != nil {
		return fmt.Errorf("writing archive: %w", err)
	}
	return nil
}

// digestOf returns the digest of the executable in a zip that archive made, or
// "" if there is no such zip.
func digestOf(path string) string {
	present, err := zip.OpenReader(path)
	if err != nil {
		return ""
	}
	defer present.Close()
	return present.Comment
}

// archive makes a zip of an executable. Its comment is the executable's
// digest.
func archive(code []byte, digest string, method uint16) ([]byte, error) {
	header := &zip.FileHeader{Name: bootstrap, Method: method, Modified: modified}
	header.SetMode(0o755)
	var content bytes.Buffer
	writer := zip.NewWriter(&content)
	writer.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, level) })
	if err := writer.SetComment(digest); err != nil {
		return nil, fmt.Errorf("adding digest: %w", err)
	}
	entry, err := writer.CreateHeader(header)
	if err != nil {
		return nil, fmt.Errorf("adding executable: %w", err)
	}
	if _, err := entry.Write(code); err != nil {
		return nil, fmt.Errorf("packing executable: %w", err)
	}
	if err := writer.Close(); err != nil {
		return nil, fmt.Errorf("finishing archive: %w", err)
	}
	return content.Bytes(), nil
}
