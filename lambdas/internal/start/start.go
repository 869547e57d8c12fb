// Package start is how every function begins. What only some of them need is
// wired in the packages below it, so that no function links a client of AWS
// that it does not use.
package start

import (
	"log/slog"
	"os"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/config"
	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
)

// Function is what every function has.
type Function struct {
	Settings config.Settings
	Log      *slog.Logger
	Metrics  *metrics.Recorder
}

// Load reads the environment of a function, by its name. If that lacks or
// garbles anything, Load says all of it in the log and ends the process.
func Load(name string) Function {
	useShare(os.Getenv)
	// No deployment sets the lease. Tests of every function may.
	settings, err := config.Load(os.Getenv, append(environment.Of(name), environment.LeaseSeconds)...)
	log := logging.New(os.Stdout, settings.LogLevel)
	if err != nil {
		log.Error("cannot start", slog.Any("error", err))
		os.Exit(1)
	}
	return Function{Settings: settings, Log: log, Metrics: metrics.New(os.Stdout, settings.MetricsNamespace, settings.ServiceName)}
}
