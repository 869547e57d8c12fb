package cognito

import (
	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

func (s *Service) srpAuth(in initiateAuthInput) (*authOutput, *awsapi.Error) {
	name := in.AuthParameters["USERNAME"]
	if name == "" {
		return nil, invalid("Missing required parameter USERNAME")
	}
	a, err := s.attempt(in.ClientID, name)
	if a.pool != nil {
		if flowErr := a.client.allows("ALLOW_USER_SRP_AUTH", in.AuthFlow); flowErr != nil {
			return nil, flowErr
		}
	}
	if err != nil {
		return nil, err
	}
	if err := a.client.checkSecret(name, in.AuthParameters["SECRET_HASH"]); err != nil {
		return nil, err
	}
	exchange, err := newExchange(a.client.UserPoolID, a.user.Username, in.AuthParameters["SRP_A"], a.user.Password)
	if err != nil {
		return nil, err
	}
	c := challenge{name: "PASSWORD_VERIFIER", clientID: a.client.ID, sub: a.user.Sub, exchange: exchange, validity: a.client.AuthSessionValidity}
	s.ask(string(exchange.block), c)
	return &authOutput{ChallengeName: c.name, ChallengeParameters: exchange.parameters(a.user.Password.SRPSalt)}, nil
}
