package restapi

import (
	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
)

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
		if wrong := gateway.StageVariables(st.Variables); wrong != "" {
			return badRequest("%s", wrong)
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
