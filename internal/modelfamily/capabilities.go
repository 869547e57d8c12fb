package modelfamily

import (
	"fmt"
	"strings"
)

// Feature is something of a request that some families do not take. Features
// combine.
type Feature int

// The features.
const (
	Images Feature = 1 << iota
	Documents
	System
	Tools
	ToolChoiceAny
	ToolChoiceTool
)

// refusals say what a family without a feature does. The order is that of the
// documentation.
var refusals = []struct {
	feature Feature
	name    string
	why     string
}{
	{System, "system", "it takes no system text"},
	{Images, "images", "it takes no images"},
	{Documents, "documents", "it takes no documents"},
	{Tools, "tools", "it uses no tools while it streams"},
	{ToolChoiceAny, "toolChoice any", "it takes no toolChoice but auto"},
	{ToolChoiceTool, "toolChoice of a name", "it cannot be made to use a certain tool"},
}

// Why says why the family refuses a feature: "it takes no images". "" if it
// takes it.
func (f Family) Why(feature Feature) string {
	if f.Lacks&feature == 0 {
		return ""
	}
	for _, r := range refusals {
		if r.feature == feature {
			return r.why
		}
	}
	return "it does not take it"
}

// CachePoint is a place of a request behind which a family can be told to keep
// what came before. CachePoints combine.
type CachePoint int

// The places, in the order in which a model reads them.
const (
	CacheTools CachePoint = 1 << iota
	CacheSystem
	CacheMessages
)

// WhyNotCached says why the family refuses to cache; "" if it does not.
func (f Family) WhyNotCached() string {
	if f.Cache != 0 {
		return ""
	}
	return "it is not known to keep a cache of its input"
}

// Tokens that an image may count where the family does not say (Nova user guide,
// prompting-vision-limitations: up to about 2,600 for an image of 1,300 by 1,300
// pixels).
const (
	novaImage    = 2_600
	defaultImage = novaImage
)

// TokensOfImage is the most tokens that an image counts.
func (f Family) TokensOfImage() int64 {
	if f.ImageTokens == 0 {
		return defaultImage
	}
	return f.ImageTokens
}

// Missing names what the family does not take, for its documentation.
func (f Family) Missing() string {
	var names []string
	for _, r := range refusals {
		if f.Lacks&r.feature != 0 {
			names = append(names, r.name)
		}
	}
	names = append(names, samplingNames[f.Sampling]...)
	if f.StopSequences > 0 {
		names = append(names, fmt.Sprintf("more than %d stopSequences", f.StopSequences))
	}
	return strings.Join(names, ", ")
}

var samplingNames = map[Sampling][]string{SamplingEither: {"temperature beside topP"}, SamplingNone: {"temperature", "topP"}}

// String names the places, for the documentation.
func (p CachePoint) String() string {
	var names []string
	for place, name := range []string{"tools", "system", "messages"} {
		if p&(1<<place) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
