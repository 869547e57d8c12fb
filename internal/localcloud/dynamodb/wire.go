package dynamodb

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"unicode/utf8"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/usage"
)

// maxRequest is DynamoDB's limit of a request's body.
const maxRequest = 16 << 20

var _ http.Handler = (*Service)(nil)

// request is one operation's parameters. Its methods are called in this order.
type request interface {
	// permissions are the IAM actions that the operation needs: not its name,
	// but those of its parts.
	permissions() []awsapi.Permission
	// prepare validates and parses all that can be without the items.
	prepare(*Service) *awsapi.Error
	// execute does it.
	execute(*Service) (any, *awsapi.Error)
}

// writer is a request that writes items.
type writer interface {
	places() (places []string, transaction bool)
	overlaps(*writing)
}

// coster is a request that consumes capacity.
type coster interface{ consumed() cost }

// keeper is a request that needs its body later on.
type keeper interface{ keep(body []byte) }

var operations = map[string]func() request{
	"GetItem":                   func() request { return &getItem{} },
	"BatchGetItem":              func() request { return &batchGetItem{} },
	"TransactGetItems":          func() request { return &transactGetItems{} },
	"Query":                     func() request { return &query{} },
	"Scan":                      func() request { return &scan{} },
	"PutItem":                   func() request { return &putItem{} },
	"UpdateItem":                func() request { return &updateItem{} },
	"DeleteItem":                func() request { return &deleteItem{} },
	"BatchWriteItem":            func() request { return &batchWriteItem{} },
	"TransactWriteItems":        func() request { return &transactWriteItems{} },
	"ListTables":                func() request { return &listTables{} },
	"DescribeTable":             func() request { return &describeTable{} },
	"DescribeTimeToLive":        func() request { return &describeTimeToLive{} },
	"DescribeContinuousBackups": func() request { return &describeContinuousBackups{} },
	"ListTagsOfResource":        func() request { return &listTagsOfResource{} },
	"DescribeEndpoints":         func() request { return &describeEndpoints{} },
	"CreateTable":               func() request { return &createTable{} },
	"DeleteTable":               func() request { return &deleteTable{} },
	"UpdateTimeToLive":          func() request { return &updateTimeToLive{} },
}

// ServeHTTP speaks DynamoDB's JSON 1.0 protocol.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	result, lose, refusal := s.serve(r)
	switch {
	case lose:
		awsapi.Drop(w)
	case refusal != nil:
		awsapi.DynamoDB.WriteError(w, refusal)
	default:
		awsapi.DynamoDB.WriteResult(w, result)
	}
}

func (s *Service) serve(r *http.Request) (result any, lose bool, refusal *awsapi.Error) {
	name, ok := awsapi.Target(r, "DynamoDB_20120810")
	newRequest, known := operations[name]
	if r.Method != http.MethodPost || !ok || !known {
		return nil, false, &awsapi.Error{Status: 400, Code: "UnknownOperationException", Message: "the local cloud does not know operation " + name}
	}
	body, refusal := awsapi.ReadBody(r, maxRequest)
	if refusal != nil {
		return nil, false, refusal
	}
	req := newRequest()
	if err := decode(body, req); err != nil {
		return nil, false, undecodable(err)
	}
	if k, ok := req.(keeper); ok {
		k.keep(body)
	}
	badRequest := req.prepare(s)
	if badRequest == nil {
		defer s.register(req)()
	}
	lose, refusal = s.guard.Admit(r.Context(), awsapi.Call{
		Service: "dynamodb", Operation: name, AccessKeyID: awsapi.AccessKeyID(r), Permissions: req.permissions(), Body: body,
	})
	switch {
	case refusal != nil:
		return nil, false, refusal
	case badRequest != nil:
		return nil, false, badRequest
	}
	result, refusal = req.execute(s)
	s.count(req, body)
	return result, lose, refusal
}

// register makes the request's writes known to others until the returned
// function is called.
func (s *Service) register(req request) func() {
	w, ok := req.(writer)
	if !ok {
		return func() {}
	}
	places, transaction := w.places()
	entry := s.conflicts.begin(places, transaction, s.faults.OverlapConflict)
	w.overlaps(entry)
	return entry.end
}

func (s *Service) count(req request, body []byte) {
	c, ok := req.(coster)
	if !ok {
		return
	}
	total, indexWrites := c.consumed().total()
	if total.read > 0 {
		s.meter.Add(usage.ReadUnits, total.read, body)
	}
	if total.write > 0 {
		s.meter.Add(usage.WriteUnits, total.write, body)
	}
	if indexWrites > 0 {
		s.meter.Add(usage.IndexWriteUnits, indexWrites, body)
	}
}

var errNotUTF8 = errors.New("it is not UTF-8")

func decode(body []byte, into any) error {
	if !utf8.Valid(body) {
		return errNotUTF8
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the request")
	}
	return nil
}

func permit(action, table string) []awsapi.Permission {
	return []awsapi.Permission{{Action: "dynamodb:" + action, Resource: ARN(nameOf(table))}}
}

// permitAll is for operations that AWS offers on no single table.
func permitAll(action string) []awsapi.Permission {
	return []awsapi.Permission{{Action: "dynamodb:" + action, Resource: "*"}}
}
