package restapi

import (
	"strconv"

	"github.com/streaming-service/streaming-service/internal/localcloud/restapi/gateway"
)

// PutAuthorizer creates or updates an authorizer and returns it with its id.
func (s *Service) PutAuthorizer(z Authorizer) (Authorizer, error) {
	err := s.edit(z.APIID, func(a *api) error {
		if z.IdentitySource == "" {
			z.IdentitySource = identitySourceAuthorization
		}
		switch {
		case z.Type != "COGNITO_USER_POOLS":
			return badRequest("the local cloud does not serve authorizers of type %q", z.Type)
		case len(z.ProviderARNs) == 0:
			return badRequest("an authorizer of type COGNITO_USER_POOLS needs providerArns")
		case z.IdentitySource != identitySourceAuthorization:
			return badRequest("Invalid identity source %q: a COGNITO_USER_POOLS authorizer reads %s", z.IdentitySource, identitySourceAuthorization)
		}
		if z.ID == "" {
			z.ID = gateway.NewID(6)
		}
		a.authorizers[z.ID] = z
		return nil
	})
	return z, err
}

// DeleteAuthorizer removes an authorizer.
func (s *Service) DeleteAuthorizer(apiID, id string) error {
	return s.edit(apiID, func(a *api) error {
		delete(a.authorizers, id)
		return nil
	})
}

// PutGatewayResponse creates or updates the gateway response of a type.
func (s *Service) PutGatewayResponse(g GatewayResponse) error {
	return s.edit(g.APIID, func(a *api) error {
		if err := g.check(); err != nil {
			return err
		}
		a.responses[g.Type] = g
		return nil
	})
}

func (g GatewayResponse) check() error {
	if _, ok := responseTypes[g.Type]; !ok {
		return badRequest("Unsupported gateway response type %q", g.Type)
	}
	if g.StatusCode != "" {
		if code, err := strconv.Atoi(g.StatusCode); err != nil || code < 400 || code > 599 {
			return badRequest("Invalid status code %q of gateway response %s", g.StatusCode, g.Type)
		}
	}
	for name, value := range g.Parameters {
		if _, _, err := g.parameter(name, value); err != nil {
			return err
		}
	}
	return nil
}

// DeleteGatewayResponse removes the gateway response of a type.
func (s *Service) DeleteGatewayResponse(apiID, responseType string) error {
	return s.edit(apiID, func(a *api) error {
		delete(a.responses, responseType)
		return nil
	})
}

// PutMethodSettings sets the throttle of a stage's methods; the stage must exist.
func (s *Service) PutMethodSettings(m MethodSettings) error {
	return s.edit(m.APIID, func(a *api) error {
		if _, ok := a.stages[m.StageName]; !ok {
			return notFound("stage")
		}
		if a.settings[m.StageName] == nil {
			a.settings[m.StageName] = map[string]MethodSettings{}
		}
		a.settings[m.StageName][m.MethodPath] = m
		return nil
	})
}

// DeleteMethodSettings removes the throttle again.
func (s *Service) DeleteMethodSettings(apiID, stage, methodPath string) error {
	return s.edit(apiID, func(a *api) error {
		delete(a.settings[stage], methodPath)
		return nil
	})
}

// PutDeployment takes a snapshot of the API and returns it with its id.
func (s *Service) PutDeployment(d Deployment) (Deployment, error) {
	err := s.edit(d.APIID, func(a *api) error {
		snap, err := a.deploy()
		if err != nil {
			return err
		}
		if d.ID == "" {
			d.ID = gateway.NewID(6)
		}
		a.deployments[d.ID] = snap
		return nil
	})
	return d, err
}

// DeleteDeployment removes a deployment that no stage serves.
func (s *Service) DeleteDeployment(apiID, id string) error {
	return s.edit(apiID, func(a *api) error {
		for _, stage := range a.stages {
			if stage.DeploymentID == id {
				return badRequest("Active stages pointing to this deployment must be moved or deleted")
			}
		}
		delete(a.deployments, id)
		return nil
	})
}

// PutStage creates a stage or moves it to another deployment.
func (s *Service) PutStage(st Stage) error {
	return s.edit(st.APIID, func(a *api) error {
		if a.deployments[st.DeploymentID] == nil {
			return badRequest("Deployment id does not exist")
		}
		a.stages[st.Name] = st
		return nil
	})
}

// DeleteStage removes a stage with its settings.
func (s *Service) DeleteStage(apiID, name string) error {
	return s.edit(apiID, func(a *api) error {
		delete(a.stages, name)
		delete(a.settings, name)
		return nil
	})
}
