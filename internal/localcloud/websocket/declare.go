package websocket

import (
	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
)

// API declares a WebSocket API.
type API struct {
	ID                       string // 10 characters, made when empty
	Name                     string
	RouteSelectionExpression string // $request.body.action
}

// Route declares what serves a route key: $connect, $disconnect, $default or a
// value of the route selection expression.
type Route struct {
	ID                               string // made when empty
	APIID                            string
	RouteKey                         string
	AuthorizationType                string // NONE (or "") or, on $connect, CUSTOM
	AuthorizerID                     string
	Target                           string // integrations/{id}
	RouteResponseSelectionExpression string // $default, or "" for a one-way route
}

// RouteResponse makes a two-way route return its integration's answer.
type RouteResponse struct {
	ID               string // made when empty
	APIID            string
	RouteID          string
	RouteResponseKey string // $default
}

// Integration declares the function behind routes.
type Integration struct {
	ID                  string // made when empty
	APIID               string
	Type                string // AWS_PROXY
	Method              string // POST (or "")
	URI                 string // invoke ARN of the function
	TimeoutMilliseconds int    // 50 to 29,000; 0 is the default of 29,000
}

// Authorizer declares a REQUEST authorizer for $connect. Its results are never
// cached: a TTL is refused, as AWS refuses it.
type Authorizer struct {
	ID               string // made when empty
	APIID            string
	Name             string
	Type             string   // REQUEST
	URI              string   // invoke ARN of the function
	IdentitySources  []string // route.request.header.X, route.request.querystring.X: all must be there
	ResultTTLSeconds int
}

// RouteSettings is a throttle. A limit that is left out becomes 0 in AWS, which
// refuses every call.
type RouteSettings struct {
	ThrottlingRateLimit  *float64
	ThrottlingBurstLimit *int
}

func (r RouteSettings) limits() gateway.Limits {
	var l gateway.Limits
	if r.ThrottlingRateLimit != nil {
		l.Rate = *r.ThrottlingRateLimit
	}
	if r.ThrottlingBurstLimit != nil {
		l.Burst = *r.ThrottlingBurstLimit
	}
	return l
}

// Deployment declares a snapshot of an API for a stage without autoDeploy.
type Deployment struct {
	ID    string // made when empty
	APIID string
}

// Stage declares a name under which an API is served. With AutoDeploy it
// serves the API as it is now, else the deployment; with neither it serves
// nothing.
type Stage struct {
	APIID                string
	Name                 string
	AutoDeploy           bool
	DeploymentID         string
	DefaultRouteSettings *RouteSettings           // nil: only the account's throttle
	RouteSettings        map[string]RouteSettings // by route key
	Variables            map[string]string
}
