package main

import (
	"context"
	"sync"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// server answers the plug-in protocol, version 6, from schemas alone.
type server struct {
	schemas schemas

	mutex  sync.Mutex
	region string
}

func capabilities() *tfprotov6.ServerCapabilities {
	return &tfprotov6.ServerCapabilities{GetProviderSchemaOptional: true}
}

// inventor makes up values in the region that the provider was configured with.
func (s *server) inventor(typeName, seed string) inventor {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	region := s.region
	if region == "" {
		region = defaultRegion
	}
	return inventor{typeName: typeName, region: region, seed: seed}
}

func (s *server) GetMetadata(context.Context, *tfprotov6.GetMetadataRequest) (*tfprotov6.GetMetadataResponse, error) {
	answer := &tfprotov6.GetMetadataResponse{ServerCapabilities: capabilities()}
	for name := range s.schemas.resources {
		answer.Resources = append(answer.Resources, tfprotov6.ResourceMetadata{TypeName: name})
	}
	for name := range s.schemas.dataSources {
		answer.DataSources = append(answer.DataSources, tfprotov6.DataSourceMetadata{TypeName: name})
	}
	for name := range s.schemas.ephemerals {
		answer.EphemeralResources = append(answer.EphemeralResources, tfprotov6.EphemeralResourceMetadata{TypeName: name})
	}
	return answer, nil
}

func (s *server) GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	return &tfprotov6.GetProviderSchemaResponse{
		ServerCapabilities:       capabilities(),
		Provider:                 s.schemas.provider,
		ResourceSchemas:          s.schemas.resources,
		DataSourceSchemas:        s.schemas.dataSources,
		EphemeralResourceSchemas: s.schemas.ephemerals,
	}, nil
}

func (s *server) GetResourceIdentitySchemas(context.Context, *tfprotov6.GetResourceIdentitySchemasRequest) (*tfprotov6.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov6.GetResourceIdentitySchemasResponse{}, nil
}

func (s *server) ValidateProviderConfig(_ context.Context, ask *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	return &tfprotov6.ValidateProviderConfigResponse{
		PreparedConfig: ask.Config, Diagnostics: validate(ask.Config, s.schemas.provider),
	}, nil
}

func (s *server) ConfigureProvider(_ context.Context, ask *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	config, err := ask.Config.Unmarshal(s.schemas.provider.ValueType())
	if err != nil {
		return nil, err
	}
	region, err := configuredRegion(config)
	if err != nil {
		return nil, err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.region = region
	return &tfprotov6.ConfigureProviderResponse{}, nil
}

// configuredRegion is empty where the provider has no such argument, or its value is not known yet.
func configuredRegion(config tftypes.Value) (string, error) {
	var fields map[string]tftypes.Value
	if err := config.As(&fields); err != nil {
		return "", err
	}
	value, found := fields["region"]
	if !found || !value.IsKnown() || value.IsNull() {
		return "", nil
	}
	var region string
	err := value.As(&region)
	return region, err
}

func (s *server) StopProvider(context.Context, *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	return &tfprotov6.StopProviderResponse{}, nil
}
