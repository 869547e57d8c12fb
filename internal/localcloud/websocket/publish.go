package websocket

import (
	"net/http"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
)

// PutIntegration creates or updates an integration and returns it with its id.
func (s *Service) PutIntegration(i Integration) (Integration, error) {
	err := s.edit(i.APIID, func(a *api) error {
		if i.Type != "AWS_PROXY" {
			return badRequest("the local cloud does not serve integrations of type %q", i.Type)
		}
		if i.Method != "" && i.Method != http.MethodPost {
			return badRequest("an AWS_PROXY integration with a function needs integrationMethod POST, got %q", i.Method)
		}
		if i.TimeoutMilliseconds != 0 && (i.TimeoutMilliseconds < 50 || i.TimeoutMilliseconds > 29_000) {
			return badRequest("Timeout should be between 50 ms and 29000 ms, got %d", i.TimeoutMilliseconds)
		}
		if _, err := gateway.FunctionARN(i.URI); err != nil {
			return badRequest("%v", err)
		}
		if i.ID == "" {
			i.ID = gateway.NewID(7)
		}
		a.integrations[i.ID] = i
		return nil
	})
	return i, err
}

// DeleteIntegration removes an integration that no route targets.
func (s *Service) DeleteIntegration(apiID, id string) error {
	return s.edit(apiID, func(a *api) error {
		for _, r := range a.routes {
			if r.Target == "integrations/"+id {
				return &awsapi.Error{Status: http.StatusConflict, Code: "ConflictException", Message: "Cannot delete Integration '" + id + "' because it is referenced by a Route"}
			}
		}
		delete(a.integrations, id)
		return nil
	})
}

// PutAuthorizer creates or updates an authorizer and returns it with its id.
func (s *Service) PutAuthorizer(z Authorizer) (Authorizer, error) {
	err := s.edit(z.APIID, func(a *api) error {
		if err := z.check(); err != nil {
			return err
		}
		if z.ID == "" {
			z.ID = gateway.NewID(6)
		}
		a.authorizers[z.ID] = z
		return nil
	})
	return z, err
}

func (z Authorizer) check() error {
	if z.Type != "REQUEST" {
		return badRequest("Only REQUEST authorizers are supported for WEBSOCKET protocol Apis, got %q", z.Type)
	}
	if z.ResultTTLSeconds != 0 {
		return badRequest("AuthorizerResultTtlInSeconds cannot be set for WEBSOCKET protocol Apis")
	}
	for _, source := range z.IdentitySources {
		if _, err := parseIdentitySource(source); err != nil {
			return badRequest("%v", err)
		}
	}
	if _, err := gateway.FunctionARN(z.URI); err != nil {
		return badRequest("%v", err)
	}
	return nil
}

// DeleteAuthorizer removes an authorizer.
func (s *Service) DeleteAuthorizer(apiID, id string) error {
	return s.edit(apiID, func(a *api) error {
		delete(a.authorizers, id)
		return nil
	})
}

// PutDeployment takes a snapshot of the API and returns it with its id.
func (s *Service) PutDeployment(d Deployment) (Deployment, error) {
	err := s.edit(d.APIID, func(a *api) error {
		if len(a.routes) == 0 {
			return badRequest("At least one route is required before deploying the Api.")
		}
		if d.ID == "" {
			d.ID = gateway.NewID(6)
		}
		a.deployments[d.ID] = a.clone()
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

// PutStage creates or updates a stage.
func (s *Service) PutStage(st Stage) error {
	return s.edit(st.APIID, func(a *api) error {
		if st.AutoDeploy && st.DeploymentID != "" {
			return badRequest("A stage with autoDeploy cannot have a deploymentId")
		}
		if wrong := gateway.StageVariables(st.Variables); wrong != "" {
			return badRequest("%s", wrong)
		}
		if _, ok := a.deployments[st.DeploymentID]; !ok && st.DeploymentID != "" {
			return notFound("deployment", st.DeploymentID)
		}
		a.stages[st.Name] = st
		return nil
	})
}

// DeleteStage removes a stage and closes its sockets.
func (s *Service) DeleteStage(apiID, name string) error {
	err := s.edit(apiID, func(a *api) error {
		delete(a.stages, name)
		return nil
	})
	s.closeSockets(func(k connKey) bool { return k.apiID == apiID && k.stage == name })
	return err
}
