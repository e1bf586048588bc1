package main

import (
	"context"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

func (s *server) ValidateDataResourceConfig(_ context.Context, ask *tfprotov6.ValidateDataResourceConfigRequest) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	return &tfprotov6.ValidateDataResourceConfigResponse{Diagnostics: validate(ask.Config, s.schemas.dataSources[ask.TypeName])}, nil
}

// ReadDataSource gives the same answer to the same question at every plan.
func (s *server) ReadDataSource(_ context.Context, ask *tfprotov6.ReadDataSourceRequest) (*tfprotov6.ReadDataSourceResponse, error) {
	state, err := s.read(ask.Config, s.schemas.dataSources[ask.TypeName], ask.TypeName)
	return &tfprotov6.ReadDataSourceResponse{State: state}, err
}

func (s *server) ValidateEphemeralResourceConfig(_ context.Context, ask *tfprotov6.ValidateEphemeralResourceConfigRequest) (*tfprotov6.ValidateEphemeralResourceConfigResponse, error) {
	return &tfprotov6.ValidateEphemeralResourceConfigResponse{Diagnostics: validate(ask.Config, s.schemas.ephemerals[ask.TypeName])}, nil
}

func (s *server) OpenEphemeralResource(_ context.Context, ask *tfprotov6.OpenEphemeralResourceRequest) (*tfprotov6.OpenEphemeralResourceResponse, error) {
	result, err := s.read(ask.Config, s.schemas.ephemerals[ask.TypeName], ask.TypeName)
	return &tfprotov6.OpenEphemeralResourceResponse{Result: result}, err
}

func (s *server) CloseEphemeralResource(context.Context, *tfprotov6.CloseEphemeralResourceRequest) (*tfprotov6.CloseEphemeralResourceResponse, error) {
	return &tfprotov6.CloseEphemeralResourceResponse{}, nil
}

func (s *server) read(config *tfprotov6.DynamicValue, schema *tfprotov6.Schema, typeName string) (*tfprotov6.DynamicValue, error) {
	kind := schema.ValueType()
	asked, err := config.Unmarshal(kind)
	if err != nil {
		return nil, err
	}
	found, err := s.inventor(typeName, configSeed(config)).computed(asked, schema)
	if err != nil {
		return nil, err
	}
	answer, err := tfprotov6.NewDynamicValue(kind, found)
	return &answer, err
}
