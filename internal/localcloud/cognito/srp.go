package cognito

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// srpGroup is the 3072-bit MODP group of RFC 3526, which Cognito uses.
var srpGroup = mustHex("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD1" +
	"29024E088A67CC74020BBEA63B139B22514A08798E3404DD" +
	"EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245" +
	"E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED" +
	"EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3D" +
	"C2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F" +
	"83655D23DCA3AD961C62F356208552BB9ED529077096966D" +
	"670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B" +
	"E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9" +
	"DE2BCBF6955817183995497CEA956AE515D2261898FA0510" +
	"15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64" +
	"ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7" +
	"ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6B" +
	"F12FFA06D98A0864D87602733EC86A64521F2B18177B200C" +
	"BBE117577A615D6C770988C0BAD946E208E24FA074E5AB31" +
	"43DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF")

var (
	srpGenerator  = big.NewInt(2)
	srpMultiplier = hashNumber(padded(srpGroup), padded(srpGenerator))
)

func mustHex(text string) *big.Int {
	n, _ := new(big.Int).SetString(text, 16)
	return n
}

// padded returns the bytes of n with a zero in front if its highest bit is set:
// how Cognito writes numbers into a hash.
func padded(n *big.Int) []byte {
	b := n.Bytes()
	if len(b) == 0 {
		return []byte{0}
	}
	if b[0]&0x80 != 0 {
		return append([]byte{0}, b...)
	}
	return b
}

func hashNumber(parts ...[]byte) *big.Int {
	h := sha256.New()
	for _, part := range parts {
		h.Write(part)
	}
	return new(big.Int).SetBytes(h.Sum(nil))
}

func poolName(poolID string) string {
	_, name, _ := strings.Cut(poolID, "_")
	return name
}

// verifier computes g^x, which proves a password without being it.
func verifier(poolID, username, text string, salt *big.Int) *big.Int {
	identity := sha256.Sum256([]byte(poolName(poolID) + username + ":" + text))
	x := hashNumber(padded(salt), identity[:])
	return new(big.Int).Exp(srpGenerator, x, srpGroup)
}

// srpExchange is the server's side of one SRP-6a sign-in.
type srpExchange struct {
	poolID   string
	username string // USER_ID_FOR_SRP
	clientA  *big.Int
	secret   *big.Int // b
	publicB  *big.Int
	verifier *big.Int
	block    []byte // SECRET_BLOCK
}

func newExchange(poolID, username, clientA string, pw password) (*srpExchange, *awsapi.Error) {
	a, ok := new(big.Int).SetString(clientA, 16)
	if !ok || a.Sign() <= 0 || len(clientA) > 1024 || new(big.Int).Mod(a, srpGroup).Sign() == 0 {
		return nil, invalid("SRP_A is not a valid hexadecimal number")
	}
	x := &srpExchange{
		poolID: poolID, username: username, clientA: a, secret: new(big.Int).SetBytes(randomBytes(64)),
		verifier: new(big.Int).SetBytes(pw.SRPVerifier), block: randomBytes(64),
	}
	x.publicB = new(big.Int).Exp(srpGenerator, x.secret, srpGroup)
	x.publicB.Add(x.publicB, new(big.Int).Mul(srpMultiplier, x.verifier))
	x.publicB.Mod(x.publicB, srpGroup)
	return x, nil
}

func checkTimestamp(timestamp string) *awsapi.Error {
	if _, err := time.Parse("Mon Jan 2 15:04:05 MST 2006", timestamp); err != nil {
		return invalid("TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.")
	}
	return nil
}

// proves checks the client's signature, made with the key that both sides
// derive only if the client knows the password.
func (x *srpExchange) proves(signature, timestamp string) bool {
	given, err := base64.StdEncoding.DecodeString(signature)
	return err == nil && hmac.Equal(given, x.signature(timestamp))
}

func (x *srpExchange) signature(timestamp string) []byte {
	u := hashNumber(padded(x.clientA), padded(x.publicB))
	shared := new(big.Int).Exp(x.verifier, u, srpGroup)
	shared.Mul(shared, x.clientA)
	shared.Exp(shared, x.secret, srpGroup)
	message := []byte(poolName(x.poolID) + x.username)
	message = append(append(message, x.block...), timestamp...)
	return sum(derivedKey(shared, u), message)
}

// derivedKey is Cognito's HKDF of the shared secret.
func derivedKey(shared, u *big.Int) []byte {
	extracted := sum(padded(u), padded(shared))
	return sum(extracted, []byte("Caldera Derived Key\x01"))[:16]
}

func sum(key, message []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(message)
	return mac.Sum(nil)
}

// parameters are what the client needs for its half.
func (x *srpExchange) parameters(salt []byte) map[string]string {
	return map[string]string{
		"SALT": hex.EncodeToString(padded(new(big.Int).SetBytes(salt))), "SRP_B": hex.EncodeToString(padded(x.publicB)),
		"SECRET_BLOCK": base64.StdEncoding.EncodeToString(x.block), "USERNAME": x.username, "USER_ID_FOR_SRP": x.username,
	}
}
