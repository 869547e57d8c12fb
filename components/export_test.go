package components

// What the tests need of the package's insides.
type (
	Location    = location
	ModelAccess = modelAccess
)

var (
	BedrockARNs = bedrockARNs
	Plain       = plain
	Defaults    = defaults
)

// RESTAPIDocument is the table of the REST API.
var RESTAPIDocument = restAPIDocument

// NewLocation is a place with these parts.
func NewLocation(partition, region, account string) Location {
	return location{partition, region, account}
}

// BedrockPolicy is the policy for calling models.
func BedrockPolicy(models []string, at Location) (string, error) {
	return document(bedrockStatements(models, at)...)
}

// Console is where the console of a partition is.
func Console(partition string) string { return consoleOf(partition) }
