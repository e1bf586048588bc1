package main

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func (s *server) ValidateResourceConfig(_ context.Context, ask *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return &tfprotov6.ValidateResourceConfigResponse{Diagnostics: validate(ask.Config, s.schemas.resources[ask.TypeName])}, nil
}

// PlanResourceChange leaves what the cloud decides unknown until apply.
func (s *server) PlanResourceChange(_ context.Context, ask *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	schema := s.schemas.resources[ask.TypeName]
	kind := schema.ValueType()
	prior, err := ask.PriorState.Unmarshal(kind)
	if err != nil {
		return nil, err
	}
	proposed, err := ask.ProposedNewState.Unmarshal(kind)
	if err != nil {
		return nil, err
	}
	planned, err := plan(proposed, schema, prior.IsNull())
	if err != nil {
		return nil, err
	}
	answer, err := tfprotov6.NewDynamicValue(kind, planned)
	return &tfprotov6.PlanResourceChangeResponse{PlannedState: &answer}, err
}

// plan sets write-only attributes to null, as the protocol demands of every plan,
// and, for an object that does not exist yet, the computed ones that nobody set to unknown.
func plan(proposed tftypes.Value, schema *tfprotov6.Schema, create bool) (tftypes.Value, error) {
	attributes := attributesByPath(schema)
	return tftypes.Transform(proposed, func(path *tftypes.AttributePath, value tftypes.Value) (tftypes.Value, error) {
		attr := attributeAt(path, attributes)
		switch {
		case attr == nil:
			return value, nil
		case attr.WriteOnly:
			return tftypes.NewValue(value.Type(), nil), nil
		case create && attr.Computed && value.IsNull():
			return tftypes.NewValue(value.Type(), tftypes.UnknownValue), nil
		}
		return value, nil
	})
}

// ApplyResourceChange invents what was unknown in the plan. A destroyed object is null on both sides.
func (s *server) ApplyResourceChange(_ context.Context, ask *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	kind := s.schemas.resources[ask.TypeName].ValueType()
	planned, err := ask.PlannedState.Unmarshal(kind)
	if err != nil {
		return nil, err
	}
	applied, err := s.inventor(ask.TypeName, freshSeed()).unknowns(planned)
	if err != nil {
		return nil, err
	}
	answer, err := tfprotov6.NewDynamicValue(kind, applied)
	return &tfprotov6.ApplyResourceChangeResponse{NewState: &answer}, err
}

// ReadResource finds the object as the state knows it: nothing drifts in a world without a cloud.
func (s *server) ReadResource(_ context.Context, ask *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	return &tfprotov6.ReadResourceResponse{NewState: ask.CurrentState, Private: ask.Private}, nil
}

// UpgradeResourceState drops what the schema no longer has, which is what a provider's own upgrades mostly do.
func (s *server) UpgradeResourceState(_ context.Context, ask *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	schema, found := s.schemas.resources[ask.TypeName]
	if !found {
		return nil, fmt.Errorf("the state holds a %s, which the schema does not know", ask.TypeName)
	}
	kind := schema.ValueType()
	lenient := tfprotov6.UnmarshalOpts{ValueFromJSONOpts: tftypes.ValueFromJSONOpts{IgnoreUndefinedAttributes: true}}
	value, err := ask.RawState.UnmarshalWithOpts(kind, lenient)
	if err != nil {
		return nil, err
	}
	answer, err := tfprotov6.NewDynamicValue(kind, value)
	return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &answer}, err
}

// ImportResourceState knows an existing object by its identifier alone; the next plan shows the rest as a change.
func (s *server) ImportResourceState(_ context.Context, ask *tfprotov6.ImportResourceStateRequest) (*tfprotov6.ImportResourceStateResponse, error) {
	schema := s.schemas.resources[ask.TypeName]
	kind := schema.ValueType()
	fields := map[string]tftypes.Value{}
	for _, attr := range schema.Block.Attributes {
		fields[attr.Name] = tftypes.NewValue(attr.ValueType(), nil)
	}
	for _, nested := range schema.Block.BlockTypes {
		fields[nested.TypeName] = emptyBlock(nested)
	}
	if _, found := fields["id"]; !found {
		return &tfprotov6.ImportResourceStateResponse{
			Diagnostics: failure("import", fmt.Errorf("%s has no attribute id to be imported by", ask.TypeName)),
		}, nil
	}
	fields["id"] = tftypes.NewValue(tftypes.String, ask.ID)
	known, err := s.inventor(ask.TypeName, ask.ID).computed(tftypes.NewValue(kind, fields), schema)
	if err != nil {
		return nil, err
	}
	state, err := tfprotov6.NewDynamicValue(kind, known)
	return &tfprotov6.ImportResourceStateResponse{
		ImportedResources: []*tfprotov6.ImportedResource{{TypeName: ask.TypeName, State: &state}},
	}, err
}

// emptyBlock is how the engine spells a block that is not there: an empty collection, or null for a single one.
func emptyBlock(nested *tfprotov6.SchemaNestedBlock) tftypes.Value {
	kind := nested.ValueType()
	switch kind.(type) {
	case tftypes.List, tftypes.Set:
		return tftypes.NewValue(kind, []tftypes.Value{})
	case tftypes.Map:
		return tftypes.NewValue(kind, map[string]tftypes.Value{})
	}
	return tftypes.NewValue(kind, nil)
}
