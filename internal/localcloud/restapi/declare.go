package restapi

// RestAPI declares an API.
type RestAPI struct {
	ID   string // 10 characters, made when empty
	Name string
	// Body is the OpenAPI document that the API is made of, as PutRestApi takes
	// it in mode overwrite; "" makes an API without methods.
	Body           string
	RootResourceID string // set by PutRestAPI
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
