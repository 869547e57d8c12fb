package awsconfig

// NewSigner returns a signer for a service, of a Region.
var NewSigner = newSigner

// Sign signs a call with a body.
var Sign = (*signer).sign
