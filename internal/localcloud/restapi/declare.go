package restapi

// RestAPI declares an API.
type RestAPI struct {
	ID               string // 10 characters, made when empty
	Name             string
	RootResourceID   string // set by PutRestAPI
	BinaryMediaTypes []string
}

// Resource declares a path segment: a literal, {name} or {name+}.
type Resource struct {
	ID       string // made when empty
	APIID    string
	ParentID string
	PathPart string
}

// Method declares an HTTP method, or ANY, of a resource.
type Method struct {
	APIID         string
	ResourceID    string
	HTTPMethod    string
	Authorization string // NONE or COGNITO_USER_POOLS
	AuthorizerID  string
	Scopes        []string // authorizationScopes: none means an ID token, some an access token
}

// Integration declares what answers a method: AWS_PROXY to a function.
type Integration struct {
	APIID                 string
	ResourceID            string
	HTTPMethod            string
	Type                  string // AWS_PROXY
	IntegrationHTTPMethod string // POST
	URI                   string // invoke ARN of the function
	TimeoutMilliseconds   int    // 0 is the default of 29,000
}

// Authorizer declares an authorizer of type COGNITO_USER_POOLS.
type Authorizer struct {
	ID             string // made when empty
	APIID          string
	Name           string
	Type           string
	ProviderARNs   []string // ARNs of user pools
	IdentitySource string   // default method.request.header.Authorization
}

// GatewayResponse shapes the answers that the gateway itself gives.
type GatewayResponse struct {
	APIID      string
	Type       string            // UNAUTHORIZED, DEFAULT_4XX, …
	StatusCode string            // "" keeps the status of the response's type
	Parameters map[string]string // gatewayresponse.header.NAME -> 'literal' or method.request.header.NAME
	Templates  map[string]string // content type -> template
}

// MethodSettings declares the throttle of the methods of a stage. A limit of
// -1 leaves only the account's.
type MethodSettings struct {
	APIID                string
	StageName            string
	MethodPath           string // */* or {resource path without leading slash}/{METHOD}
	ThrottlingRateLimit  float64
	ThrottlingBurstLimit int
}

// Deployment declares a snapshot of an API as it is when it is put.
type Deployment struct {
	ID    string // made when empty
	APIID string
}

// Stage declares a name under which a deployment is served.
type Stage struct {
	APIID        string
	Name         string
	DeploymentID string
	Variables    map[string]string
}
