package localcloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// stackConfig is what a stack of the project is run with.
type stackConfig struct {
	Project string
	Values  map[string]string // by full key, "project:key"; objects as JSON
}

// loadConfig reads the configuration of a stack from the project in root: the
// defaults of Pulumi.yaml, the values of Pulumi.<stack>.yaml, and over them the
// overrides, each path=value as for `pulumi config set --path`.
func loadConfig(root, stack string, overrides []string) (stackConfig, error) {
	project, err := workspace.LoadProject(filepath.Join(root, "Pulumi.yaml"))
	if err != nil {
		return stackConfig{}, fmt.Errorf("reading the project: %w", err)
	}
	values, err := loadStack(project, root, stack)
	if err != nil {
		return stackConfig{}, err
	}
	if err := addDefaults(values, project); err != nil {
		return stackConfig{}, err
	}
	for _, override := range overrides {
		if err := apply(values, project.Name.String(), override); err != nil {
			return stackConfig{}, err
		}
	}
	plain, err := values.Decrypt(config.NopDecrypter)
	if err != nil {
		return stackConfig{}, fmt.Errorf("reading the configuration of stack %s: %w", stack, err)
	}
	result := stackConfig{Project: project.Name.String(), Values: make(map[string]string, len(plain))}
	for key, value := range plain {
		result.Values[key.String()] = value
	}
	return result, nil
}

func loadStack(project *workspace.Project, root, stack string) (config.Map, error) {
	name := "Pulumi." + stack + ".yaml"
	path := filepath.Join(root, name)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the configuration of stack %s: there is no %s in %s", stack, name, root)
	}
	sink := diag.DefaultSink(io.Discard, io.Discard, diag.FormatOptions{Color: colors.Never})
	file, err := workspace.LoadProjectStack(sink, project, path)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if file.Config == nil {
		return config.Map{}, nil
	}
	for key, value := range file.Config {
		if value.Secure() {
			return nil, fmt.Errorf("reading %s: %s is encrypted and the local cloud has no key; override it with -c", name, key)
		}
	}
	return file.Config, nil
}

// addDefaults sets the keys with a default in the project that the stack lacks.
func addDefaults(values config.Map, project *workspace.Project) error {
	for name, declared := range project.Config {
		key, err := config.ParseKey(name)
		if err != nil {
			key = config.MustMakeKey(project.Name.String(), name)
		}
		value := declared.Default
		if declared.Value != nil {
			value = declared.Value
		}
		if _, ok := values[key]; ok || value == nil {
			continue
		}
		if text, ok := value.(string); ok {
			values[key] = config.NewValue(text)
			continue
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("reading the default of %s: %w", name, err)
		}
		if strings.HasPrefix(string(encoded), "{") || strings.HasPrefix(string(encoded), "[") {
			values[key] = config.NewObjectValue(string(encoded))
		} else {
			values[key] = config.NewValue(string(encoded))
		}
	}
	return nil
}

// apply sets one value by its path.
func apply(values config.Map, project, override string) error {
	path, value, ok := strings.Cut(override, "=")
	if !ok || path == "" {
		return &UsageError{fmt.Sprintf("-c %s: want path=value, such as quota.monthlyRequests=10", override)}
	}
	key := config.MustMakeKey(project, path)
	if namespace, name, ok := strings.Cut(path, ":"); ok && !strings.ContainsAny(namespace, `.["`) {
		key = config.MustMakeKey(namespace, name)
	}
	if err := values.Set(key, config.NewValue(value), true); err != nil {
		return &UsageError{fmt.Sprintf("-c %s: %v", override, err)}
	}
	return nil
}

// UsageError is a mistake of the caller in what he asked for.
type UsageError struct{ message string }

func (e *UsageError) Error() string { return e.message }

// findRoot returns the directory of the Pulumi project, searched from dir
// upwards.
func findRoot(dir string) (string, error) {
	for current := dir; ; current = filepath.Dir(current) {
		if _, err := os.Stat(filepath.Join(current, "Pulumi.yaml")); err == nil {
			return current, nil
		}
		if current == filepath.Dir(current) {
			return "", fmt.Errorf("finding the project: no Pulumi.yaml in %s or above it", dir)
		}
	}
}
