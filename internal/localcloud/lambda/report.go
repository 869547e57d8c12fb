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
		e.logPlatform("platform.start", startRecord{RequestID: inv.id, Version: "$LATEST"})
		return
	}
	e.logText(fmt.Sprintf("START RequestId: %s Version: $LATEST", inv.id))
}

// logReport writes what Lambda writes at the end of an invocation.
func (e *environment) logReport(used Invocation, billed float64) {
	memory := used.MaxMemory >> 20
	if e.spec.Logging.Format == "JSON" {
		record := reportRecord{RequestID: used.RequestID, Status: "success", Metrics: reportMetrics{
			Duration: milliseconds(used.Duration), Billed: billed, MemorySize: used.MemoryMB, MaxMemory: memory,
		}}
		if used.Cold {
			initialised := milliseconds(used.Init)
			record.Metrics.Init = &initialised
		}
		if used.Error != "" {
			record.Status, record.ErrorType = "error", used.Error
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

// platformEvent is a line of the platform in a log of JSON (docs,
// monitoring-cloudwatchlogs-advanced).
type platformEvent struct {
	Level  string    `json:"level"`
	Record any       `json:"record"`
	Time   time.Time `json:"time"`
	Type   string    `json:"type"`
}

type startRecord struct {
	RequestID string `json:"requestId"`
	Version   string `json:"version"`
}

type reportRecord struct {
	ErrorType string        `json:"errorType,omitempty"`
	Metrics   reportMetrics `json:"metrics"`
	RequestID string        `json:"requestId"`
	Status    string        `json:"status"`
}

type reportMetrics struct {
	Billed     float64  `json:"billedDurationMs"`
	Duration   float64  `json:"durationMs"`
	Init       *float64 `json:"initDurationMs,omitempty"`
	MaxMemory  int64    `json:"maxMemoryUsedMB"`
	MemorySize int      `json:"memorySizeMB"`
}

func (e *environment) logPlatform(kind string, record any) {
	if level := e.spec.Logging.SystemLevel; level == "WARN" {
		return
	}
	line, err := json.Marshal(platformEvent{Level: "INFO", Record: record, Time: time.Now().UTC(), Type: kind})
	if err == nil {
		e.logText(string(line))
	}
}

func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Millisecond)*100) / 100
}
