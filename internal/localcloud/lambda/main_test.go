package lambda_test

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/lambda"
)

// functionZip holds the compiled testdata/function, streamingZip a function that
// streams its response.
var functionZip, streamingZip string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "lambda-test-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	if functionZip, err = buildZip(dir, "function", "./testdata/function"); err != nil {
		return 1, err
	}
	if streamingZip, err = buildZip(dir, "streaming", "../../../lambdas/internal/responsestreaming/testdata/function"); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// buildZip builds a function and returns the path of its zip.
func buildZip(dir, name, source string) (string, error) {
	bootstrap := filepath.Join(dir, name)
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", bootstrap, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building test function: %w\n%s", err, output)
	}
	binary, err := os.ReadFile(bootstrap)
	if err != nil {
		return "", err
	}
	return bootstrap + ".zip", writeZip(bootstrap+".zip", map[string][]byte{"bootstrap": binary}, 0o755)
}

func writeZip(path string, files map[string][]byte, mode os.FileMode) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	archive := zip.NewWriter(file)
	for name, content := range files {
		header := &zip.FileHeader{Name: name, Method: zip.Store}
		header.SetMode(mode)
		w, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := w.Write(content); err != nil {
			return err
		}
	}
	return archive.Close()
}

func newService(t testing.TB, change ...func(*lambda.Options)) *lambda.Service {
	t.Helper()
	options := lambda.Options{LogTail: 100}
	for _, c := range change {
		c(&options)
	}
	s, err := lambda.New(options)
	if err != nil {
		t.Fatal(err)
	}
	s.WaitForFinishing(time.Minute) // a busy machine must not look like a cold start
	t.Cleanup(s.Close)
	return s
}

// newFunction declares the function f.
func newSpec(change ...func(*lambda.Spec)) lambda.Spec {
	spec := lambda.Spec{Name: "f", RoleARN: "arn:aws:iam::000000000000:role/r", ZipPath: functionZip, Runtime: "provided.al2023", Timeout: 30}
	for _, c := range change {
		c(&spec)
	}
	return spec
}

func newFunction(t testing.TB, s *lambda.Service, change ...func(*lambda.Spec)) string {
	t.Helper()
	arn, _, err := s.CreateFunction(newSpec(change...))
	if err != nil {
		t.Fatal(err)
	}
	return arn
}

func invoke(t testing.TB, s *lambda.Service, event string) lambda.Result {
	t.Helper()
	result, err := s.Invoke(context.Background(), "f", []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	return result
}

type failure struct {
	ErrorType    string `json:"errorType"`
	ErrorMessage string `json:"errorMessage"`
}

func failureOf(t testing.TB, r lambda.Result) failure {
	t.Helper()
	if r.FunctionError != "Unhandled" {
		t.Fatalf("FunctionError = %q, payload %s; want Unhandled", r.FunctionError, r.Payload)
	}
	var f failure
	if err := json.Unmarshal(r.Payload, &f); err != nil {
		t.Fatalf("payload %s: %v", r.Payload, err)
	}
	return f
}

func codeOf(err error) string {
	if e := (*awsapi.Error)(nil); errors.As(err, &e) {
		return e.Code
	}
	return fmt.Sprint(err)
}

type description struct {
	Environment []string `json:"environment"`
	RequestID   string   `json:"requestId"`
	ARN         string   `json:"arn"`
	Left        int64    `json:"left"`
	PID         int      `json:"pid"`
	Calls       int      `json:"calls"`
	Trace       string   `json:"trace"`
}

func describe(t testing.TB, s *lambda.Service) description {
	t.Helper()
	var d description
	if err := json.Unmarshal(invoke(t, s, `{}`).Payload, &d); err != nil {
		t.Fatal(err)
	}
	return d
}
