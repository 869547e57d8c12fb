package cloudfront

// managedCachePolicies are those of "Use managed cache policies" in the
// CloudFront Developer Guide, by their ids, and whether each asks origins for
// compressed objects, without which CloudFront compresses nothing.
var managedCachePolicies = map[string]struct {
	name       string
	compresses bool
}{
	"2e54312d-136d-493c-8eb9-b001f22f67d2": {"Managed-Amplify", true},
	"4135ea2d-6df8-44a3-9df3-4b5a84be39ad": {"Managed-CachingDisabled", false},
	"658327ea-f89d-4fab-a63d-7e88639e58f6": {"Managed-CachingOptimized", true},
	"b2884449-e4de-46a7-ac36-70bc7f1ddd6d": {"Managed-CachingOptimizedForUncompressedObjects", false},
	"08627262-05a9-4f76-9ded-b50ca2e3a84f": {"Managed-Elemental-MediaPackage", true},
	"83da9c7e-98b4-4e11-a168-04f0df8e2c65": {"Managed-UseOriginCacheControlHeaders", true},
	"4cc15a8a-d715-48a4-82b8-cc0b614638fe": {"Managed-UseOriginCacheControlHeaders-QueryStrings", true},
}
