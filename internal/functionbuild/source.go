package functionbuild

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
)

// advice ends every error about a source that nobody finds.
const advice = "set functionArchiveDir to a directory of prebuilt zips, or use a released plugin, which holds them (docs/languages.md)"

// find returns the directory of the module's source: that from which the
// running program was built, and only then what the working directory knows.
// The working directory is that of the user's program: it has no Go module at
// all if the program is in another language.
func find(ctx context.Context, pluginRoot string) (string, error) {
	var tried []error
	for _, place := range []func() (string, error){
		recorded,
		func() (string, error) { return listed(ctx, pluginRoot, "the plugin's directory") },
		func() (string, error) { return downloaded(ctx, builtVersion()) },
		func() (string, error) { return listed(ctx, ".", "the working directory") },
	} {
		dir, err := place()
		if err == nil {
			return dir, nil
		}
		tried = append(tried, err)
	}
	return "", fmt.Errorf("finding the source of the functions:\n%w\n%s", errors.Join(tried...), advice)
}

// recorded is where the compiler read this file, unless the program was built
// with -trimpath or the source has gone since.
func recorded() (string, error) {
	_, file, _, ok := runtime.Caller(0)
	if !ok || !filepath.IsAbs(file) {
		return "", errors.New("this program does not say where it was built (-trimpath)")
	}
	dir := filepath.Dir(filepath.Dir(filepath.Dir(file)))
	if err := holdsModule(dir); err != nil {
		return "", fmt.Errorf("this program was built from %s: %w", dir, err)
	}
	return dir, nil
}

// holdsModule checks that a directory is the root of the module.
func holdsModule(dir string) error {
	content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return err
	}
	if first, _, _ := strings.Cut(string(content), "\n"); strings.TrimSpace(first) != "module "+Module {
		return fmt.Errorf("its go.mod begins with %q", first)
	}
	return nil
}

// listed is what the go command in a directory takes for the module. Pulumi
// tells a plugin where its source is.
func listed(ctx context.Context, dir, name string) (string, error) {
	if dir == "" {
		return "", fmt.Errorf("%s is unknown", name)
	}
	command := exec.CommandContext(ctx, "go", "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", Module)
	command.Dir = dir
	found, err := run(command)
	if err == nil && found == "" {
		err = errors.New("the module is required but not downloaded; run go mod download " + Module)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return found, nil
}

// builtVersion is the version of the module in this program, or "".
func builtVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return versionOf(info)
}

// versionOf is the published version of the module that a program was built
// with: one with a checksum. A checkout has none, though the go command derives
// a version from its commit.
func versionOf(info *debug.BuildInfo) string {
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Path == Module && m.Sum != "" {
			return m.Version
		}
	}
	return ""
}

// downloaded is a published version's place in the module cache, where the go
// command puts it if need be.
func downloaded(ctx context.Context, version string) (string, error) {
	if version == "" {
		return "", errors.New("this program was not built from a published version")
	}
	command := exec.CommandContext(ctx, "go", "mod", "download", "-json", Module+"@"+version)
	command.Dir = os.TempDir() // in no module, whose requirements would count
	command.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	printed, err := run(command)
	var answer struct{ Dir, Error string }
	if decoded := json.Unmarshal([]byte(printed), &answer); decoded == nil && answer.Error != "" {
		err = errors.New(answer.Error)
	}
	if err != nil {
		return "", fmt.Errorf("downloading %s@%s: %w", Module, version, err)
	}
	return answer.Dir, nil
}
