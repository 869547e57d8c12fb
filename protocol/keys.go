package protocol

// Limits of personal keys.
const (
	// MaxKeys is how many keys that have not expired a user may have.
	MaxKeys = 20
	// MaxKeyNameLength is the longest name of a key, in characters.
	MaxKeyNameLength = 100
	// MaxKeyDays is the longest that a key may last unless it lasts for ever.
	MaxKeyDays = 3_650
)

// CreateKeyRequest is the body of POST /keys. Without ExpiresInDays the key
// lasts until it is deleted.
type CreateKeyRequest struct {
	Name          string `json:"name"`
	ExpiresInDays *int   `json:"expiresInDays,omitempty"`
}

// CreateKeyResponse is the body of the 201 that answers POST /keys. Nobody can
// read Key again.
type CreateKeyResponse struct {
	KeyID     string `json:"keyId"`
	Name      string `json:"name"`
	Key       string `json:"key"`
	CreatedAt string `json:"createdAt"`
	ExpiresAt string `json:"expiresAt,omitempty"`
}

// KeyList is the body of GET /keys: those that have not expired, the oldest
// first.
type KeyList struct {
	Keys []PersonalKey `json:"keys"`
}

// PersonalKey is a key as its owner sees it later.
type PersonalKey struct {
	KeyID     string `json:"keyId"`
	Name      string `json:"name"`
	CreatedAt string `json:"createdAt"`
	ExpiresAt string `json:"expiresAt,omitempty"`
}
