package build

import (
	"net/http"
	"strconv"
	"strings"
)

// Handler serves the files of the page, and its index at "/".
func Handler(files map[string]File) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		if name == "" {
			name = Index
		}
		file, ok := files[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", file.ContentType)
		h.Set("Cache-Control", file.CacheControl)
		h.Set("Content-Length", strconv.Itoa(len(file.Content)))
		if r.Method != http.MethodHead {
			_, _ = w.Write(file.Content) // the caller is gone; nobody is left to tell
		}
	})
}
