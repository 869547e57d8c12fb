// Package modelfamily knows what the models of Amazon Bedrock take: what
// ConverseStream would refuse can then be refused before anything is spent, by
// the component at preview and by the admission of a request.
package modelfamily

import (
	"slices"
	"strings"
)

// Family is a group of models with the same rules.
type Family struct {
	Name          string   // "": a model that this table does not know, which may take anything but what it must be known for
	Models        []string // what the ids of its models begin with
	Sampling      Sampling
	StopSequences int        // most of a request; 0: as many as Converse takes
	Lacks         Feature    // what it does not take
	Reasoning     Reasoning  // how it is asked for
	Cache         CachePoint // where it takes cache points; 0: nowhere
	ImageTokens   int64      // the most that an image counts; 0: not known
	Source        string     // of the rules
}

// Sampling says which of temperature and topP a family takes.
type Sampling int

// The rules.
const (
	SamplingFree   Sampling = iota // both, alone or together
	SamplingEither                 // one of them, not both
	SamplingNone                   // neither
)

// profilePrefixes begin the ids of inference profiles that may run a model in
// several Regions.
var profilePrefixes = []string{"us", "us-gov", "eu", "jp", "au", "apac", "ca", "global"}

// SplitProfile parts the id of an inference profile into its prefix, such as us,
// and the id of the model behind it. The prefix of a model's own id is "".
func SplitProfile(id string) (prefix, model string) {
	prefix, model, found := strings.Cut(id, ".")
	if !found || !slices.Contains(profilePrefixes, prefix) {
		return "", id
	}
	return prefix, model
}

// All returns every family that this table knows. The first that matches counts.
func All() []Family { return slices.Clone(families) }

// Of returns the family of a model: by its id, by that of an inference profile,
// or by an ARN of either. An ARN that does not tell its model, such as that of
// an application inference profile, has the family that takes anything.
func Of(modelID string) Family {
	if strings.HasPrefix(modelID, "arn:") {
		parts := strings.SplitN(modelID, ":", 6)
		kind, id, _ := strings.Cut(parts[len(parts)-1], "/")
		if kind != "foundation-model" && kind != "inference-profile" {
			return Family{}
		}
		modelID = id
	}
	_, model := SplitProfile(modelID)
	for _, family := range families {
		for _, beginning := range family.Models {
			if strings.HasPrefix(model, beginning) {
				return family
			}
		}
	}
	return Family{}
}

// Refusal says which parameter a request must not have, and why: "it takes no
// temperature".
type Refusal struct {
	Parameter string // temperature or topP
	Why       string
}

// RefuseSampling returns what the family refuses of a request that has these
// parameters.
func (f Family) RefuseSampling(temperature, topP bool) []Refusal {
	var refusals []Refusal
	switch {
	case f.Sampling == SamplingNone:
		if temperature {
			refusals = append(refusals, Refusal{"temperature", "it takes no temperature"})
		}
		if topP {
			refusals = append(refusals, Refusal{"topP", "it takes no topP"})
		}
	case f.Sampling == SamplingEither && temperature && topP:
		refusals = append(refusals, Refusal{"topP", "it takes temperature or topP, not both"})
	}
	return refusals
}
