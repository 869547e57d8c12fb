package lambda_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/lambda"
)

func TestCreateFunctionRefuses(t *testing.T) {
	t.Parallel()
	reserved := 901
	broken := filepath.Join(t.TempDir(), "broken.zip")
	if err := os.WriteFile(broken, []byte("no zip"), 0o600); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "outside.zip")
	if err := writeZip(outside, map[string][]byte{"../bootstrap": {}}, 0o755); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(t.TempDir(), "large.zip")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 50<<20+1); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(*lambda.Spec)
		want   string
	}{
		{"name", func(s *lambda.Spec) { s.Name = "a b" }, "functionName"},
		{"runtime", func(s *lambda.Spec) { s.Runtime = "nodejs20.x" }, "runtime"},
		{"architecture", func(s *lambda.Spec) { s.Architectures = []string{"x8664"} }, "Architectures"},
		{"memory too small", func(s *lambda.Spec) { s.MemorySize = 127 }, "MemorySize"},
		{"memory too large", func(s *lambda.Spec) { s.MemorySize = 10241 }, "MemorySize"},
		{"time-out", func(s *lambda.Spec) { s.Timeout = 901 }, "Timeout"},
		{"level without JSON", func(s *lambda.Spec) { s.Logging.ApplicationLevel = "INFO" }, "JSON"},
		{"reserved variable", func(s *lambda.Spec) { s.Environment = map[string]string{"AWS_REGION": "x"} }, "AWS_REGION"},
		{"variable's name", func(s *lambda.Spec) { s.Environment = map[string]string{"a-b": "x"} }, "a-b"},
		{"5 KB of variables", func(s *lambda.Spec) { s.Environment = map[string]string{"VAR": strings.Repeat("x", 5000)} }, "4KB"},
		{"reservation", func(s *lambda.Spec) { s.Reserved = &reserved }, "below its minimum value"},
		{"role", func(s *lambda.Spec) { s.RoleARN = "arn:aws:iam::000000000000:role/stranger" }, "cannot be assumed"},
		{"no zip", func(s *lambda.Spec) { s.ZipPath = broken }, "unzip"},
		{"zip that leaves its directory", func(s *lambda.Spec) { s.ZipPath = outside }, "leaves the package"},
		{"zip over 50 MB", func(s *lambda.Spec) { s.ZipPath = large }, "smaller than"},
	}
	s := newService(t, func(o *lambda.Options) {
		o.Assumable = func(role string) error {
			if strings.HasSuffix(role, "stranger") {
				return errors.New("its trust policy names no lambda.amazonaws.com")
			}
			return nil
		}
	})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			spec := lambda.Spec{Name: "f", ZipPath: functionZip, Runtime: "provided.al2023"}
			test.change(&spec)
			_, _, err := s.CreateFunction(spec)
			if err == nil || !strings.Contains(err.Error(), test.want) || codeOf(err) != "InvalidParameterValueException" {
				t.Errorf("err = %v, want %q", err, test.want)
			}
		})
	}
	if left := s.Functions(); len(left) != 0 {
		t.Errorf("functions %v were created", left)
	}
	newFunction(t, s)
	if _, _, err := s.CreateFunction(lambda.Spec{Name: "f", ZipPath: functionZip, Runtime: "provided.al2023"}); codeOf(err) != "ResourceConflictException" {
		t.Errorf("second function of a name: %v", err)
	}
}

func TestInvalidEntrypoint(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads ELF and exec bits")
	}
	t.Parallel()
	binary, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	foreign := slices.Clip(binary)
	foreign[18], foreign[19] = 2, 0 // e_machine: SPARC
	tests := []struct {
		name  string
		files map[string][]byte
		mode  os.FileMode
	}{
		{"no bootstrap", map[string][]byte{"main": {}}, 0o755},
		{"no exec bit", map[string][]byte{"bootstrap": []byte("#!/bin/sh\n")}, 0o644},
		{"other architecture", map[string][]byte{"bootstrap": foreign}, 0o755},
		{"no program", map[string][]byte{"bootstrap": []byte("garbage")}, 0o755},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "f.zip")
			if err := writeZip(path, test.files, test.mode); err != nil {
				t.Fatal(err)
			}
			s := newService(t)
			newFunction(t, s, func(spec *lambda.Spec) { spec.ZipPath = path })
			result, err := s.Invoke(context.Background(), "f", nil)
			if err != nil {
				t.Fatal(err)
			}
			if f := failureOf(t, result); f.ErrorType != "Runtime.InvalidEntrypoint" {
				t.Errorf("failure = %+v", f)
			}
		})
	}
}

func TestLogs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := newService(t, func(o *lambda.Options) { o.LogDir = dir })
	newFunction(t, s)
	invoke(t, s, `{"do":"log","text":"first line"}`)
	failureOf(t, invoke(t, s, `{"do":"exit"}`))
	s.Close()
	content, err := os.ReadFile(filepath.Join(dir, "f.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"START RequestId: ", "first line\n", "END RequestId: ", "REPORT RequestId: ", "Init Duration: ", "Error Type: Runtime.ExitError", "unfinished\n"} {
		if !strings.Contains(string(content), want) {
			t.Errorf("log lacks %q:\n%s", want, content)
		}
	}
}

// Without a level, Lambda drops what is below INFO.
func TestJSONLogsAtTheDefaultLevel(t *testing.T) {
	t.Parallel()
	for level, want := range map[string]bool{"": false, "INFO": false, "DEBUG": true} {
		s := newService(t)
		newFunction(t, s, func(spec *lambda.Spec) { spec.Logging = lambda.Logging{Format: "JSON", ApplicationLevel: level} })
		invoke(t, s, `{"do":"log","text":"{\"level\":\"DEBUG\",\"n\":1}"}`)
		invoke(t, s, `{"do":"log","text":"{\"n\":2}"}`)
		s.Close()
		log := strings.Join(s.Logs("f"), "\n")
		if strings.Contains(log, `"n":1`) != want || !strings.Contains(log, `"n":2`) {
			t.Errorf("at level %q the log is\n%s", level, log)
		}
	}
}

// TestCloseKeepsTheLastLines: what a function wrote before its environment was
// ended is in the log once Close returns.
func TestCloseKeepsTheLastLines(t *testing.T) {
	t.Parallel()
	last := strings.Repeat("x", 60_000)
	for range 20 {
		s := newService(t)
		newFunction(t, s)
		invoke(t, s, `{"do":"log","text":"`+last+`"}`)
		s.Close()
		if log := s.Logs("f"); !slices.Contains(log, last) {
			t.Fatalf("the last line is missing after %d others", len(log))
		}
	}
}

func TestJSONLogsByLevel(t *testing.T) {
	t.Parallel()
	s := newService(t)
	newFunction(t, s, func(spec *lambda.Spec) { spec.Logging = lambda.Logging{Format: "JSON", ApplicationLevel: "WARN"} })
	for _, line := range []string{`{\"level\":\"ERROR\",\"n\":1}`, `{\"level\":\"INFO\",\"n\":2}`, `{\"n\":3}`, `plain 4`} {
		invoke(t, s, `{"do":"log","text":"`+line+`"}`)
	}
	s.Close()
	log := strings.Join(s.Logs("f"), "\n")
	for text, want := range map[string]bool{`"n":1`: true, `"n":2`: false, `"n":3`: false, "plain 4": false, `"platform.report"`: true} {
		if strings.Contains(log, text) != want {
			t.Errorf("%s in the log: %v, want %v:\n%s", text, !want, want, log)
		}
	}
}

func TestNoLogsWithoutPermission(t *testing.T) {
	t.Parallel()
	s := newService(t, func(o *lambda.Options) {
		o.Authorize = func(_ string, p awsapi.Permission) *awsapi.Error {
			if p.Action == "logs:PutLogEvents" && strings.HasPrefix(p.Resource, "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/f:log-stream:") {
				return awsapi.AccessDenied("r", p.Action, p.Resource)
			}
			return nil
		}
	})
	newFunction(t, s)
	invoke(t, s, `{"do":"log","text":"hidden"}`)
	s.Close()
	if log := strings.Join(s.Logs("f"), "\n"); strings.Contains(log, "hidden") || !strings.Contains(log, "logs:PutLogEvents") {
		t.Errorf("log = %s", log)
	}
}
