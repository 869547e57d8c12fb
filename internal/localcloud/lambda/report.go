package lambda

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// openLogs returns the writer of an environment's output and that of the
// platform's lines. They drop what CloudWatch would not get, for want of a
// permission or by log level.
func (f *function) openLogs(e *environment) (output *lineWriter, platform func(line []byte)) {
	id, _, _ := f.service.options.Credentials(e.spec.RoleARN)
	stream := awsapi.ARN("logs", "log-group:"+e.spec.Logging.Group+":log-stream:"+e.stream)
	if refused := f.service.options.Authorize(id, awsapi.Permission{Action: "logs:PutLogEvents", Resource: stream}); refused != nil {
		f.log.write([]byte("no logs: " + refused.Message))
		return &lineWriter{accept: func([]byte) {}}, func([]byte) {}
	}
	least := slices.Index(logLevels, e.spec.Logging.ApplicationLevel)
	return &lineWriter{accept: func(line []byte) {
		if levelOf(line, least) >= least {
			f.log.write(line)
		}
	}}, f.log.write
}

var logLevels = []string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}

// levelOf returns the rank of a JSON line's level; without one it counts as
// INFO (docs, monitoring-cloudwatchlogs-log-level). It looks only when some
// level is dropped.
func levelOf(line []byte, least int) int {
	if least <= 0 {
		return least
	}
	var entry struct {
		Level string `json:"level"`
	}
	if err := json.Unmarshal(line, &entry); err != nil || entry.Level == "" {
		return slices.Index(logLevels, "INFO")
	}
	return slices.Index(logLevels, strings.ToUpper(entry.Level))
}

func (e *environment) logStart(inv *invocation) {
	if e.spec.Logging.Format == "JSON" {
		e.logPlatform("platform.start", map[string]any{"requestId": inv.id, "version": "$LATEST"})
		return
	}
	e.logText(fmt.Sprintf("START RequestId: %s Version: $LATEST", inv.id))
}

// logReport writes what Lambda writes at the end of an invocation.
func (e *environment) logReport(used Invocation, billed float64) {
	memory := used.MaxMemory >> 20
	if e.spec.Logging.Format == "JSON" {
		metrics := map[string]any{"durationMs": milliseconds(used.Duration), "billedDurationMs": billed, "memorySizeMB": used.MemoryMB, "maxMemoryUsedMB": memory}
		if used.Cold {
			metrics["initDurationMs"] = milliseconds(used.Init)
		}
		record := map[string]any{"requestId": used.RequestID, "metrics": metrics, "status": "success"}
		if used.Error != "" {
			record["status"], record["errorType"] = "error", used.Error
		}
		e.logPlatform("platform.report", record)
		return
	}
	line := fmt.Sprintf("REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %.0f ms\tMemory Size: %d MB\tMax Memory Used: %d MB",
		used.RequestID, milliseconds(used.Duration), billed, used.MemoryMB, memory)
	if used.Cold {
		line += fmt.Sprintf("\tInit Duration: %.2f ms", milliseconds(used.Init))
	}
	if used.Error != "" {
		line += "\tStatus: error\tError Type: " + used.Error
	}
	e.logText("END RequestId: " + used.RequestID)
	e.logText(line)
}

func (e *environment) logText(line string) { e.platformLog([]byte(line)) }

func (e *environment) logPlatform(kind string, record map[string]any) {
	if level := e.spec.Logging.SystemLevel; level == "WARN" {
		return
	}
	line, err := json.Marshal(map[string]any{"time": time.Now().UTC().Format(time.RFC3339Nano), "type": kind, "level": "INFO", "record": record})
	if err == nil {
		e.logText(string(line))
	}
}

func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Millisecond)*100) / 100
}
