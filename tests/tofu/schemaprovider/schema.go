package main

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// schemas is a document in the types of the plug-in protocol.
type schemas struct {
	provider    *tfprotov6.Schema
	resources   map[string]*tfprotov6.Schema
	dataSources map[string]*tfprotov6.Schema
	ephemerals  map[string]*tfprotov6.Schema
}

var blockNesting = map[string]tfprotov6.SchemaNestedBlockNestingMode{
	"single": tfprotov6.SchemaNestedBlockNestingModeSingle,
	"list":   tfprotov6.SchemaNestedBlockNestingModeList,
	"set":    tfprotov6.SchemaNestedBlockNestingModeSet,
	"map":    tfprotov6.SchemaNestedBlockNestingModeMap,
	"group":  tfprotov6.SchemaNestedBlockNestingModeGroup,
}

var objectNesting = map[string]tfprotov6.SchemaObjectNestingMode{
	"single": tfprotov6.SchemaObjectNestingModeSingle,
	"list":   tfprotov6.SchemaObjectNestingModeList,
	"set":    tfprotov6.SchemaObjectNestingModeSet,
	"map":    tfprotov6.SchemaObjectNestingModeMap,
}

func (d document) schemas() (schemas, error) {
	var s schemas
	var err error
	if s.provider, err = protocolSchema(d.Provider); err != nil {
		return s, fmt.Errorf("provider: %w", err)
	}
	for _, part := range []struct {
		from map[string]resourceSchema
		to   *map[string]*tfprotov6.Schema
	}{{d.Resources, &s.resources}, {d.DataSources, &s.dataSources}, {d.Ephemerals, &s.ephemerals}} {
		*part.to = map[string]*tfprotov6.Schema{}
		for name, one := range part.from {
			if (*part.to)[name], err = protocolSchema(one); err != nil {
				return s, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return s, nil
}

func protocolSchema(from resourceSchema) (*tfprotov6.Schema, error) {
	body, err := protocolBlock(from.Block)
	return &tfprotov6.Schema{Version: from.Version, Block: body}, err
}

func protocolBlock(from block) (*tfprotov6.SchemaBlock, error) {
	attributes, err := protocolAttributes(from.Attributes)
	if err != nil {
		return nil, err
	}
	to := &tfprotov6.SchemaBlock{Attributes: attributes}
	for name, nested := range from.BlockTypes {
		mode, known := blockNesting[nested.NestingMode]
		if !known {
			return nil, fmt.Errorf("block %s: unknown nesting mode %q", name, nested.NestingMode)
		}
		body, err := protocolBlock(nested.Block)
		if err != nil {
			return nil, fmt.Errorf("block %s: %w", name, err)
		}
		to.BlockTypes = append(to.BlockTypes, &tfprotov6.SchemaNestedBlock{
			TypeName: name, Nesting: mode, MinItems: nested.MinItems, MaxItems: nested.MaxItems, Block: body,
		})
	}
	return to, nil
}

func protocolAttributes(from map[string]attribute) ([]*tfprotov6.SchemaAttribute, error) {
	to := make([]*tfprotov6.SchemaAttribute, 0, len(from))
	for name, one := range from {
		attr := &tfprotov6.SchemaAttribute{
			Name: name, Required: one.Required, Optional: one.Optional, Computed: one.Computed,
			Sensitive: one.Sensitive, WriteOnly: one.WriteOnly, Deprecated: one.Deprecated,
		}
		if err := typed(attr, one); err != nil {
			return nil, fmt.Errorf("attribute %s: %w", name, err)
		}
		to = append(to, attr)
	}
	return to, nil
}

// typed gives the attribute its type: a plain one, or an object with attributes of its own.
func typed(attr *tfprotov6.SchemaAttribute, from attribute) error {
	if from.NestedType == nil {
		// The parser is marked deprecated for providers that have types of their own; a JSON document has nothing else.
		plain, err := tftypes.ParseJSONType(from.Type) //nolint:staticcheck
		attr.Type = plain
		return err
	}
	mode, known := objectNesting[from.NestedType.NestingMode]
	if !known {
		return fmt.Errorf("unknown nesting mode %q", from.NestedType.NestingMode)
	}
	attributes, err := protocolAttributes(from.NestedType.Attributes)
	attr.NestedType = &tfprotov6.SchemaObject{Nesting: mode, Attributes: attributes}
	return err
}
