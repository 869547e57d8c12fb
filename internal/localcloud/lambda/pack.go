package lambda

import (
	"archive/zip"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// code is an unpacked deployment package.
type code struct {
	dir    string // LAMBDA_TASK_ROOT
	sha256 string // of the zip, hexadecimal
}

// unpack extracts a deployment package under root, once per content.
func unpack(zipPath, root string) (code, error) {
	sum, err := hashZip(zipPath)
	if err != nil {
		return code{}, err
	}
	unpacked := code{dir: filepath.Join(root, sum[:32]), sha256: sum}
	if _, err := os.Stat(unpacked.bootstrap()); err == nil {
		return unpacked, nil
	}
	part, err := os.MkdirTemp(root, "part-")
	if err != nil {
		return code{}, fmt.Errorf("creating directory of function: %w", err)
	}
	defer os.RemoveAll(part)
	if err := extract(zipPath, part); err != nil {
		return code{}, err
	}
	if err := os.Rename(part, unpacked.dir); err != nil && !errors.Is(err, fs.ErrExist) {
		if _, missing := os.Stat(unpacked.bootstrap()); missing != nil {
			return code{}, fmt.Errorf("placing function: %w", err)
		}
	}
	return unpacked, nil
}

func (c code) bootstrap() string { return filepath.Join(c.dir, "bootstrap") }

func hashZip(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("opening deployment package: %w", err)
	}
	defer file.Close()
	hash := sha256.New()
	size, err := io.Copy(hash, file)
	if err != nil {
		return "", fmt.Errorf("reading deployment package: %w", err)
	}
	if size > maxZip {
		return "", invalidParameter("Request must be smaller than %d bytes for the CreateFunction operation, got %d", maxZip, size)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func extract(zipPath, dir string) error {
	archive, err := zip.OpenReader(zipPath)
	if err != nil {
		return invalidParameter("Could not unzip uploaded file. Please check your file, then try to upload again: %v", err)
	}
	defer archive.Close()
	if err := checkUnzipped(archive.File); err != nil {
		return err
	}
	for _, entry := range archive.File {
		if err := extractEntry(entry, dir); err != nil {
			return fmt.Errorf("extracting %s: %w", entry.Name, err)
		}
	}
	return nil
}

func checkUnzipped(entries []*zip.File) error {
	var total uint64
	bootstrap := false
	for _, entry := range entries {
		total += entry.UncompressedSize64
		bootstrap = bootstrap || entry.Name == "bootstrap"
		if !filepath.IsLocal(filepath.FromSlash(strings.TrimSuffix(entry.Name, "/"))) {
			return invalidParameter("Could not unzip uploaded file: entry %q leaves the package", entry.Name)
		}
	}
	if total > maxUnzipped {
		return invalidParameter("Unzipped size must be smaller than %d bytes, got %d", maxUnzipped, total)
	}
	if !bootstrap {
		return errNoBootstrap
	}
	return nil
}

// errNoBootstrap is found by Lambda only when it starts the function.
var errNoBootstrap = &invalidEntrypoint{"Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"}

// invalidEntrypoint is Runtime.InvalidEntrypoint.
type invalidEntrypoint struct{ message string }

func (e *invalidEntrypoint) Error() string { return "Runtime.InvalidEntrypoint: " + e.message }

func extractEntry(entry *zip.File, dir string) error {
	path := filepath.Join(dir, filepath.FromSlash(entry.Name))
	if entry.FileInfo().IsDir() {
		return os.MkdirAll(path, 0o700)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	source, err := entry.Open()
	if err != nil {
		return err
	}
	defer source.Close()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, entry.Mode().Perm()|0o400)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, io.LimitReader(source, maxUnzipped)); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}

// checkEntrypoint says why this machine cannot run the bootstrap: no exec bit, or
// a binary of another system.
func (c code) checkEntrypoint() error {
	info, err := os.Stat(c.bootstrap())
	if err != nil {
		return errNoBootstrap
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o111 == 0 {
		return &invalidEntrypoint{"fork/exec /var/task/bootstrap: permission denied"}
	}
	file, err := elf.Open(c.bootstrap())
	if err != nil {
		return nil // a script, or a binary of a system without ELF: exec decides
	}
	defer file.Close()
	if want, known := machines[runtime.GOARCH]; runtime.GOOS != "linux" || known && file.Machine != want {
		return &invalidEntrypoint{fmt.Sprintf("fork/exec /var/task/bootstrap: exec format error (%v on %s/%s)", file.Machine, runtime.GOOS, runtime.GOARCH)}
	}
	return nil
}

var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "386": elf.EM_386, "arm": elf.EM_ARM}
