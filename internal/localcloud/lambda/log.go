package lambda

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

const (
	maxLogFile = 10 << 20  // bytes; then it becomes <name>.log.1
	maxLogLine = 256 << 10 // of a CloudWatch event; longer lines are cut into several
)

// logFile collects what the environments of one function write.
type logFile struct {
	path  string // "": no file
	lines int    // of the tail

	mu     sync.Mutex
	file   *os.File
	size   int64
	recent []string
}

// openLog opens <dir>/<name>.log for appending.
func openLog(dir, name string, lines int) (*logFile, error) {
	l := &logFile{lines: lines}
	if dir == "" {
		return l, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("creating log directory: %w", err)
	}
	l.path = filepath.Join(dir, name+".log")
	if err := l.open(); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *logFile) open() error {
	file, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("opening log: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return fmt.Errorf("opening log: %w", err)
	}
	l.file, l.size = file, info.Size()
	return nil
}

// write appends one line without its newline. A log that cannot be written is
// given up, not the function.
func (l *logFile) write(line []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines > 0 {
		if len(l.recent) >= l.lines {
			l.recent = slices.Delete(l.recent, 0, len(l.recent)-l.lines+1)
		}
		l.recent = append(l.recent, string(line))
	}
	if l.file == nil {
		return
	}
	if l.size > maxLogFile {
		l.rotate()
	}
	if l.file != nil {
		n, _ := l.file.Write(append(line, '\n'))
		l.size += int64(n)
	}
}

func (l *logFile) rotate() {
	_ = l.file.Close()
	l.file = nil
	if os.Rename(l.path, l.path+".1") == nil {
		_ = l.open()
	}
}

func (l *logFile) tail() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.recent)
}

func (l *logFile) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		_ = l.file.Close()
		l.file = nil
	}
}

// lineWriter cuts the output of one environment into lines. Its Write is
// called by one goroutine, flush after the last of them.
type lineWriter struct {
	accept func(line []byte)
	mu     sync.Mutex
	rest   []byte
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, p...)
	for {
		line, rest, found := bytes.Cut(w.rest, []byte("\n"))
		if !found {
			break
		}
		w.accept(slices.Clip(line))
		w.rest = rest
	}
	if len(w.rest) > maxLogLine {
		w.accept(w.rest)
		w.rest = nil
	}
	return len(p), nil
}

func (w *lineWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) > 0 {
		w.accept(w.rest)
		w.rest = nil
	}
}
