package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func getJSON(t *testing.T, url string, into any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: status %d", url, response.StatusCode)
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

func TestExitStatus(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want int
	}{
		{[]string{"-help"}, 0},
		{[]string{"-h"}, 0},
		{[]string{"-colour"}, 2},
		{[]string{"extra"}, 2},
		{[]string{"-model", "gpt"}, 2},
		{[]string{"-addr", "8080"}, 2},
		{[]string{"-c", "quota"}, 2},
		{[]string{"-stack", "unheard-of"}, 1},
	} {
		var stdout, stderr strings.Builder
		if got := run(test.args, &stdout, &stderr); got != test.want {
			t.Errorf("local %s: exit status %d, want %d; standard error: %s", strings.Join(test.args, " "), got, test.want, &stderr)
		}
	}
}
