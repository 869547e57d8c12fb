package localcloud

import (
	"bytes"
	"crypto/md5" //nolint:gosec // what S3's ETag is
	"encoding/hex"
	"encoding/json"
	"path"

	"github.com/streaming-service/streaming-service/internal/localcloud/s3"
)

// configFile is what clients read to use what the program declares: the outputs,
// or an object of that name that the program declares for a site.
const configFile = "config.json"

// outputs are those of the program with what is local about them.
func (c *Cloud) outputs() map[string]any { return c.localize(c.graph.Outputs()) }

// localize gives clients the local values of what they read.
func (c *Cloud) localize(values map[string]any) map[string]any {
	if c.program.Localize != nil {
		c.program.Localize(values, c.stageURLs())
	}
	sites := c.sites(nil)
	for name, value := range values {
		if address, ok := value.(string); ok {
			values[name] = sites.local(address)
		}
	}
	values["cognitoEndpoint"] = c.URL()
	if c.demo.name != "" {
		values["demoUser"] = c.demo.name
		values["demoPassword"] = c.demo.password
	}
	return values
}

// siteObjects are the objects of the buckets as sites serve them.
type siteObjects struct {
	*s3.Service
	localize func(map[string]any) map[string]any
}

// GetObject returns an object; the one with the configuration of clients has what
// is local, too.
func (s siteObjects) GetObject(bucket, key string) (s3.Object, bool) {
	o, ok := s.Service.GetObject(bucket, key)
	if !ok || path.Base(key) != configFile {
		return o, ok
	}
	var declared map[string]any
	if json.Unmarshal(o.Body, &declared) != nil || declared == nil {
		return o, true // whatever it is, it is no configuration
	}
	o.Body = encode(s.localize(declared))
	sum := md5.Sum(o.Body) //nolint:gosec // what S3's ETag is
	o.ETag = hex.EncodeToString(sum[:])
	return o, true
}

// encode writes a value as people read it.
func encode(value any) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(value) // of plain values
	return text.Bytes()
}
