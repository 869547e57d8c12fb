// Package build makes the chat page as it is served: its modules, libraries and
// style sheets bundled by esbuild into few files whose names carry the hash of
// their content, and the index.html that names them. The same sources always
// give the same bytes. Nothing outside of package web is read or fetched.
package build

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"strings"
	"sync"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/streaming-service/streaming-service/web"
)

// File is one file of the page.
type File struct {
	Content      []byte
	ContentType  string
	CacheControl string
}

// Index is the name of the file that is the page itself.
const Index = "index.html"

// How long browsers may keep a file: what has a hash in its name for ever, the
// page itself and config.json only while the server says that they are the
// same.
const (
	Immutable  = "public, max-age=31536000, immutable"
	Revalidate = "no-cache"
)

var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// entries are the files that index.html names.
var entries = []string{"chat.js", "theme.js", "chat.css", "answer.css", "style.css", "icon.svg"}

var page = sync.OnceValues(makePage)

// Page returns the files of the page by their names. config.json is not among
// them: it belongs to a deployment.
func Page() (map[string]File, error) {
	files, err := page()
	return maps.Clone(files), err
}

func makePage() (map[string]File, error) {
	files := map[string]File{}
	names := map[string]string{} // of sources, as they are served
	for _, entry := range entries {
		outputs, err := bundle(entry)
		if err != nil {
			return nil, fmt.Errorf("building the chat page: %w", err)
		}
		for _, output := range outputs {
			name := path.Base(output.Path)
			files[name] = File{output.Contents, contentTypes[path.Ext(name)], Immutable}
			if isEntry(name, entry) {
				names[entry] = name
			}
		}
	}
	html, err := index(names)
	if err != nil {
		return nil, fmt.Errorf("building the chat page: %w", err)
	}
	files[Index] = File{html, contentTypes[".html"], Revalidate}
	return files, nil
}

// isEntry tells the file that an entry became from the parts that it loads
// later.
func isEntry(name, entry string) bool {
	extension := path.Ext(entry)
	return strings.HasPrefix(name, strings.TrimSuffix(entry, extension)+"-") && path.Ext(name) == extension
}

func bundle(entry string) ([]api.OutputFile, error) {
	module := entry == "chat.js" // theme.js runs before the page is drawn, which a module cannot
	options := api.BuildOptions{
		EntryPoints:       []string{entry},
		EntryNames:        "[name]-[hash]",
		ChunkNames:        "part-[hash]",
		Outdir:            "/",
		AbsWorkingDir:     "/",
		Bundle:            true,
		Splitting:         module,
		Format:            api.FormatIIFE,
		Loader:            map[string]api.Loader{".svg": api.LoaderCopy},
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		LegalComments:     api.LegalCommentsEndOfFile,
		Target:            api.ES2022,
		Plugins:           []api.Plugin{sources(web.Files())},
	}
	if module {
		options.Format = api.FormatESModule
	}
	result := api.Build(options)
	if len(result.Errors) > 0 {
		return nil, fmt.Errorf("%s: %s", entry, strings.Join(api.FormatMessages(result.Errors, api.FormatMessagesOptions{}), "\n"))
	}
	return result.OutputFiles, nil
}

// sources has esbuild read from a file system, not from the disk.
func sources(files fs.FS) api.Plugin {
	loaders := map[string]api.Loader{".css": api.LoaderCSS, ".svg": api.LoaderCopy}
	return api.Plugin{Name: "sources", Setup: func(build api.PluginBuild) {
		build.OnResolve(api.OnResolveOptions{Filter: ".*"}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
			name := path.Join(path.Dir(args.Importer), args.Path)
			if args.Kind == api.ResolveEntryPoint {
				name = args.Path
			}
			return api.OnResolveResult{Path: name, Namespace: "web"}, nil
		})
		build.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: "web"}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
			content, err := fs.ReadFile(files, args.Path)
			if err != nil {
				return api.OnLoadResult{}, err
			}
			text := string(content)
			loader, ok := loaders[path.Ext(args.Path)]
			if !ok {
				loader = api.LoaderJS
			}
			return api.OnLoadResult{Contents: &text, Loader: loader}, nil
		})
	}}
}

// index returns index.html with the names that its files are served by.
func index(names map[string]string) ([]byte, error) {
	source, err := fs.ReadFile(web.Files(), Index)
	if err != nil {
		return nil, err
	}
	html := string(source)
	for _, entry := range entries {
		quoted := `"` + entry + `"`
		if names[entry] == "" || !strings.Contains(html, quoted) {
			return nil, fmt.Errorf("%s does not name %s, or nothing was made of it", Index, entry)
		}
		html = strings.ReplaceAll(html, quoted, `"`+names[entry]+`"`)
	}
	return []byte(html), nil
}
